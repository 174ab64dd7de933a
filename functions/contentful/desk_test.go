package contentful_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Secrets of 64 characters. None may ever stand in a log.
const (
	secretNew = "new-secret-of-the-app-with-64-characters-as-contentful-demands-0"
	secretOld = "old-secret-of-the-app-with-64-characters-as-contentful-demands-0"
	sample    = "sample-secret-of-contentful-with-64-characters-on-this-machine-0"
)

// message is what most tests send.
const message = `{"message":"Hello from Bob!","recipient":"Alice <alice@my-company.com>"}`

// vault is a Holder that a test changes.
type vault struct {
	contentful []string
	rotated    []string // what Refresh brings, once
	err        error    // of Get
}

func (v *vault) Get(context.Context) (secrets.Signing, error) {
	return secrets.Signing{Contentful: v.contentful}, v.err
}

func (v *vault) Refresh(context.Context) (secrets.Signing, bool, error) {
	fresh := v.rotated != nil
	if fresh {
		v.contentful, v.rotated = v.rotated, nil
	}
	return secrets.Signing{Contentful: v.contentful}, fresh, nil
}

// door is a queue that can be shut.
type door struct {
	*queue.Memory
	shut error
}

func (d *door) Send(ctx context.Context, messages ...queue.Message) error {
	if d.shut != nil {
		return d.shut
	}
	return d.Memory.Send(ctx, messages...)
}

// desk is the whole function behind API Gateway. Its clock moves when a test moves it.
type desk struct {
	vault   *vault
	queue   *door
	store   *jobs.Memory
	spaces  []string
	base    string
	samples bool
	at      time.Time
	log     bytes.Buffer
}

func newDesk() *desk {
	d := &desk{
		vault:  &vault{contentful: []string{secretNew, secretOld}},
		queue:  &door{Memory: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})},
		spaces: []string{"yadj1kx9rmg0/master"},
		at:     time.UnixMilli(1767225600000),
	}
	d.store = jobs.NewMemory(jobs.MemoryConfig{Now: d.now})
	return d
}

func (d *desk) now() time.Time { return d.at }

func (d *desk) function() *web.Function {
	c := config.Contentful{Spaces: d.spaces, Actions: map[string]config.ContentfulAction{}}
	for name, category := range map[string]string{
		"notify": "Notification.v1.0", "entries": "Entries.v1.0", "deploy": "Custom", "later": "Notification.v1.7", "strange": "Notification.v2.0",
	} {
		c.Actions[name] = config.ContentfulAction{Name: name, Category: category, Action: "relay"}
	}
	handler := contentful.New(contentful.Config{
		Config: &config.Config{Contentful: c}, Signing: d.vault, BasePath: d.base, Samples: d.samples, Now: d.now,
		Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: d.store, Queue: d.queue, Now: d.now}),
	})
	return web.New(web.Config{
		Function: "contentful", Handler: handler, MaxBody: contentful.MaxBody, Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Now: d.now,
	})
}

// call is a request of Contentful's before it is signed.
type call struct {
	method string // "": POST
	path   string // with its query; "": /contentful/notify
	body   string
	secret string            // "": secretNew
	header map[string]string // more headers, signed; "" takes one out
	at     time.Time         // of the signature; zero: now
}

func (d *desk) headers(c call) map[string]string {
	at := c.at
	if at.IsZero() {
		at = d.at
	}
	header := map[string]string{
		"content-type":                "application/vnd.contentful.management.v1+json",
		"x-contentful-crn":            "crn:contentful:::extensibility:spaces/yadj1kx9rmg0/environments/master/appdefinitions/app/actions/action",
		"x-contentful-space-id":       "yadj1kx9rmg0",
		"x-contentful-environment-id": "master",
		"x-contentful-user-id":        "0M5q1fYAwHhbCJXW5gsJFe",
		"x-contentful-timestamp":      strconv.FormatInt(at.UnixMilli(), 10),
		"x-contentful-signed-headers": "",
	}
	maps.Copy(header, c.header)
	maps.DeleteFunc(header, func(name, value string) bool { return value == "" && name != "x-contentful-signed-headers" })
	header["x-contentful-signed-headers"] = strings.Join(slices.Sorted(maps.Keys(header)), ",")
	header["x-contentful-signature"] = signature.SignContentful(c.secret, c.method, c.path, header, []byte(c.body))
	return header
}

// request is the call as it arrives; change, if not nil, tampers with it.
func (d *desk) request(c call, change func(*http.Request)) *http.Request {
	if c.method == "" {
		c.method = http.MethodPost
	}
	if c.path == "" {
		c.path = "/contentful/notify"
	}
	if c.secret == "" {
		c.secret = secretNew
	}
	r := httptest.NewRequest(c.method, "https://hooks.example.net/", strings.NewReader(c.body))
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(c.path, "?")
	for name, value := range d.headers(c) {
		r.Header.Set(name, value)
	}
	if change != nil {
		change(r)
	}
	return r
}

// said is an answer.
type said struct {
	status int
	header http.Header
	body   string
	line   map[string]any // the one log line of the request
}

// job is the ID that the answer names.
func (s said) job(t *testing.T) string {
	t.Helper()
	var answer struct{ Job string }
	if err := json.Unmarshal([]byte(s.body), &answer); err != nil || s.status != http.StatusAccepted || answer.Job == "" {
		t.Fatalf("answered %d %s (%v)", s.status, s.body, s.line["reason"])
	}
	return answer.Job
}

func (d *desk) send(t *testing.T, r *http.Request) said {
	t.Helper()
	before := d.log.Len()
	w := httptest.NewRecorder()
	gateway.HTTP(d.function().Invoke).ServeHTTP(w, r)
	return said{w.Code, w.Header(), w.Body.String(), d.lineAfter(t, before)}
}

// invoke sends an event as API Gateway does where a stage has a name; path is what the function sees.
func (d *desk) invoke(t *testing.T, c call, path, stage string) said {
	t.Helper()
	type object = map[string]any
	payload, err := json.Marshal(object{
		"rawPath": path, "headers": d.headers(c), "body": c.body,
		"requestContext": object{"http": object{"method": c.method}, "requestId": "id", "stage": stage},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := d.log.Len()
	answer, err := d.function().Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var reply struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		t.Fatal(err)
	}
	return said{status: reply.StatusCode, body: reply.Body, line: d.lineAfter(t, before)}
}

func (d *desk) lineAfter(t *testing.T, before int) (line map[string]any) {
	t.Helper()
	if err := json.Unmarshal(d.log.Bytes()[before:], &line); err != nil { // fails for none and for two
		t.Fatalf("not one log line: %v: %s", err, d.log.Bytes()[before:])
	}
	return line
}

// recorded is the whole job of an answer.
func (d *desk) recorded(t *testing.T, id string) jobs.Job {
	t.Helper()
	job, err := d.store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// queued is how many messages there are.
func (d *desk) queued() int { return len(d.queue.Messages()) }

func quoted(tb testing.TB, text string) string {
	tb.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		tb.Fatal(err)
	}
	return string(quoted)
}

func example(tb testing.TB, name string) string {
	tb.Helper()
	text, err := events.FS.ReadFile("contentful/" + name + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
