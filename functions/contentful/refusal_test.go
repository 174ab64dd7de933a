package contentful_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// refusedText is what every caller gets who is not proven or comes from elsewhere, byte for byte.
const refusedText = `{"success":false,"message":"This is not allowed.","error":"forbidden"}`

// TestRefusals is the list of who and what is refused before its body is read: one typed answer, one log line with a reason, nothing
// recorded or queued, and neither secret nor signature nor body in the log.
func TestRefusals(t *testing.T) {
	at := newFixture().at
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	remove := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	path := func(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
	const signed = "X-Contentful-Signed-Headers"
	for _, row := range []struct {
		name   string
		call   call
		change func(*http.Request) // nil: as it was signed
		status int
		reason string
	}{
		{"no signature", call{}, remove("X-Contentful-Signature"), 403, "signature_missing"},
		{"a signature of other bytes", call{}, set("X-Contentful-Signature", strings.Repeat("0", 64)), 403, "signature_mismatch"},
		{"a signature cut", call{}, set("X-Contentful-Signature", "00"), 403, "signature_malformed"},
		{"another secret", call{secret: strings.Repeat("x", 64)}, nil, 403, "signature_mismatch"},
		{"a sample", call{secret: sample}, nil, 403, "signature_mismatch"},
		{"no list of signed headers", call{}, remove(signed), 403, "signed_headers_missing"},
		{"a list of one header", call{}, set(signed, "x-contentful-timestamp"), 403, "signed_headers_malformed"},
		{"a list with a header twice", call{}, set(signed, "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-timestamp"), 403, "signed_headers_malformed"},
		{"a list with a header that is not there", call{}, set(signed, "x-absent,x-contentful-signed-headers,x-contentful-timestamp"), 403, "signed_headers_malformed"},
		{"a signed header is gone", call{}, remove("X-Contentful-Space-Id"), 403, "signed_headers_malformed"},
		{"a signed header says something else", call{}, set("X-Contentful-Space-Id", "elsewhere"), 403, "signature_mismatch"},
		{"no timestamp", call{}, set("X-Contentful-Timestamp", ""), 403, "timestamp_missing"},
		{"a timestamp in seconds", call{header: map[string]string{"x-contentful-timestamp": "1767225600"}}, nil, 403, "timestamp_malformed"},
		{"30 s old", call{at: at.Add(-30 * time.Second)}, nil, 403, "timestamp_old"},
		{"more than 60 s ahead", call{at: at.Add(60*time.Second + time.Millisecond)}, nil, 403, "timestamp_ahead"},
		{"a body with a byte more", call{}, func(r *http.Request) { r.Body = http.NoBody }, 403, "signature_mismatch"},

		{"a space that is not listed", call{header: map[string]string{"x-contentful-space-id": "elsewhere"}}, nil, 403, "space_not_listed"},
		{"an environment that is not listed", call{header: map[string]string{"x-contentful-environment-id": "staging"}}, nil, 403, "space_not_listed"},
		{"a space that is not signed", call{header: map[string]string{"x-contentful-space-id": ""}}, set("X-Contentful-Space-Id", "yadj1kx9rmg0"), 403, "space_not_listed"},
		{"no environment", call{header: map[string]string{"x-contentful-environment-id": ""}}, nil, 403, "space_not_listed"},
		{"a space that holds a slash", call{header: map[string]string{"x-contentful-space-id": "yadj1kx9rmg0/master", "x-contentful-environment-id": ""}}, nil, 403, "space_not_listed"},

		{"an action that is not there", call{path: "/contentful/other"}, nil, 403, "name_unknown"},
		{"no action", call{path: "/contentful/"}, nil, 403, "name_unknown"},
		{"more behind the action", call{path: "/contentful/notify/more"}, nil, 403, "name_unknown"},
		{"a final slash", call{path: "/contentful/notify/"}, nil, 403, "name_unknown"},
		{"dots in the path", call{path: "/contentful/../contentful/notify"}, nil, 403, "name_unknown"},
		{"a dot in the path", call{path: "/./contentful/notify"}, nil, 403, "name_unknown"},
		{"repeated slashes", call{path: "//contentful/notify"}, nil, 403, "name_unknown"},
		{"repeated slashes behind", call{path: "/contentful//notify"}, nil, 403, "name_unknown"},
		{"an escaped slash", call{path: "/contentful%2Fnotify"}, nil, 403, "name_unknown"},
		{"signed with an escaped slash", call{path: "/contentful%2Fnotify"}, path("/contentful/notify"), 403, "signature_mismatch"},
		{"another path was signed", call{path: "/contentful/deploy"}, path("/contentful/notify"), 403, "signature_mismatch"},
		{"an empty path", call{}, path(""), 403, "name_unknown"},
		{"GET", call{method: "GET"}, nil, 405, "method_not_allowed"},
		{"GET with a body", call{method: "GET", body: "{}"}, nil, 405, "method_not_allowed"},
		{"PUT", call{method: "PUT"}, nil, 405, "method_not_allowed"},
		{"more than 1 MiB", call{body: `{"message":"` + strings.Repeat("m", contentful.MaxBody) + `"}`}, nil, 413, "body_too_large"},
		{"more than a job holds", call{body: `{"message":"` + strings.Repeat("m", jobs.MaxRecord) + `"}`}, nil, 413, "job_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			if row.call.body == "" && row.call.method == "" {
				row.call.body = message
			}
			r := f.request(row.call, row.change)
			got := f.Send(t, r)
			if got.Status != row.status || got.Line["reason"] != row.reason {
				t.Errorf("answered %d, reason %v; want %d, %s", got.Status, got.Line["reason"], row.status, row.reason)
			}
			if got.Status == 403 && got.Body != refusedText {
				t.Errorf("a refusal that tells: %s", got.Body)
			}
			if got.Status == 405 && got.Header.Get("Allow") != "POST" {
				t.Error("405 without Allow")
			}
			if f.Depth() != 0 {
				t.Error("something was queued")
			}
			for _, private := range []string{secretNew, secretOld, sample, "Hello from Bob", r.Header.Get("X-Contentful-Signature")} {
				if len(private) > 2 && bytes.Contains(f.Log.Bytes(), []byte(private)) {
					t.Errorf("the log holds %q", private)
				}
			}
		})
	}
}

