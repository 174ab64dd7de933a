package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/address"
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
		{"bad request", 400, "", true, false, false, "the destination refused the request"},
		{"wrong credentials", 401, "", true, false, false, "did not accept our credentials"},
		{"not found", 404, "", true, false, false, "does not know this address"},
		{"its request timeout", 408, "", false, false, false, "asked to try again"},
		{"conflict", 409, "", true, false, false, "refused the request"},
		{"unprocessable", 422, "", true, false, false, "refused the request"},
		{"too early", 425, "", false, false, false, "asked to try again"},
		{"throttled", 429, "", false, true, false, "asked for a pause"},
		{"throttled for a minute", 429, "60", false, true, true, "asked for a pause"},
		{"broken", 500, "", false, false, false, "has a problem"},
		{"bad gateway", 502, "", false, false, false, "has a problem"},
		{"away", 503, "", false, false, false, "has a problem"},
		{"away for a minute", 503, "60", false, true, true, "asked for a pause"},
		{"away, and wants to be asked at once", 503, "0", false, false, false, "has a problem"},
		{"several choices", 300, "", true, false, false, "redirect, which is not followed"},
		{"moved", 301, "", true, false, false, "redirect, which is not followed"},
		{"see elsewhere", 307, "", true, false, false, "redirect, which is not followed"},
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
			if strings.Contains(failed.Reason(), "127.0.0.1") || strings.Contains(failed.Reason(), fmt.Sprint(c.status)) {
				t.Errorf("a user reads a host or a status: %q", failed.Reason())
			}
			if summary := fmt.Sprint(c.status); !strings.Contains(err.Error(), summary) || !strings.Contains(err.Error(), failed.Host) {
				t.Errorf("the log lacks host or status: %v", err)
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
		{"credentials of EKS over IPv6", "https://[fd00:ec2::23]/", true},
		{"loopback with a zone", "https://[::1%25lo]:1/", true},
		{"link-local with a zone", "https://[fe80::1%25eth9]:1/", true},
		{"IPv4 in IPv6, in hex", "https://[::ffff:7f00:1]:1/", true},
		{"IPv4 in IPv6, the metadata service", "https://[::ffff:a9fe:a9fe]:1/", true},
		{"IPv4-compatible", "https://[::127.0.0.1]:1/", true},
		{"NAT64 with a prefix of one's own", "https://[64:ff9b:1::7f00:1]:1/", true},
		{"Teredo", "https://[2001:0:1::1]:1/", true},
		{"documentation, IPv6", "https://[2001:db8::1]:1/", true},
		{"documentation, newer", "https://[3fff::1]:1/", true},
		{"site-local", "https://[fec0::1]:1/", true},
		{"outside of what is given out", "https://[4000::1]:1/", true},
		{"discard", "https://[100::1]:1/", true},
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
			called := false
			client := outbound.New(outbound.Config{Now: time.Now, Observe: func(outbound.Call) { called = true }})
			_, err := client.Do(t.Context(), outbound.Request{Method: "POST", URL: c.url, Private: c.private, Timeout: 2 * time.Second})
			if called && !strings.Contains(c.url, "localhost") {
				t.Error("an address is refused when it is called, not before")
			}
			failed := asError(t, err)
			if !failed.Permanent() || !strings.Contains(failed.Reason(), "address is not a public one") {
				t.Errorf("permanent %v, %q", failed.Permanent(), failed.Reason())
			}
		})
	}
}

// An allowed address gets as far as the call, which the caller's end stops before it leaves the machine.
func TestAllowedAddressesAreCalled(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		url     string
		private bool
	}{
		{"https://8.8.8.8/", false}, {"https://8.8.8.8/", true}, {"https://[2600::1]/", true},
		{"https://10.1.2.3/", true}, {"https://172.31.0.1/", true}, {"https://192.168.1.1/", true}, {"https://[fd12::1]/", true},
	} {
		client := outbound.New(outbound.Config{Now: time.Now})
		if _, err := client.Do(ended, outbound.Request{Method: "POST", URL: c.url, Private: c.private}); err != context.Canceled {
			t.Errorf("%s, private %t: %v", c.url, c.private, err)
		}
	}
}

// A name's address is checked when the connection is made: what the name resolves to then counts.
func TestTheAddressOfAConnectionIsChecked(t *testing.T) {
	check := outbound.Control(address.Public)
	for target, allowed := range map[string]bool{"8.8.8.8:443": true, "[2600::1]:443": true, "127.0.0.1:443": false, "[::1]:443": false, "8.8.8.8": false, "": false} {
		if err := check(t.Context(), "tcp", target, nil); (err == nil) != allowed {
			t.Errorf("%q: %v", target, err)
		}
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
		"decimal":     "https://2130706433/",
		"octal":       "https://0177.0.0.1/",
		"hex":         "https://0x7f000001/",
		"hex parts":   "https://0x7f.0.0.1/",
		"two parts":   "https://127.1/",
		"with a dot":  "https://127.0.0.1./",
		"too large":   "https://256.0.0.1/",
		"userinfo":    "https://example.com@127.0.0.1/",
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

func TestAnAnswerIsKeptToItsLimit(t *testing.T) {
	for _, c := range []struct {
		bytes, kept int
		truncated   bool
	}{{0, 0, false}, {99, 99, false}, {100, 100, false}, {101, 100, true}} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(299) // the last of the 2xx
			_, _ = io.WriteString(w, strings.Repeat("x", c.bytes))
		})
		response, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, MaxBody: 100})
		if err != nil || len(response.Body) != c.kept || response.Truncated != c.truncated || response.Status != 299 {
			t.Errorf("of %d bytes: %+v, %v", c.bytes, response, err)
		}
	}
}

