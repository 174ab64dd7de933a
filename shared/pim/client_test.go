package pim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// fixture is a client of a PIM in memory, with a clock that only the client's waiting moves.
type fixture struct {
	*pim.Client
	pim   *pimtest.PIM
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) sleep(_ context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.waits = f.now.Add(d), append(f.waits, d)
	return nil
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	f.pim = pimtest.New(pimtest.Config{Now: f.clock, Limits: pimtest.Limits{PerSecond: 10_000}})
	f.connect(t, f.pim)
	return f
}

// connect makes the client one of whatever answers.
func (f *fixture) connect(t *testing.T, handler http.Handler) {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: f.clock})
	f.Client = pim.New(pim.Config{Outbound: client, URL: server.URL, Sleep: f.sleep, Tokens: pim.NewTokens(pim.TokensConfig{
		Outbound: client, URL: server.URL, Credential: pim.Credential(pim.Credential{
			ClientID: pimtest.Connect.ClientID, ClientSecret: pimtest.Connect.ClientSecret, Username: pimtest.Connect.Username, Password: pimtest.Connect.Password,
		}),
	})})
}

// played answers every call but that for a token with a status and a text.
func played(status int, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/oauth") {
			fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	})
}

func uuids(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
	}
	return ids
}

func sample(t *testing.T, name string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAHundredProductsAreOneCall(t *testing.T) {
	f := newFixture(t)
	found, err := f.List(t.Context(), pim.TypeProduct, uuids(200), pim.Read{Attributes: []string{"sku", "name"}})
	if err != nil || len(found) != 200 {
		t.Fatalf("%d products, %v", len(found), err)
	}
	if calls := f.pim.Calls("/api/rest/v1/products-uuid"); len(calls) != 2 || calls[0].Query["scope"] != nil || calls[0].Query["page"] != nil {
		t.Errorf("%d calls, want 2, by search_after and without scope: %+v", len(calls), calls)
	}
	for id, product := range found {
		if product.ID != id || product.Values["sku"] == nil || product.Values["price"] != nil {
			t.Fatalf("product %+v, want the attributes asked for", product)
		}
		if strings.Contains(string(product.Raw), "_links\":{\"self") {
			t.Fatalf("the PIM's address leaves with %s", product.Raw)
		}
	}
	models, err := f.List(t.Context(), pim.TypeModel, []string{"model-shirt", "model-boots"}, pim.Read{})
	if err != nil || len(models) != 2 || models["model-shirt"].FamilyVariant != "clothing_color_size" {
		t.Errorf("models %+v, %v", models, err)
	}
}

func TestOneCallIsUnderWayAtATime(t *testing.T) {
	f := newFixture(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := f.List(t.Context(), pim.TypeProduct, uuids(100), pim.Read{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most := f.pim.MostAtOnce(); most != 1 {
		t.Errorf("%d calls at once, want 1", most)
	}
	if stats := f.Stats(); stats.Calls != 20 || stats.Bytes == 0 || stats.Throttled != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestWhatAListLacksIsAskedForSingly(t *testing.T) {
	f := newFixture(t)
	ids := uuids(4)
	f.pim.Hide(true, ids[0])
	f.pim.Lag(ids[1], 1)
	found, err := f.List(t.Context(), pim.TypeProduct, append(ids, "00000000-0000-4000-8000-000000000000"), pim.Read{})
	if err != nil || len(found) != 2 || found[ids[2]].ID == "" || found[ids[3]].ID == "" {
		t.Fatalf("found %d, %v", len(found), err)
	}
	if product, err := f.Get(t.Context(), pim.TypeProduct, ids[1], pim.Read{Attributes: []string{"sku"}}); err != nil || len(product.Values) != 1 {
		t.Errorf("search lags, a single read does not: %+v, %v", product.Values, err)
	}
	for _, id := range []string{ids[0], "00000000-0000-4000-8000-000000000000"} {
		_, err := f.Get(t.Context(), pim.TypeProduct, id, pim.Read{})
		if failed, ok := errors.AsType[*pim.Error](err); !ok || !failed.NotFound() || !failed.Permanent() {
			t.Errorf("%s: %v, want not found", id, err)
		}
	}
}

func TestCodesAreOneSegmentOfThePath(t *testing.T) {
	for _, code := range []string{"a/b", "a b", "50%", `"quoted"`, "a?b#c", "..", ".", "é", strings.Repeat("x", 255)} {
		t.Run(code, func(t *testing.T) {
			now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
			catalogue := pimtest.Goods(now)
			family := "clothing"
			catalogue.ProductModels = append(catalogue.ProductModels, &pimtest.Entity{Code: code, Family: &family, FamilyVariant: "clothing_color_size"})
			f := newFixture(t)
			f.connect(t, pimtest.New(pimtest.Config{Now: f.clock, Catalogue: catalogue}))
			if model, err := f.Get(t.Context(), pim.TypeModel, code, pim.Read{}); err != nil || model.ID != code {
				t.Errorf("single read: %q, %v", model.ID, err)
			}
			if found, err := f.List(t.Context(), pim.TypeModel, []string{code}, pim.Read{}); err != nil || found[code].ID != code {
				t.Errorf("list: %v, %v", found, err)
			}
		})
	}
}

func TestLongCodesAreSeveralQueries(t *testing.T) {
	f := newFixture(t)
	codes := make([]string, 100)
	for i := range codes {
		codes[i] = fmt.Sprintf("%0255d", i)
	}
	if _, err := f.List(t.Context(), pim.TypeModel, codes, pim.Read{}); err != nil {
		t.Fatal(err)
	}
	for _, call := range f.pim.Calls("/api/rest/v1/product-models") {
		if size := len(call.Query["search"][0]); size > 8<<10 {
			t.Errorf("a search of %d bytes", size)
		}
	}
}

func TestPauses(t *testing.T) {
	for _, c := range []struct {
		name       string
		spoil      func(*pimtest.PIM)
		wait       time.Duration // that the client waits itself
		fails      bool
		throttled  bool
		retryAfter time.Duration
	}{
		{"busy for a moment", func(p *pimtest.PIM) { p.Throttle(1, "2") }, 2 * time.Second, false, false, 0},
		{"busy twice", func(p *pimtest.PIM) { p.Throttle(2, "1") }, 2 * time.Second, false, false, 0},
		{"busy for an hour", func(p *pimtest.PIM) { p.Throttle(1, "3600") }, 0, true, true, time.Hour},
		{"busy, no time named", func(p *pimtest.PIM) { p.Throttle(1, "") }, 0, true, true, 10 * time.Second},
		{"away once", func(p *pimtest.PIM) { p.Fail("/api/rest", 503, 1) }, time.Second, false, false, 0},
		{"away", func(p *pimtest.PIM) { p.Fail("/api/rest", 502, 9) }, 3 * time.Second, true, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			if _, err := f.SystemInformation(t.Context()); err != nil { // the token is there
				t.Fatal(err)
			}
			begun := f.clock()
			c.spoil(f.pim)
			_, err := f.List(t.Context(), pim.TypeProduct, uuids(1), pim.Read{})
			if waited := f.clock().Sub(begun); waited != c.wait || (err != nil) != c.fails {
				t.Errorf("waited %s, %v", waited, err)
			}
			if !c.fails {
				return
			}
			failed, ok := errors.AsType[*pim.Error](err)
			if !ok || failed.Permanent() || failed.Throttled() != c.throttled {
				t.Fatalf("%v, want one that may pass", err)
			}
			if c.throttled && !failed.RetryAt().Equal(begun.Add(c.retryAfter)) {
				t.Errorf("come again at %s", failed.RetryAt())
			}
			// Nobody calls before that time.
			before := len(f.pim.Calls("/"))
			if _, err := f.List(t.Context(), pim.TypeProduct, uuids(1), pim.Read{}); c.throttled && (err == nil || len(f.pim.Calls("/")) != before) {
				t.Errorf("a call in a pause: %v", err)
			}
		})
	}
}

func TestACallThatHasNoTimeToWaitIsGivenUp(t *testing.T) {
	f := newFixture(t)
	f.pim.Fail("/api/rest", 503, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := f.SystemInformation(ctx); err == nil || len(f.waits) != 0 {
		t.Errorf("%v after waits of %v", err, f.waits)
	}
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	f := newFixture(t)
	if _, err := f.SystemInformation(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.pim.Revoke()
	if _, err := f.SystemInformation(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tokens := len(f.pim.Calls("/api/oauth")); tokens != 2 {
		t.Errorf("%d calls for a token, want 2", tokens)
	}
	f.connect(t, played(401, `{"code":401,"message":"no"}`))
	if _, err := f.SystemInformation(t.Context()); err == nil {
		t.Error("a PIM that refuses every token is no success")
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    int
		body      string
		permanent bool
		reason    string
	}{
		{"an attribute that does not exist", 422, string(sample(t, "pim-error-422-unknown-attribute.json")), true, "attribute"},
		{"several violations", 422, string(sample(t, "pim-error-422-several-violations.json")), true, "requires a number"},
		{"no right", 403, string(sample(t, "pim-error-403-acl.json")), true, "not allowed"},
		{"hidden", 404, string(sample(t, "pim-error-404-permission.json")), true, "does not exist or you do not have permission"},
		{"a gateway's page", 502, "<html><body>Bad gateway at pim.example</body></html>", false, "the PIM does not answer"},
		{"a gateway's page as an answer", 200, "<html>", false, "the PIM does not answer"},
		{"an answer that ends in the middle", 200, `{"_embedded":{"items":[{"uuid":"a","values":{`, false, "the PIM does not answer"},
		{"an error object with a 200", 200, `{"error":"catalog disabled"}`, false, "the PIM does not answer"},
		{"an item without a key", 200, `{"_embedded":{"items":[{"values":{}}]}}`, false, "the PIM does not answer"},
		{"an empty conflict", 409, "", false, "the PIM does not answer"},
		{"control characters", 422, `{"code":422,"message":"a\u0000b\nc"}`, true, "the PIM refuses: a b c"},
		{"a long sentence", 422, `{"message":"` + strings.Repeat("é", 1000) + `"}`, true, "éé"},
		{"nothing", 400, "", true, "the PIM refuses the request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.connect(t, played(c.status, c.body))
			_, err := f.List(t.Context(), pim.TypeProduct, uuids(1), pim.Read{})
			failed, ok := errors.AsType[*pim.Error](err)
			if !ok || failed.Permanent() != c.permanent || !strings.Contains(failed.Reason(), c.reason) || len(failed.Reason()) > 350 {
				t.Fatalf("%v: permanent %v, reason %q", err, failed.Permanent(), failed.Reason())
			}
			if strings.Contains(failed.Error(), "search") || strings.Contains(failed.Reason(), "pim.example") {
				t.Errorf("%v tells too much", failed)
			}
		})
	}
}

func TestAListThatIsTooLargeIsReadInHalves(t *testing.T) {
	f := newFixture(t)
	asked := []int{}
	f.connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if search := r.URL.Query().Get("search"); search != "" {
			n := strings.Count(search, "63139bf3")
			if asked = append(asked, n); n > 30 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
		}
		f.pim.ServeHTTP(w, r)
	}))
	if found, err := f.List(t.Context(), pim.TypeProduct, uuids(100), pim.Read{}); err != nil || len(found) != 100 {
		t.Errorf("%d products, %v, after lists of %v", len(found), err, asked)
	}
}

func TestASearchIsWalkedToItsEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		filter string
		spoil  func(*pimtest.PIM)
		want   int
		calls  int
	}{
		{"everything: a full last page has a next", "", nil, 200, 3},
		{"links with another host", "", func(p *pimtest.PIM) { p.ForeignLinks(true) }, 200, 3},
		{"empty maps as lists", "", func(p *pimtest.PIM) { p.EmptyLists(true) }, 200, 3},
		{"one family", `{"family":[{"operator":"IN","value":["shoes"]}]}`, nil, 52, 1},
		{"nothing", `{"family":[{"operator":"IN","value":["nobody"]}]}`, nil, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			if c.spoil != nil {
				c.spoil(f.pim)
			}
			seen := map[string]bool{}
			for page, err := range f.Pages(t.Context(), pim.Search{Kind: pim.TypeProduct, Filter: json.RawMessage(c.filter)}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, product := range page.Products {
					seen[product.ID] = true
				}
			}
			if calls := len(f.pim.Calls("/api/rest/v1/products-uuid")); len(seen) != c.want || calls != c.calls {
				t.Errorf("%d products in %d calls", len(seen), calls)
			}
		})
	}
}

