package eventplatform_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
)

func TestRefusedRequests(t *testing.T) {
	good := event("a")
	method := func(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
	for _, row := range []struct {
		name, body string
		path       string // "": /event-platform/main
		secret     string // "": the first
		change     func(*http.Request)
		status     int // 0: 401
		reason     string
	}{
		{name: "no signature", body: good, change: func(r *http.Request) { r.Header.Del(primary) }, reason: "signature_missing"},
		{name: "malformed", body: good, change: func(r *http.Request) { r.Header.Set(primary, "sha256=") }, reason: "signature_malformed"},
		{name: "two that disagree", body: good, change: func(r *http.Request) { r.Header.Add(primary, strings.Repeat("0", 64)) }, reason: "signatures_disagree"},
		{name: "another PIM's secret", body: good, secret: secretOther, reason: "signature_mismatch"},
		{name: "the empty secret", body: good, path: "/event-platform/half", secret: "\x00", reason: "signature_mismatch"},
		{name: "nonsense that is not even proven", body: "{", secret: secretOther, reason: "signature_mismatch"},

		{name: "a PIM that the file does not name", body: good, path: "/event-platform/stranger", reason: "name_unknown"},
		{name: "no PIM", body: good, path: "/event-platform/", reason: "name_unknown"},
		{name: "no PIM, no slash", body: good, path: "/event-platform", reason: "name_unknown"},
		{name: "more path", body: good, path: "/event-platform/main/x", reason: "name_unknown"},
		{name: "more path behind notifications", body: good, path: "/event-platform/main/notifications/x", reason: "name_unknown"},
		{name: "a doubled slash", body: good, path: "/event-platform//main", reason: "name_unknown"},
		{name: "another route's name", body: good, path: "/event-platforms/main", reason: "name_unknown"},
		{name: "the root", body: good, path: "/", reason: "name_unknown"},
		{name: "a PIM without secrets", body: good, path: "/event-platform/none", reason: "no_proof_configured"},
		{name: "an empty secret", body: good, path: "/event-platform/empty", secret: "\x00", reason: "no_proof_configured"},
		{name: "a short secret", body: good, path: "/event-platform/short", secret: "15-characters..", reason: "no_proof_configured"},
		{name: "a published sample", body: good, path: "/event-platform/sample", secret: sampleOurs, reason: "no_proof_configured"},

		{name: "6 MiB and a byte", body: strings.Repeat(" ", eventplatform.MaxBody+1), status: 413, reason: "body_too_large"},
		{name: "6 MiB and a byte on a path of nobody's", body: strings.Repeat(" ", eventplatform.MaxBody+1), path: "/x", status: 413, reason: "body_too_large"},

		{name: "GET", body: good, change: method("GET"), reason: "method_not_allowed"},
		{name: "HEAD", body: good, change: method("HEAD"), reason: "method_not_allowed"},
		{name: "DELETE of notifications", body: good, path: "/event-platform/main/notifications", change: method("DELETE"), reason: "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			path, secret, status := row.path, row.secret, row.status
			if path == "" {
				path = "/event-platform/main"
			}
			if secret == "" {
				secret = secretNew
			}
			if status == 0 {
				status = 401
			}
			r := request(path, []byte(row.body), secret)
			if row.change != nil {
				row.change(r)
			}
			got := f.Send(t, r)
			if got.Status != status || got.Line["reason"] != row.reason || got.Line["status"] != float64(status) {
				t.Errorf("got %d %v, want %d %s", got.Status, got.Line["reason"], status, row.reason)
			}
			if status == 401 && got.Body != fixture.Unproven {
				t.Errorf("a 401 of its own: %s", got.Body)
			}
			if (got.Line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
				t.Errorf("logged as %v", got.Line["level"])
			}
			if f.Queue.Sends != 0 || f.Metrics["EventsReceived"] != 0 || f.Metrics["Refused "+row.reason] != 1 {
				t.Errorf("%d sends, %v", f.Queue.Sends, f.Metrics)
			}
			taken := "0" // it may have been the platform
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

func TestSixMegabytes(t *testing.T) {
	f := newFixture()
	body := `{"x":"` + strings.Repeat("a", eventplatform.MaxBody-8) + `"}`
	if got := f.deliver(t, []byte(body)); got.Status != 200 || len(body) != 6<<20 || !slices.Equal(f.Bodies(), []string{body}) {
		t.Errorf("%d, %v", got.Status, got.Line)
	}
}

// The platform suspends a subscription at once for a 404 or a redirect. There is no request that is answered so:
// no method, no path (those that a ServeMux would clean included), no body, signed or not.
func TestNeverNotFoundAndNeverARedirect(t *testing.T) {
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "ODD"}
	paths := []string{
		"/", "", "//", "/.", "/..", "/favicon.ico", "/robots.txt", "/wp-login.php", "/index.html", "/actions", "/event-platform", "/event-platform/", "/event-platform//",
		"/event-platform/main", "/event-platform/main/", "/event-platform/main//", "/event-platform//main", "//event-platform/main", "/event-platform/./main",
		"/event-platform/../main", "/event-platform/main/..", "/event-platform/main/.", "/event-platform/Main", "/EVENT-PLATFORM/main", "/event-platform/main ",
		"/event-platform/main/notifications", "/event-platform/main/notifications/", "/event-platform/main/notifications/x", "/event-platform/main/Notifications",
		"/event-platform/main/x", "/event-platform/nobody", "/event-platform/nobody/notifications", "/event-platform/notifications", "/event-platform/main?x=1",
		"/event-platform/é", "/event-platform/\x00", "/event-platform/\xff", "/event-platform/main;x=1", "/event-platform/main%2f", "/event-platform/main\\", "/event-platform/main\r\nLocation: /",
		"/event-platform/" + strings.Repeat("x", 9000), "/event_platform/main", "/event-platforms/main", "/prod/event-platform/main", "event-platform/main",
	}
	bodies := []string{"", "{", event("a"), "[]", "\x00\xff"}
	for _, path := range paths {
		for _, method := range methods {
			for _, body := range bodies {
				for _, signed := range []bool{true, false} {
					f := newFixture()
					r := request(path, []byte(body), secretNew)
					r.Method = method
					r.URL = &url.URL{Path: path}
					if !signed {
						r.Header.Del(primary)
					}
					got := f.Send(t, r)
					if !slices.Contains([]int{200, 401}, got.Status) || got.Header.Get("Location") != "" {
						t.Errorf("%s %.60q, %.10q, signed %t: %d", method, path, body, signed, got.Status)
					}
					if got.Status == 200 && (!signed || method != "POST") {
						t.Errorf("%s %.60q, %.10q, signed %t is taken", method, path, body, signed)
					}
				}
			}
		}
	}
}

// What API Gateway itself can get wrong, or a test event in the console.
func TestOddInvocationsAreNeitherNotFoundNorARedirect(t *testing.T) {
	for _, payload := range []string{
		``, `null`, `[]`, `{}`, `{"rawPath":7}`, `{"requestContext":null}`, `{"version":"1.0","path":"/event-platform/main","httpMethod":"POST"}`,
		`{"rawPath":"/event-platform/main","requestContext":{"http":{"method":"POST"}},"body":"!!!","isBase64Encoded":true}`,
		`{"Records":[]}`, `{"requestContext":{"stage":"event-platform"},"rawPath":"/event-platform"}`,
	} {
		answer, err := newFixture().Function().Invoke(t.Context(), []byte(payload))
		if err != nil || !strings.Contains(string(answer), `"statusCode":40`) || strings.Contains(string(answer), `"statusCode":404`) {
			t.Errorf("%s: %s, %v", payload, answer, err)
		}
	}
}

// A server that cleans paths would redirect: the local one must not.
func TestUncleanPathsOverTheWire(t *testing.T) {
	server := httptest.NewServer(gateway.HTTP(newFixture().Function().Invoke))
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"//event-platform/main", "/event-platform/../event-platform/main", "/event-platform/./main", "/event-platform"} {
		answer, err := client.Post(server.URL+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 401 {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}
