package eventsapi_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
)

const (
	signatureHeader = "X-Akeneo-Request-Signature"
	timestampHeader = "X-Akeneo-Request-Timestamp"
)

// unprovenText is what every caller gets who is not proven, byte for byte.
const unprovenText = `{"success":false,"message":"The request could not be verified.","error":"unproven"}`

func TestRefusedRequests(t *testing.T) {
	good := string(delivery(event("a")))
	drop := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	edited := func(header string, change func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(header, change(r.Header.Get(header))) }
	}
	edit := func(change func(hex string) string) func(*http.Request) { return edited(signatureHeader, change) }
	rename := func(header string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set(header, r.Header.Get(signatureHeader))
			r.Header.Del(signatureHeader)
		}
	}
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
		{name: "empty signature", body: good, change: set(signatureHeader, ""), status: 401, reason: "signature_missing"},
		{name: "signature of white space", body: good, change: set(signatureHeader, " "), status: 401, reason: "signature_missing"},
		{name: "signature in the Event Platform's header", body: good, change: rename("X-Akeneo-Signature-Primary"), status: 401, reason: "signature_missing"},
		{name: "prefix", body: good, change: edit(func(hex string) string { return "sha256=" + hex }), status: 401, reason: "signature_malformed"},
		{name: "an odd number of digits", body: good, change: edit(func(hex string) string { return hex[1:] }), status: 401, reason: "signature_malformed"},
		{name: "two digits too few", body: good, change: edit(func(hex string) string { return hex[2:] }), status: 401, reason: "signature_malformed"},
		{name: "as long as SHA-512's", body: good, change: edit(func(hex string) string { return hex + hex }), status: 401, reason: "signature_malformed"},
		{name: "not hex", body: good, change: edit(func(hex string) string { return "g" + hex[1:] }), status: 401, reason: "signature_malformed"},
		{name: "a comma behind", body: good, change: edit(func(hex string) string { return hex + "," }), status: 401, reason: "signature_malformed"},
		{name: "a second header that disagrees", body: good, change: func(r *http.Request) { r.Header.Add(signatureHeader, strings.Repeat("0", 64)) }, status: 401, reason: "signatures_disagree"},
		{name: "joined with one that disagrees", body: good, change: edit(func(hex string) string { return hex + ", " + strings.Repeat("0", 64) }), status: 401, reason: "signatures_disagree"},

		{name: "empty timestamp", body: good, change: set(timestampHeader, ""), status: 401, reason: "timestamp_missing"},
		{name: "timestamp that is no number", body: good, change: set(timestampHeader, "now"), status: 401, reason: "timestamp_malformed"},
		{name: "timestamp of RFC 3339", body: good, change: set(timestampHeader, "2026-11-23T07:00:00Z"), status: 401, reason: "timestamp_malformed"},
		{name: "timestamp with a fraction", body: good, change: edited(timestampHeader, func(now string) string { return now + ".0" }), status: 401, reason: "timestamp_malformed"},
		{name: "negative timestamp", body: good, change: edited(timestampHeader, func(now string) string { return "-" + now }), status: 401, reason: "timestamp_malformed"},
		{name: "timestamp of more than 63 bits", body: good, change: set(timestampHeader, "9223372036854775808"), status: 401, reason: "timestamp_malformed"},
		{name: "two timestamps", body: good, change: func(r *http.Request) { r.Header.Add(timestampHeader, "0") }, status: 401, reason: "timestamp_malformed"},
		{name: "timestamp in milliseconds", body: good, change: edited(timestampHeader, func(now string) string { return now + "000" }), status: 401, reason: "signature_mismatch"},
		{name: "timestamp with a zero in front", body: good, change: edited(timestampHeader, func(now string) string { return "0" + now }), status: 401, reason: "signature_mismatch"},
		{name: "zeros", body: good, change: set(signatureHeader, strings.Repeat("0", 64)), status: 401, reason: "signature_mismatch"},
		{name: "another timestamp than the signed one", body: good, age: time.Second, change: set(timestampHeader, "1602565368"), status: 401, reason: "signature_mismatch"},
		{name: "another PIM's secret", body: good, secret: secretOther, status: 401, reason: "signature_mismatch"},
		{name: "unsigned empty body", body: "", change: drop(signatureHeader), status: 401, reason: "signature_missing"},
		{name: "301 s old", body: good, age: 301 * time.Second, status: 401, reason: "timestamp_old"},
		{name: "301 s ahead", body: good, age: -301 * time.Second, status: 401, reason: "timestamp_ahead"},
		{name: "a year ahead", body: good, age: -365 * 24 * time.Hour, status: 401, reason: "timestamp_ahead"},
		{name: "another body", body: good + " ", change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(good)) }, status: 401, reason: "signature_mismatch"},
		{name: "the body without its escapes", body: strings.ReplaceAll(good, `\/`, "/"), change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(good)) }, status: 401, reason: "signature_mismatch"},
		{name: "the PIM's test, ten minutes old", body: "", age: 10 * time.Minute, status: 401, reason: "timestamp_old"},
		{name: "nonsense that is not even proven", body: "{", secret: secretOther, status: 401, reason: "signature_mismatch"},
		{name: "a PIM that the file does not name", body: good, path: "/events-api/stranger", status: 401, reason: "pim_unknown"},
		{name: "no PIM", body: good, path: "/events-api/", status: 401, reason: "pim_unknown"},
		{name: "no PIM, no slash", body: good, path: "/events-api", status: 401, reason: "pim_unknown"},
		{name: "more path", body: good, path: "/events-api/main/x", status: 401, reason: "pim_unknown"},
		{name: "a doubled slash", body: good, path: "/events-api//main", status: 401, reason: "pim_unknown"},
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
			d := newDesk()
			path, secret := row.path, row.secret
			if path == "" {
				path = "/events-api/main"
			}
			if secret == "" {
				secret = secretNew
			}
			r := request(path, []byte(row.body), secret, d.now().Add(-row.age))
			if row.change != nil {
				row.change(r)
			}
			got := d.send(t, r)
			if got.status != row.status || got.line["reason"] != row.reason || got.line["status"] != float64(row.status) {
				t.Errorf("got %d %v, want %d %s", got.status, got.line["reason"], row.status, row.reason)
			}
			if row.status == 401 && got.body != unprovenText {
				t.Errorf("a 401 of its own: %s", got.body)
			}
			if row.status == 405 && got.header.Get("Allow") != "POST" {
				t.Errorf("405 without allow: %v", got.header)
			}
			if (got.line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
				t.Errorf("logged as %v", got.line["level"])
			}
			if d.queue.sends != 0 || d.metrics["EventsReceived"] != 0 || d.metrics["Refused "+row.reason] != 1 || (d.metrics["Verified x-akeneo-request-signature"] == 1) != (row.reason == "body_malformed" || row.reason == "events_missing") {
				t.Errorf("%d sends, %v", d.queue.sends, d.metrics)
			}
			taken := "0" // it may have been the PIM
			if slices.Contains([]string{"pim_unknown", "method_not_allowed", "signature_missing", "signature_malformed", "body_too_large"}, row.reason) {
				taken = ""
			}
			if d.taken() != taken {
				t.Errorf("taken: %q, want %q", d.taken(), taken)
			}
			checkLeaks(t, d, r)
		})
	}
}

