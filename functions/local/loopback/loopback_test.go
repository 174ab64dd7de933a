package loopback_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
)

func TestGuardAnswersThisMachineAlone(t *testing.T) {
	guarded := loopback.Guard("", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		name, host, origin, site string
		status                   int
	}{
		{"no page", "127.0.0.1:8080", "", "", 200},
		{"localhost by name", "localhost:8080", "", "", 200},
		{"no port", "localhost", "", "", 200},
		{"IPv6", "[::1]:8080", "", "", 200},
		{"the own page", "127.0.0.1:8080", "http://127.0.0.1:8080", "same-origin", 200},
		{"the own page by name", "localhost:8080", "http://localhost:8080", "same-origin", 200},
		{"an address that a user typed", "localhost:8080", "", "none", 200},
		{"another page", "localhost:8080", "https://evil.example", "", 403},
		{"another page on this machine", "localhost:8080", "http://localhost:1", "same-site", 403},
		{"the own page by its other name", "localhost:8080", "http://127.0.0.1:8080", "", 403},
		{"a page without an origin", "localhost:8080", "null", "", 403},
		{"another page that sends no origin", "localhost:8080", "", "cross-site", 403},
		{"a name that was made to resolve here", "evil.example:8080", "", "", 403},
		{"such a name with its page", "evil.example:8080", "http://evil.example:8080", "", 403},
		{"a name that only begins like ours", "localhost.evil.example:8080", "", "", 403},
		{"no host", "", "", "", 403},
		{"another address of the loopback network", "127.0.0.2:8080", "", "", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Host = c.host
			for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			policy := w.Header().Get("Content-Security-Policy")
			if c.status == 200 && (!strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'")) {
				t.Errorf("policy %q", policy)
			}
		})
	}
}

func TestFramesAreOfOneOrigin(t *testing.T) {
	for frames, want := range map[string]bool{"": false, "http://localhost:8080": true} {
		r, w := httptest.NewRequest("GET", "http://localhost/", nil), httptest.NewRecorder()
		loopback.Guard(frames, http.NotFoundHandler()).ServeHTTP(w, r)
		if got := strings.HasSuffix(w.Header().Get("Content-Security-Policy"), "; frame-src http://localhost:8080"); got != want {
			t.Errorf("frames %q: %s", frames, w.Header().Get("Content-Security-Policy"))
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"no body", "", 200},
		{"a body", `{"a":1}`, 200},
		{"an unknown key", `{"b":1}`, 400},
		{"the wrong type", `{"a":"1"}`, 400},
		{"no JSON", `{`, 400},
		{"too large", `{"a":` + strings.Repeat(" ", 64<<10) + `1}`, 400},
	} {
		w := httptest.NewRecorder()
		var into struct{ A int }
		ok := loopback.Decode(w, httptest.NewRequest("POST", "/", strings.NewReader(c.body)), &into)
		if ok != (c.status == 200) || w.Code != c.status {
			t.Errorf("%s: %t, %d %s", c.name, ok, w.Code, w.Body)
		}
	}
}

func TestFileHasItsContentType(t *testing.T) {
	files := fstest.MapFS{"page/a.b.js": {Data: []byte("x")}}
	w := httptest.NewRecorder()
	loopback.File(files, "page/a.b.js")(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" || w.Body.String() != "x" {
		t.Errorf("%s: %s", got, w.Body)
	}
}
