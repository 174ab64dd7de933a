package forward_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/actions/forward"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// all is a failure of each of the five items of press.
func all(reason string) (failures []engine.Failure) {
	for i := range 5 {
		failures = append(failures, engine.Failure{Index: i, Reason: reason})
	}
	return failures
}

func TestADestinationMayRefuseSingleItems(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		want         []engine.Failure
	}{
		{"an empty answer", ``, nil},
		{"not JSON", `OK`, nil},
		{"XML", `<?xml version="1.0"?><done/>`, nil},
		{"an array", `[]`, nil},
		{"an object of another API", `{"id":7,"message":{"text":"x"},"errors":null}`, nil},
		{"no failures", `{"failures":[]}`, nil},
		{"null failures", `{"failures":null}`, nil},
		{"a count of none", `{"failures":0}`, nil},
		{"by index", `{"failures":[{"index":1,"reason":"no price"}]}`, []engine.Failure{{Index: 1, Reason: "no price"}}},
		{"by id", `{"failures":[{"id":"armor","reason":"no price"}]}`, []engine.Failure{{Index: 3, Reason: "no price"}}},
		{"without a reason", `{"failures":[{"index":0}]}`, []engine.Failure{{Index: 0, Reason: "refused by the destination"}}},
		{"twice", `{"failures":[{"index":0,"reason":"a"},{"index":0,"reason":"b"}]}`, []engine.Failure{{Index: 0, Reason: "a"}}},
		{"control characters", `{"failures":[{"index":0,"reason":"a\nb\u0000c"}]}`, []engine.Failure{{Index: 0, Reason: "a b c"}}},
		{"an item that was not sent", `{"failures":[{"index":5,"reason":"no price"}]}`, all("no price")},
		{"a negative one", `{"failures":[{"index":-1}]}`, all("refused by the destination")},
		{"an unknown id", `{"failures":[{"id":"nobody","reason":"no price"}]}`, all("no price")},
		{"neither index nor id", `{"failures":[{"reason":"no price"}]}`, all("no price")},
		{"one that is known, one that is not", `{"failures":[{"index":0,"reason":"a"},{"id":"nobody","reason":"b"}]}`, append([]engine.Failure{{Index: 0, Reason: "a"}}, all("b")[1:]...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newERP(t)
			e.answer = c.answer
			result, err := open(t, "url: "+e.URL, engine.Secrets{}).Run(t.Context(), press())
			if err != nil || !reflect.DeepEqual(result.Failures, c.want) {
				t.Errorf("%v, %v", result.Failures, err)
			}
		})
	}
}

// failed is a run's permanent failure, with its reason for the user.
func failed(t *testing.T, err error) string {
	t.Helper()
	refused, ok := errors.AsType[interface {
		error
		Permanent() bool
		Reason() string
	}](err)
	if !ok || !refused.Permanent() {
		t.Fatalf("%v", err)
	}
	return refused.Reason()
}

