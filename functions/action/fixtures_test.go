package action_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Secrets of the extensions below. None may ever stand in a log.
const (
	secretNew   = "new-secret-of-export-32-characters!!"
	secretOld   = "old-secret-of-export-32-characters!!"
	secretOdd   = "line\nbreak, \"quote\", $HOME and é, in 32"
	secretGuard = "secret-of-guarded-with-32-characters"
	sampleOurs  = "sample-secret-of-ours-32-characters!"
	bearer      = "bearer-token-of-guarded"
	bearerAlone = "bearer-token-of-credential"
)

func document() secrets.Signing {
	bearing := func(token string) []secrets.Credential { return []secrets.Credential{{Type: "bearer", Token: token}} }
	return secrets.Signing{Extensions: map[string]secrets.Extension{
		"export":     {Secrets: []string{secretNew, secretOld}},
		"waits":      {Secrets: []string{"secret-of-waits-that-has-32-characters"}},
		"many":       {Secrets: []string{"secret-of-many-that-has-32-characters"}},
		"managers":   {Secrets: []string{"secret-of-managers-of-32-characters!!"}},
		"odd":        {Secrets: []string{secretOdd}},
		"guarded":    {Secrets: []string{secretGuard}, Credentials: bearing(bearer)},
		"credential": {Credentials: bearing(bearerAlone)},
		"sample":     {Secrets: []string{sampleOurs}},
	}}
}

func extensions() *config.Config {
	c := &config.Config{
		PIMs: map[string]config.PIM{"main": {Name: "main"}},
		Actions: map[string]config.Action{
			"send":  {Name: "send"},
			"check": {Name: "check", Wait: 3 * time.Second, Destination: config.Text{"default": "the ERP", "fr_FR": "l'ERP"}},
		},
		Extensions: map[string]config.Extension{"panel": {Name: "panel", Type: "iframe"}},
	}
	for _, name := range append(slices.Collect(maps.Keys(document().Extensions)), "none", "open") {
		c.Extensions[name] = config.Extension{
			Name: name, Declared: name, PIM: "main", Type: "action", Action: "send", Once: name != "many", Unsigned: name == "open",
			Label: config.Text{"default": "Export to ERP", "fr_FR": "Exporter vers l'ERP"},
		}
	}
	for name, change := range map[string]func(*config.Extension){
		"waits": func(e *config.Extension) { e.Action = "check" },
		"managers": func(e *config.Extension) {
			e.Allow = config.Allow{Groups: []string{"Manager"}, Usernames: []string{"root"}}
		},
	} {
		e := c.Extensions[name]
		change(&e)
		c.Extensions[name] = e
	}
	return c
}

// fixtures is the whole of an action function behind API Gateway.
type fixtures struct {
	*fixture.Fixture
	config  *config.Config
	samples bool
}

func newFixture() *fixtures {
	f := &fixtures{Fixture: fixture.New("action", action.MaxBody, document(), time.Now), config: extensions()}
	f.Handler = func() web.Handler {
		return action.New(action.Config{
			Config: f.config, Signing: f.Signing(), Store: f.Store, Samples: f.samples, Now: f.Now, Jobs: f.Submitter(), Metrics: f.Sink(),
		})
	}
	return f
}

// failing is a queue's Before.
func failing(err error) func(context.Context, int, []queue.Message) error {
	return func(context.Context, int, []queue.Message) error { return err }
}

// press sends a signed press.
func (f *fixtures) press(t *testing.T, extension string, body []byte) fixture.Answer {
	t.Helper()
	return f.Send(t, request("/actions/"+extension, body, signature.SignAction(document().Extensions[extension].Secrets[0], body)))
}

// invoke sends a signed press as API Gateway does, which received it at a time.
func (f *fixtures) invoke(t *testing.T, extension string, body []byte, received time.Time) fixture.Answer {
	t.Helper()
	return f.Invoke(t, map[string]any{"rawPath": "/actions/" + extension, "body": string(body),
		"headers":        map[string]string{"signature": signature.SignAction(document().Extensions[extension].Secrets[0], body)},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "timeEpoch": received.UnixMilli()}})
}

// message is what the PIM shows.
func message(t *testing.T, got fixture.Answer) string {
	t.Helper()
	var answer struct {
		Success *bool
		Message string
	}
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || answer.Success == nil || *answer.Success != (got.Status == 200) {
		t.Fatalf("%d %q: %v", got.Status, got.Body, err)
	}
	return answer.Message
}

func request(path string, body []byte, signed string) *http.Request {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if signed != "" {
		r.Header.Set("Signature", signed)
	}
	return r
}

// stamp puts the fixture's time where a body says NOW.
func (f *fixtures) stamp(body string) []byte { return f.stampAt(body, 0) }

func (f *fixtures) stampAt(body string, later time.Duration) []byte {
	seconds, _ := json.Marshal(f.Now().Add(later).Unix())
	return []byte(strings.Replace(body, "NOW", string(seconds), 1))
}

// A press of julia, who is also an e-mail address that nobody may log.
const press = `{"data":{"productUuids":["` + uuidA + `"],"productModelCodes":["armor"]},"context":{"locale":"en_US","channel":"ecommerce"},` +
	`"user":{"uuid":"` + julia + `","username":"julia","email":"julia@example.com","groups":[{"id":1,"name":"Redactor"}]},"timestamp":NOW}`

// checkLeaks looks for what no log may hold.
func checkLeaks(t *testing.T, f *fixtures, r *http.Request) {
	t.Helper()
	never := append(f.Secrets(), "julia@example.com", "julia%40", "productUuid", "productModelCodes")
	for _, name := range []string{"Signature", "X-Akeneo-Signature", "Authorization"} {
		for _, value := range r.Header[name] {
			never = append(never, strings.TrimPrefix(strings.TrimPrefix(value, "sha512="), "Bearer "))
		}
	}
	f.NoLeaks(t, never...)
}
