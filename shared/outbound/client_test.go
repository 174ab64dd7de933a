package outbound_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

func local() *outbound.Client {
	return outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func asError(t *testing.T, err error) *outbound.Error {
	t.Helper()
	failed, ok := errors.AsType[*outbound.Error](err)
	if !ok {
		t.Fatalf("error %v (%T), want an *outbound.Error", err, err)
	}
	return failed
}

func TestWhatAStatusMeans(t *testing.T) {
	for _, c := range []struct {
		name       string
		status     int
		retryAfter string
		permanent  bool
		throttled  bool
		told       bool // when to come again
		reason     string
	}{
		{"bad request", 400, "", true, false, false, "answered 400"},
		{"wrong credentials", 401, "", true, false, false, "answered 401"},
		{"not found", 404, "", true, false, false, "answered 404"},
		{"its request timeout", 408, "", false, false, false, "answered 408"},
		{"conflict", 409, "", true, false, false, "answered 409"},
		{"unprocessable", 422, "", true, false, false, "answered 422"},
		{"too early", 425, "", false, false, false, "answered 425"},
		{"throttled", 429, "", false, true, false, "answered 429"},
		{"throttled for a minute", 429, "60", false, true, true, "answered 429"},
		{"broken", 500, "", false, false, false, "answered 500"},
		{"bad gateway", 502, "", false, false, false, "answered 502"},
		{"away", 503, "", false, false, false, "answered 503"},
		{"away for a minute", 503, "60", false, true, true, "answered 503"},
		{"moved", 301, "", true, false, false, "redirect (301), which is not followed"},
		{"see elsewhere", 307, "", true, false, false, "redirect (307), which is not followed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("a redirect was followed")
				}
				w.Header().Set("Location", "/elsewhere")
				if c.retryAfter != "" {
					w.Header().Set("Retry-After", c.retryAfter)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, "a body with a secret")
			})
			_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url + "/hook/T0PSECRET?token=T0PSECRET"})
			failed := asError(t, err)
			if failed.Status != c.status || failed.Permanent() != c.permanent || failed.Throttled() != c.throttled || failed.RetryAt().IsZero() == c.told {
				t.Errorf("status %d, permanent %v, throttled %v, retry at %s", failed.Status, failed.Permanent(), failed.Throttled(), failed.RetryAt())
			}
			if !strings.Contains(failed.Reason(), c.reason) {
				t.Errorf("reason %q, want %q in it", failed.Reason(), c.reason)
			}
			if strings.Contains(err.Error()+failed.Reason(), "SECRET") || strings.Contains(err.Error(), "a body") {
				t.Errorf("error says too much: %v", err)
			}
		})
	}
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	for _, c := range []struct {
		name, url string
		private   bool // the action says private: true
	}{
		{"loopback", "https://127.0.0.1:1/", false},
		{"loopback, private", "https://127.0.0.1:1/", true},
		{"loopback by name", "https://localhost:1/", true},
		{"IPv6 loopback", "https://[::1]:1/", true},
		{"IPv4 in IPv6", "https://[::ffff:127.0.0.1]:1/", true},
		{"IPv4 in IPv6, private", "https://[::ffff:10.0.0.1]:1/", false},
		{"10/8", "https://10.1.2.3:1/", false},
		{"172.16/12", "https://172.31.0.1:1/", false},
		{"192.168/16", "https://192.168.1.1:1/", false},
		{"ULA", "https://[fd12::1]:1/", false},
		{"metadata", "https://169.254.169.254/", true},
		{"metadata over IPv6", "https://[fd00:ec2::254]/", true},
		{"link-local", "https://[fe80::1]:1/", true},
		{"unspecified", "https://0.0.0.0:1/", true},
		{"this network", "https://0.1.2.3:1/", true},
		{"carrier NAT", "https://100.64.0.1:1/", true},
		{"documentation", "https://192.0.2.1:1/", true},
		{"benchmarks", "https://198.18.0.1:1/", true},
		{"multicast", "https://224.0.0.1:1/", true},
		{"reserved", "https://240.0.0.1:1/", true},
		{"broadcast", "https://255.255.255.255:1/", true},
		{"NAT64 of loopback", "https://[64:ff9b::7f00:1]:1/", true},
		{"6to4 of a private address", "https://[2002:0a00:0001::1]:1/", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := outbound.New(outbound.Config{Now: time.Now})
			_, err := client.Do(t.Context(), outbound.Request{Method: "POST", URL: c.url, Private: c.private, Timeout: 2 * time.Second})
			failed := asError(t, err)
			if !failed.Permanent() || !strings.Contains(failed.Reason(), "is not a public address") {
				t.Errorf("permanent %v, %q", failed.Permanent(), failed.Reason())
			}
		})
	}
}

