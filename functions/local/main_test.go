package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

func variables(set map[string]string) *env.Variables {
	return env.Read(func(name string) (string, bool) { value, ok := set[name]; return value, ok })
}

// free is a port that nobody uses at this moment.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}

func TestOnStartOneButtonIsPressedAndItsWayPrinted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	var out, errs transcript
	port := free(t)
	ended := make(chan int)
	go func() { ended <- run(ctx, nil, variables(map[string]string{"PORT": port}), &out, &errs) }()
	for !strings.Contains(out.String(), "Ctrl-C") {
		select {
		case code := <-ended:
			t.Fatalf("ended with %d: %s", code, errs.String())
		default:
			pause(t.Context(), 5*time.Millisecond)
		}
	}
	interrupt()
	if code := <-ended; code != 0 {
		t.Errorf("ends with %d: %s", code, errs.String())
	}
	text, last := out.String(), 0
	for _, step := range []string{
		"runs at http://localhost:" + port, "signed ", "verified ", "answered ", "recorded ", "delivered ", "Idempotency-Key export_to_erp-", "succeeded  3 of 3",
		"go run ./events action-product-grid http://localhost:" + port, "Stopped. Jobs ended: 1. Nothing is left.",
	} {
		at := strings.Index(text[last:], step)
		if at < 0 {
			t.Fatalf("%q is missing, or too early, in:\n%s", step, text)
		}
		last += at
	}
	if strings.Contains(errs.String(), "POST /actions") {
		t.Errorf("the log talks into the demonstration:\n%s", errs.String())
	}
}

func TestWhatKeepsItFromStartingIsSaidInOneLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	broken := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(broken, []byte("pims: {main: {url: \"${PIM_URL}\"}}\nactions:\n  a: {kind: forward, url: \"${ERP_URL}/a\", sort: no}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  map[string]string
		args []string
		code int
		says string
	}{
		{"port taken", map[string]string{"PORT": port}, nil, 1, "port " + port + " is taken: set PORT="},
		{"port no number", map[string]string{"PORT": "http"}, nil, 1, "PORT is not a whole number"},
		{"port no port", map[string]string{"PORT": "70000"}, nil, 1, "listen:"},
		{"log level", map[string]string{"LOG_LEVEL": "loud"}, nil, 1, "LOG_LEVEL is none of"},
		{"no configuration", map[string]string{"PORT": "0", "CONFIG_FILE": "nowhere.yaml"}, nil, 1, "read CONFIG_FILE"},
		{"a mistake in it", map[string]string{"PORT": "0", "CONFIG_FILE": broken}, nil, 1, `:3: unknown key "sort"`},
		{"no secrets", map[string]string{"PORT": "0", "SECRETS_FILE": "nowhere.json"}, nil, 1, "read secrets"},
		{"an argument", nil, []string{"fast"}, 2, `"fast" is not understood`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs transcript
			code := run(t.Context(), c.args, variables(c.set), &out, &errs)
			if code != c.code || !strings.Contains(errs.String(), c.says) || out.String() != "" {
				t.Errorf("ends with %d, says %q and %q", code, errs.String(), out.String())
			}
		})
	}
}

func TestHelpListsTheVariables(t *testing.T) {
	var out, errs transcript
	if code := run(t.Context(), []string{"--help"}, variables(nil), &out, &errs); code != 0 {
		t.Errorf("ends with %d", code)
	}
	for _, name := range []string{"PORT", "CONFIG_FILE", "SECRETS_FILE", "PIM_URL", "ERP_URL", "ALLOW_PRIVATE_NETWORK", "DEMO", "LOG_LEVEL"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("no %s in:\n%s", name, out.String())
		}
	}
}

func TestSampleSecretsFitTheProjectsExtensions(t *testing.T) {
	d := open(t)
	signing, err := d.signing.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sample := func(place, secret string) {
		if !strings.HasPrefix(secret, "sample-") || len(secret) < 32 {
			t.Errorf("%s: %q is no sample of at least 32 characters", place, secret)
		}
	}
	for name, extension := range d.config.Extensions {
		if extension.Type != "action" && extension.Type != "iframe" {
			continue
		}
		own := signing.Extensions[name].Secrets
		switch {
		case len(own) == 0:
			t.Errorf("%s has no secret", name)
		case name == preferred && own[0] != "the_secret_need_tobe_32_characthers_long":
			t.Errorf("%s has another secret than the sending tool", name)
		case name != preferred:
			sample(name, own[0])
		}
	}
	for pim, all := range signing.EventPlatform {
		sample(pim, all[0])
	}
	for pim, all := range signing.EventsAPI {
		sample(pim, all[0])
	}
	sample("contentful", signing.Contentful[0])
	if len(signing.Contentful[0]) != 64 {
		t.Errorf("Contentful's secrets have 64 characters, the sample %d", len(signing.Contentful[0]))
	}
	document, err := d.secrets.Get(t.Context(), connectionsID)
	if err != nil {
		t.Fatal(err)
	}
	connections, warnings, err := secrets.ParseConnections(document)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	if got, want := connections.Values["slack"], d.URL()+"/_local/destination/slack"; got != want {
		t.Errorf("slack is at %q, want %q", got, want)
	}
}

func TestVariablesOfTheProcessFillTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	text := "pims: {main: {url: \"${PIM_URL}\"}}\nactions:\n  a: {kind: forward, url: \"${SINK}/a\"}\nextensions:\n" +
		"  a: {pim: main, type: link, positions: [pim.product.header], label: {default: A}, url: \"${PIM_URL}/a\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set := variables(map[string]string{"SINK": "http://127.0.0.1:1", "PIM_URL": "https://own.example.com"})
	system, err := Open(t.Context(), Options{ConfigFile: file, Lookup: set.Lookup, Log: &transcript{}})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	defer system.Stop()
	if got := system.config.PIMs["main"].URL; got != "https://own.example.com" {
		t.Errorf("PIM at %q", got)
	}
	if system.config.Stage != config.Local {
		t.Errorf("stage %q", system.config.Stage)
	}
}
