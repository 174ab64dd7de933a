package contentful_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/contentful"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

func section(t *testing.T, text string) config.Section {
	t.Helper()
	parsed, err := config.ParseSection(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	const here = "environment: space1/master\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"an action", here + "action: notify", ""},
		{"a category", here + "category: Notification.v1.0\nparameters: {message: m, recipient: r}", ""},
		{"the toolkit's spelling", here + "category: Notifications.v1.0\nparameters: {message: m, recipient: r}", ""},
		{"entries", here + "category: Entries.v1.0\nhost: api.eu.contentful.com\nwithin: 6h\nparameters: {entryIds: \"{{range .Items}}{{.ID}},{{end}}\"}", ""},
		{"no environment", "action: notify", "section:1: environment"},
		{"a space alone", "environment: space1\naction: notify", `section:1: environment "space1" is not a space and an environment; write SPACE/ENVIRONMENT`},
		{"neither action nor category", here, "section:1: a contentful action needs an action or a category"},
		{"both", here + "action: notify\ncategory: Notification.v1.0", "section:2: a contentful action needs an action or a category, and not both"},
		{"an action with a slash", here + "action: a/b", `section:2: action "a/b" is not the ID`},
		{"an app with a category", here + "category: Notification.v1.0\napp: a", `section:3: app "a"`},
		{"all Custom actions", here + "category: Custom", `section:2: category "Custom"`},
		{"a built-in parameter is missing", here + "category: Notification.v1.0\nparameters: {message: m}", `section:3: App Actions of category Notification.v1.0 need the parameter "recipient"`},
		{"no parameters for entries", here + "category: Entries.v1.0", `need the parameter "entryIds"`},
		{"a list as a parameter", here + "action: notify\nparameters: {ids: [a, b]}", `section:3: parameter "ids" is neither a text nor a number nor a truth value`},
		{"nothing as a parameter", here + "action: notify\nparameters: {ids: }", `parameter "ids"`},
		{"an unknown type", here + "action: notify\nparameters: {ids: {date: x}}", `parameter "ids"`},
		{"a parameter with a space", here + "action: notify\nparameters: {\"a b\": x}", `"a b" is not the ID of a parameter`},
		{"a template that cannot work", here + "action: notify\nparameters: {m: \"{{.Nope}}\"}", `parameter m: there is no "Nope"`},
		{"an unknown key", here + "action: notify\nparameter: {}", `unknown key "parameter"`},
		{"no time", here + "action: notify\nwithin: 0s", "section:3: within 0s; use 1s to 168h"},
		{"a host with a query", here + "action: notify\nhost: \"https://x.example?a=1\"", "section:3: host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := contentful.New(contentful.Config{}).Check(section(t, c.yaml))
			if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestASecretThatIsMissingIsNamedAndFailsTheJob(t *testing.T) {
	kind := contentful.New(contentful.Config{Outbound: outbound.New(outbound.Config{Now: time.Now})})
	for _, c := range []struct{ name, yaml, secret, want string }{
		{"no entry", "environment: s/e\naction: a", ``, `"contentful" is not in the connection secret`},
		{"another form", "environment: s/e\naction: a", `{"tokn":"T0PSECRET"}`, "has another form"},
		{"no app", "environment: s/e\naction: a", `{"token":"T0PSECRET"}`, "the app of action"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := kind.Open(section(t, c.yaml), engine.Secrets{Contentful: json.RawMessage(c.secret)})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v", err)
			}
			if reason, permanent := engine.Refused(err); !permanent || !strings.Contains(reason, c.want) {
				t.Errorf("somebody has to mend it, and reads %q", reason)
			}
		})
	}
}

func TestAStateOfAnotherVersionIsNotCalled(t *testing.T) {
	kind := contentful.New(contentful.Config{Outbound: outbound.New(outbound.Config{Now: time.Now})})
	action, err := kind.Open(section(t, "environment: s/e\naction: a\napp: b"), engine.Secrets{Contentful: json.RawMessage(`{"token":"t"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{`{"calls":[]}`, `{"since":"2026-11-23T12:00:00Z","calls":[{"app":"b","action":"a","newer":1}]}`, `7`, `null`} {
		_, err := action.Run(t.Context(), engine.Run{State: json.RawMessage(state), Now: time.Now()})
		if reason, permanent := engine.Refused(err); !permanent || !strings.Contains(reason, "outcome unknown") {
			t.Errorf("%s: %v", state, err)
		}
	}
}