// The PIM takes a redirect for success, and the events are lost; for a 404 there is no use here either.
func TestNeverNotFoundAndNeverARedirect(t *testing.T) {
	for _, path := range []string{"/events-api", "/events-api/", "/events-api/main", "/events-api/main/", "/events-api//main", "/events-api/./main", "/events-api/../main", "/events-api/nobody", "/events-api/main/x", "/"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "post"} {
			for _, secret := range []string{secretNew, secretOther} {
				d := newDesk()
				r := request("/", delivery(event("a")), secret, d.now())
				r.Method, r.URL.Path = method, path
				got := d.send(t, r)
				if !slices.Contains([]int{200, 401, 405}, got.status) || got.header.Get("Location") != "" || (got.status == 405) != (method != "POST") {
					t.Errorf("%s %s: %d", method, path, got.status)
				}
			}
		}
	}
}

func TestSamplesAreAllowedLocally(t *testing.T) {
	d := newDesk()
	d.samples = true
	if got := d.send(t, request("/events-api/sample", delivery(event("a")), sampleOurs, d.now())); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestNoSecretsToBeHad(t *testing.T) {
	d := newDesk()
	d.vault.err = errors.New("throttled")
	got := d.deliver(t, delivery(event("a")))
	if got.status != 503 || got.line["reason"] != "secrets_unavailable" || strings.Contains(got.body, "throttled") || d.queue.sends != 0 {
		t.Errorf("%d %s, %v", got.status, got.body, got.line)
	}
}
