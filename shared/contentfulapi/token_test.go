package contentfulapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
)

func appCredential(t testing.TB) contentfulapi.Credential {
	return contentfulapi.Credential{PrivateKey: pkcs8(t), App: ourApp, Organization: organization}
}

func TestAnAppsKeyBecomesATokenThatIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	w := newFixture(t)
	w.Install(staging.String(), notification("notify"), contentfultest.Script{})
	tokens := contentfulapi.NewTokens()
	for _, step := range []struct {
		name   string
		after  time.Duration
		issued int
	}{
		{"first call", 0, 1},
		{"the same minute", 30 * time.Second, 1},
		{"shortly before the last minute", 8*time.Minute + 29*time.Second, 1},
		{"in the last minute", 2 * time.Second, 2},
		{"much later", time.Hour, 3},
	} {
		w.now = w.now.Add(step.after)
		// Each call has a client of its own, as runs of an action do.
		if _, err := w.client(t, appCredential(t), tokens).Call(t.Context(), staging, ourApp, "notify", message()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if w.Issued() != step.issued {
			t.Errorf("%s: %d tokens issued, want %d", step.name, w.Issued(), step.issued)
		}
	}
}

func TestATokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	w := newFixture(t)
	w.Install(staging.String(), notification("notify"), contentfultest.Script{})
	client := w.client(t, appCredential(t), contentfulapi.NewTokens())
	for range 2 {
		if _, err := client.Call(t.Context(), staging, ourApp, "notify", message()); err != nil {
			t.Fatal(err)
		}
		w.RevokeTokens()
	}
	if w.Issued() != 2 || len(w.Calls()) != 2 {
		t.Errorf("%d tokens, %d calls", w.Issued(), len(w.Calls()))
	}
	w.TokenLife = -time.Second // each has ended before it comes
	_, err := client.Call(t.Context(), staging, ourApp, "notify", message())
	if failed := asError(t, err); failed.Status != 401 || w.Issued() > 4 {
		t.Errorf("%v after %d tokens", err, w.Issued())
	}
}

func TestATokenBelongsToItsEnvironment(t *testing.T) {
	w := newFixture(t)
	master := contentfulapi.Environment{Space: staging.Space, ID: "master"}
	for _, environment := range []contentfulapi.Environment{staging, master} {
		w.Install(environment.String(), notification("notify"), contentfultest.Script{})
	}
	client := w.client(t, appCredential(t), contentfulapi.NewTokens())
	for _, environment := range []contentfulapi.Environment{staging, master, staging, master} {
		if _, err := client.Call(t.Context(), environment, ourApp, "notify", message()); err != nil {
			t.Fatal(err)
		}
	}
	if w.Issued() != 2 {
		t.Errorf("%d tokens issued, want 2", w.Issued())
	}
}

// heldTokens makes the fake hold back access tokens of staging until release is closed; each request of one is told to
// arrived.
func heldTokens(t *testing.T, w *fixture) (arrived chan string, release chan struct{}) {
	arrived, release = make(chan string, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, staging.ID) && strings.HasSuffix(r.URL.Path, "/access_tokens") {
			arrived <- r.URL.Path
			<-release
		}
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.host = server.URL
	return arrived, release
}

func TestASlowTokenKeepsNobodyWaitingWhoNeedsAnother(t *testing.T) {
	w := newFixture(t)
	master := contentfulapi.Environment{Space: staging.Space, ID: "master"}
	arrived, release := heldTokens(t, w)
	client := w.client(t, appCredential(t), contentfulapi.NewTokens())
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := client.Available(t.Context(), staging); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	if _, err := client.Available(t.Context(), master); err != nil { // hangs where one lock is held across the call
		t.Error(err)
	}
	close(release)
	all.Wait()
}

func TestAllWaitForOneToken(t *testing.T) {
	w := newFixture(t)
	arrived, release := heldTokens(t, w)
	client := w.client(t, appCredential(t), contentfulapi.NewTokens())
	impatient, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := client.Available(impatient, staging)
		gone <- err
	}()
	<-arrived
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := client.Available(t.Context(), staging); err != nil {
				t.Error(err)
			}
		})
	}
	leave() // the caller who began the fetch spoils no other's
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's own", err)
	}
	close(release)
	all.Wait()
	if w.Issued() != 1 {
		t.Errorf("%d tokens issued, want 1", w.Issued())
	}
}

func TestATokenThatCannotBeHadIsNoCall(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*contentfulapi.Credential)
		reason string
	}{
		{"another app", func(c *contentfulapi.Credential) { c.App = "another" }, "install it in this environment"},
		{"no PEM", func(c *contentfulapi.Credential) { c.PrivateKey = "T0PSECRET" }, "is not an RSA key in PEM"},
		{"PEM of nothing", func(c *contentfulapi.Credential) {
			c.PrivateKey = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		}, "is not an RSA key in PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t)
			credential := appCredential(t)
			c.change(&credential)
			_, err := w.client(t, credential, contentfulapi.NewTokens()).Call(t.Context(), staging, ourApp, "notify", message())
			failed := asError(t, err)
			if !failed.Permanent() || !failed.Refused() || !strings.Contains(failed.Reason(), c.reason) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBothFormsOfAKeyAreTaken(t *testing.T) {
	for name, text := range map[string]string{"PKCS #8": pkcs8(t), "PKCS #1": pkcs1()} {
		t.Run(name, func(t *testing.T) {
			w := newFixture(t)
			w.Install(staging.String(), notification("notify"), contentfultest.Script{})
			client := w.client(t, contentfulapi.Credential{PrivateKey: text, App: ourApp}, contentfulapi.NewTokens())
			if _, err := client.Available(t.Context(), staging); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCredentialsInTheConnectionSecret(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a token", `{"token":"CFPAT-1","organization":"org1"}`, ""},
		{"a key", `{"private_key":"-----BEGIN…","app":"a"}`, ""},
		{"absent", ``, "is not in the connection secret"},
		{"neither", `{"app":"a"}`, "has neither a token nor a private_key"},
		{"both", `{"token":"T0PSECRET","private_key":"T0PSECRET","app":"a"}`, "has both"},
		{"a key without its app", `{"private_key":"T0PSECRET"}`, "add the app's ID"},
		{"another key", `{"tokn":"T0PSECRET"}`, "has another form"},
		{"a list", `["T0PSECRET"]`, "has another form"},
		{"a token of two lines", `{"token":"T0PSECRET\nX"}`, "is not one line of plain characters"},
		{"an app with a slash", `{"token":"T0PSECRET","app":"a/b"}`, "are IDs of Contentful"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := contentfulapi.ParseCredential([]byte(c.text))
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