func TestTheCallersEndWins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := local().Do(ctx, outbound.Request{Method: "POST", URL: url}); err != context.Canceled {
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

func TestAHeaderThatHTTPDoesNotAllowIsRefusedBeforeTheCall(t *testing.T) {
	for name, header := range map[string]http.Header{
		"line break":     {"X-A": {"a\r\nX-B: c"}},
		"control":        {"X-A": {"a\x01"}},
		"delete":         {"X-A": {"\x7f"}},
		"space in name":  {"X A": {"a"}},
		"delete in name": {"X\x7f": {"a"}},
		"colon in name":  {"X-A:": {"a"}},
		"empty name":     {"": {"a"}},
		"the key itself": {"Idempotency-Key": {"a\nb"}},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a call was made") })
			_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, Header: header})
			if !asError(t, err).Permanent() {
				t.Errorf("%v", err)
			}
		})
	}
}

// What the other side sends is its own text: it may hold anything, and errors are logged.
func TestAnErrorHoldsNothingOfAnAnswerThatIsNotHTTP(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 T0PSECRET julia@example.com\r\n\r\n")
		_ = connection.Close()
	})
	_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url + "/p4th?qu3ry=1"})
	failed := asError(t, err)
	if failed.Permanent() || !failed.Down() {
		t.Errorf("%v", err)
	}
	for _, secret := range []string{"SECRET", "julia", "p4th", "qu3ry"} {
		if strings.Contains(err.Error()+failed.Reason(), secret) {
			t.Errorf("%q is in %v", secret, err)
		}
	}
}

func TestAnErrorHoldsNoPathAndNoQuery(t *testing.T) {
	for name, url := range map[string]string{
		"unreachable": "http://127.0.0.1:1/p4th/x?qu3ry=1#fr4gment", "no such host": "https://nobody.invalid/p4th?qu3ry=1",
		"malformed": "https://exa mple/p4th?qu3ry=1", "insecure": "ftp://example.com/p4th?qu3ry=1",
	} {
		_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, Timeout: time.Second})
		failed := asError(t, err)
		if name == "unreachable" && !strings.Contains(err.Error(), "connection refused") || name == "insecure" && strings.Contains(err.Error(), ":") {
			t.Errorf("%s: the log does not read its cause, and that alone: %v", name, err)
		}
		for _, part := range []string{"p4th", "qu3ry", "fr4gment"} {
			for each := err; each != nil; each = errors.Unwrap(each) { // whoever unwraps it may log it
				if strings.Contains(each.Error()+failed.Reason()+failed.Summary(), part) {
					t.Errorf("%s: %q is in %v", name, part, each)
				}
			}
		}
	}
}

func TestTheClassesOfAnError(t *testing.T) {
	status := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(code)
		}
	}
	for _, c := range []struct {
		name                              string
		handler                           http.HandlerFunc
		unauthorized, busy, down, silence bool
	}{
		{"401", status(401, ""), true, false, false, false},
		{"403", status(403, ""), false, false, false, false},
		{"429", status(429, ""), false, true, false, false},
		{"503 with a pause", status(503, "5"), false, true, false, false},
		{"503", status(503, ""), false, false, true, false},
		{"500", status(500, ""), false, false, true, false},
		{"422", status(422, ""), false, false, false, false},
		{"no connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, false, true, false},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false, false, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: serve(t, c.handler), Timeout: 200 * time.Millisecond})
			e := asError(t, err)
			if e.Unauthorized() != c.unauthorized || e.Throttled() != c.busy || e.Down() != c.down || e.Silent() != c.silence {
				t.Errorf("unauthorized %v, busy %v, down %v, silent %v", e.Unauthorized(), e.Throttled(), e.Down(), e.Silent())
			}
		})
	}
}

func TestARequestIsSentAsItIs(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for _, body := range []string{"", "a", "\x00\xff", strings.Repeat("é", 1<<20)} {
			var got string
			url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
				read, _ := io.ReadAll(r.Body)
				got = r.Method + " " + r.RequestURI + " " + string(read)
			})
			if _, err := local().Do(t.Context(), outbound.Request{Method: method, URL: url + "/a%2Fb?c=%20d", Body: []byte(body)}); err != nil {
				t.Fatal(err)
			}
			if want := method + " /a%2Fb?c=%20d " + body; got != want {
				t.Errorf("%s with %d bytes arrived otherwise", method, len(body))
			}
		}
	}
}