func TestASearchGoesOnWhereItWasLeft(t *testing.T) {
	f := newFixture(t)
	first, err := f.Page(t.Context(), pim.Search{Kind: pim.TypeProduct})
	if err != nil || len(first.Products) != 100 || first.Next == "" {
		t.Fatalf("%d products, next %q, %v", len(first.Products), first.Next, err)
	}
	second, err := f.Page(t.Context(), pim.Search{Kind: pim.TypeProduct, After: first.Next})
	if err != nil || len(second.Products) != 100 || second.Products[0].ID == first.Products[0].ID {
		t.Errorf("%d products, %v", len(second.Products), err)
	}
}

func TestAPIMThatRepeatsItsPageIsLeft(t *testing.T) {
	f := newFixture(t)
	page := `{"_links":{"next":{"href":"https://elsewhere.example/x?search_after=same"}},"_embedded":{"items":[{"uuid":"a","values":{}}]}}`
	f.connect(t, played(200, page))
	pages := 0
	for _, err := range f.Pages(t.Context(), pim.Search{Kind: pim.TypeProduct}) {
		if pages++; err != nil || pages > 5 {
			t.Fatalf("page %d: %v", pages, err)
		}
	}
	if pages != 2 {
		t.Errorf("%d pages", pages)
	}
}

