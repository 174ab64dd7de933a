package pim_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

const extensionSecret = "extension-secret-of-32-characters"

func button() pim.Extension {
	return pim.Extension{
		Name: "export", Version: "1", Description: "By us", Type: "action", Position: "pim.product.header", Status: "active",
		Configuration: pim.ExtensionConfiguration{
			URL: "https://api.example.com/actions/export", DefaultLabel: "Export", Labels: map[string]string{"fr_FR": "Exporter"},
			Secret: extensionSecret, UserEmails: []string{"a@example.com"},
		},
		Credentials: []pim.ExtensionCredential{{Type: "Bearer Token", Value: "token"}},
	}
}

// redacted is what the PIM gives back of an extension.
func redacted(e pim.Extension, uuid string) pim.Extension {
	e.UUID, e.Configuration.Secret = uuid, ""
	for i := range e.Credentials {
		e.Credentials[i].Value = nil
	}
	return e
}

// Whatever the PIM's pages and practice differ in, the client sees the same.
func TestTheLifeOfAnExtension(t *testing.T) {
	for name, settings := range map[string]pimtest.Extensions{
		"full answers": {}, "short answers": {Short: true}, "an update replaces": {Replace: true}, "short answers, an update replaces": {Short: true, Replace: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.pim.SetExtensions(settings)
			f.pim.AddExtension("another", button())
			uuid, err := f.CreateExtension(t.Context(), button())
			if err != nil || uuid == "" {
				t.Fatalf("%q, %v", uuid, err)
			}
			list, err := f.Extensions(t.Context())
			if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], redacted(button(), uuid)) {
				t.Fatalf("%+v, %v", list, err)
			}
			changed := button()
			changed.Position, changed.Version, changed.Status, changed.Credentials = "pim.product-grid.action-bar", "", "inactive", nil
			changed.Configuration.DefaultLabel, changed.Configuration.Labels, changed.Configuration.UserEmails = "Send", nil, nil
			if err := f.UpdateExtension(t.Context(), uuid, changed, list[0]); err != nil {
				t.Fatal(err)
			}
			now := f.pim.UIExtensions()[1]
			if now.Configuration.Secret != extensionSecret || len(now.Configuration.Labels)+len(now.Configuration.UserEmails) > 0 || now.Version != "" ||
				now.Position != changed.Position || now.Status != "inactive" || now.Configuration.DefaultLabel != "Send" || now.Credentials[0].Value != "token" {
				t.Errorf("%+v", now)
			}
			for range 2 { // the second finds it gone
				if err := f.DeleteExtension(t.Context(), uuid); err != nil {
					t.Error(err)
				}
			}
			if left := f.pim.UIExtensions(); len(left) != 1 || left[0].Configuration.Secret != extensionSecret {
				t.Errorf("%+v", left)
			}
		})
	}
}

// An empty list might mean nobody to a PIM: what was empty and is empty is not sent.
func TestAnUpdateLeavesOutWhatIsEmpty(t *testing.T) {
	var sent string
	f := newFixture(t)
	f.connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/oauth") {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":3600}`))
			return
		}
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	bare := pim.Extension{Name: "a", Type: "link", Position: "p", Configuration: pim.ExtensionConfiguration{URL: "u", DefaultLabel: "A"}}
	if err := f.UpdateExtension(t.Context(), "uuid", bare, bare); err != nil || sent != `{"configuration":{"default_label":"A","url":"u"},"name":"a","position":"p","type":"link"}` {
		t.Errorf("%s, %v", sent, err)
	}
}

func TestAnExtensionIsMadeOnceWhereTheAnswerIsLost(t *testing.T) {
	f := newFixture(t)
	f.pim.Fail("/api/rest/v1/ui-extensions", http.StatusBadGateway, 1)
	if _, err := f.CreateExtension(t.Context(), button()); err == nil {
		t.Error("no error")
	}
	if calls := f.pim.Calls("/api/rest/v1/ui-extensions"); len(calls) != 1 {
		t.Errorf("%d calls", len(calls))
	}
	f.pim.Throttle(1, "1") // the PIM has not looked at it
	if _, err := f.CreateExtension(t.Context(), button()); err != nil {
		t.Error(err)
	}
}

func TestWhatThePIMMeansByRefusingExtensions(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings pimtest.Extensions
		says     string
	}{
		{"the API is off", pimtest.Extensions{Off: true}, "switched off"},
		{"the role lacks the right", pimtest.Extensions{Forbidden: true}, "Manage your extensions using the API"},
	} {
		f := newFixture(t)
		f.pim.SetExtensions(c.settings)
		_, err := f.Extensions(t.Context())
		if failed, ok := errors.AsType[*pim.Error](err); !ok || !failed.Permanent() || !strings.Contains(failed.Reason(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEveryRuleThatAnExtensionBreaksIsTold(t *testing.T) {
	f := newFixture(t)
	odd := button()
	odd.Name, odd.Configuration.DefaultLabel = "with a space", strings.Repeat("x", 31)
	_, err := f.CreateExtension(t.Context(), odd)
	failed, ok := errors.AsType[*pim.Error](err)
	if !ok || failed.Status != http.StatusUnprocessableEntity || len(failed.Violations) != 2 || failed.Violations[0].Property != "name" || failed.Violations[1].Property != "configuration.default_label" {
		t.Errorf("%+v", failed)
	}
}

func TestWhatThePIMRedactsIsNeverWrittenBack(t *testing.T) {
	f := newFixture(t)
	uuid := f.pim.AddExtension("", button())
	for name, change := range map[string]func(*pim.Extension){
		"a redacted secret":            func(e *pim.Extension) { e.Configuration.Secret = "***REDACTED***" + extensionSecret },
		"a short secret":               func(e *pim.Extension) { e.Configuration.Secret = "short" },
		"a redacted credential":        func(e *pim.Extension) { e.Credentials[0].Value = "***REDACTED***" },
		"a credential without a value": func(e *pim.Extension) { e.Credentials[0].Value = nil },
	} {
		e := button()
		change(&e)
		_, created := f.CreateExtension(t.Context(), e)
		updated := f.UpdateExtension(t.Context(), uuid, e, pim.Extension{})
		for _, err := range []error{created, updated} {
			if failed, ok := errors.AsType[*pim.Error](err); !ok || len(failed.Violations) != 1 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if calls := f.pim.Calls("/api/rest/v1/ui-extensions"); len(calls) > 0 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestAListOfExtensionsInOtherForms(t *testing.T) {
	f := newFixture(t)
	for text, want := range map[string]int{
		`[]`: 0,
		`[{"name":"a","configuration":{"labels":[]}},{"name":"b","version":null,"configuration":{}}]`: 2,
		`{"_embedded":{"items":[{"name":"a"}]}}`:                                                      1,
	} {
		f.connect(t, played(200, text))
		if list, err := f.Extensions(t.Context()); err != nil || len(list) != want {
			t.Errorf("%s: %d, %v", text, len(list), err)
		}
	}
	for _, text := range []string{"", "<html>", `{"name":1}x`, `[{"name":1}]`} {
		f.connect(t, played(200, text))
		if _, err := f.Extensions(t.Context()); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

func FuzzExtension(f *testing.F) {
	for _, seed := range []string{`{"name":"a","configuration":{"secret":"***REDACTED***","labels":{"en_US":"A"}},"credentials":[{"type":"x","value":"***REDACTED***"}]}`, `{"configuration":{"labels":[]}}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var e pim.Extension
		if json.Unmarshal(text, &e) == nil && e.Configuration.Secret != "" {
			t.Error("a secret was read")
		}
	})
}
