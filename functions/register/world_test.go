package register_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const (
	stage    = "production"
	base     = "https://api.example.com"
	pimURL   = "https://pim.example.com"
	cmaToken = "CFPAT-T0PSECRET-token"
)

// senders are a PIM, its Event Platform and Contentful in memory, and the secret documents: all that a plan reads and
// changes. Its calls can be ended at any of them.
type senders struct {
	pim        *pimtest.PIM
	platform   *platformtest.API
	contentful *contentfultest.API

	mu        sync.Mutex
	documents map[string][]byte
	versions  int
	calls     int
	endsAt    int  // call at which everything ends; 0: never
	after     bool // its effect is there, and its answer is lost
	dead      bool
	end       func() // is called when everything ends
}

func newSenders(settings pimtest.Extensions, platform platformtest.Config) *senders {
	now := func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }
	s := &senders{documents: map[string][]byte{
		"signing":     []byte("{}"),
		"connections": fmt.Appendf(nil, `{"pims":{"main":{"client_id":"1_local","client_secret":"local-secret","username":"pim-functions","password":"local-password"}},"contentful":{"token":%q,"organization":"org1","app":"app1"},"values":{"waf":"T0PSECRET-waf"}}`, cmaToken),
	}}
	s.pim = pimtest.New(pimtest.Config{Catalogue: &pimtest.Catalogue{}, Now: now, Limits: pimtest.Limits{PerSecond: 1 << 30}})
	s.pim.SetExtensions(settings)
	platform.Now, platform.Client, platform.Credential.ClientID = now, s.pim.Client, pimtest.Connect.ClientID
	s.platform = platformtest.New(platform)
	s.platform.At(pimURL)
	s.contentful = contentfultest.New(contentfultest.Config{Token: cmaToken, Organization: "org1", App: "app1", Now: now})
	s.contentful.InstallApp("space1/master")
	return s
}

var errDead = errors.New("the process was ended")

// enter counts a call. It says whether it has an effect, and whether its answer comes back.
func (s *senders) enter() (effect, answered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return false, false
	}
	if s.calls++; s.calls == s.endsAt {
		s.dead = true
		s.end()
		return s.after, false
	}
	return true, true
}

// RoundTrip implements http.RoundTripper.
func (s *senders) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := map[string]http.Handler{"pim.example.com": s.pim, "platform.example.com": s.platform, "contentful.example.com": s.contentful}[r.URL.Host]
	effect, answered := s.enter()
	if !effect {
		return nil, errDead
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	if !answered {
		return nil, errDead
	}
	return recorder.Result(), nil
}

var _ secrets.Documents = (*senders)(nil)

// Get implements secrets.Documents.
func (s *senders) Get(_ context.Context, id string) ([]byte, error) {
	document, err := s.Read(context.Background(), id)
	return document.Text, err
}

// Read implements secrets.Documents.
func (s *senders) Read(_ context.Context, id string) (secrets.Document, error) {
	if effect, answered := s.enter(); !effect || !answered {
		return secrets.Document{}, errDead
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return secrets.Document{Text: bytes.Clone(s.documents[id]), Version: fmt.Sprint(s.versions)}, nil
}

// Replace implements secrets.Documents.
func (s *senders) Replace(_ context.Context, id, version string, text []byte) error {
	effect, answered := s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !effect:
		return errDead
	case version != fmt.Sprint(s.versions):
		return secrets.ErrChanged
	}
	s.documents[id] = bytes.Clone(text)
	s.versions++
	if !answered {
		return errDead
	}
	return nil
}

// revive lets calls through again, and counts them from 0.
func (s *senders) revive() { s.calls, s.endsAt, s.dead = 0, 0, false }

// signing is the signing document as it is now.
func (s *senders) signing(t *testing.T) secrets.Signing {
	t.Helper()
	signing, warnings, err := secrets.ParseSigning(s.documents["signing"])
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	return signing
}

// session is a new process that plans for a configuration.
func (s *senders) session(t *testing.T, c *config.Config, options register.Options) register.Session {
	t.Helper()
	connections, _, err := secrets.ParseConnections(s.documents["connections"])
	if err != nil {
		t.Fatal(err)
	}
	connected, err := register.Connect(c, connections, register.Addresses{
		Outbound: outbound.New(outbound.Config{Transport: s, Now: time.Now}), Platform: "https://platform.example.com" + platformtest.Base, Contentful: "https://contentful.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	return register.Session{
		Config: c, Base: base, Options: options, Senders: connected, Values: connections.Values,
		Documents: register.Documents{Store: s, Signing: "signing", Connections: "connections"},
	}
}

// plan must succeed, and show no secret.
func plan(t *testing.T, s register.Session) register.Plan {
	t.Helper()
	made, err := s.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made)
	var printed strings.Builder
	if err2 := made.Print(&printed); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for _, secret := range []string{"T0PSECRET", "REDACTED", "local-secret", "local-password"} {
		if strings.Contains(string(text)+printed.String(), secret) {
			t.Errorf("%s is shown:\n%s\n%s", secret, text, &printed)
		}
	}
	return made
}

// apply plans, applies, and must reach what is declared: a second plan is empty.
func apply(t *testing.T, s register.Session) register.Plan {
	t.Helper()
	made := plan(t, s)
	if err := s.Apply(t.Context(), made, func(register.Change) {}); err != nil {
		t.Fatalf("%v\nof %s", err, changes(made))
	}
	s.Options.SendSecrets = false
	if again := plan(t, s); len(again.Changes) > 0 {
		t.Fatalf("a second plan has\n%s", changes(again))
	}
	return made
}

// changes are those of a plan, each on its lines.
func changes(p register.Plan) string { return strings.Join(p.Since(register.Plan{}), "\n") }

// ours is an extension as this stage registers it.
func ours(name, url string) pim.Extension {
	return pim.Extension{
		Name: name, Description: "(pim-functions production)", Type: "action", Position: "pim.product.header", Status: "active",
		Configuration: pim.ExtensionConfiguration{URL: url, DefaultLabel: "X", Secret: "T0PSECRET-at-the-pim-32-characters"},
	}
}
