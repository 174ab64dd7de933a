package register_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// bothPIMs declares once what is for two PIMs.
const bothPIMs = `
environments: {production: {}}
pims:
  main:   {url: "https://acme.cloud.akeneo.com", technical_email: ops@example.com}
  outlet: {url: "https://outlet.cloud.akeneo.com", technical_email: ops@example.com}
actions: {send: {kind: forward, url: "https://erp.example.com"}}
extensions:
  export: {pim: [main, outlet], type: action, positions: [pim.product.header], label: {default: Export}, action: send}
  panel: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Panel}, actions: [send]}
subscriptions:
  new: {pim: [main, outlet], api: event-platform, events: [com.akeneo.pim.v1.product.updated], action: send}
notifications: {all: {pim: [main, outlet], action: send}}
`

// TestSeveralPIMs: each PIM has addresses and secrets of its own, from one declaration.
func TestSeveralPIMs(t *testing.T) {
	c := load(t, bothPIMs)
	filled, err := register.FillSigning(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	made := []string{
		"extensions.export_main.secrets", "extensions.export_outlet.secrets", "extensions.panel.secrets", "event-platform.main", "event-platform.outlet",
		"event-platform.main/notifications", "event-platform.outlet/notifications",
	}
	if !slices.Equal(filled.Made, made) || filled.Paste[1] != `extensions.export_outlet.secrets → the PIM outlet, extension "export_outlet": field Secret` {
		t.Errorf("made %q, to paste %q", filled.Made, filled.Paste)
	}
	signing, _, err := secrets.ParseSigning(filled.Document)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(signing.Extensions["export_main"].Secrets, signing.Extensions["export_outlet"].Secrets) || slices.Equal(signing.EventPlatform["main"], signing.EventPlatform["outlet"]) {
		t.Error("one secret for two PIMs")
	}
	if filled, err := register.FillConnections(nil, c); err != nil || len(filled.Missing) != 2 {
		t.Errorf("connections: %q, %v", filled.Missing, err)
	}

	for name, want := range map[string][]string{
		"export":        {"export_main main https://api.example.com/actions/export_main", "export_outlet outlet https://api.example.com/actions/export_outlet"},
		"export_outlet": {"export_outlet outlet https://api.example.com/actions/export_outlet"},
		"panel":         {"panel main https://api.example.com/iframe/panel"},
	} {
		entries, err := register.Entries(c, "https://api.example.com", &signing, name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, entry := range entries {
			got = append(got, entry.Name+" "+entry.PIM.Name+" "+entry.Configuration.URL)
			if entry.Configuration.Secret != signing.Extensions[entry.Declared].Secrets[0] {
				t.Errorf("%s has another's secret", entry.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}

	listeners, err := register.Listeners(c, "https://api.example.com", &signing)
	if err != nil || len(listeners) != 2 {
		t.Fatalf("%d listeners, %v", len(listeners), err)
	}
	for i, pim := range []string{"main", "outlet"} {
		l := listeners[i]
		if l.PIM.Name != pim || l.Destination.URL != "https://api.example.com/event-platform/"+pim || l.Destination.Secret.Primary != signing.EventPlatform[pim][0] ||
			len(l.Subscriptions) != 1 || l.Subscriptions[0].Name != "new_"+pim || l.Subscriber.Contact.WebhookURL != l.Destination.URL+"/notifications" {
			t.Errorf("%+v", l)
		}
	}

	explained, err := register.Explain(c, nil, "outlet", []byte(`{"specversion":"1.0","id":"1","type":"com.akeneo.pim.v1.product.updated","source":"pim","subject":"s","time":"2026-11-25T12:00:00Z","data":{"product":{"uuid":"74f3f0d4-7c1b-4e1a-8a2b-6f1f0a4b0c01"}}}`), nil)
	if err != nil || len(explained) != 1 {
		t.Fatal(err, explained)
	}
	for _, v := range explained[0].Subscriptions {
		if v.Matches != (v.Name == "new_outlet") {
			t.Errorf("%+v", v)
		}
	}
}

// A type that is wanted with a filter and without one comes without: whoever has no filter misses nothing, whatever the names.
func TestATypeUnderAFilterAndElsewhere(t *testing.T) {
	const delta, gone = "com.akeneo.pim.v1.product.updated.delta", "com.akeneo.pim.v1.product.deleted"
	c := load(t, strings.Replace(bothPIMs, "  new: {", `  a: {pim: main, api: event-platform, events: [`+delta+`, `+gone+`], filter: 'attribute="price"', action: send}
  b: {pim: main, api: event-platform, events: [`+delta+`], action: send}
  new: {`, 1))
	listeners, err := register.Listeners(c, "https://api.example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]string{}
	for _, s := range listeners[0].Subscriptions {
		for _, event := range s.Events {
			asked[event] += s.Name + " " + s.Filter
		}
	}
	if asked[delta] != "b " || asked[gone] != `a attribute="price"` {
		t.Errorf("%q", asked)
	}
}
