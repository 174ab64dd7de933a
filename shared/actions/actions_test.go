package actions_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

const file = `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions:
  send: {kind: forward, url: "https://erp.example.com/items", auth: erp}
  send-to-secret: {kind: forward, url: "secret:erp-url"}
  tell: {kind: notify, channel: slack, url: "secret:slack", text: "{{.Label}}"}
  call: {kind: contentful, environment: space1/master, action: notify}
  put: {kind: publish, detail_type: T}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Send}, action: send}
`

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: []byte(text), Stage: "local", Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestEveryKindHasItsCheck(t *testing.T) {
	want := []string{"contentful", "export", "forward", "notify", "pim-job", "pim-workflow", "publish", "state-machine", "update", "validate"}
	if got := slices.Sorted(maps.Keys(actions.Checks())); !slices.Equal(got, want) {
		t.Errorf("kinds %q, want %q", got, want)
	}
	if _, err := config.Load(config.Source{File: "extensions.yaml", Text: []byte(file), Stage: "local", Kinds: actions.Checks()}); err != nil {
		t.Error(err)
	}
}

func TestWhatTheConnectionSecretLacksIsReportedByName(t *testing.T) {
	const value = "T0PSECRET"
	full := func() engine.Secrets {
		return engine.Secrets{
			Values:     map[string]string{"slack": "https://hooks.example.com/" + value, "erp-url": "https://erp.example.com/" + value},
			Auth:       map[string]json.RawMessage{"erp": json.RawMessage(`{"bearer":"` + value + `"}`)},
			Contentful: json.RawMessage(`{"token":"` + value + `","app":"app1"}`),
		}
	}
	for _, c := range []struct {
		name string
		make func(*engine.Secrets)
		want []string // one line each
	}{
		{"nothing is missing", func(*engine.Secrets) {}, nil},
		{"a credential", func(s *engine.Secrets) { delete(s.Auth, "erp") }, []string{`extensions.yaml:5: auth "erp" is not in the connection secret`}},
		{"a credential of another form", func(s *engine.Secrets) { s.Auth["erp"] = json.RawMessage(`{"token":"` + value + `"}`) }, []string{`extensions.yaml:5: auth "erp" in the connection secret has another form`}},
		{"a value", func(s *engine.Secrets) { delete(s.Values, "slack") }, []string{`extensions.yaml:7: secret:slack is not in the connection secret`}},
		{"Contentful's", func(s *engine.Secrets) { s.Contentful = nil }, []string{`extensions.yaml:8: `}},
		{"all", func(s *engine.Secrets) { *s = engine.Secrets{} }, []string{"extensions.yaml:8: ", `extensions.yaml:5: auth "erp"`, "extensions.yaml:6: secret:erp-url", "extensions.yaml:7: secret:slack"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			secrets := full()
			c.make(&secrets)
			err := actions.CheckSecrets(load(t, file), secrets)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if got := strings.Count(text, "extensions.yaml:"); got != len(c.want) {
				t.Errorf("%d problems, want %d: %s", got, len(c.want), text)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in %s", want, text)
				}
			}
			if strings.Contains(fmt.Sprintf("%+v", err), value) {
				t.Error("a value of the secret is in the error")
			}
		})
	}
}
