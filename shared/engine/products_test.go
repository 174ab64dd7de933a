package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// reader is a script whose runs need products.
type reader struct {
	*script
	reads *engine.Reads
}

func (r reader) Reads() *engine.Reads { return r.reads }

func (s *script) reading(reads engine.Reads) backing {
	b := memory
	b.kinds = map[string]engine.Kind{"script": opener{reader{s, &reads}}}
	return b
}

// opener is a kind that opens one action.
type opener struct{ reader }

func (o opener) Open(config.Section, engine.Secrets) (engine.Action, error) { return o.reader, nil }

// playPIM connects a fixture with a PIM in memory.
func (w *fixture) playPIM(catalogue *pimtest.Catalogue) *pimtest.PIM {
	return w.playPIMBehind(catalogue, func(next http.Handler) http.Handler { return next })
}

// playPIMBehind does the same, behind something that sees every call.
func (w *fixture) playPIMBehind(catalogue *pimtest.Catalogue, before func(http.Handler) http.Handler) *pimtest.PIM {
	played := pimtest.New(pimtest.Config{Catalogue: catalogue, Now: w.clock.Now, Limits: pimtest.Limits{PerSecond: 1 << 30}})
	server := httptest.NewServer(before(played))
	w.Cleanup(server.Close)
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: w.clock.Now})
	c := pimtest.Connect
	made := pim.New(pim.Config{
		Outbound: client, URL: server.URL, Sleep: func(_ context.Context, d time.Duration) error { w.clock.advance(d); return nil },
		Tokens: pim.NewTokens(pim.TokensConfig{Outbound: client, URL: server.URL, Credential: pim.Credential{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret, Username: c.Username, Password: c.Password,
		}}),
	})
	w.engine.PIM = func(context.Context, string) (*pim.Client, error) { return made, nil }
	return played
}

// work submits a job over items and works it to its end.
func (w *fixture) work(asked string, items ...jobs.Item) string {
	w.Helper()
	submitted, err := w.submitter.Submit(w.Context(), jobs.Job{
		ID: jobs.ID("button", []byte(w.clock.Now().String())), Action: "alone", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: items,
		Context: json.RawMessage(asked), Params: json.RawMessage(`{}`),
	})
	if err != nil {
		w.Fatal(err)
	}
	return submitted.Job.ID
}

