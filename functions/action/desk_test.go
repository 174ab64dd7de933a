package action_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Secrets of the extensions below. None may ever stand in a log.
const (
	secretNew    = "new-secret-of-export-32-characters!!"
	secretOld    = "old-secret-of-export-32-characters!!"
	secretOdd    = "line\nbreak, \"quote\", $HOME and é, in 32"
	secretGuard  = "secret-of-guarded-with-32-characters"
	secretShared = "one-secret-for-two-with-32-characters"
	sampleOurs   = "sample-secret-of-ours-32-characters!"
	sampleVendor = "the_secret_need_tobe_32_characthers_long"
	bearer       = "bearer-token-of-guarded"
	bearerAlone  = "bearer-token-of-credential"
)

// document is the signing secret of the desk.
func document() secrets.Signing {
	bearing := &secrets.Credential{Type: "bearer", Token: bearer}
	return secrets.Signing{Extensions: map[string]secrets.Extension{
		"export":     {Secrets: []string{secretNew, secretOld}},
		"waits":      {Secrets: []string{"secret-of-waits-that-has-32-characters"}},
		"many":       {Secrets: []string{"secret-of-many-that-has-32-characters"}},
		"managers":   {Secrets: []string{"secret-of-managers-of-32-characters!!"}},
		"odd":        {Secrets: []string{secretOdd}},
		"guarded":    {Secrets: []string{secretGuard}, Credential: bearing},
		"credential": {Credential: &secrets.Credential{Type: "bearer", Token: bearerAlone}},
		"empty":      {Secrets: []string{""}},
		"half_empty": {Secrets: []string{"secret-of-half-empty-32-characters!!", ""}},
		"short":      {Secrets: []string{"31-characters-are-one-too-few.."}},
		"twin_a":     {Secrets: []string{secretShared}},
		"twin_b":     {Secrets: []string{secretShared}},
		"sample":     {Secrets: []string{sampleOurs}},
		"vendor":     {Secrets: []string{sampleVendor}},
		"token_less": {Credential: &secrets.Credential{Type: "bearer"}},
		"typeless":   {Credential: &secrets.Credential{Type: "oauth2", Token: bearer}},
	}}
}

func extensions() *config.Config {
	c := &config.Config{
		Actions:    map[string]config.Action{"send": {Name: "send"}, "check": {Name: "check", Wait: 3 * time.Second}},
		Extensions: map[string]config.Extension{"panel": {Name: "panel", Type: "iframe"}},
	}
	for _, name := range append(slices.Collect(maps.Keys(document().Extensions)), "none", "open") {
		c.Extensions[name] = config.Extension{
			Name: name, PIM: "main", Type: "action", Action: "send", Once: name != "many", Unsigned: name == "open",
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

// vault is a Signing that a test changes.
type vault struct {
	signing   secrets.Signing
	rotated   *secrets.Signing // what Refresh brings
	err       error            // of Get
	failed    error            // of Refresh
	refreshes int
}

func (v *vault) Get(context.Context) (secrets.Signing, error) { return v.signing, v.err }

func (v *vault) Refresh(context.Context) (secrets.Signing, bool, error) {
	v.refreshes++
	if v.failed != nil || v.rotated == nil {
		return v.signing, false, v.failed
	}
	v.signing = *v.rotated
	return v.signing, true, nil
}

// counted counts the calls of a Store, and fails when told to.
type counted struct {
	jobs.Store
	calls atomic.Int64
	fail  error
}

func (c *counted) Create(ctx context.Context, job jobs.Job, takeover *jobs.Job) (jobs.Job, error) {
	c.calls.Add(1)
	if c.fail != nil {
		return jobs.Job{}, c.fail
	}
	return c.Store.Create(ctx, job, takeover)
}

func (c *counted) Get(ctx context.Context, id string) (jobs.Job, error) {
	c.calls.Add(1)
	if c.fail != nil {
		return jobs.Job{}, c.fail
	}
	return c.Store.Get(ctx, id)
}

func (c *counted) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (jobs.Job, error) {
	c.calls.Add(1)
	return c.Store.Save(ctx, job, failures...)
}

// failing is a queue whose sends fail when told to.
type failing struct {
	queue.Queue
	err error
}

func (f *failing) Send(ctx context.Context, messages ...queue.Message) error {
	if f.err != nil {
		return f.err
	}
	return f.Queue.Send(ctx, messages...)
}

// desk is the whole of an action function behind API Gateway.
type desk struct {
	config  *config.Config
	vault   *vault
	store   *counted
	queue   *failing
	samples bool
	now     func() time.Time
	log     bytes.Buffer
}

func newDesk() *desk {
	return &desk{
		config: extensions(), vault: &vault{signing: document()}, now: time.Now,
		store: &counted{Store: jobs.NewMemory(jobs.MemoryConfig{Now: time.Now})},
		queue: &failing{Queue: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})},
	}
}

func (d *desk) function() *web.Function {
	log := slog.New(slog.NewJSONHandler(&d.log, nil))
	return web.New(web.Config{Function: "action", MaxBody: action.MaxBody, Log: log, Now: d.now, Handler: action.New(action.Config{
		Config: d.config, Signing: d.vault, Store: d.store, Samples: d.samples, Now: d.now,
		Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: d.store, Queue: d.queue, Now: d.now}),
	})})
}

// said is an answer.
type said struct {
	status int
	header http.Header
	body   string
	answer struct {
		Success *bool
		Message string
		Error   string
	}
	line map[string]any // the one log line of the request
}

// send sends a request through API Gateway.
func (d *desk) send(t *testing.T, r *http.Request) said {
	t.Helper()
	before := d.log.Len()
	w := httptest.NewRecorder()
	gateway.HTTP(d.function().Invoke).ServeHTTP(w, r)
	got := said{status: w.Code, header: w.Header(), body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &got.answer); err != nil || got.answer.Success == nil {
		t.Fatalf("answer %q: %v", got.body, err)
	}
	if lines := strings.Split(strings.TrimSpace(string(d.log.Bytes()[before:])), "\n"); len(lines) != 1 {
		t.Fatalf("%d log lines: %s", len(lines), lines)
	} else if err := json.Unmarshal([]byte(lines[0]), &got.line); err != nil {
		t.Fatal(err)
	}
	return got
}

// press sends a signed press.
func (d *desk) press(t *testing.T, extension string, body []byte) said {
	t.Helper()
	return d.send(t, request("/actions/"+extension, body, signature.SignAction(document().Extensions[extension].Secrets[0], body)))
}

func request(path string, body []byte, signed string) *http.Request {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if signed != "" {
		r.Header.Set("Signature", signed)
	}
	return r
}

// stamp puts the desk's time where a body says NOW.
func (d *desk) stamp(body string) []byte {
	return d.stampAt(body, 0)
}

func (d *desk) stampAt(body string, later time.Duration) []byte {
	seconds, _ := json.Marshal(d.now().Add(later).Unix())
	return []byte(strings.Replace(body, "NOW", string(seconds), 1))
}

// A press of julia, who is also an e-mail address that nobody may log.
const press = `{"data":{"productUuids":["` + uuidA + `"],"productModelCodes":["armor"]},"context":{"locale":"en_US","channel":"ecommerce"},` +
	`"user":{"uuid":"` + julia + `","username":"julia","email":"julia@example.com","groups":[{"id":1,"name":"Redactor"}]},"timestamp":NOW}`

// depth is how many messages the queue holds.
func (d *desk) depth(t *testing.T) int {
	t.Helper()
	depth, err := d.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return depth.Visible
}