func TestStructureIsReadOnce(t *testing.T) {
	f := newFixture(t)
	for range 3 {
		main, err := f.MainIdentifier(t.Context())
		attributes, err2 := f.Attributes(t.Context(), "price", "name", "nobody")
		channels, err3 := f.Channels(t.Context())
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		if main != "sku" || len(attributes) != 2 || !attributes["name"].Localizable || attributes["price"].Localizable || len(channels) != 2 || channels[1].Code != "print" {
			t.Fatalf("main %q, attributes %+v, channels %+v", main, attributes, channels)
		}
	}
	// A code that does not exist is asked for again: it may exist by then.
	if calls := len(f.pim.Calls("/api/rest/v1/attributes")); calls != 4 {
		t.Errorf("%d calls for attributes, want 1 for the main identifier, 1, and 2 for what does not exist", calls)
	}
	if calls := len(f.pim.Calls("/api/rest/v1/channels")); calls != 1 {
		t.Errorf("%d calls for channels", calls)
	}
}

func TestAttributesOfOtherForms(t *testing.T) {
	f := newFixture(t)
	f.connect(t, played(200, `{"_embedded":{"items":[`+string(sample(t, "pim-attribute-string-booleans.json"))+`,{"code":"ref","type":"pim_catalog_identifier"}]}}`))
	found, err := f.Attributes(t.Context(), "insulated")
	if err != nil || found["insulated"].Localizable || found["insulated"].Labels == nil && len(found["insulated"].Labels) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if main, err := f.MainIdentifier(t.Context()); err != nil || main != "ref" {
		t.Errorf("an older PIM's main identifier: %q, %v", main, err)
	}
}
