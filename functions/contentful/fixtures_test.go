package contentful_test

import (
	"encoding/json"
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
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/config"
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

// fixtures is the whole function behind API Gateway. Its clock moves when a test moves it.
type fixtures struct {
	*fixture.Fixture
	spaces  []string
	base    string
	samples bool
	at      time.Time
}

func newFixture() *fixtures {
	f := &fixtures{spaces: []string{"yadj1kx9rmg0/master"}, at: time.UnixMilli(1767225600000)}
	f.Fixture = fixture.New("contentful", contentful.MaxBody, secrets.Signing{Contentful: []string{secretNew, secretOld}}, func() time.Time { return f.at })
	c := config.Contentful{Actions: map[string]config.ContentfulAction{}}
	for name, category := range map[string]string{
		"notify": "Notification.v1.0", "entries": "Entries.v1.0", "deploy": "Custom", "later": "Notification.v1.7", "strange": "Notification.v2.0",
	} {
		c.Actions[name] = config.ContentfulAction{Name: name, Category: category, Action: "relay"}
	}
	f.Handler = func() web.Handler {
		c.Spaces = f.spaces
		return contentful.New(contentful.Config{
			Config: &config.Config{Contentful: c}, Signing: f.Signing(), BasePath: f.base, Samples: f.samples, Now: f.Now, Jobs: f.Submitter(), Metrics: f.Sink(),
		})
	}
	return f
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

func (f *fixtures) headers(c call) map[string]string {
	at := c.at
	if at.IsZero() {
		at = f.at
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
func (f *fixtures) request(c call, change func(*http.Request)) *http.Request {
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
	for name, value := range f.headers(c) {
		r.Header.Set(name, value)
	}
	if change != nil {
		change(r)
	}
	return r
}

// job is the ID that an answer names.
func job(t *testing.T, got fixture.Answer) string {
	t.Helper()
	var answer struct{ Job string }
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || got.Status != http.StatusAccepted || answer.Job == "" {
		t.Fatalf("answered %d %s (%v)", got.Status, got.Body, got.Line["reason"])
	}
	return answer.Job
}

// invoke sends an event as API Gateway does where a stage has a name; path is what the function sees.
func (f *fixtures) invoke(t *testing.T, c call, path, stage string) fixture.Answer {
	t.Helper()
	type object = map[string]any
	return f.Invoke(t, object{
		"rawPath": path, "headers": f.headers(c), "body": c.body,
		"requestContext": object{"http": object{"method": c.method}, "requestId": "id", "stage": stage},
	})
}

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
