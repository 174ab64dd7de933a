package contentfulapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
)

func TestACallAndItsOutcome(t *testing.T) {
	for _, c := range []struct {
		name   string
		script contentfultest.Script
		made   contentfulapi.Status   // right after the call
		looks  []contentfulapi.Status // then; "404" for not known
		result string
	}{
		{"succeeds", contentfultest.Script{Takes: 2, Result: map[string]int{"queued": 2}}, "processing", []contentfulapi.Status{"processing", "processing", "succeeded"}, `{"queued":2}`},
		{"succeeds, status in sys", contentfultest.Script{InSys: true, Result: []string{"a"}}, "processing", []contentfulapi.Status{"succeeded"}, `["a"]`},
		{"fails", contentfultest.Script{Fails: true}, "processing", []contentfulapi.Status{"failed"}, ""},
		{"fails, status in sys", contentfultest.Script{Fails: true, InSys: true}, "processing", []contentfulapi.Status{"failed"}, ""},
		{"is not known for a moment", contentfultest.Script{Missing: 2}, "processing", []contentfulapi.Status{"404", "404", "succeeded"}, "null"},
		{"no status", contentfultest.Script{Silent: true}, "", []contentfulapi.Status{""}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t)
			w.Install(staging.String(), notification("notify"), c.script)
			client := w.personal(t)
			call, err := client.Call(t.Context(), staging, ourApp, "notify", message())
			if err != nil || call.ID != "call1" || call.Status != c.made {
				t.Fatalf("%+v, %v", call, err)
			}
			for i, want := range c.looks {
				call, err = client.Look(t.Context(), staging, ourApp, "notify", "call1")
				if want == "404" {
					if !contentfulapi.NotFound(err) {
						t.Errorf("look %d: %v", i, err)
					}
					continue
				}
				if err != nil || call.Status != want {
					t.Errorf("look %d: %+v, %v; want %q", i, call, err, want)
				}
			}
			if string(call.Result) != c.result || (call.Status == contentfulapi.Failed) != (call.Error.StatusCode == 500) {
				t.Errorf("result %s, error %+v", call.Result, call.Error)
			}
		})
	}
}

func TestAnOlderVersionGivesNoID(t *testing.T) {
	w := newFixture(t)
	w.Install(staging.String(), notification("notify"), contentfultest.Script{WithoutID: true})
	call, err := w.personal(t).Call(t.Context(), staging, ourApp, "notify", message())
	if err != nil || call.ID != "" || call.Status != contentfulapi.Unreported {
		t.Errorf("%+v, %v", call, err)
	}
}

