package credential_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

func TestTenCallsTakeOneToken(t *testing.T) {
	s := newShop(t)
	client := s.client()
	for range 10 {
		if err := s.put(t, client, s.credential(t, clientSecret)); err != nil { // parsed anew for each run
			t.Fatal(err)
		}
	}
	if s.asked != 1 || len(s.calls) != 10 {
		t.Errorf("%d requests for a token, %d calls", s.asked, len(s.calls))
	}
}

func TestCallersAtTheSameTimeShareARequest(t *testing.T) {
	s := newShop(t)
	client, c := s.client(), s.credential(t, clientSecret)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := s.put(t, client, c); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s.asked != 1 {
		t.Errorf("%d requests for a token", s.asked)
	}
}

func TestATokenIsRenewedByItsLife(t *testing.T) {
	for _, c := range []struct {
		name    string
		life    any
		after   time.Duration
		renewed bool
	}{
		{"an hour, 58 minutes later", 3600, 58 * time.Minute, false},
		{"an hour, 59 minutes later", 3600, 59 * time.Minute, true},
		{"as a text", "3600", 59 * time.Minute, true},
		{"two seconds, before half of it", 2, time.Second - 1, false},
		{"two seconds, at half of it", 2, time.Second, true},
		{"no life", 0, 24 * time.Hour, false}, // as if it said none
		{"none is said", nil, 24 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			s.life = c.life
			client, own := s.client(), s.credential(t, clientSecret)
			for range 2 {
				if err := s.put(t, client, own); err != nil {
					t.Fatal(err)
				}
				s.pass(c.after)
			}
			if got := s.asked == 2; got != c.renewed || len(s.calls) != 2 {
				t.Errorf("%d requests for a token, calls with %q", s.asked, s.calls)
			}
		})
	}
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	s := newShop(t)
	client, c := s.client(), s.credential(t, clientSecret)
	for range 3 {
		if err := s.put(t, client, c); err != nil {
			t.Fatal(err)
		}
		s.revoke()
	}
	if want := []string{"token-1", "token-1", "token-2", "token-2", "token-3"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls with %q", s.calls)
	}
}

func TestATokenThatIsRefusedAtOnceIsTheEnd(t *testing.T) {
	s := newShop(t)
	s.take = func(string) int { return http.StatusUnauthorized }
	client, c := s.client(), s.credential(t, clientSecret)
	for range 5 {
		err := s.put(t, client, c)
		if failed, ok := errors.AsType[*outbound.Error](err); !ok || !failed.Permanent() || !failed.Unauthorized() {
			t.Errorf("%v", err)
		}
	}
	if s.asked != 1 || len(s.calls) != 5 {
		t.Errorf("%d requests for a token, %d calls", s.asked, len(s.calls))
	}
	s.pass(10 * time.Second) // it may be mended
	_ = s.put(t, client, c)
	if s.asked != 2 || len(s.calls) != 7 {
		t.Errorf("%d requests for a token, %d calls", s.asked, len(s.calls))
	}
}

func TestTheClientIsNamedInTheBodyWhereTheHeaderIsRefused(t *testing.T) {
	s := newShop(t)
	s.inBody = true
	client, c := s.client(), s.credential(t, clientSecret)
	for range 2 {
		if err := s.put(t, client, c); err != nil {
			t.Fatal(err)
		}
		s.pass(time.Hour)
	}
	if s.asked != 3 { // the second time it is known
		t.Errorf("%d requests for tokens", s.asked)
	}
}

func TestATokenAsPlainText(t *testing.T) {
	for name, body := range map[string]string{"JSON": ` {"access_token":"a","expires_in":60}`, "a form": "access_token=a&expires_in=60"} {
		s := newShop(t)
		s.give = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, body)
		}
		s.take = func(string) int { return http.StatusOK }
		if err := s.put(t, s.client(), s.credential(t, clientSecret)); err != nil || !slices.Equal(s.calls, []string{"a"}) {
			t.Errorf("%s: %v, calls with %q", name, err, s.calls)
		}
	}
}

func TestARotatedSecretHasATokenOfItsOwn(t *testing.T) {
	s := newShop(t)
	client := s.client()
	if err := s.put(t, client, s.credential(t, clientSecret)); err != nil {
		t.Fatal(err)
	}
	if err := s.put(t, client, s.credential(t, "an older one")); err == nil {
		t.Error("another secret was given the token of the first")
	}
}