func TestSecretsThatCannotProve(t *testing.T) {
	for name, secrets := range map[string][]string{
		"none": nil, "63 characters": {secretNew[1:]}, "65 characters": {secretNew + "0"}, "empty": {""}, "a sample": {sample},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			f.Document.Contentful = secrets
			secret := secretNew
			if len(secrets) > 0 {
				secret = secrets[0]
			}
			got := f.Send(t, f.request(call{body: message, secret: secret}, nil))
			if got.Status != 403 || got.Body != refusedText || got.Line["reason"] != "no_proof_configured" || got.Line["level"] != "ERROR" {
				t.Errorf("answered %d %s: %v at %v", got.Status, got.Body, got.Line["reason"], got.Line["level"])
			}
		})
	}
}

// TestBodiesThatAreRefused is the list of what a proven caller is told about its parameters.
func TestBodiesThatAreRefused(t *testing.T) {
	for _, row := range []struct{ name, action, body, reason, message string }{
		{"empty", "notify", ``, "body_empty", "The body is empty."},
		{"not UTF-8", "notify", "{\"message\":\"\xff\"}", "body_not_utf8", "The body is not UTF-8."},
		{"cut off", "notify", `{"message":"a"`, "body_not_json", "The body is not JSON: byte 14 is not expected there."},
		{"a comma too many", "notify", `{"message":"a",}`, "body_not_json", "The body is not JSON: byte 14 is not expected there."},
		{"two documents", "notify", `{"message":"a"}{}`, "body_not_json", "The body is not JSON: byte 15 is not expected there."},
		{"a list", "deploy", `[]`, "body_not_object", "The body is not a JSON object."},
		{"null", "deploy", `null`, "body_not_object", "The body is not a JSON object."},
		{"a name twice", "deploy", `{"a":1,"a":2}`, "duplicate_key", "A name stands twice in one object of the body."},
		{"a name twice, deep", "deploy", `{"a":[{"b":1,"b":2}]}`, "duplicate_key", "A name stands twice in one object of the body."},
		{"half a character", "deploy", `{"a":"\ud83d"}`, "body_not_json", "The body is not JSON: byte 6 is not expected there."},
		{"too deep", "deploy", `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "body_too_deep", "The body is nested too deeply."},
		{"a name twice in a wrapper", "deploy", `{"parameters":{"a":1,"\u0061":2}}`, "duplicate_key", "A name stands twice in one object of the body."},

		{"no message", "notify", `{"recipient":"Bob"}`, "parameter_missing", "message is missing."},
		{"a message in another case", "notify", `{"Message":"a"}`, "parameter_missing", "message is missing."},
		{"an empty message", "notify", `{"message":""}`, "parameter_missing", "message is empty."},
		{"null for a message", "notify", `{"message":null}`, "parameter_missing", "message is missing."},
		{"a number for a message", "notify", `{"message":1}`, "parameter_type", "message must be a string."},
		{"an object for a message_body", "notify", `{"message_body":{}}`, "parameter_type", "message must be a string."},
		{"a list for a recipient", "notify", `{"message":"a","recipient":[]}`, "parameter_type", "recipient must be a string."},
		{"a text for a wrapper", "notify", `{"parameters":"a"}`, "parameter_missing", "message is missing."},
		{"a wrapper with more in it", "notify", `{"parameters":{"message":"a"},"sys":{}}`, "parameter_missing", "message is missing."},
		{"a wrapper with its category and more", "notify", `{"category":"Notification.v1.0","parameters":{"message":"a"},"sys":{}}`, "parameter_missing", "message is missing."},
		{"a wrapper in a wrapper", "notify", `{"parameters":{"parameters":{"message":"a"}}}`, "parameter_missing", "message is missing."},
		{"another version", "notify", `{"category":"Notification.v2.0","parameters":{"message":"a"}}`, "category_mismatch", `This is an action of category Notification.v1.0, not "Notification.v2.0".`},
		{"version 10 is not version 1", "notify", `{"category":"Notification.v10","parameters":{"message":"a"}}`, "category_mismatch", `This is an action of category Notification.v1.0, not "Notification.v10".`},
		{"another category", "notify", `{"category":"Entries.v1.0","parameters":{"entryIds":"a"}}`, "category_mismatch", `This is an action of category Notification.v1.0, not "Entries.v1.0".`},
		{"a number for a category", "notify", `{"category":1,"parameters":{"message":"a"}}`, "parameter_type", "category must be a string."},
		{"declared as what nobody knows", "strange", `{"message":"a"}`, "category_unknown", `Actions of category "Notification.v2.0" are not known here.`},

		{"no entries", "entries", `{}`, "parameter_missing", "entryIds is missing."},
		{"entries empty", "entries", `{"entryIds":""}`, "items_missing", "entryIds names no entry."},
		{"entries of commas", "entries", `{"entryIds":" , ,"}`, "items_missing", "entryIds names no entry."},
		{"an empty list of entries", "entries", `{"entryIds":[]}`, "items_missing", "entryIds names no entry."},
		{"a number for entries", "entries", `{"entryIds":5}`, "parameter_type", "entryIds must be a string or a list of strings."},
		{"an object for entries", "entries", `{"entryIds":{"a":1}}`, "parameter_type", "entryIds must be a string or a list of strings."},
		{"a list with a number", "entries", `{"entryIds":["a",1]}`, "parameter_type", "entryIds must be a string or a list of strings."},
		{"a list with null", "entries", `{"entryIds":["a",null]}`, "parameter_type", "entryIds must be a string or a list of strings."},
		{"no ID of an entry", "entries", `{"entryIds":"a,b c"}`, "item_invalid", "entryIds holds what is no ID of an entry."},
		{"an ID with a line break", "entries", `{"entryIds":["a\nb"]}`, "item_invalid", "entryIds holds what is no ID of an entry."},
		{"an ID of 65 characters", "entries", `{"entryIds":"` + strings.Repeat("a", 65) + `"}`, "item_invalid", "entryIds holds what is no ID of an entry."},
		{"1,001 entries", "entries", `{"entryIds":"` + ids(1001) + `"}`, "too_many_items", "entryIds names more than 1000 entries."},
		{"10,000 entries as a list", "entries", `{"entryIds":["` + strings.ReplaceAll(ids(10000), ",", `","`) + `"]}`, "too_many_items", "entryIds names more than 1000 entries."},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			got := f.Send(t, f.request(call{path: "/contentful/" + row.action, body: row.body}, nil))
			want := fmt.Sprintf(`{"success":false,"message":%s,"error":"invalid"}`, quoted(t, row.message))
			if got.Status != 400 || got.Line["reason"] != row.reason || got.Body != want {
				t.Errorf("answered %d %s, reason %v; want %s, %s", got.Status, got.Body, got.Line["reason"], want, row.reason)
			}
			if f.Depth() != 0 {
				t.Error("something was queued")
			}
		})
	}
}

// What we could not do is 503, in time, so that whoever called may call again.
func TestWhatCouldNotBeDone(t *testing.T) {
	for name, breaks := range map[string]func(*fixtures){
		"the queue refuses": func(f *fixtures) {
			f.Queue.Before = func(context.Context, int, []queue.Message) error { return errors.New("queue is away") }
		},
		"the queue hangs":    func(f *fixtures) { f.Queue.Before = fixture.Hang },
		"the records hang":   func(f *fixtures) { f.Store.Hangs = true },
		"the records refuse": func(f *fixtures) { f.Store.Err = errors.New("records are away") },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			breaks(f)
			start := time.Now()
			got := f.invoke(t, call{method: http.MethodPost, path: "/contentful/notify", body: message, secret: secretNew}, "/contentful/notify", "$default")
			if got.Status != 503 || got.Line["reason"] != "job_not_started" || strings.Contains(got.Body, "away") || time.Since(start) > 4*time.Second {
				t.Errorf("%s: %d %s after %s: %v", name, got.Status, got.Body, time.Since(start), got.Line["reason"])
			}
		})
	}
}