func TestTheVendorsSamplesAreRead(t *testing.T) {
	for _, c := range []struct {
		file string
		want contentfulapi.Call
	}{
		{"call-documented", contentfulapi.Call{}},
		{"call-processing", contentfulapi.Call{ID: "7lBWcbG1aRWTzIbh0rNaXV", Status: "processing"}},
		{"call-succeeded", contentfulapi.Call{ID: "7lBWcbG1aRWTzIbh0rNaXV", Status: "succeeded", Result: json.RawMessage(`{"queued":2}`)}},
		{"call-failed", contentfulapi.Call{ID: "7lBWcbG1aRWTzIbh0rNaXV", Status: "failed", Error: contentfulapi.CallError{ID: "AppActionCallFailed", Message: "The endpoint answered with an error", StatusCode: 500}}},
	} {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + c.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var got contentfulapi.Call
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			got.Result = compact(t, got.Result)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func compact(t *testing.T, text json.RawMessage) json.RawMessage {
	if text == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	text, _ = json.Marshal(value)
	return text
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	call := func(action string, parameters map[string]any) func(*testing.T, *fixture) error {
		return func(t *testing.T, w *fixture) error {
			_, err := w.personal(t).Call(t.Context(), staging, ourApp, action, parameters)
			return err
		}
	}
	for _, c := range []struct {
		name   string
		do     func(*testing.T, *fixture) error
		status int
		reason string
	}{
		{"wrong token", func(t *testing.T, w *fixture) error {
			_, err := w.client(t, contentfulapi.Credential{Token: "T0PSECRET"}, contentfulapi.NewTokens()).Call(t.Context(), staging, ourApp, "notify", message())
			return err
		}, 401, `put a valid token, or the app's private key, under "contentful" in the connection secret`},
		{"not allowed", call("forbidden", message()), 403, "install both the calling and the providing app"},
		{"no such action", call("nobody", message()), 404, "check space, environment, app and App Action"},
		{"no signing secret", call("secretless", message()), 409, "has no valid signing secret (409): its owner sets one"},
		{"a parameter is missing", call("notify", map[string]any{"message": "T0PSECRET"}), 422, "those that the App Action takes: recipient (required)"},
		{"a parameter is of another type", call("notify", map[string]any{"message": 7, "recipient": "T0PSECRET"}), 422, "message (type)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t)
			w.Install(staging.String(), notification("notify"), contentfultest.Script{})
			w.Install(staging.String(), notification("forbidden"), contentfultest.Script{Forbidden: true})
			w.Install(staging.String(), notification("secretless"), contentfultest.Script{NoSecret: true})
			err := c.do(t, w)
			failed := asError(t, err)
			if failed.Status != c.status || !failed.Permanent() || !failed.Refused() || !strings.Contains(failed.Reason(), c.reason) {
				t.Errorf("%d, permanent %v, refused %v, %q; want %q", failed.Status, failed.Permanent(), failed.Refused(), failed.Reason(), c.reason)
			}
			if strings.Contains(err.Error(), "SECRET") || len(w.Calls()) > 0 {
				t.Errorf("%v; %d calls", err, len(w.Calls()))
			}
		})
	}
}

func TestARefusalIsNotQuoted(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"sys":{"type":"Error","id":"T0PSECRET id"},"message":"T0PSECRET","details":{"errors":[
			{"name":"type","path":["parameters","julia T0PSECRET@example.com"],"value":"T0PSECRET"},{"name":"T0PSECRET is","path":["parameters","limit"]},{"path":[7]},{}]}}`)
	}))
	t.Cleanup(server.Close)
	w := newFixture(t)
	w.host = server.URL
	_, err := w.personal(t).Call(t.Context(), staging, ourApp, "notify", message())
	failed := asError(t, err)
	if strings.Contains(err.Error()+failed.Reason()+failed.ID, "SECRET") || !strings.HasSuffix(failed.Reason(), ": limit") {
		t.Errorf("%v; %q", err, failed.Reason())
	}
}

func TestAPauseIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers http.Header
		after   time.Duration
	}{
		{"Retry-After", http.Header{"Retry-After": {"30"}}, 30 * time.Second},
		{"reset", http.Header{"X-Contentful-RateLimit-Reset": {"7"}}, 7 * time.Second},
		{"both", http.Header{"Retry-After": {"30"}, "X-Contentful-RateLimit-Reset": {"7"}}, 30 * time.Second},
		{"neither", nil, time.Second},
		{"nonsense", http.Header{"X-Contentful-RateLimit-Reset": {"soon"}}, time.Second},
		{"for ever", http.Header{"X-Contentful-RateLimit-Reset": {"4294967295"}}, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t)
			w.Throttle(0, 1, c.headers)
			_, err := w.personal(t).Call(t.Context(), staging, ourApp, "notify", message())
			failed := asError(t, err)
			if !failed.Throttled() || failed.Permanent() || !failed.Refused() || failed.RetryAt().Sub(w.now) != c.after {
				t.Errorf("%v; until %s", err, failed.RetryAt().Sub(w.now))
			}
		})
	}
}

func TestOnlyACertainRefusalMayBeCalledAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   contentfultest.Fault
		refused bool
		calls   int // that were made all the same
	}{
		{"the connection breaks before", contentfultest.Lost, false, 0},
		{"the answer is lost", contentfultest.Unheard, false, 1},
		{"bad gateway", contentfultest.Broken, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t)
			w.Install(staging.String(), notification("notify"), contentfultest.Script{})
			w.Break(func(*http.Request) contentfultest.Fault { return c.fault })
			_, err := w.personal(t).Call(t.Context(), staging, ourApp, "notify", message())
			if failed := asError(t, err); failed.Refused() != c.refused || failed.Permanent() || len(w.Calls()) != c.calls {
				t.Errorf("%v: refused %v, %d calls", err, failed.Refused(), len(w.Calls()))
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		w := newFixture(t)
		w.host = "http://127.0.0.1:1"
		_, err := w.personal(t).Call(t.Context(), staging, ourApp, "notify", message())
		if failed := asError(t, err); !failed.Refused() || failed.Permanent() {
			t.Errorf("%v: refused %v", err, failed.Refused())
		}
	})
}

func TestNothingButAnIDBecomesPartOfAURL(t *testing.T) {
	w := newFixture(t)
	for _, id := range []string{"", "..", ".", "a/b", "a?b", "a%2Fb", "a b", strings.Repeat("a", 65)} {
		_, err := w.personal(t).Look(t.Context(), staging, ourApp, "notify", id)
		if failed := asError(t, err); !failed.Permanent() || !failed.Refused() {
			t.Errorf("%q: %v", id, err)
		}
	}
	if sent := w.Requests(); len(sent) > 0 {
		t.Errorf("sent %q", sent)
	}
}

func FuzzCall(f *testing.F) {
	for _, seed := range []string{`{}`, `{"sys":{"id":"a","status":"failed","error":{"sys":{"id":"x"},"message":"m","statusCode":1}}}`, `{"sys":{"id":"a"},"status":"succeeded","result":{"a":[1]}}`, `{"status":"queued"}`, `{"sys":{"id":"../x"}}`, `[]`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var call contentfulapi.Call
		if json.Unmarshal(text, &call) != nil {
			return
		}
		if call.ID != "" && !contentfulapi.ValidID(call.ID) {
			t.Errorf("ID %q", call.ID)
		}
		switch call.Status {
		case contentfulapi.Unreported, contentfulapi.Processing, contentfulapi.Succeeded, contentfulapi.Failed:
		default:
			t.Errorf("status %q", call.Status)
		}
	})
}
