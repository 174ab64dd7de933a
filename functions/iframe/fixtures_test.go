package iframe_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/functions/iframe"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	julia = "557ed4c9-e155-4f4c-802d-4d90bca37d45"
	peter = "4ebad9a4-7728-4d90-9db0-9e5a5c6a4d45"

	uuidA = "1fd20ad8-ef95-49d7-a581-fb9f8ac0c5ad"
	uuidB = "63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9"

	press1 = "11111111-1111-4111-8111-111111111111"
	press2 = "22222222-2222-4222-8222-222222222222"
)

var now = time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC)

// Panels: two of one PIM, one of another, and those that are closed.
var panels = []string{"panel", "second", "other_pim"}

func document() secrets.Signing {
	return secrets.Signing{Extensions: map[string]secrets.Extension{
		"panel":      {Secrets: []string{"old-secret-of-panel-with-32-characters", "new-secret-of-panel-with-32-characters"}},
		"second":     {Secrets: []string{"secret-of-second-with-its-32-characters"}},
		"other_pim":  {Secrets: []string{"secret-of-other-pim-with-32-characters"}},
		"short":      {Secrets: []string{"31-characters-are-one-too-few.."}},
		"twin":       {Secrets: []string{"secret-of-button-with-its-32-characters"}},
		"credential": {Credentials: []secrets.Credential{{Type: "bearer", Token: "a-token"}}},
		"button":     {Secrets: []string{"secret-of-button-with-its-32-characters"}},
	}}
}

func extensions() *config.Config {
	c := &config.Config{
		PIMs: map[string]config.PIM{
			"main":  {Name: "main", URL: "https://pim.example.com", Zone: time.FixedZone("", 3600)},
			"other": {Name: "other", URL: "https://other.example.com:8443"},
		},
		Actions: map[string]config.Action{
			"send": {Name: "send", Kind: "forward", Destination: config.Text{"default": "the ERP", "fr_FR": "l'ERP"}}, "relay": {Name: "relay", Kind: "notify"}, "fill": {Name: "fill", Kind: "update"},
		},
		Extensions: map[string]config.Extension{
			"button": {Name: "button", PIM: "main", Type: "action", Action: "send",
				Label: config.Text{"default": "Export to ERP", "fr_FR": "Exporter vers l'ERP"}},
		},
	}
	for _, name := range append([]string{"short", "twin", "credential", "nothing"}, panels...) {
		c.Extensions[name] = config.Extension{
			Name: name, PIM: "main", Type: "iframe", Actions: []string{"send", "fill"}, Once: true,
			Label: config.Text{"default": `Jobs <b>&"quoted"`, "fr_FR": "Traitements"},
		}
	}
	finding := c.Extensions["second"]
	finding.Declared, finding.Select = "second", "ready"
	c.Extensions["second"] = finding
	other := c.Extensions["other_pim"]
	other.PIM = "other"
	c.Extensions["other_pim"] = other
	return c
}

// fixtures is the whole of an iframe function behind API Gateway.
type fixtures struct {
	*fixture.Fixture
	config *config.Config
	clock  time.Time
}

func newFixture() *fixtures {
	f := &fixtures{config: extensions(), clock: now}
	f.Fixture = fixture.New("iframe", iframe.MaxBody, document(), func() time.Time { return f.clock })
	f.Handler = func() web.Handler {
		return iframe.New(iframe.Config{Config: f.config, Signing: f.Signing(), Store: f.Store, Now: f.Now, Jobs: f.Submitter(), Metrics: f.Sink()})
	}
	return f
}

// decoded is an answer's body.
func decoded[T any](t *testing.T, got fixture.Answer) (answer T) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
		t.Fatalf("%d %q: %v", got.Status, got.Body, err)
	}
	return answer
}

// call sends a request through API Gateway; a token goes with it if it is not "".
func (f *fixtures) call(t *testing.T, method, path, token, body string) fixture.Answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return f.Send(t, r)
}

// Send sends a request through API Gateway, and checks what holds for every answer.
func (f *fixtures) Send(t *testing.T, r *http.Request) fixture.Answer {
	t.Helper()
	got := f.Fixture.Send(t, r)
	if got.Header.Get("Set-Cookie") != "" || got.Header.Get("X-Frame-Options") != "" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", got.Header)
	}
	return got
}

// token is one that the PIM gives to a user for an extension's page.
func (f *fixtures) token(extension, user string) string {
	issued := float64(f.clock.UnixMicro()) / 1e6
	payload := fmt.Sprintf(`{"jti":"1","iat":%f,"exp":%f,"userId":"1","userUuid":"%s"}`, issued, issued+3600.00001, user)
	return signature.SignJWT(document().Extensions[extension].Secrets[0], []byte(payload))
}

// job is what the page reads of a job.
type job struct {
	ID, Action, Label, Trigger, State, Message, Reason, Parent  string
	Done, Failed, Total                                         int
	User                                                        string
	Cancellable, Cancelling, Retryable, Undoable, Changed, Open bool
	Waits, AsDone                                               bool
}

type list struct {
	Jobs []job
	Next string
}

type one struct {
	Verdict  string
	Since    time.Time
	Job      *job
	Failures []jobs.Failure
}

var errDown = errors.New("the database is down")
