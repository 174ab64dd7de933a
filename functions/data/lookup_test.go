package data_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// erp is a destination that is asked for the stock of products.
type erp struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	requests []*http.Request
}

// source is a lookup secret.
type source struct {
	document string
	err      error
}

func (s *source) Get(context.Context, string) ([]byte, error) { return []byte(s.document), s.err }

// looking is a data function with lookups: "bearer" has one.
type looking struct {
	*fixtures
	*erp
	source  *source
	clock   time.Time
	lookups *data.Lookups
}

func newLooking(t *testing.T, lookup config.Lookup) *looking {
	l := &looking{fixtures: newFixture(), erp: &erp{}, source: &source{document: `{"auth":{"erp":{"bearer":"token-of-the-erp"},"broken":{"token":"x"}}}`}, clock: now}
	l.answer = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"stock":[{"store":"Lyon","pieces":3}]}`)
	}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests = append(l.requests, r)
		answer := l.answer
		l.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(l.Close)
	clock := func() time.Time { return l.clock }
	l.lookups = data.NewLookups(data.LookupsConfig{
		Client:  credential.New(outbound.New(outbound.Config{AllowPrivate: true, Now: clock})),
		Secrets: secrets.NewCache(secrets.CacheConfig[secrets.Lookups]{Source: l.source, ID: "lookups", Parse: secrets.ParseLookups, Now: clock}),
		Now:     clock,
	})
	l.fixtures.lookups = l.lookups
	e := l.config.Extensions["bearer"]
	lookup.URL = strings.ReplaceAll(lookup.URL, "ERP", l.URL)
	e.ID, e.Attribute, e.Lookup, e.Label = "attribute", "sku", &lookup, config.Text{"default": "Stock", "fr_FR": "Le stock"}
	l.config.Extensions["bearer"] = e
	return l
}

func (l *looking) look(t *testing.T, id string) string {
	t.Helper()
	got := l.get(t, "/data/bearer/"+id, "Authorization", "Bearer token-of-the-bearer")
	if got.Status != http.StatusOK {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	l.NoLeaks(t, "token-of-the-erp")
	return got.Body
}

func TestALookupShowsWhatTheDestinationSays(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}", Auth: "erp"})
	for _, c := range []struct{ name, answer, want string }{
		{"an object", `{"stock":[{"store":"Lyon","pieces":3}]}`, `{"stock":[{"store":"Lyon","pieces":3}]}`},
		{"a list", `[1,2]`, `{"values":[1,2]}`},
		{"a number", `7`, `{"values":7}`},
	} {
		l.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.answer) }
		if got := l.look(t, "SHIRT-001"); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	if r := l.requests[0]; r.Method != http.MethodGet || r.URL.Path != "/stock/SHIRT-001" || r.Header.Get("Authorization") != "Bearer token-of-the-erp" {
		t.Errorf("asked by %s %s with %v", r.Method, r.URL, r.Header)
	}
}

func TestAnIDStaysInItsPlace(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}/now"})
	l.look(t, "A%2F7%3Fx=y")
	if got := l.requests[0].URL.EscapedPath(); got != "/stock/A%2F7%3Fx=y/now" || l.requests[0].URL.RawQuery != "" {
		t.Errorf("asked %s", l.requests[0].URL)
	}
}

func TestWhatAUserReadsWhereThereIsNoAnswer(t *testing.T) {
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	const ok = "erp"
	for _, c := range []struct {
		name, auth, id string
		answer         http.HandlerFunc
		want           string
	}{
		{"nothing is known", ok, "a", status(404, `{"error":"no s3cret"}`), "Nothing is known of this there"},
		{"nothing is known any more", ok, "a", status(410, ""), "Nothing is known of this there"},
		{"no content", ok, "a", status(204, ""), "Nothing is known of this there"},
		{"null", ok, "a", status(200, "null"), "Nothing is known of this there"},
		{"no value", ok, "", nil, "This has no value to look it up by"},
		{"a value that is another address", ok, "..", nil, "This has no value to look it up by"},
		{"away", ok, "a", status(503, "s3cret"), "Stock: no answer came in time"},
		{"a gateway's page", ok, "a", status(502, "<html>s3cret"), "Stock: no answer came in time"},
		{"wrong credentials", ok, "a", status(401, ""), "Stock: the question was refused"},
		{"not allowed", ok, "a", status(403, ""), "Stock: the question was refused"},
		{"a redirect", ok, "a", status(302, ""), "Stock: the question was refused"},
		{"a page", ok, "a", status(200, "<html>s3cret"), "Stock: the answer cannot be shown"},
		{"half an answer", ok, "a", status(200, `{"stock":`), "Stock: the answer cannot be shown"},
		{"an answer that is too long", ok, "a", status(200, `{"a":"`+strings.Repeat("x", 64<<10)+`"}`), "Stock: the answer cannot be shown"},
		{"credentials that are missing", "shop", "a", nil, "Stock: the question was refused"},
		{"credentials of another form", "broken", "a", nil, "Stock: the question was refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}", Auth: c.auth})
			if c.answer == nil {
				c.answer = func(http.ResponseWriter, *http.Request) { t.Error("the destination was called") }
			}
			l.answer = c.answer
			var got map[string]string
			body := l.look(t, c.id)
			if json.Unmarshal([]byte(body), &got) != nil || len(got) != 1 || !strings.HasPrefix(got["message"], c.want) || strings.Contains(body, "s3cret") || strings.Contains(body, "127.0.0.1") {
				t.Errorf("%s", body)
			}
		})
	}
}

func TestASentenceInTheLanguageOfThePIM(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}"})
	l.config.PIMs["main"] = config.PIM{Name: "main", Locale: "fr_FR"}
	l.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	if got := l.look(t, "a"); !strings.Contains(got, "Le stock : aucune réponse") {
		t.Error(got)
	}
}

func TestAnAnswerIsKeptAsLongAsItSays(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}", Cache: time.Minute})
	l.look(t, "a")
	l.look(t, "a")
	l.look(t, "b")
	if len(l.requests) != 2 {
		t.Errorf("%d calls", len(l.requests))
	}
	l.clock = l.clock.Add(time.Minute)
	l.look(t, "a")
	if len(l.requests) != 3 {
		t.Errorf("%d calls", len(l.requests))
	}
	l.clock = l.clock.Add(time.Minute)
	l.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	l.look(t, "a")
	l.look(t, "a")
	if len(l.requests) != 5 {
		t.Errorf("%d calls: a failure was kept", len(l.requests))
	}
}

func TestNothingIsKeptWithoutCache(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}"})
	l.look(t, "a")
	l.look(t, "a")
	if len(l.requests) != 2 {
		t.Errorf("%d calls", len(l.requests))
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}", Cache: time.Hour})
	l.answer = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"a":"%s"}`, strings.Repeat("x", 60<<10))
	}
	for i := range 200 { // 12 MB
		l.look(t, fmt.Sprint(i))
		l.clock = l.clock.Add(time.Millisecond)
	}
	l.look(t, "199")
	if len(l.requests) != 200 {
		t.Errorf("%d calls: the newest was not kept", len(l.requests))
	}
	l.look(t, "0")
	if len(l.requests) != 201 {
		t.Errorf("%d calls: all were kept", len(l.requests))
	}
}

