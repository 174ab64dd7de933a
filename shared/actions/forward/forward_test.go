package forward_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/forward"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func kind() forward.Kind {
	return forward.Kind{Client: credential.New(outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now}))}
}

// erp is a destination that remembers what it got and answers as it is told.
type erp struct {
	*httptest.Server
	status   int
	answer   string
	requests []*http.Request
	bodies   []string
}

func newERP(t *testing.T) *erp {
	e := &erp{status: 200, answer: "{}"}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.requests, e.bodies = append(e.requests, r), append(e.bodies, string(body))
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, e.answer)
	}))
	t.Cleanup(e.Close)
	return e
}

func open(t *testing.T, yaml string, secrets engine.Secrets) engine.Action {
	t.Helper()
	section, err := config.ParseSection(yaml)
	if err != nil {
		t.Fatal(err)
	}
	action, err := kind().Open(section, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return action
}

func openError(t *testing.T, yaml string) error {
	t.Helper()
	section, err := config.ParseSection(yaml)
	if err != nil {
		t.Fatal(err)
	}
	_, err = kind().Open(section, engine.Secrets{})
	return err
}

// press is the run of the grid sample.
func press() engine.Run {
	return engine.Run{
		Key: "export_to_erp-AAAAAAAAAAAAAAAAAAAAAA/0-4", Action: "send-to-erp", Trigger: jobs.TriggerAction, Job: "export_to_erp-AAAAAAAAAAAAAAAAAAAAAA",
		Extension: "export_to_erp", Label: "Export to ERP", PIM: "main", Total: 5, Attempt: 1, Correlation: "request-1", Now: time.Unix(1739948408, 0),
		User:    jobs.User{UUID: "e05cc457-b8ac-43b1-baa7-c4c112091ad8", Username: "julia", Groups: []string{"Manager"}},
		Context: json.RawMessage(`{"locale":"en_US","channel":"ecommerce","categories":["master_men_blazers_deals","master_men_blazers"]}`),
		Items: []jobs.Item{
			{Type: jobs.Product, ID: "63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9"}, {Type: jobs.Product, ID: "6fa3bd36-6b5a-4e80-afcd-c224fdf6f3ea"},
			{Type: jobs.Product, ID: "78f38e4a-8d25-41e1-8e09-42a9c246689a"}, {Type: jobs.ProductModel, ID: "armor"}, {Type: jobs.ProductModel, ID: "apollon"},
		},
	}
}

func equalJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("posted %s\nwant %s", got, want)
	}
}