func TestWhatIsNotCalledAtAll(t *testing.T) {
	for name, url := range map[string]string{
		"http":        "http://example.com/",
		"file":        "file:///etc/passwd",
		"no host":     "https:///path",
		"relative":    "/path",
		"user inside": "https://user:T0PSECRET@example.com/",
		"not a URL":   "https://exa mple.com/",
	} {
		t.Run(name, func(t *testing.T) {
			client := outbound.New(outbound.Config{Now: time.Now, Observe: func(outbound.Call) { t.Error("a call was made") }})
			_, err := client.Do(t.Context(), outbound.Request{Method: "POST", URL: url})
			if failed := asError(t, err); !failed.Permanent() || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestADestinationThatHangsIsLeft(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, Timeout: 50 * time.Millisecond})
	if failed := asError(t, err); failed.Permanent() || !strings.Contains(failed.Reason(), "did not answer in time") {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerThatDripsIsLeft(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, Timeout: 100 * time.Millisecond})
	if failed := asError(t, err); failed.Permanent() || !strings.Contains(failed.Reason(), "did not answer in time") {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerOf500MBIsReadToItsLimit(t *testing.T) {
	sent := 0
	done := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		chunk := make([]byte, 1<<20)
		for range 500 {
			n, err := w.Write(chunk)
			if sent += n; err != nil {
				return
			}
		}
	})
	response, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, MaxBody: 1000})
	if err != nil || len(response.Body) != 1000 || !response.Truncated {
		t.Fatalf("%v", err)
	}
	<-done
	if sent > 100<<20 {
		t.Errorf("%d bytes were taken", sent)
	}
}

func TestTheCallersEndWins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := local().Do(ctx, outbound.Request{Method: "POST", URL: url}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestABrokenConnectionIsPassing(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url})
	if failed := asError(t, err); failed.Permanent() || !strings.Contains(failed.Reason(), "could not be reached") {
		t.Errorf("%v", err)
	}
}

func TestWhatARefusalSaysIsKeptOnRequestAndNeverPrinted(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Reset", "7")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, strings.Repeat("T0PSECRET", 1000))
	})
	for _, c := range []struct {
		name   string
		keep   bool
		body   int
		header string
	}{
		{"kept, to its limit", true, 100, "7"},
		{"not asked for", false, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, MaxBody: 100, KeepErrorBody: c.keep})
			failed := asError(t, err)
			if len(failed.Body) != c.body || failed.Header.Get("X-Reset") != c.header || failed.Status != 422 {
				t.Errorf("%d: body of %d bytes, header %q", failed.Status, len(failed.Body), failed.Header.Get("X-Reset"))
			}
			if strings.Contains(err.Error()+failed.Reason(), "SECRET") {
				t.Errorf("error says too much: %v", err)
			}
		})
	}
}

func TestObserveSeesTheCallWithoutItsSecrets(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	var seen []outbound.Call
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now, Observe: func(c outbound.Call) { seen = append(seen, c) }})
	if _, err := client.Do(t.Context(), outbound.Request{Method: "PUT", URL: url + "/x?token=1", Header: http.Header{"Idempotency-Key": {"k"}}, Action: "send", Items: 3}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Status != 204 || seen[0].URL != url+"/x" || seen[0].IdempotencyKey != "k" || seen[0].Items != 3 || seen[0].Action != "send" {
		t.Errorf("%+v", seen)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"0", "60", "-1", "99999999999999999999", "Wed, 21 Oct 2065 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", " 5 ", ""} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		at := outbound.RetryAfter(value, now)
		if !at.IsZero() && (at.Before(now) || at.After(now.Add(24*time.Hour))) {
			t.Errorf("%q asks to come at %s", value, at)
		}
	})
}
