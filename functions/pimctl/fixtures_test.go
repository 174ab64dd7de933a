package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

const (
	api       = "https://api.example.com"
	newest    = "T0PSECRET-q8Zr4kV1nX7w"
	former    = "T0PSECRET-m2Jt6pY9cB3h"
	announced = "T0PSECRET-z5Lw8sD2gF4u"
	catalogue = `
  catalogue: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta, com.akeneo.pim.v1.product.deleted], action: tell}`
	models = `
  models: {pim: main, api: event-platform, events: ["com.akeneo.pim.v1.product-model.*"], shadow: true, action: tell}`
)

// fixture is the command line beside a fake platform, with files of its own.
type fixture struct {
	*platformtest.API
	t         *testing.T
	url       string
	variables map[string]string
	secrets   map[string]any
	email     string
	notify    string
}

func newFixture(t *testing.T, config platformtest.Config) *fixture {
	config.Credential = pim.Credential{ClientID: "1_abc", ClientSecret: "T0PSECRET-client", Username: "magento_0000", Password: "T0PSECRET-password"}
	config.Now = time.Now
	d := &fixture{API: platformtest.New(config), t: t, email: "technical_email: ops@example.com", notify: "notifications: {main: {action: tell}}"}
	server := httptest.NewServer(d.API)
	t.Cleanup(server.Close)
	d.At(server.URL)
	d.url = server.URL
	d.variables = map[string]string{"ALLOW_PRIVATE_NETWORK": "true", "EVENT_PLATFORM_URL": server.URL + platformtest.Base, "STAGE": "local"}
	d.hold(newest)
	return d
}

// hold puts secrets of the subscriptions into the signing document, the newest last.
func (d *fixture) hold(subscriptions ...string) {
	d.secrets = map[string]any{
		"signing":     map[string]any{"event-platform": map[string]any{"main": subscriptions, "main/notifications": []string{announced}}},
		"connections": map[string]any{"pims": map[string]any{"main": map[string]string{"client_id": "1_abc", "client_secret": "T0PSECRET-client", "username": "magento_0000", "password": "T0PSECRET-password"}}},
	}
}

// file writes a file that ends with the test.
func (d *fixture) file(name, text string) string {
	path := filepath.Join(d.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// run runs a command with these subscriptions declared, and the secrets where it takes some.
func (d *fixture) run(subscriptions string, words ...string) (status int, out, err string) {
	d.t.Helper()
	d.variables["CONFIG_FILE"] = d.file("extensions.yaml", "pims: {main: {url: \""+d.url+"\", "+d.email+"}}\n"+
		"actions: {tell: {kind: notify, channel: slack, url: secret:slack, text: x}}\n"+d.notify+"\nsubscriptions:"+subscriptions+"\n")
	if !slices.Contains(words, "--print") && words[0] == "subscribe" {
		document, err := json.Marshal(d.secrets)
		if err != nil {
			d.t.Fatal(err)
		}
		words = append(words, "--secrets", d.file("secrets.json", string(document)))
	}
	status, out, err = pimctl(d.t, d.variables, words...)
	if strings.Contains(out+err, "SECRET-") {
		d.t.Errorf("a secret in\n%s%s", out, err)
	}
	return status, out, err
}

// subscribe must succeed, and say this.
func (d *fixture) subscribe(subscriptions string, says string, flags ...string) {
	d.t.Helper()
	status, out, err := d.run(subscriptions, append([]string{"subscribe", api}, flags...)...)
	if status != 0 || !strings.Contains(out, says) {
		d.t.Fatalf("status %d, want %q\nout: %s\nerr: %s", status, says, out, err)
	}
}
