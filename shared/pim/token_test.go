package pim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
)

var credential = pim.Credential{ClientID: "1_abc", ClientSecret: "T0PSECRET-client", Username: "magento_0000", Password: "T0PSECRET-password"}

// tokenFixture is a PIM's token route, with a clock that the test moves.
type tokenFixture struct {
	*pim.Tokens
	now   time.Time
	calls atomic.Int32
}

func newTokenFixture(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, call int32)) *tokenFixture {
	w := &tokenFixture{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { answer(rw, r, w.calls.Add(1)) }))
	t.Cleanup(server.Close)
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: func() time.Time { return w.now }})
	w.Tokens = pim.NewTokens(pim.TokensConfig{Outbound: client, URL: server.URL + "/base", Credential: credential})
	return w
}

// numbered answers with token-1, token-2, … that live for so many seconds.
func numbered(seconds int) func(http.ResponseWriter, *http.Request, int32) {
	return func(w http.ResponseWriter, _ *http.Request, call int32) {
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":%d,"token_type":"bearer","scope":null,"refresh_token":"r"}`, call, seconds)
	}
}

func (w *tokenFixture) want(t *testing.T, refused, want string) {
	t.Helper()
	if token, err := w.Token(t.Context(), refused); err != nil || token != want {
		t.Errorf("token %q, error %v, want %q", token, err, want)
	}
}

func TestATokenIsAskedForAsThePIMWantsIt(t *testing.T) {
	w := newTokenFixture(t, func(rw http.ResponseWriter, r *http.Request, call int32) {
		id, secret, _ := r.BasicAuth()
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if r.Method != "POST" || r.URL.Path != "/base/api/oauth/v1/token" || r.Header.Get("Content-Type") != "application/json" ||
			id != credential.ClientID || secret != credential.ClientSecret ||
			len(body) != 3 || body["grant_type"] != "password" || body["username"] != credential.Username || body["password"] != credential.Password {
			t.Errorf("%s %s, %s, fields %d", r.Method, r.URL.Path, r.Header.Get("Content-Type"), len(body))
		}
		numbered(3600)(rw, r, call)
	})
	w.want(t, "", "token-1")
}

func TestATokenIsKeptUntilAMinuteBeforeItsEnd(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds int
		kept    time.Duration
	}{
		{"an hour", 3600, 59 * time.Minute},
		{"as short as the margin", 60, 30 * time.Second},
		{"it does not say", 0, 59 * time.Minute},
		{"nonsense", 1 << 60, 24*time.Hour - time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTokenFixture(t, numbered(c.seconds))
			w.want(t, "", "token-1")
			w.now = w.now.Add(c.kept - time.Second)
			w.want(t, "", "token-1")
			w.now = w.now.Add(time.Second)
			w.want(t, "", "token-2")
		})
	}
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	w := newTokenFixture(t, numbered(3600))
	w.want(t, "", "token-1")
	w.want(t, "token-1", "token-2")
	w.want(t, "token-1", "token-2") // another call that had the old one
	if calls := w.calls.Load(); calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}

func TestAllWaitForOneToken(t *testing.T) {
	w := newTokenFixture(t, numbered(3600))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { w.want(t, "", "token-1") })
	}
	all.Wait()
	if calls := w.calls.Load(); calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestWhoGivesUpSpoilsNoOthersToken(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	w := newTokenFixture(t, func(rw http.ResponseWriter, r *http.Request, call int32) {
		close(arrived)
		<-release
		numbered(3600)(rw, r, call)
	})
	impatient, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := w.Token(impatient, "")
		gone <- err
	}()
	<-arrived
	leave()
	if err := <-gone; !errors.Is(err, impatient.Err()) {
		t.Errorf("error %v, want the context's own", err)
	}
	close(release)
	w.want(t, "", "token-1")
}

func TestWhatARefusalTells(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    int
		body      string
		permanent bool
		reason    string
	}{
		{"wrong client", 422, `{"code":422,"message":"Parameter \"client_id\" is missing or does not match any client, or secret is invalid"}`, true, "correct client_id and client_secret"},
		{"wrong password", 422, `{"code":422,"message":"No user found for the given username and password: T0PSECRET-password"}`, true, "correct username and password"},
		{"wrong password, OAuth's words", 400, `{"error":"invalid_grant","error_description":"Invalid username and password combination T0PSECRET"}`, true, "correct username and password"},
		{"no words", 401, ``, true, "correct client_id, client_secret, username and password"},
		{"not a PIM", 404, `<html>`, true, "that of a PIM?"},
		{"a redirect", 301, ``, true, "redirect (301)"},
		{"throttled", 429, `{"code":429}`, false, "answered 429"},
		{"away", 503, `<html>`, false, "answered 503"},
		{"no token in it", 200, `{}`, true, "holds no token"},
		{"a token that breaks headers", 200, `{"access_token":"T0PSECRET\r\nX: y"}`, true, "holds no token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTokenFixture(t, func(rw http.ResponseWriter, _ *http.Request, _ int32) {
				rw.Header().Set("Retry-After", "60")
				rw.WriteHeader(c.status)
				fmt.Fprint(rw, c.body)
			})
			_, err := w.Token(t.Context(), "")
			failed, ok := errors.AsType[*pim.TokenError](err)
			if !ok {
				t.Fatalf("error %v (%T), want a *pim.TokenError", err, err)
			}
			if failed.Status != c.status || failed.Permanent() != c.permanent || !strings.Contains(failed.Summary(), c.reason) {
				t.Errorf("status %d, permanent %v, %q", failed.Status, failed.Permanent(), failed.Summary())
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("a secret: %v", err)
			}
			if c.status == 429 && !failed.RetryAt().Equal(w.now.Add(time.Minute)) {
				t.Errorf("retry at %s", failed.RetryAt())
			}
		})
	}
}

func TestAnIncompleteCredentialMakesNoCall(t *testing.T) {
	w := newTokenFixture(t, numbered(3600))
	w.Credential.Password = ""
	if _, err := w.Token(t.Context(), ""); err == nil || w.calls.Load() != 0 || !strings.Contains(err.Error(), "under pims in the connection secret") {
		t.Errorf("error %v after %d calls", err, w.calls.Load())
	}
}
