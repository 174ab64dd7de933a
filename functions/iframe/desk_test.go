package iframe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/iframe"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
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
		"credential": {Credential: &secrets.Credential{Type: "bearer", Token: "a-token"}},
		"button":     {Secrets: []string{"secret-of-button-with-its-32-characters"}},
	}}
}

func extensions() *config.Config {
	c := &config.Config{
		PIMs: map[string]config.PIM{
			"main":  {Name: "main", URL: "https://pim.example.com"},
			"other": {Name: "other", URL: "https://other.example.com:8443"},
		},
		Actions: map[string]config.Action{
			"send": {Name: "send", Kind: "forward"}, "relay": {Name: "relay", Kind: "notify"}, "fill": {Name: "fill", Kind: "update"},
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
	other := c.Extensions["other_pim"]
	other.PIM = "other"
	c.Extensions["other_pim"] = other
	return c
}

// vault is a Holder that a test changes.
type vault struct {
	signing   secrets.Signing
	rotated   *secrets.Signing // what Refresh brings
	err       error            // of Get
	refreshes int
}

func (v *vault) Get(context.Context) (secrets.Signing, error) { return v.signing, v.err }

func (v *vault) Refresh(context.Context) (secrets.Signing, bool, error) {
	v.refreshes++
	if v.rotated == nil {
		return v.signing, false, nil
	}
	v.signing = *v.rotated
	return v.signing, true, nil
}

// broken is a store that fails when told to.
type broken struct {
	jobs.Store
	err error
}

func (b *broken) List(ctx context.Context, q jobs.Query) ([]jobs.Job, bool, error) {
	if b.err != nil {
		return nil, false, b.err
	}
	return b.Store.List(ctx, q)
}

func (b *broken) Load(ctx context.Context, id string) (jobs.Job, error) {
	if b.err != nil {
		return jobs.Job{}, b.err
	}
	return b.Store.Load(ctx, id)
}

func (b *broken) Create(ctx context.Context, job jobs.Job, takeover *jobs.Job) (jobs.Job, error) {
	if b.err != nil {
		return jobs.Job{}, b.err
	}
	return b.Store.Create(ctx, job, takeover)
}

// desk is the whole of an iframe function behind API Gateway.
type desk struct {
	config *config.Config
	vault  *vault
	store  *broken
	queue  *queue.Memory
	clock  time.Time
	log    bytes.Buffer
}

func newDesk() *desk {
	d := &desk{config: extensions(), vault: &vault{signing: document()}, clock: now, queue: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})}
	d.store = &broken{Store: jobs.NewMemory(jobs.MemoryConfig{Now: d.now})}
	return d
}

func (d *desk) now() time.Time { return d.clock }

// said is an answer.
type said struct {
	status int
	header http.Header
	body   string
	line   map[string]any // the one log line of the request
}

// decoded is an answer's body.
func decoded[T any](t *testing.T, got said) (answer T) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("%d %q: %v", got.status, got.body, err)
	}
	return answer
}

// call sends a request through API Gateway; a token goes with it if it is not "".
func (d *desk) call(t *testing.T, method, path, token, body string) said {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return d.send(t, r)
}

func (d *desk) function() *web.Function {
	return web.New(web.Config{
		Function: "iframe", MaxBody: iframe.MaxBody, Now: d.now, Log: slog.New(slog.NewJSONHandler(&d.log, nil)),
		Handler: iframe.New(iframe.Config{
			Config: d.config, Signing: d.vault, Store: d.store, Now: d.now,
			Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: d.store, Queue: d.queue, Now: d.now}),
		}),
	})
}

func (d *desk) send(t *testing.T, r *http.Request) said {
	t.Helper()
	before := d.log.Len()
	w := httptest.NewRecorder()
	gateway.HTTP(d.function().Invoke).ServeHTTP(w, r)
	got := said{status: w.Code, header: w.Header(), body: w.Body.String()}
	lines := strings.Split(strings.TrimSpace(string(d.log.Bytes()[before:])), "\n")
	if len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &got.line) != nil {
		t.Fatalf("log lines: %q", lines)
	}
	if got.header.Get("Set-Cookie") != "" || got.header.Get("X-Frame-Options") != "" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", got.header)
	}
	return got
}

// token is one that the PIM gives to a user for an extension's page.
func (d *desk) token(extension, user string) string {
	issued := float64(d.clock.UnixMicro()) / 1e6
	payload := fmt.Sprintf(`{"jti":"1","iat":%f,"exp":%f,"userId":"1","userUuid":"%s"}`, issued, issued+3600.00001, user)
	return signature.SignJWT(document().Extensions[extension].Secrets[0], []byte(payload))
}

// job is what the page reads of a job.
type job struct {
	ID, Action, Label, Trigger, State, Message, Reason, Parent string
	Done, Failed, Total                                        int
	Cancellable, Retryable, Changed                            bool
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

// record puts a job into the store as it is.
func (d *desk) record(t *testing.T, j jobs.Job, failures ...jobs.Failure) jobs.Job {
	t.Helper()
	want := j
	j.CreatedAt, j.Total = d.clock, len(j.Items)
	created, err := d.store.Create(t.Context(), j, nil)
	if err != nil {
		t.Fatal(err)
	}
	want.Version, want.CreatedAt, want.Total = created.Version, created.CreatedAt, len(j.Items)
	saved, err := d.store.Save(t.Context(), want, failures...)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// depth is how many messages the queue holds.
func (d *desk) depth(t *testing.T) int {
	t.Helper()
	depth, err := d.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return depth.Visible
}

var errDown = errors.New("the database is down")
