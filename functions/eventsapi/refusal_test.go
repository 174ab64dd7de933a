package eventsapi_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/functions/fixture"
)

const (
	signatureHeader = "X-Akeneo-Request-Signature"
	timestampHeader = "X-Akeneo-Request-Timestamp"
)

func TestRefusedRequests(t *testing.T) {
	good := string(delivery(event("a")))
	drop := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	method := func(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
	for _, row := range []struct {
		name, body string
		path       string // "": /events-api/main
		secret     string // "": the first
		age        time.Duration
		change     func(*http.Request)
		status     int
		reason     string
	}{
		{name: "no signature", body: good, change: drop(signatureHeader), status: 401, reason: "signature_missing"},
		{name: "no timestamp", body: good, change: drop(timestampHeader), status: 401, reason: "timestamp_missing"},
		{name: "malformed", body: good, change: func(r *http.Request) { r.Header.Set(signatureHeader, "sha256=") }, status: 401, reason: "signature_malformed"},
		{name: "two that disagree", body: good, change: func(r *http.Request) { r.Header.Add(signatureHeader, strings.Repeat("0", 64)) }, status: 401, reason: "signatures_disagree"},
		{name: "two timestamps", body: good, change: func(r *http.Request) { r.Header.Add(timestampHeader, "0") }, status: 401, reason: "timestamp_malformed"},
		{name: "another PIM's secret", body: good, secret: secretOther, status: 401, reason: "signature_mismatch"},
		{name: "unsigned empty body", body: "", change: drop(signatureHeader), status: 401, reason: "signature_missing"},
		{name: "301 s old", body: good, age: 301 * time.Second, status: 401, reason: "timestamp_old"},
		{name: "301 s ahead", body: good, age: -301 * time.Second, status: 401, reason: "timestamp_ahead"},
		{name: "a year ahead", body: good, age: -365 * 24 * time.Hour, status: 401, reason: "timestamp_ahead"},
		{name: "another body", body: good + " ", change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(good)) }, status: 401, reason: "signature_mismatch"},
		{name: "the body without its escapes", body: strings.ReplaceAll(good, `\/`, "/"), change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(good)) }, status: 401, reason: "signature_mismatch"},
		{name: "the PIM's test, ten minutes old", body: "", age: 10 * time.Minute, status: 401, reason: "timestamp_old"},
		{name: "nonsense that is not even proven", body: "{", secret: secretOther, status: 401, reason: "signature_mismatch"},
		{name: "a PIM that the file does not name", body: good, path: "/events-api/stranger", status: 401, reason: "name_unknown"},
		{name: "no PIM", body: good, path: "/events-api/", status: 401, reason: "name_unknown"},
		{name: "no PIM, no slash", body: good, path: "/events-api", status: 401, reason: "name_unknown"},
		{name: "more path", body: good, path: "/events-api/main/x", status: 401, reason: "name_unknown"},
		{name: "a doubled slash", body: good, path: "/events-api//main", status: 401, reason: "name_unknown"},
		{name: "a PIM without secrets", body: good, path: "/events-api/none", status: 401, reason: "no_proof_configured"},
		{name: "an empty secret", body: good, path: "/events-api/empty", secret: "\x00", status: 401, reason: "no_proof_configured"},
		{name: "a short secret", body: good, path: "/events-api/short", secret: "15-characters..", status: 401, reason: "no_proof_configured"},
		{name: "a published sample", body: good, path: "/events-api/sample", secret: sampleOurs, status: 401, reason: "no_proof_configured"},

		{name: "not JSON", body: "{", status: 400, reason: "body_malformed"},
		{name: "white space alone", body: " ", status: 400, reason: "body_malformed"},
		{name: "an array", body: "[{}]", status: 400, reason: "body_malformed"},
		{name: "a form", body: "events=1", status: 400, reason: "body_malformed"},
		{name: "nested 100,000 deep", body: `{"events":` + strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5) + "}", status: 400, reason: "body_malformed"},
		{name: "events that are an object", body: `{"events":{}}`, status: 400, reason: "body_malformed"},
		{name: "no events", body: `{"events":[]}`, status: 400, reason: "events_missing"},
		{name: "null for events", body: `{"events":null}`, status: 400, reason: "events_missing"},
		{name: "an object without events", body: "{}", status: 400, reason: "events_missing"},
		{name: "null", body: "null", status: 400, reason: "events_missing"},
		{name: "an event alone", body: event("a"), status: 400, reason: "events_missing"},
		{name: "a byte more than Lambda takes", body: strings.Repeat(" ", eventsapi.MaxBody+1), status: 413, reason: "body_too_large"},
		{name: "6 MiB of nothing", body: strings.Repeat(" ", eventsapi.MaxBody), status: 400, reason: "body_malformed"},

		{name: "GET", body: good, change: method("GET"), status: 405, reason: "method_not_allowed"},
		{name: "HEAD", body: good, change: method("HEAD"), status: 405, reason: "method_not_allowed"},
		{name: "PUT", body: good, change: method("PUT"), status: 405, reason: "method_not_allowed"},
		{name: "DELETE of nothing", body: good, path: "/events-api/stranger", change: method("DELETE"), status: 405, reason: "method_not_allowed"},
		{name: "OPTIONS", body: good, change: method("OPTIONS"), status: 405, reason: "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			path, secret := row.path, row.secret
			if path == "" {
				path = "/events-api/main"
			}
			if secret == "" {
				secret = secretNew
			}
			r := request(path, []byte(row.body), secret, f.Now().Add(-row.age))
			if row.change != nil {
				row.change(r)
			}
			got := f.Send(t, r)
			if got.Status != row.status || got.Line["reason"] != row.reason || got.Line["status"] != float64(row.status) {
				t.Errorf("got %d %v, want %d %s", got.Status, got.Line["reason"], row.status, row.reason)
			}
			if row.status == 401 && got.Body != fixture.Unproven {
				t.Errorf("a 401 of its own: %s", got.Body)
			}
			if row.status == 405 && got.Header.Get("Allow") != "POST" {
				t.Errorf("405 without allow: %v", got.Header)
			}
			if (got.Line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
				t.Errorf("logged as %v", got.Line["level"])
			}
			if f.Queue.Sends != 0 || f.Metrics["EventsReceived"] != 0 || f.Metrics["Refused "+row.reason] != 1 || (f.Metrics["Verified x-akeneo-request-signature"] == 1) != (row.reason == "body_malformed" || row.reason == "events_missing") {
				t.Errorf("%d sends, %v", f.Queue.Sends, f.Metrics)
			}
			taken := "0" // it may have been the PIM
			if slices.Contains([]string{"name_unknown", "method_not_allowed", "signature_missing", "signature_malformed", "body_too_large"}, row.reason) {
				taken = ""
			}
			if f.Taken() != taken {
				t.Errorf("taken: %q, want %q", f.Taken(), taken)
			}
			checkLeaks(t, f, r)
		})
	}
}

// The PIM takes a redirect for success, and the events are lost; for a 404 there is no use here either.
func TestNeverNotFoundAndNeverARedirect(t *testing.T) {
	for _, path := range []string{"/events-api", "/events-api/", "/events-api/main", "/events-api/main/", "/events-api//main", "/events-api/./main", "/events-api/../main", "/events-api/nobody", "/events-api/main/x", "/"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "post"} {
			for _, secret := range []string{secretNew, secretOther} {
				f := newFixture()
				r := request("/", delivery(event("a")), secret, f.Now())
				r.Method, r.URL.Path = method, path
				got := f.Send(t, r)
				if !slices.Contains([]int{200, 401, 405}, got.Status) || got.Header.Get("Location") != "" || (got.Status == 405) != (method != "POST") {
					t.Errorf("%s %s: %d", method, path, got.Status)
				}
			}
		}
	}
}

func TestSamplesAreAllowedLocally(t *testing.T) {
	f := newFixture()
	f.samples = true
	if got := f.Send(t, request("/events-api/sample", delivery(event("a")), sampleOurs, f.Now())); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