func TestARotatedLookupSecretIsFound(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}", Auth: "erp"})
	l.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer newer" {
			w.WriteHeader(401)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}
	if got := l.look(t, "a"); !strings.Contains(got, "refused") {
		t.Error(got)
	}
	l.source.document = `{"auth":{"erp":{"bearer":"newer"}}}`
	l.clock = l.clock.Add(10 * time.Second)
	if got := l.look(t, "a"); got != "{}" {
		t.Error(got)
	}
}

func TestWhoAskTheSameShareACall(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}", Cache: time.Hour})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if got := data.Ask(t.Context(), l.lookups, l.config.Extensions["bearer"], "a"); got != `{"stock":[{"store":"Lyon","pieces":3}]}` {
				t.Error(got)
			}
		})
	}
	group.Wait()
	if len(l.requests) != 1 {
		t.Errorf("%d calls", len(l.requests))
	}
}

func TestWhoLeavesDoesNotWait(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}"})
	release, came := make(chan struct{}), make(chan struct{})
	l.answer = func(http.ResponseWriter, *http.Request) { close(came); <-release }
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-came; cancel() }()
	if got := data.Ask(ctx, l.lookups, l.config.Extensions["bearer"], "a"); got != "lookup_away" {
		t.Error(got)
	}
}

func TestNobodyUnprovenStartsALookup(t *testing.T) {
	l := newLooking(t, config.Lookup{URL: "ERP/stock/{{.ID}}"})
	if got := l.get(t, "/data/bearer/a", "Authorization", "Bearer wrong"); got.Status != 401 || len(l.requests) != 0 {
		t.Errorf("%d, %d calls", got.Status, len(l.requests))
	}
}