func TestNoToken(t *testing.T) {
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "/products")
			if status == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", "60")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const html = "<!doctype html><title>Sign in</title><p>" + clientSecret
	for _, c := range []struct {
		name      string
		give      http.HandlerFunc
		reason    string
		permanent bool
		refused   bool
		asked     int
	}{
		{"an unknown client", answer(401, "application/json", `{"error":"invalid_client","error_description":"`+clientSecret+`"}`), "did not accept our credentials: invalid_client", true, true, 2},
		{"an unknown client, by 400", answer(400, "application/json", `{"error":"invalid_client"}`), "refused the request: invalid_client", true, true, 2},
		{"an unknown client, by 200", answer(200, "application/json", `{"error":"invalid_client"}`), "refused to give a token: invalid_client", true, true, 2},
		{"a scope that is not ours", answer(400, "application/json", `{"error":"invalid_scope"}`), "refused the request: invalid_scope", true, false, 1},
		{"a code of its own", answer(400, "application/json", `{"error":"`+clientSecret+`"}`), "refused the request", true, false, 1},
		{"a page", answer(200, "text/html", html), "answered with something that is no token", false, false, 1},
		{"a page of a gateway", answer(502, "text/html", html), "has a problem", false, false, 1},
		{"a page that refuses", answer(403, "text/html", html), "does not allow this", true, false, 1},
		{"nothing", answer(200, "application/json", ""), "no token", false, false, 1},
		{"no token in it", answer(200, "application/json", `{"token":"`+clientSecret+`"}`), "no token", false, false, 1},
		{"a token with a line break", answer(200, "application/json", `{"access_token":"a\r\nX-Admin: 1"}`), "no token", false, false, 1},
		{"a redirect", answer(307, "text/plain", ""), "answered with a redirect, which is not followed", true, false, 1},
		{"a pause", answer(429, "application/json", `{}`), "asked for a pause", false, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			s.give = c.give
			err := s.put(t, s.client(), s.credential(t, clientSecret))
			failed, ok := errors.AsType[*credential.TokenError](err)
			if !ok || !strings.Contains(failed.Reason(), c.reason) || !strings.HasPrefix(failed.Reason(), "the destination's token server") || failed.Permanent() != c.permanent || failed.Unauthorized() != c.refused {
				t.Fatalf("%v", err)
			}
			if text := err.Error() + failed.Reason(); strings.Contains(text, "s3cr") || strings.Contains(failed.Reason(), "127.0.0.1") {
				t.Errorf("says too much: %s", text)
			}
			if c.name == "a pause" && (!failed.Throttled() || failed.RetryAt().IsZero()) {
				t.Errorf("the pause is not kept: %v", failed)
			}
			if s.asked != c.asked || len(s.calls) != 0 {
				t.Errorf("%d requests for a token, %d calls", s.asked, len(s.calls))
			}
			if _, ok := errors.AsType[*outbound.Error](err); ok {
				t.Error("it looks like an answer of the destination")
			}
		})
	}
}

func TestATokenServerThatHangsIsLeft(t *testing.T) {
	s := newShop(t)
	release, came := make(chan struct{}), make(chan struct{})
	s.give = func(http.ResponseWriter, *http.Request) { close(came); <-release }
	t.Cleanup(func() { close(release) })
	client, c := s.client(), s.credential(t, clientSecret)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-came; cancel() }()
	if _, err := client.Do(ctx, c, outbound.Request{Method: http.MethodPut, URL: s.URL + "/products"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestATokenServerIsCalledByTheRulesOfTheDestination(t *testing.T) {
	client := credential.New(outbound.New(outbound.Config{Now: time.Now, Observe: destinationAlone(t)}))
	for name, address := range map[string]string{"not HTTPS": "http://tokens.example.com/", "loopback": "https://127.0.0.1:1/", "metadata": "https://169.254.169.254/"} {
		c := parse(t, `{"oauth2":{"token_url":"`+address+`","client_id":"a","client_secret":"s3cret"}}`)
		_, err := client.Do(t.Context(), c, outbound.Request{Method: http.MethodPost, URL: "https://shop.example.com/"})
		if failed, ok := errors.AsType[*credential.TokenError](err); !ok || !failed.Permanent() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// destinationAlone fails a test when a destination is called.
func destinationAlone(t *testing.T) func(outbound.Call) {
	return func(call outbound.Call) {
		if call.URL == "https://shop.example.com/" {
			t.Error("the destination was called without a token")
		}
	}
}
