package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local"
	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// everySender is a configuration that every kind of sender calls.
const everySender = `
pims: {main: {url: "${PIM_URL}", technical_email: ops@example.com}}
actions: {tell: {kind: forward, url: "${ERP_URL}/tell"}}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: tell}
  panel: {pim: main, type: iframe, positions: [pim.product.panel], label: {default: Panel}, actions: [tell]}
  history: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: History}, id: uuid}
subscriptions:
  products: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: tell}
  older: {pim: main, api: events-api, events: [product.removed], action: tell}
notifications: {main: {action: tell}}
contentful: {actions: {tell_us: {category: Custom, action: tell}}}
`

// everything is the local system with secrets of its own for every sender.
type everything struct {
	*local.System
	config, secrets string // files
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newEverything(t *testing.T) everything {
	t.Helper()
	s := everything{config: filepath.Join(t.TempDir(), "extensions.yaml"), secrets: filepath.Join(t.TempDir(), "secrets.json")}
	write(t, s.config, everySender)
	write(t, s.secrets, `{"signing":{"events-api":{"main":["a-secret-that-the-pim-has-made-itself"]}},"connections":{"pims":{"main":{"client_id":"1_local","client_secret":"local-secret","username":"pim-functions","password":"local-password"}}},"links":{"current":"a-link-secret-of-thirty-two-characters"}}`)
	variables := map[string]string{"STAGE": "local"}
	if code, _, errs := pimctl(t, variables, "secrets", "--config", s.config, "--secrets", s.secrets); code != succeeded {
		t.Fatal(errs)
	}
	var err error
	s.System, err = local.Open(t.Context(), local.Options{
		ConfigFile: s.config, SecretsFile: s.secrets, Lookup: func(string) (string, bool) { return "", false }, AllowPrivate: true, Log: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Stop() })
	return s
}

// preflight looks at a deployment, which may be another than the system, with its files.
func (s everything) preflight(t *testing.T, at string, now func() time.Time) (code int, found map[string]register.Finding, text string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := process{in: strings.NewReader(""), out: &out, errs: &errs, now: now, variables: env.Read(func(name string) (string, bool) { return "local", name == "STAGE" })}
	code = run(t.Context(), p, []string{"preflight", at, "--config", s.config, "--secrets", s.secrets, "--json"})
	var all []register.Finding
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), errs.String())
	}
	found = map[string]register.Finding{}
	for _, one := range all {
		key := one.Check
		if one.Name != "" {
			key = one.Name
		}
		found[key] = one
	}
	return code, found, out.String() + errs.String()
}

var everyPlace = []string{"button", "panel", "history", "event-platform.main", "event-platform.main/notifications", "events-api.main", "contentful", "links"}

func TestPreflightOfAGoodDeployment(t *testing.T) {
	s := newEverything(t)
	code, found, text := s.preflight(t, s.URL(), time.Now)
	if code != succeeded {
		t.Errorf("ends with %d", code)
	}
	for _, name := range append(everyPlace, "clock", "/event-platform/nobody.has.this.name", "/events-api/nobody.has.this.name", "/nobody.has.this.name") {
		if found[name].State != register.Fine {
			t.Errorf("%s: %+v", name, found[name])
		}
	}
	response, err := http.Get(s.URL() + "/_local/state")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var state struct {
		Jobs   []any
		Events struct{ Received int }
	}
	if err := json.NewDecoder(response.Body).Decode(&state); err != nil || len(state.Jobs) > 0 || state.Events.Received > 0 {
		t.Errorf("%v: it started %d jobs and sent %d events", err, len(state.Jobs), state.Events.Received)
	}
	document, err := secrets.NewFile(s.secrets).Get(t.Context(), "signing")
	if err != nil {
		t.Fatal(err)
	}
	signing, _, err := secrets.ParseSigning(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{signing.Extensions["button"].Secrets[0], signing.Contentful[0], signing.Extensions["history"].Credentials[0].Token} {
		if strings.Contains(text, secret) {
			t.Error("a secret is printed")
		}
	}
}

// What may stand between a deployment and its senders, and be wrong.
func TestPreflightNoticesWhatIsWrong(t *testing.T) {
	s := newEverything(t)
	behind, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		ahead   time.Duration
		found   map[string]string // a part of the message of what failed
	}{
		"a redirect": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere"+r.URL.Path, http.StatusMovedPermanently)
			},
			found: map[string]string{"button": "redirects", "/nobody.has.this.name": "redirects"},
		},
		"a proxy that knows our paths alone": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "nobody") {
					http.NotFound(w, r)
					return
				}
				proxy.ServeHTTP(w, r)
			},
			found: map[string]string{"/event-platform/nobody.has.this.name": "answered as missing"},
		},
		"a proxy that drops what it does not know": {
			handler: func(w http.ResponseWriter, r *http.Request) { r.Header.Del("Signature"); proxy.ServeHTTP(w, r) },
			found:   map[string]string{"button": "refused"},
		},
		"a page that answers everything": {
			handler: func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
			found:   map[string]string{"button": "a wrong signature is not refused", "contentful": "a wrong signature is not refused"},
		},
		"a gateway that is broken": {
			handler: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			found:   map[string]string{"button": "answered 502"},
		},
		"functions without their secrets": {
			handler: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
			found:   map[string]string{"links": "cannot read its secrets"},
		},
		"this machine's clock, an hour ahead": {handler: proxy.ServeHTTP, ahead: time.Hour, found: map[string]string{"clock": " ahead of"}},
		"this machine's clock, behind":        {handler: proxy.ServeHTTP, ahead: -time.Hour, found: map[string]string{"clock": "behind"}},
	} {
		t.Run(name, func(t *testing.T) {
			front := httptest.NewServer(c.handler)
			defer front.Close()
			code, found, text := s.preflight(t, front.URL, func() time.Time { return time.Now().Add(c.ahead) })
			if code != failed {
				t.Errorf("ends with %d: %s", code, text)
			}
			for name, want := range c.found {
				if one := found[name]; one.State != register.Wrong || !strings.Contains(one.Message, want) || one.Remedy == "" {
					t.Errorf("%s: %+v, want %q", name, one, want)
				}
			}
			if c.ahead != 0 { // the checks use the deployment's time
				for _, name := range everyPlace {
					if found[name].State != register.Fine {
						t.Errorf("%s: %+v", name, found[name])
					}
				}
			}
		})
	}
}