// An answer that nobody can rely on is never a success.
func TestAnAnswerThatCannotBeReliedOnFailsTheBatch(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"index":%d,"reason":"%s"}`, i, strings.Repeat("x", 280))
	}
	for _, c := range []struct{ name, yaml, answer, want string }{
		{"cut", "", `{"failures":[{"index":1`, "breaks off"},
		{"cut in a character", "", "{\"failures\":[{\"index\":1,\"reason\":\"\xc3", "breaks off"},
		{"too long", "", `{"x":"` + strings.Repeat("x", 3<<20) + `","failures":[{"index":1}]}`, "too long"},
		{"failures as an object", "", `{"failures":{"armor":"no"}}`, "no list"},
		{"failures as a text", "", `{"failures":"all"}`, "no list"},
		{"failures as a count", "", `{"failures":7}`, "no list"},
		{"an index that is a text", "", `{"failures":[{"index":"1"}]}`, "no list"},
		{"an id that is a number", "", `{"failures":[{"id":7}]}`, "no list"},
		{"a reason that is an object", "", `{"failures":[{"index":1,"reason":{}}]}`, "no list"},
		{"a page to sign in", "", `<html><title>Sign in</title></html>`, "web page"},
		{"a page with a doctype", "", "\n<!DOCTYPE html>\n<html>", "web page"},
		{"XHTML", "", `<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>`, "web page"},
		{"GraphQL", "success: {not: errors}", `{"errors":[{"message":"Variable $input is invalid"}],"data":null}`, "the destination refused it: Variable $input is invalid"},
		{"an error", "success: {not: error}", `{"error":"out of stock"}`, "the destination refused it: out of stock"},
		{"an error, true", "success: {not: error}", `{"error":true,"message":"out of stock"}`, "the destination refused it: out of stock"},
		{"no JSON where JSON says what came of it", "success: {not: error}", `OK`, "cannot be read"},
		{"nothing there", "success: {not: error}", ``, "cannot be read"},
		{"an array there", "success: {not: error}", `[]`, "cannot be read"},
		{"too long behind what is whole", "success: {not: error}", `{"error":null}` + strings.Repeat(" ", 2<<20) + "x", "cannot be read"},
		{"another status", "success: {status: [201]}", `{"message":"queued"}`, "did not take it as it should: queued"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newERP(t)
			e.answer = c.answer
			result, err := open(t, "url: "+e.URL+"\n"+c.yaml, engine.Secrets{}).Run(t.Context(), press())
			if len(result.Failures) > 0 {
				t.Errorf("%v", result.Failures)
			}
			if reason := failed(t, err); !strings.Contains(reason, c.want) {
				t.Errorf("%q, want %q", reason, c.want)
			}
			if strings.Contains(err.Error(), "stock") || strings.Contains(err.Error(), "Variable") {
				t.Errorf("the log holds the destination's text: %v", err)
			}
		})
	}
	t.Run("a reason for each of the largest batch", func(t *testing.T) {
		e := newERP(t)
		e.answer = `{"failures":[` + strings.Join(many, ",") + `]}`
		run := press()
		run.Items = make([]jobs.Item, 1000)
		result, err := open(t, "url: "+e.URL+"\nbatch: 1000", engine.Secrets{}).Run(t.Context(), run)
		if err != nil || len(result.Failures) != 1000 {
			t.Errorf("%d failures, %v", len(result.Failures), err)
		}
	})
	t.Run("an event", func(t *testing.T) {
		e := newERP(t)
		e.answer = `{"failures":[{"index":0,"reason":"no price"}]}`
		_, err := open(t, "url: "+e.URL, engine.Secrets{}).Run(t.Context(), engine.Run{Key: "k", Event: &pimevent.Event{Raw: []byte(`{}`)}})
		if reason := failed(t, err); !strings.Contains(reason, "no price") {
			t.Errorf("%q", reason)
		}
	})
}

func TestWhatSuccessSays(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		status     int
		answer     string
	}{
		{"any 2xx", "", 204, ""},
		{"one that is listed", "success: {status: [200, 201]}", 201, ""},
		{"a refusal that is none", "success: {status: [200, 404]}", 404, `{"message":"not there"}`},
		{"not: null", "success: {not: error}", 200, `{"error":null}`},
		{"not: false", "success: {not: error}", 200, `{"error": false}`},
		{"not: zero", "success: {not: error}", 200, `{"error":0}`},
		{"not: empty", "success: {not: error}", 200, `{"error":" "}`},
		{"not: an empty list", "success: {not: errors}", 200, `{"errors": [ ]}`},
		{"not: absent", "success: {not: errors}", 200, `{"data":{"errors":[1]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newERP(t)
			e.status, e.answer = c.status, c.answer
			if _, err := open(t, "url: "+e.URL+"\n"+c.yaml, engine.Secrets{}).Run(t.Context(), press()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestARefusalIsTheDestinationsOwn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(422)
		_, _ = io.WriteString(w, `{"errors":[{"property":"price","message":"price is mandatory for SKU-17"}]}`)
	}))
	defer server.Close()
	_, err := open(t, "url: "+server.URL, engine.Secrets{}).Run(t.Context(), press())
	if reason := failed(t, err); reason != "the destination refused the request: price is mandatory for SKU-17" {
		t.Errorf("%q", reason)
	}
	if strings.Contains(err.Error(), "SKU-17") {
		t.Errorf("the log holds the destination's text: %v", err)
	}
}

func TestACredentialThatIsNotAcceptedIsTold(t *testing.T) {
	e := newERP(t)
	e.status = 401
	_, err := open(t, "url: "+e.URL, engine.Secrets{}).Run(t.Context(), press())
	if refused, ok := errors.AsType[*outbound.Error](err); !ok || !refused.Unauthorized() {
		t.Errorf("%v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{``, `{}`, `null`, `{"failures":[{"index":1,"reason":"no"}],"message":"m","result":{"a":1}}`, `{"failures":[{"id":"b"}]}`, `{"failures":7}`, `{"failures":[{"index":1e9}]}`, "{\"message\":\"\xff\"}", `{"failures":[{"index":7},{"index":0}]}`} {
		f.Add([]byte(seed))
	}
	items := []jobs.Item{{Type: jobs.Product, ID: "a"}, {Type: jobs.Product, ID: "b"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		result, err := forward.Read(body, items)
		if err != nil {
			if reason := failed(t, err); reason == "" {
				t.Error("no reason")
			}
			return
		}
		seen := map[int]bool{}
		for _, failure := range result.Failures {
			if failure.Index < 0 || failure.Index >= len(items) || seen[failure.Index] || failure.Reason == "" || len(failure.Reason) > jobs.MaxReason || !utf8.ValidString(failure.Reason) || strings.ContainsFunc(failure.Reason, unicode.IsControl) {
				t.Errorf("failure %+v", failure)
			}
			seen[failure.Index] = true
		}
		if len(result.Message) > jobs.MaxReason {
			t.Errorf("message of %d bytes", len(result.Message))
		}
	})
}