func uuid(n int) string { return fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", n) }

func products(from, n int) (items []jobs.Item) {
	for i := range n {
		items = append(items, jobs.Item{Type: jobs.Product, ID: uuid(from + i)})
	}
	return items
}

// large is a catalogue of so many products and models.
func large(products, models int) *pimtest.Catalogue {
	c := pimtest.Goods(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	c.Products, c.ProductModels = nil, nil
	family := "clothing"
	for n := range products {
		c.Products = append(c.Products, &pimtest.Entity{UUID: uuid(n), Family: &family, Values: map[string][]pimtest.Value{"sku": {{Data: fmt.Appendf(nil, `"sku-%d"`, n)}}}})
	}
	for n := range models {
		c.ProductModels = append(c.ProductModels, &pimtest.Entity{Code: fmt.Sprintf("model-%d", n), Family: &family, FamilyVariant: "clothing_color_size"})
	}
	return c
}

func TestProductsComeAlongInListsOfAHundred(t *testing.T) {
	var seen []string
	s := &script{batch: 100}
	s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
		if len(run.Products) != len(run.Items) || len(run.Index) != len(run.Items) || len(run.Deleted) != len(run.Items) {
			t.Errorf("%d products, %d places, %d items", len(run.Products), len(run.Index), len(run.Items))
		}
		for i, item := range run.Items {
			if run.Products[i].ID() != item.ID || run.Products[i].Type() != item.Type {
				t.Errorf("item %s has the product %s", item.ID, run.Products[i].ID())
			}
			seen = append(seen, item.ID)
		}
		return engine.Result{}, nil
	}
	w := newFixture(t, s.reading(engine.Reads{Attributes: []string{"name"}}), fault{})
	played := w.playPIM(large(500, 100))
	items := products(0, 500)
	for n := range 100 {
		items = append(items, jobs.Item{Type: jobs.ProductModel, ID: fmt.Sprintf("model-%d", n)})
	}
	id := w.work(`{}`, items...)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || job.Done != 600 || len(seen) != 600 {
		t.Errorf("%s, done %d, seen %d", job.State, job.Done, len(seen))
	}
	lists := len(played.Calls("/api/rest/v1/products-uuid")) + len(played.Calls("/api/rest/v1/product-models"))
	if lists != 6 || played.MostAtOnce() != 1 {
		t.Errorf("%d list calls, %d at once, want 6 and 1", lists, played.MostAtOnce())
	}
	if saved := sum(w.samples["PIMCallsSaved"]); saved != 594 {
		t.Errorf("%v calls saved", saved)
	}
}

func sum(samples []float64) (total float64) {
	for _, sample := range samples {
		total += sample
	}
	return total
}

func TestWhatIsGoneFailsAndTheOthersAreWorked(t *testing.T) {
	for _, c := range []struct {
		name   string
		result engine.Result // of what is left: p1, p3
		failed []int
	}{
		{"the others succeed", engine.Result{}, []int{0, 2, 4, 5}},
		{"one of the others fails", engine.Result{Failures: []engine.Failure{{Index: 1, Reason: "no"}}}, []int{0, 2, 3, 4, 5}},
		{"a failure of no item", engine.Result{Failures: []engine.Failure{{Index: 2, Reason: "no"}, {Index: -1, Reason: "no"}}}, []int{0, 2, 4, 5}},
		{"in two steps", engine.Result{Done: 1}, []int{0, 2, 4, 5}},
		{"in two steps, the first fails", engine.Result{Done: 1, Failures: []engine.Failure{{Index: 0, Reason: "no"}}}, []int{0, 1, 2, 4, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, runs := &script{}, 0
			s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
				if runs++; runs > 1 {
					return engine.Result{}, nil
				}
				return c.result, nil
			}
			w := newFixture(t, s.reading(engine.Reads{}), fault{})
			played := w.playPIM(nil)
			played.Hide(true, uuid(20), uuid(22))
			items := products(20, 4) // 20 and 22 are hidden
			items = append(items, jobs.Item{Type: jobs.Category, ID: "shoes"}, jobs.Item{Type: jobs.Product, ID: uuid(999)})
			id := w.work(`{}`, items...)
			w.drain()
			job := w.job(id)
			failures, err := w.store.Failures(t.Context(), id, 0)
			if err != nil {
				t.Fatal(err)
			}
			var failed []int
			for _, failure := range failures {
				failed = append(failed, failure.Index)
				if failure.Index == 0 && !strings.Contains(failure.Reason, "not in the PIM") {
					t.Errorf("item 0: %q", failure.Reason)
				}
			}
			if slices.Sort(failed); !slices.Equal(failed, c.failed) || job.Done+job.Failed != 6 || job.Failed != len(c.failed) {
				t.Errorf("failed %v, want %v (%s, done %d, failed %d)", failed, c.failed, job.State, job.Done, job.Failed)
			}
		})
	}
}

func TestNothingIsRunWhereNothingIsLeft(t *testing.T) {
	s := &script{}
	s.run = func(context.Context, engine.Run) (engine.Result, error) {
		t.Error("a run without items")
		return engine.Result{}, nil
	}
	w := newFixture(t, s.reading(engine.Reads{}), fault{})
	w.playPIM(nil).Hide(true, uuid(20))
	id := w.work(`{}`, products(20, 1)...)
	w.drain()
	if job := w.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "not in the PIM") {
		t.Errorf("%s, %q", job.State, job.Message)
	}
}

func TestAJobWithoutItemsReadsNothing(t *testing.T) {
	s, runs := &script{}, 0
	s.run = func(context.Context, engine.Run) (engine.Result, error) { runs++; return engine.Result{}, nil }
	w := newFixture(t, s.reading(engine.Reads{}), fault{})
	played := w.playPIM(nil)
	id := w.work(`{}`)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || runs != 1 || len(played.Calls("/")) != 0 {
		t.Errorf("%s after %d runs, %d calls", job.State, runs, len(played.Calls("/")))
	}
}