func TestABatchIsPostedAsDocumented(t *testing.T) {
	e := newERP(t)
	action := open(t, "url: "+e.URL+"/products\nauth: erp", engine.Secrets{Auth: map[string]json.RawMessage{"erp": json.RawMessage(`{"bearer":"token-1"}`)}})
	if action.Batch() != 100 {
		t.Errorf("batch %d", action.Batch())
	}
	if _, err := action.Run(t.Context(), press()); err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile("../../../events/forwarded-job.json")
	if err != nil {
		t.Fatal(err)
	}
	equalJSON(t, e.bodies[0], string(sample))
	for name, want := range map[string]string{
		"Authorization": "Bearer token-1", "Idempotency-Key": "export_to_erp-AAAAAAAAAAAAAAAAAAAAAA/0-4", "Content-Type": "application/json",
		"User-Agent": "pim-functions", "X-Correlation-Id": "request-1",
	} {
		if got := e.requests[0].Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if strings.Contains(e.bodies[0], "Manager") {
		t.Error("the user's groups were sent")
	}
}

func TestAnEventIsPostedInTheSendersOwnBytes(t *testing.T) {
	e := newERP(t)
	raw := `{ "specversion": "1.0",
 "data":{"slash":"a\/b","price":1.0,"name":"\u00c9", "label":"<b>Fish & Chips</b>"} }`
	run := engine.Run{Key: "k", Action: "send-to-erp", Subscription: "catalogue", PIM: "main", Event: &pimevent.Event{Raw: []byte(raw)}}
	if _, err := open(t, "url: "+e.URL, engine.Secrets{}).Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if want := `{"version":1,"action":"send-to-erp","subscription":"catalogue","pim":"main","event":` + raw + `}`; e.bodies[0] != want {
		t.Errorf("posted %s", e.bodies[0])
	}
	var sample struct {
		Event json.RawMessage `json:"event"`
	}
	text, err := os.ReadFile("../../../events/forwarded-event.json")
	if err != nil || json.Unmarshal(text, &sample) != nil {
		t.Fatal(err)
	}
	run.Event.Raw = sample.Event
	if _, err := open(t, "url: "+e.URL, engine.Secrets{}).Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	equalJSON(t, e.bodies[1], string(text))
}

func TestTheSameRunIsTheSameRequest(t *testing.T) {
	for name, yaml := range map[string]string{
		"default body": "",
		"template":     "\nbody: '{\"text\":\"{{.Label}} {{.Count}}\",\"ids\":[{{range $i, $item := .Items}}{{if $i}},{{end}}\"{{$item.ID}}\"{{end}}]}'",
	} {
		t.Run(name, func(t *testing.T) {
			e := newERP(t)
			action := open(t, "url: "+e.URL+yaml, engine.Secrets{})
			first, second := press(), press()
			second.Attempt, second.Now = 7, second.Now.Add(time.Hour)
			third := press()
			third.Key, third.Items = "export_to_erp-AAAAAAAAAAAAAAAAAAAAAA/5-9", third.Items[:1]
			for _, run := range []engine.Run{first, second, third} {
				if _, err := action.Run(t.Context(), run); err != nil {
					t.Fatal(err)
				}
			}
			keys := [3]string{}
			for i := range keys {
				keys[i] = e.requests[i].Header.Get("Idempotency-Key")
			}
			if e.bodies[0] != e.bodies[1] || keys[0] != keys[1] {
				t.Errorf("a second try differs: %s, %s", keys[0], keys[1])
			}
			if keys[0] == keys[2] || !strings.HasPrefix(keys[0], first.Key) {
				t.Errorf("keys %q", keys)
			}
			if !json.Valid([]byte(e.bodies[0])) {
				t.Errorf("posted %s", e.bodies[0])
			}
		})
	}
}

func TestATemplateThatChangesTakesItsKeyWithIt(t *testing.T) {
	e := newERP(t)
	for _, body := range []string{"'[1]'", "'[2]'"} {
		if _, err := open(t, "url: "+e.URL+"\nbody: "+body, engine.Secrets{}).Run(t.Context(), press()); err != nil {
			t.Fatal(err)
		}
	}
	if e.requests[0].Header.Get("Idempotency-Key") == e.requests[1].Header.Get("Idempotency-Key") {
		t.Error("one key carried two contents")
	}
}

func TestAuth(t *testing.T) {
	for _, c := range []struct{ name, secret, header, want string }{
		{"bearer", `{"bearer":"t"}`, "Authorization", "Bearer t"},
		{"basic", `{"basic":{"username":"u","password":"p:w"}}`, "Authorization", "Basic dTpwOnc="},
		{"header", `{"header":{"name":"X-Api-Key","value":"v"}}`, "X-Api-Key", "v"},
		{"headers", `{"headers":{"X-Client":"c","X-Api-Key":"v"}}`, "X-Client", "c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newERP(t)
			action := open(t, "url: "+e.URL+"\nauth: erp", engine.Secrets{Auth: map[string]json.RawMessage{"erp": json.RawMessage(c.secret)}})
			if _, err := action.Run(t.Context(), press()); err != nil {
				t.Fatal(err)
			}
			if got := e.requests[0].Header.Get(c.header); got != c.want {
				t.Errorf("%s: %q", c.header, got)
			}
		})
	}
	for _, secret := range []string{"", `{}`, `{"bearer":"s3cret","basic":{}}`, `"s3cret"`, `{"token":"s3cret"}`, `{"bearer":"s3cret\r\nX: y"}`, `{"header":{"name":"","value":"s3cret"}}`,
		`{"headers":{"X-A":"s3cret\n"}}`, `{"headers":{"Idempotency-Key":"s3cret"}}`, `{"headers":{}}`, `{"bearer":"s3cret","headers":{"X-A":"b"}}`, `{"header":{"name":"Host","value":"s3cret"}}`} {
		section, _ := config.ParseSection("url: https://x.example\nauth: erp")
		_, err := kind().Open(section, engine.Secrets{Auth: map[string]json.RawMessage{"erp": json.RawMessage(secret)}})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

func TestATokenServesAllRunsOfAKind(t *testing.T) {
	e := newERP(t)
	e.answer = `{"access_token":"t-1","token_type":"bearer","expires_in":3600}`
	section, _ := config.ParseSection("url: " + e.URL + "/products\nauth: erp")
	secrets := engine.Secrets{Auth: map[string]json.RawMessage{"erp": json.RawMessage(`{"oauth2":{"token_url":"` + e.URL + `/token","client_id":"a","client_secret":"b"}}`)}}
	own := kind()
	var paths []string
	for range 3 {
		action, err := own.Open(section, secrets)
		if err == nil {
			_, err = action.Run(t.Context(), press())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range e.requests {
		paths = append(paths, r.URL.Path+" "+r.Header.Get("Authorization"))
	}
	if got := strings.Join(paths[1:], ","); !strings.HasPrefix(paths[0], "/token Basic") || got != "/products Bearer t-1,/products Bearer t-1,/products Bearer t-1" {
		t.Errorf("called %q", paths)
	}
}

func TestATokenServersRefusalIsNoSuccess(t *testing.T) {
	e := newERP(t)
	e.status, e.answer = 401, `{"error":"invalid_client"}`
	action := open(t, "url: "+e.URL+"\nauth: erp\nsuccess: {status: [401]}", engine.Secrets{Auth: map[string]json.RawMessage{
		"erp": json.RawMessage(`{"oauth2":{"token_url":"` + e.URL + `/token","client_id":"a","client_secret":"b"}}`)}})
	if _, err := action.Run(t.Context(), press()); err == nil {
		t.Error("it counts as the destination's answer")
	}
}

func TestARepeatIsSignedWithTheSameID(t *testing.T) {
	e := newERP(t)
	action := open(t, "url: "+e.URL+"\nauth: erp", engine.Secrets{Auth: map[string]json.RawMessage{"erp": json.RawMessage(`{"sign":{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}`)}})
	for range 2 {
		if _, err := action.Run(t.Context(), press()); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range e.requests {
		if r.Header.Get("Webhook-Id") != press().Key || r.Header.Get("Webhook-Signature") == "" || r.Header.Get("Idempotency-Key") != press().Key {
			t.Errorf("%v", r.Header)
		}
	}
}

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"no url", "batch: 5", "section:1: a forward action needs a url; add url"},
		{"unknown key", "url: https://x.example\nbatchs: 5", `section:2: unknown key "batchs"; did you mean "batch"?`},
		{"batch too large", "url: https://x.example\nbatch: 1001", "section:2: batch 1001; use 1 to 1000"},
		{"batch of text", "url: https://x.example\nbatch: many", "section:2:"},
		{"method", "url: https://x.example\nmethod: GET", `section:2: method "GET"`},
		{"timeout", "url: https://x.example\ntimeout: 2m", "section:2: timeout 2m0s"},
		{"template", "url: https://x.example\nbody: '{{.Nope'", "section:2: body:"},
		{"our header", "url: https://x.example\nheaders: {idempotency-key: x}", `section:2: header "idempotency-key"`},
		{"auth twice", "url: https://x.example\nauth: erp\nheaders: {authorization: x}", `section:3: header "authorization" and auth`},
		{"a header with a template that fails", "url: https://x.example\nheaders: {X-A: '{{.Nope}}'}", `section:2: headers: there is no "Nope"`},
		{"a type that is a template", "url: https://x.example\nheaders: {content-type: '{{.Label}}'}", `section:2: header "content-type" takes no template`},
		{"a value in the host", "url: 'https://{{.Label}}.example'", "section:1: url: a value can stand in the path"},
		{"two bodies", "url: https://x.example\nbody: '{}'\njson: {}", "section:2: of body, json, form and raw"},
		{"a body that is no JSON", "url: https://x.example\nbody: '{'", "section:2: body: the body that the template makes is not valid JSON"},
		{"json", "url: https://x.example\njson: {a: ['{{.Nope}}']}", `section:2: json: a[0]: there is no "Nope"`},
		{"form", "url: https://x.example\nform: {a: '{{.Nope}}'}", `section:2: form: a: there is no "Nope"`},
		{"a template where none is evaluated", "url: https://x.example\nauth: '{{.Label}}'", "section:2: auth takes no template"},
		{"success", "url: https://x.example\nsuccess: {statuss: [200]}", `section:2: unknown key "statuss" in success`},
		{"a status of success", "url: https://x.example\nsuccess: {status: [500]}", "section:2: success with status 500"},
		{"header with a line end", "url: https://x.example\nheaders: {X-A: \"a\\nb\"}", `section:2: header "X-A"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			section, err := config.ParseSection(c.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if err := kind().Check(section); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestAllMistakesOfAnActionAreReportedAtOnce(t *testing.T) {
	section, err := config.ParseSection("method: GET\nbatch: 0\ntimeout: 1h\nheaders: {Host: x, X-A: '{{.One}}'}\njson: {a: '{{.Two}}', b: '{{.Three}}'}\nsuccess: {x: 1}")
	if err != nil {
		t.Fatal(err)
	}
	err = kind().Check(section)
	for _, want := range []string{"needs a url", `"GET"`, "batch 0", "timeout", `"Host"`, `"One"`, `"Two"`, `"Three"`, `unknown key "x"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
