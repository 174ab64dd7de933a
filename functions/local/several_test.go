package local

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/senders"
)

const severalFile = `
pims:
  main:   {url: "${PIM_URL}", channel: ecommerce, locale: en_US}
  outlet: {url: "OUTLET", channel: web, locale: en_GB}
actions:
  send: {kind: forward, url: "SINK", read: {}}
extensions:
  send:  {pim: [main, outlet], type: action, positions: [pim.product.header], label: {default: Send}, action: send}
  panel: {pim: [main, outlet], type: iframe, positions: [pim.product.tab], label: {default: Panel}, actions: [send]}
subscriptions:
  changed: {pim: [main, outlet], api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], action: send}
`

const severalSecrets = `{
	"signing": {
		"extensions": {
			"send_main": {"secrets": ["send-main-0123456789012345678901"]}, "send_outlet": {"secrets": ["send-outlet-01234567890123456789"]},
			"panel_main": {"secrets": ["panel-main-012345678901234567890"]}, "panel_outlet": {"secrets": ["panel-outlet-0123456789012345678"]}},
		"event-platform": {"main": ["events-main-01234567890123456789"], "outlet": ["events-outlet-012345678901234567"]}},
	"connections": {"pims": {
		"main":   {"client_id": "1_main", "client_secret": "s", "username": "main", "password": "p"},
		"outlet": {"client_id": "2_outlet", "client_secret": "s", "username": "outlet", "password": "p"}}},
	"links": {"current": "links-01234567890123456789012345"}
}`

// TestSeveralPIMsAreKeptApart: from one declaration each of two PIMs has addresses, secrets and jobs of its own.
func TestSeveralPIMsAreKeptApart(t *testing.T) {
	t.Parallel()
	catalogue, err := pimtest.Read(strings.NewReader(smallCatalogue))
	if err != nil {
		t.Fatal(err)
	}
	outlet := pimtest.New(pimtest.Config{
		Catalogue: catalogue, Connections: []pimtest.Connection{{ClientID: "2_outlet", ClientSecret: "s", Username: "outlet", Password: "p"}}, Now: time.Now,
	})
	played := httptest.NewServer(outlet)
	t.Cleanup(played.Close)
	type sent struct {
		PIM   string `json:"pim"`
		Items []struct {
			ID      string          `json:"id"`
			Product json.RawMessage `json:"product"`
		} `json:"items"`
	}
	sink := make(chan sent, 10)
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got sent
		if err != nil || json.Unmarshal(body, &got) != nil {
			t.Errorf("%s, %v", body, err)
		}
		sink <- got
	}))
	t.Cleanup(shop.Close)
	folder := t.TempDir()
	options := Options{ConfigFile: filepath.Join(folder, "extensions.yaml"), SecretsFile: filepath.Join(folder, "secrets.json")}
	file := strings.NewReplacer("OUTLET", played.URL, "SINK", shop.URL).Replace(severalFile)
	for name, text := range map[string]string{options.ConfigFile: file, options.SecretsFile: severalSecrets} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := openWith(t, options)
	const kettle = "11111111-1111-4111-8111-111111111111"
	products := map[string]string{"main": pimtest.Goods(time.Now()).Products[0].UUID, "outlet": kettle}

	for name, product := range products {
		f.job(f.started("send_"+name, pim.Press{Products: []string{product}}), jobs.Succeeded)
		if got := <-sink; got.PIM != name || len(got.Items) != 1 || got.Items[0].ID != product || strings.Contains(string(got.Items[0].Product), "KETTLE-1") != (name == "outlet") {
			t.Errorf("%s: sent %+v", name, got)
		}
	}
	missing := f.job(f.started("send_main", pim.Press{Products: []string{kettle}}), jobs.Failed)
	if !slices.ContainsFunc(missing.Failures, func(failure jobs.Failure) bool { return strings.Contains(failure.Reason, "not in the PIM") }) {
		t.Errorf("the outlet's product in main: %+v", missing)
	}

	call := func(request senders.Request) (int, string) {
		t.Helper()
		return f.call(request.Method, request.Path, string(request.Body), request.Header)
	}
	secret := func(kind, pim string) string { return (kind + "-" + pim + "-0123456789012345678901234")[:32] }
	press := senders.Press{Position: "pim.product.header", Products: []string{kettle}, User: pim.Users[0], At: time.Now()}.Body()
	event := senders.PriceChange{ID: "e-1", Product: kettle, Identifier: "KETTLE-1", From: 1, To: 2, Author: "u", At: time.Now()}.EventPlatform()
	for own, other := range map[string]string{"main": "outlet", "outlet": "main"} {
		page := func(of string) senders.Iframe {
			return senders.Iframe{Extension: "panel_" + own, Secret: secret("panel", of), User: pim.Users[0].UUID, At: time.Now()}
		}
		for _, row := range []struct {
			name    string
			request senders.Request
			want    int
		}{
			{"a press with the other's secret", senders.Action{Extension: "send_" + own, Secret: secret("send", other)}.Request(press), 401},
			{"a press of the name without a PIM", senders.Action{Extension: "send", Secret: secret("send", own)}.Request(press), 401},
			{"a token of the other's", page(other).Request("POST", "/verify", nil), 401},
			{"its own token", page(own).Request("POST", "/verify", nil), 200},
			{"an event with the other's secret", senders.EventPlatform{PIM: own, Primary: secret("events", other)}.Event(event), 401},
		} {
			if status, answer := call(row.request); status != row.want {
				t.Errorf("%s, %s: %d %s", own, row.name, status, answer)
			}
		}
		status, answer := call(page(own).Request("GET", "/jobs", nil))
		if status != 200 || !strings.Contains(answer, "send_"+own+"-") || strings.Contains(answer, "send_"+other+"-") {
			t.Errorf("%s: the same user's jobs: %d %s", own, status, answer)
		}
	}

	if status, answer := call(senders.EventPlatform{PIM: "outlet", Primary: secret("events", "outlet")}.Event(event)); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if got := <-sink; got.PIM != "outlet" || len(got.Items) != 1 || !strings.Contains(string(got.Items[0].Product), "KETTLE-1") {
		t.Errorf("the outlet's event: sent %+v", got)
	}
}
