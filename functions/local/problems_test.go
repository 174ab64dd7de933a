package local

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What extensions.yaml needs and the secrets lack is named at start, on the terminal and on the page.
func TestWhatTheSecretsLackIsNamed(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("extensions.yaml", `
pims: {main: {url: "${PIM_URL}"}}
actions:
  send: {kind: forward, url: "${ERP_URL}/a", auth: shop}
  tell: {kind: notify, channel: slack, url: secret:chat, text: x}
  fine: {kind: forward, url: "${ERP_URL}/b"}
extensions:
  closed: {pim: main, type: action, positions: [pim.product.header], label: {default: A}, action: send}
  weak: {pim: main, type: action, positions: [pim.product.header], label: {default: A}, action: fine}
  link: {pim: main, type: link, positions: [pim.product.header], label: {default: A}, url: "${PIM_URL}/a"}
subscriptions:
  new: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: fine}
  other: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.created], action: fine}
  old: {pim: main, api: events-api, events: [product.removed], action: fine}
contentful: {actions: {export: {category: Entries.v1.0, action: fine}}}
`)
	documents := write("secrets.json", `{"signing": {"extensions": {"weak": {"secrets": ["T0PSECRET"]}}}, "connections": {"auth": {"other": {"bearer": "T0PSECRET"}}}}`)
	log := &transcript{}
	system, err := Open(t.Context(), Options{ConfigFile: file, SecretsFile: documents, Lookup: none, AllowPrivate: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	defer system.Stop()
	view, err := system.inspector.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"extension closed refuses every call", "extension weak refuses every call", "event-platform of pim main is refused",
		"events-api of pim main is refused", "contentful is refused", "shop", "chat",
	} {
		if !slices.ContainsFunc(view.Problems, func(problem string) bool { return strings.Contains(problem, want) }) {
			t.Errorf("the page does not name %q: %q", want, view.Problems)
		}
		if !strings.Contains(log.String(), want) {
			t.Errorf("the terminal does not name %q:\n%s", want, log)
		}
	}
	if len(view.Problems) != 7 {
		t.Errorf("%d problems, want 7: %q", len(view.Problems), view.Problems)
	}
	if strings.Contains(log.String()+strings.Join(view.Problems, ""), "T0PSECRET") {
		t.Error("a secret is named")
	}
}

func TestTheProjectsOwnFileHasNoProblems(t *testing.T) {
	f := open(t)
	view, err := f.inspector.View(t.Context())
	if err != nil || len(view.Problems) > 0 {
		t.Errorf("%q, %v", view.Problems, err)
	}
}
