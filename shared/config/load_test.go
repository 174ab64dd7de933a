package config_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// The file that ships is right for every stage in it, and says nothing odd.
func TestEmbedded(t *testing.T) {
	stages, err := config.Stages(config.File, config.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) == 0 {
		t.Fatal("no environments")
	}
	for _, stage := range stages {
		var lookup func(string) (string, bool)
		if stage == config.Local {
			lookup = variables(map[string]string{"PIM_URL": "http://localhost:8081", "ERP_URL": "http://localhost:8080/erp"})
		}
		loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: config.Embedded(), Stage: stage, Lookup: lookup})
		if err != nil {
			t.Errorf("%s: %v", stage, err)
			continue
		}
		if len(loaded.Warnings) > 0 {
			t.Errorf("%s: %v", stage, loaded.Warnings)
		}
	}
}

// testdata/every-feature.yaml has no environments: its variables come from the process alone.
func TestEveryFeature(t *testing.T) {
	text, err := os.ReadFile("testdata/every-feature.yaml")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Source{
		File: "every-feature.yaml", Text: text, Stage: config.Local,
		Lookup: variables(map[string]string{"PIM_URL": "http://127.0.0.1:8081", "SINK": "http://127.0.0.1:9000"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Warnings) > 0 {
		t.Error(loaded.Warnings)
	}
	if len(loaded.Extensions) != 14 || len(loaded.Actions) != 9 || len(loaded.Contentful.Actions) != 2 {
		t.Errorf("%d extensions, %d actions, %d Contentful actions", len(loaded.Extensions), len(loaded.Actions), len(loaded.Contentful.Actions))
	}
}

func variables(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func TestLoad(t *testing.T) {
	loaded, err := config.Load(config.Source{File: "f.yaml", Stage: "production", Text: []byte(`
pims:
  main: {url: "https://ACME.cloud.akeneo.com:443/", technical_email: ops@example.com, self: [magento_0000], sources: [acme.cloud.akeneo.com], channel: ecommerce, locale: en_US, zone: Europe/Paris}
  outlet: {url: https://outlet.example.com}
actions:
  send: {kind: forward, url: https://erp.example.com, wait: 3s, retry: {for: 1d6h}, destination: {default: the ERP, fr_FR: l'ERP}, then: {failed: tell, partial: tell}}
  tell: {kind: notify}
extensions:
  button:
    pim: main
    type: action
    positions: [pim.product.header, pim.product-grid.action-bar]
    label: {default: Export, fr_FR: Exporter}
    action: send
    allow: {groups: [Manager], usernames: [julia]}
    once: off
    unsigned: true
    version: 1.10
    description: Sends it
    status: inactive
    userEmails: [julia@example.com]
    messages: {started: {default: On its way, fr_FR: En route}}
  panel: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Panel}, actions: [send, tell]}
  both: {pim: [main, outlet], type: link, positions: [pim.product.header], label: {default: Both}, url: https://shop.example.com}
  only: {pim: [outlet], type: link, positions: [pim.product.header], label: {default: Only}, url: https://shop.example.com}
  shop: {pim: main, type: link, positions: [pim.product.header], label: {default: Shop}, url: "%shop%/a b"}
  data: {pim: main, type: data_component, positions: [pim.product-model.panel], label: {default: Data}, id: code}
subscriptions:
  old: {pim: main, api: events-api, events: [product.updated], deliver: latest, shadow: true, action: send}
  new: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], changed: {attributes: [name], locales: [en_US], channels: [web]}, action: send}
notifications: {main: {action: tell}}
contentful:
  spaces: [yadj1kx9rmg0/master]
  actions: {notify: {category: Notifications.v1.0, action: tell}}
`)})
	if err != nil {
		t.Fatal(err)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	header, grid := "pim.product.header", "pim.product-grid.action-bar"
	for _, row := range []struct {
		name      string
		got, want any
	}{
		{"stage", loaded.Stage, "production"},
		{"pim", loaded.PIMs, map[string]config.PIM{"main": {
			Name: "main", URL: "https://acme.cloud.akeneo.com", TechnicalEmail: "ops@example.com", Self: []string{"magento_0000"}, Sources: []string{"acme.cloud.akeneo.com"},
			Channel: "ecommerce", Locale: "en_US", Zone: paris,
		}, "outlet": {Name: "outlet", URL: "https://outlet.example.com", Zone: time.UTC}}},
		{"kind", loaded.Actions["send"].Kind, "forward"},
		{"wait", loaded.Actions["send"].Wait, 3 * time.Second},
		{"retry", loaded.Actions["send"].Retry, 30 * time.Hour},
		{"destination", loaded.Actions["send"].Destination, config.Text{"default": "the ERP", "fr_FR": "l'ERP"}},
		{"then", loaded.Actions["send"].Then, map[string]string{"failed": "tell", "partial": "tell"}},
		{"action with defaults", loaded.Actions["tell"].Wait + loaded.Actions["tell"].Retry, time.Duration(0)},
		{"the kind's own key", loaded.Actions["send"].Section.Has("url"), true},
		{"a key that is not the kind's", loaded.Actions["send"].Section.Has("retry") || loaded.Actions["send"].Section.Has("destination"), false},
		{"button", loaded.Extensions["button"], config.Extension{
			Name: "button", Declared: "button", PIM: "main", Type: "action", Positions: []string{header, grid}, Label: config.Text{"default": "Export", "fr_FR": "Exporter"},
			Action: "send", Allow: config.Allow{Groups: []string{"Manager"}, Usernames: []string{"julia"}}, Unsigned: true,
			Version: "1.10", Description: "Sends it", Status: "inactive", UserEmails: []string{"julia@example.com"},
			Messages: map[string]config.Text{"started": {"default": "On its way", "fr_FR": "En route"}},
		}},
		{"button in the PIM", loaded.Extensions["button"].Registrations(), []config.Registration{
			{Name: "button", Position: header}, {Name: "button_product_grid_action_bar", Position: grid},
		}},
		{"panel", loaded.Extensions["panel"], config.Extension{
			Name: "panel", Declared: "panel", PIM: "main", Type: "iframe", Positions: []string{"pim.product.tab"}, Label: config.Text{"default": "Panel"},
			Actions: []string{"send", "tell"}, Once: true, Messages: map[string]config.Text{},
		}},
		{"extensions", slices.Sorted(maps.Keys(loaded.Extensions)), []string{"both_main", "both_outlet", "button", "data", "only", "panel", "shop"}},
		{"one of several pims", loaded.Extensions["both_outlet"].PIM, "outlet"},
		{"in that PIM", loaded.Extensions["both_outlet"].Registrations(), []config.Registration{{Name: "both_outlet", Position: header}}},
		{"one pim in a list", loaded.Extensions["only"].PIM, "outlet"},
		{"link that begins with a placeholder", loaded.Extensions["shop"].URL, "%shop%/a b"},
		{"data component", loaded.Extensions["data"].ID, "code"},
		{"old subscription", loaded.Subscriptions["old"], config.Subscription{
			Name: "old", PIM: "main", API: "events-api", Events: []string{"product.updated"}, Deliver: "latest", Shadow: true, Action: "send",
		}},
		{"new subscription", loaded.Subscriptions["new"], config.Subscription{
			Name: "new", PIM: "main", API: "event-platform", Events: []string{"com.akeneo.pim.v1.product.updated.delta"}, Deliver: "every", Action: "send",
			Changed: config.Changed{Attributes: []string{"name"}, Locales: []string{"en_US"}, Channels: []string{"web"}},
		}},
		{"notifications", loaded.Notifications, map[string]config.Notification{"main": {PIM: "main", Action: "tell"}}},
		{"contentful", loaded.Contentful, config.Contentful{
			Spaces:  []string{"yadj1kx9rmg0/master"},
			Actions: map[string]config.ContentfulAction{"notify": {Name: "notify", Category: "Notification.v1.0", Action: "tell"}},
		}},
	} {
		if !reflect.DeepEqual(row.got, row.want) {
			t.Errorf("%s:\n\tgot  %+v\n\twant %+v", row.name, row.got, row.want)
		}
	}
}

func TestStages(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"in the file's order", "environments: {staging: {}, local: {}, production: {}}", []string{"staging", "local", "production"}, ""},
		{"none", "pims: {}", nil, ""},
		{"mistakes elsewhere are Load's", "environments: {local: {}}\nactionz: 1", []string{"local"}, ""},
		{"a stage that is not a name", "environments: {eu/prod: {}}", nil, `f.yaml:1: environment "eu/prod": not a name; use 1 to 40 letters, digits, - and _`},
		{"not a mapping", "environments: [local]", nil, "f.yaml:1: environments is not a mapping; write it as key: value"},
		{"not YAML", "environments: [\n", nil, "f.yaml:2: did not find expected node content; check the indentation and the quotes around here"},
	} {
		got, err := config.Stages("f.yaml", []byte(row.text))
		message := ""
		if err != nil {
			message = err.Error()
		}
		if !slices.Equal(got, row.want) || message != row.err {
			t.Errorf("%s: %q, %q; want %q, %q", row.name, got, message, row.want, row.err)
		}
	}
}

func TestEmbeddedIsACopy(t *testing.T) {
	config.Embedded()[0] = 'x'
	if config.Embedded()[0] == 'x' {
		t.Error("a caller changed the file for all others")
	}
}
