package forward_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// send runs an action and returns what the destination got.
func send(t *testing.T, yaml string, run engine.Run) (*http.Request, string, error) {
	t.Helper()
	e := newERP(t)
	_, err := open(t, strings.ReplaceAll("url: SINK\n"+yaml, "SINK", e.URL), engine.Secrets{}).Run(t.Context(), run)
	if len(e.requests) == 0 {
		return nil, "", err
	}
	return e.requests[0], e.bodies[0], err
}

func TestAUsersTextCannotAddAFieldToTheBody(t *testing.T) {
	run := engine.Run{Key: "k", Params: json.RawMessage(`{"message":"hello\",\"approved\":true,\"by\":\"admin"}`)}
	for _, yaml := range []string{`body: '{"message":"{{.Params.message}}"}'`, `json: {message: "{{.Params.message}}"}`} {
		_, body, err := send(t, yaml, run)
		var fields map[string]string
		if err != nil || json.Unmarshal([]byte(body), &fields) != nil || len(fields) != 1 || fields["message"] != `hello","approved":true,"by":"admin` {
			t.Errorf("sent %s, %v", body, err)
		}
	}
}

func TestACodeWithAQuoteIsSentAsJSON(t *testing.T) {
	run := engine.Run{Key: "k", Items: []jobs.Item{{Type: jobs.ProductModel, ID: `12" pipe`}}}
	_, body, err := send(t, `body: '{"codes":[{{range $i, $x := .Items}}{{if $i}},{{end}}"{{$x.ID}}"{{end}}]}'`, run)
	if want := `{"codes":["12\" pipe"]}`; err != nil || body != want {
		t.Errorf("sent %s, %v", body, err)
	}
}

func TestABodyThatWouldNotBeJSONIsNotSent(t *testing.T) {
	request, body, err := send(t, `body: '{"a":{{if .Params.x}}1{{end}}}'`, engine.Run{Key: "k"})
	if permanent, ok := errors.AsType[*engine.PermanentError](err); !ok || request != nil || !strings.Contains(permanent.Reason, "nothing was sent") {
		t.Errorf("sent %s, %v", body, err)
	}
}

func TestAForm(t *testing.T) {
	request, body, err := send(t, `form: {q: "{{.Label}}", n: 7}`, engine.Run{Key: "k", Label: "a&n=8"})
	if err != nil || request.Header.Get("Content-Type") != template.FormType || body != "n=7&q=a%26n%3D8" {
		t.Errorf("%s, %v", body, err)
	}
}

func TestAnEventIsTheWholeBody(t *testing.T) {
	raw := "{ \"a\": \"\\u00e9 <&> \\/\",\n \"n\": 1.50 }"
	run := engine.Run{Key: "event-platform/main/e1/s", Event: &pimevent.Event{Raw: []byte(raw)}}
	request, body, err := send(t, "raw: true", run)
	if err != nil || body != raw || request.Header.Get("Idempotency-Key") != run.Key {
		t.Errorf("%q with key %q, %v", body, request.Header.Get("Idempotency-Key"), err)
	}
	if request, _, err := send(t, "raw: true", press()); request != nil || err == nil {
		t.Errorf("a job has no event: %v", err)
	}
}

func TestValuesInAddressAndHeaders(t *testing.T) {
	run := engine.Run{Key: "k", Label: "a/b ?&é", User: jobs.User{Username: "julia"}}
	request, _, err := send(t, "headers: {X-User: '{{.User.Username}}', X-Label: '{{.Label}}'}\nmethod: delete", run)
	if err != nil || request.Method != http.MethodDelete || request.Header.Get("X-User") != "julia" || request.Header.Get("X-Label") != run.Label {
		t.Errorf("%v, %v", request, err)
	}
	e := newERP(t)
	if _, err := open(t, "url: '"+e.URL+"/x/{{.Label}}?q={{.Label}}'", engine.Secrets{}).Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if got := e.requests[0].URL; got.Path != "/x/"+run.Label || got.Query().Get("q") != run.Label || got.EscapedPath() != "/x/"+url.PathEscape(run.Label) {
		t.Errorf("called %s", got)
	}
}

// A secret of the connection document stands for itself, whatever it looks like: in an address, a header and a body.
func TestASecretIsNoTemplate(t *testing.T) {
	const value = `a{{.Label}}{{{b}}-{{`
	e := newERP(t)
	section, err := config.ParseSection("url: secret:url\nheaders: {X-Key: secret:key}\nbody: secret:body")
	if err != nil {
		t.Fatal(err)
	}
	section, err = section.Resolve(map[string]string{"key": value, "body": `{"key":"` + value + `"}`, "url": e.URL + "/x?key=" + value})
	if err != nil {
		t.Fatal(err)
	}
	action, err := kind().Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := action.Run(t.Context(), engine.Run{Key: "k", Label: "L"}); err != nil {
		t.Fatal(err)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(e.bodies[0]), &body); err != nil || body["key"] != value {
		t.Errorf("%v: the body is %s", err, e.bodies[0])
	}
	if request := e.requests[0]; request.Header.Get("X-Key") != value || request.URL.Query().Get("key") != value {
		t.Errorf("called %s with %q", request.URL, request.Header.Get("X-Key"))
	}
}

func TestALineBreakInAHeaderFailsTheBatch(t *testing.T) {
	for _, value := range []string{"a\r\nX-Admin: 1", "a\nb", "a\x00"} {
		request, _, err := send(t, "headers: {X-Label: '{{.Label}}'}", engine.Run{Key: "k", Label: value})
		if permanent, ok := errors.AsType[*engine.PermanentError](err); !ok || request != nil || !strings.Contains(permanent.Reason, "X-Label") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// An event's id is the sender's text and becomes a part of a header.
func TestAnEventWhoseIDIsNoLegalHeaderIsSent(t *testing.T) {
	keys := map[string]bool{}
	for _, id := range []string{`a\nb`, `a\u0001b`, `évènement-1`, `id-😀`, ` lead`, strings.Repeat("x", 500)} {
		event := pimevent.Decode(pimevent.EventPlatform, "main", []byte(`{"id":"`+id+`","type":"t"}`))
		request, _, err := send(t, "", engine.Run{Key: event.API + "/" + event.PIM + "/" + event.ID + "/s", Event: &event, Correlation: "a\nb"})
		if err != nil {
			t.Errorf("%q: %v", id, err)
			continue
		}
		if key := request.Header.Get("Idempotency-Key"); key == "" || keys[key] {
			t.Errorf("%q: key %q", id, key)
		} else {
			keys[key] = true
		}
	}
}

func TestASecretThatDoesNotFitIsNotPrinted(t *testing.T) {
	for _, yaml := range []string{"url: 'https://x.example/{{s3cret'", "url: https://x.example\nheaders: {X-A: '{{s3cret'}", "url: https://x.example\nheaders: {X-A: \"s3cret\\n\"}", "url: https://x.example\nmethod: s3cret"} {
		if err := openError(t, yaml); err == nil || strings.Contains(strings.ToLower(err.Error()), "s3cret") {
			t.Errorf("%v", err)
		}
	}
}