func TestThePIMsTroubles(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(*pimtest.PIM)
		cause   string
		message string
		ends    jobs.State
	}{
		{"away", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/products", 503, 6) }, jobs.CausePIMDown, "the PIM does not answer", jobs.Succeeded},
		{"busy for an hour", func(p *pimtest.PIM) { p.Throttle(1, "3600") }, jobs.CausePIMBusy, "the PIM is busy", jobs.Succeeded},
		{"no right", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/products", 403, 9) }, "", "the PIM refuses", jobs.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, nil }}
			w := newFixture(t, s.reading(engine.Reads{}), fault{})
			played := w.playPIM(nil)
			c.spoil(played)
			begun := w.clock.Now()
			id := w.work(`{}`, products(20, 3)...)
			w.deliver()
			job := w.job(id)
			if job.Cause != c.cause || !strings.Contains(job.Message, c.message) {
				t.Errorf("%s, cause %q, %q", job.State, job.Cause, job.Message)
			}
			if c.cause == jobs.CausePIMBusy && job.NotBefore.Sub(begun) < time.Hour {
				t.Errorf("goes on at %s", job.NotBefore)
			}
			w.drain()
			if job := w.job(id); job.State != c.ends {
				t.Errorf("ends %s, %q", job.State, job.Message)
			}
		})
	}
}

func TestAnAttributeThatDoesNotExistIsSaidByThePIM(t *testing.T) {
	s := &script{batch: 1, run: func(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, nil }}
	w := newFixture(t, s.reading(engine.Reads{Attributes: []string{"nobody"}}), fault{})
	played := w.playPIM(nil)
	id := w.work(`{}`, products(20, 3)...)
	w.drain()
	if job := w.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, `"nobody" does not exist`) || len(played.Calls("/api/rest/v1/products")) != 1 {
		t.Errorf("%s, %q after %d calls", job.State, job.Message, len(played.Calls("/api/rest/v1/products")))
	}
}

func TestAConnectionThatIsMissingIsAMistakeByName(t *testing.T) {
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, nil }}
	w := newFixture(t, s.reading(engine.Reads{}), fault{})
	w.engine.PIM = func(context.Context, string) (*pim.Client, error) { return nil, errors.New("connection secret: away") }
	id := w.work(`{}`, products(20, 1)...)
	w.deliver()
	if job := w.job(id); job.State != jobs.Waiting {
		t.Errorf("%s, %q", job.State, job.Message)
	}
}

func TestProductsAreSeenInTheTriggersLocaleAndChannel(t *testing.T) {
	for asked, want := range map[string]string{`{"locale":"fr_FR","channel":"print"}`: "Chemise en lin", `{}`: "Linen shirt", `{"locale":"de_DE"}`: "Leinenhemd", `null`: "Linen shirt"} {
		var got any
		s := &script{run: func(_ context.Context, run engine.Run) (result engine.Result, err error) {
			got, err = run.Products[0].Value("name")
			return result, err
		}}
		w := newFixture(t, s.reading(engine.Reads{}), fault{})
		at := w.config.PIMs["main"]
		at.Locale, at.Channel = "en_US", "ecommerce"
		w.config.PIMs["main"] = at
		w.playPIM(nil)
		w.work(asked, products(0, 1)...)
		w.drain()
		if got != want {
			t.Errorf("%s: %v, want %q", asked, got, want)
		}
	}
}

func TestImagesAreCopiedOnceAndLinked(t *testing.T) {
	store, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var addresses []string
	runs := 0
	s := &script{batch: 1, run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		address, err := run.Products[0].Link("image")
		if err != nil {
			return engine.Result{}, err
		}
		addresses = append(addresses, address)
		if runs++; runs == 1 {
			return engine.Result{}, errors.New("comes again")
		}
		return engine.Result{}, nil
	}}
	w := newFixture(t, s.reading(engine.Reads{}), fault{})
	played := w.playPIM(nil)
	w.engine.Files = store
	w.engine.Link = func(_ context.Context, job, name string, until time.Time) (string, error) {
		return fmt.Sprintf("https://functions.example/files/%s/%s?until=%d", job, name, until.Unix()), nil
	}
	id := w.work(`{}`, products(18, 2)...)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || len(addresses) != 3 || addresses[0] != addresses[1] || addresses[1] == addresses[2] {
		t.Fatalf("%s, %q, addresses %q", job.State, job.Message, addresses)
	}
	if calls := played.Calls("/api/rest/v1/media-files"); len(calls) != 2 {
		t.Errorf("%d copies of 2 images", len(calls))
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(addresses[0], "https://functions.example/files/"), "?")
	if size, err := store.Size(t.Context(), path); err != nil || size == 0 {
		t.Errorf("%s: %d bytes, %v", path, size, err)
	}
}

func TestAnImageThatCannotBeHandedOnFailsItsBatch(t *testing.T) {
	s := &script{batch: 1, run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		_, err := run.Products[0].Link("image")
		return engine.Result{}, err
	}}
	w := newFixture(t, s.reading(engine.Reads{}), fault{})
	played := w.playPIM(nil)
	store, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.engine.Files, w.engine.Link = store, func(context.Context, string, string, time.Time) (string, error) { return "x", nil }
	played.Fail("/api/rest/v1/media-files", 404, 1)
	id := w.work(`{}`, products(18, 2)...)
	w.drain()
	if job := w.job(id); job.State != jobs.Partial || !strings.Contains(job.Message, "no longer has the image") {
		t.Errorf("%s, %q", job.State, job.Message)
	}
	w.engine.Files = nil
	id = w.work(`{}`, products(18, 1)...)
	w.drain()
	if job := w.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "keeps no files") {
		t.Errorf("%s, %q", job.State, job.Message)
	}
}

func TestEventsReadTheirProduct(t *testing.T) {
	for _, c := range []struct {
		name, what, product string
		hide                bool
		runs                int
		deleted             bool
		outcome             ledger.Outcome
	}{
		{"an update", "updated", uuid(20), false, 1, false, ledger.Applied},
		{"an update of what is gone", "updated", uuid(20), true, 0, false, ledger.Stale},
		{"a deletion", "deleted", uuid(20), true, 1, true, ledger.Applied},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs := 0
			s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
				if runs++; len(run.Items) != 1 || len(run.Products) != 1 || run.Deleted[0] != c.deleted || (run.Products[0].ID() == "") != c.deleted {
					t.Errorf("run %+v", run)
				}
				return engine.Result{}, nil
			}}
			w := newFixture(t, s.reading(engine.Reads{}), fault{})
			played := w.playPIM(nil)
			played.Hide(c.hide, c.product)
			w.config.Subscriptions = map[string]config.Subscription{"shop": {
				Name: "shop", PIM: "main", API: pimevent.EventPlatform, Events: []string{"com.akeneo.pim.v1.product.*"}, Deliver: "every", Action: "alone",
			}}
			w.receive(pimevent.EventPlatform, platform("e1", "product."+c.what, fmt.Sprintf(`"product":{"uuid":%q}`, c.product), w.clock.Now()))
			w.drainEvents()
			entry, err := w.ledger.Get(t.Context(), pimevent.EventPlatform+"/main/e1")
			if err != nil || runs != c.runs || entry.Outcomes["shop"] != c.outcome || w.dead() != 0 {
				t.Errorf("%d runs, outcomes %v, %v", runs, entry.Outcomes, err)
			}
			if calls := len(played.Calls("/api/rest/v1/products")); c.deleted && calls != 0 {
				t.Errorf("%d calls for what is deleted", calls)
			}
		})
	}
}

// Of a run that asks for the first of its items alone, the others come without a product and are worked all the same.
func TestOnlyTheFirstAreRead(t *testing.T) {
	var got []string
	s := &script{}
	s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
		for i := range run.Items {
			got = append(got, run.Products[i].ID())
		}
		return engine.Result{}, nil
	}
	w := newFixture(t, s.reading(engine.Reads{First: 2}), fault{})
	played := w.playPIM(large(4, 0))
	id := w.work(`{}`, products(0, 4)...)
	w.drain()
	if job := w.job(id); job.Done != 4 || !slices.Equal(got, []string{uuid(0), uuid(1), "", ""}) || len(played.Calls("/api/rest/v1/products-uuid")) != 1 {
		t.Errorf("done %d, products %q", job.Done, got)
	}
}

func TestAPartOfARun(t *testing.T) {
	run := engine.Run{First: 10, Items: products(0, 3), Index: []int{10, 12, 15}, Products: make([]pim.View, 3), Deleted: []bool{false, false, true}}
	part := run.Part(1, 3)
	if len(part.Items) != 2 || len(part.Products) != 2 || part.Items[0] != run.Items[1] || part.At(0) != 12 || part.At(1) != 15 || part.Gone(0) || !part.Gone(1) {
		t.Errorf("%+v", part)
	}
	plain := engine.Run{First: 10, Items: products(0, 3)}
	if second := plain.Part(1, 2); second.At(0) != 11 || second.Gone(0) || second.Products != nil || second.Index != nil {
		t.Errorf("%+v", second)
	}
	gone := engine.Run{Items: products(0, 1), Event: &pimevent.Event{Type: "product.removed"}}
	if !gone.Gone(0) || !gone.Part(0, 1).Gone(0) {
		t.Error("a deletion is not told")
	}
}
