package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

const list = "/api/rest/v1/products-uuid"

// choose starts a job over a selection, as a button does.
func (w *fixture) choose(action, selection string) (id string, confirmed bool) {
	w.Helper()
	submitted, err := w.submitter.Submit(w.Context(), jobs.Job{
		ID: jobs.ID("button", []byte(w.clock.Now().String())), Action: action, Trigger: jobs.TriggerAction, Extension: "button", PIM: "main",
		Context: json.RawMessage(`{}`), User: jobs.User{UUID: "u", Username: "julia"}, Once: jobs.OnceKeyOf("button", action, "main", selection),
		Select: &jobs.Select{Name: selection, Mark: jobs.MarkKey("button", "button", "main", selection)},
	})
	if w.faults.restart() || err != nil {
		return "", false
	}
	return submitted.Job.ID, true
}

// taken is a script that remembers what it was given.
type taken struct {
	mu    sync.Mutex
	keys  []string
	items []string
	err   error                // of every run
	fails map[string]bool      // items that fail
	with  func(run engine.Run) // sees every run
}

func (s *taken) run(_ context.Context, run engine.Run) (engine.Result, error) {
	if s.with != nil {
		s.with(run)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, strings.TrimPrefix(run.Key, run.Job))
	var result engine.Result
	for i, item := range run.Items {
		s.items = append(s.items, item.ID)
		if s.fails[item.ID] {
			result.Failures = append(result.Failures, engine.Failure{Index: i, Reason: "no"})
		}
	}
	return result, s.err
}

// news are the items since the last call, in order.
func (s *taken) news() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.items
	s.items, s.keys = nil, nil
	slices.Sort(found)
	return found
}

// selecting is a fixture with a PIM of so many products, and a script that works them.
func selecting(t *testing.T, catalogue *pimtest.Catalogue) (*fixture, *taken, *pimtest.PIM) {
	got := &taken{fails: map[string]bool{}}
	s := &script{batch: 100, run: got.run}
	w := newFixture(t, s.reading(engine.Reads{Attributes: []string{"sku"}}), fault{})
	return w, got, w.playPIM(catalogue)
}

// all does a job over a selection to its end.
func (w *fixture) all(selection string) jobs.Job {
	w.Helper()
	id, ok := w.choose("alone", selection)
	if !ok {
		w.Fatal("not started")
	}
	w.drain()
	return w.job(id)
}

// edit changes a product in the PIM.
func (w *fixture) edit(kind, id string) {
	w.Helper()
	client, err := w.engine.PIM(w.Context(), "main")
	if err != nil {
		w.Fatal(err)
	}
	value := fmt.Appendf(nil, `{"name":[{"locale":"en_US","scope":null,"data":"changed at %s"}]}`, w.clock.Now())
	written, err := client.Patch(w.Context(), kind, []pim.Change{{ID: id, Body: map[string]json.RawMessage{"values": value}}})
	if err != nil || written[0] == nil || !written[0].Taken {
		w.Fatalf("%+v, %v", written[0], err)
	}
}

func TestASelectionIsWalkedPageByPage(t *testing.T) {
	for _, c := range []struct {
		products, lists int
		keys            []string
	}{
		{0, 1, nil},
		{30, 1, []string{"/0-29"}},
		{200, 3, []string{"/0-99", "/100-199"}}, // a full page may have another one behind it
		{250, 3, []string{"/0-99", "/100-199", "/200-249"}},
	} {
		t.Run(fmt.Sprint(c.products), func(t *testing.T) {
			w, got, played := selecting(t, large(c.products, 0))
			got.with = func(run engine.Run) {
				for i, product := range run.Products {
					if product.ID() != run.Items[i].ID {
						t.Errorf("item %s has the product %s", run.Items[i].ID, product.ID())
					}
				}
			}
			job := w.all("everything")
			if job.State != jobs.Succeeded || job.Done != c.products || job.Total != c.products || job.Failed != 0 {
				t.Errorf("%s, done %d of %d (%s)", job.State, job.Done, job.Total, job.Message)
			}
			calls := played.Calls(list)
			if len(calls) != c.lists || !slices.Equal(got.keys, c.keys) {
				t.Errorf("%d list calls, keys %q", len(calls), got.keys)
			}
			if slices.Sort(got.items); len(slices.Compact(got.items)) != c.products {
				t.Errorf("%d different items", len(slices.Compact(got.items)))
			}
			for _, call := range calls {
				if !slices.Equal(call.Query["pagination_type"], []string{"search_after"}) || !slices.Equal(call.Query["limit"], []string{"100"}) {
					t.Errorf("asked %v", call.Query)
				}
			}
		})
	}
}

func TestModelsAreSelectedToo(t *testing.T) {
	w, got, played := selecting(t, large(3, 30))
	if job := w.all("models"); job.State != jobs.Succeeded || job.Done != 30 || len(got.items) != 30 || len(played.Calls(list)) != 0 {
		t.Errorf("%+v", job)
	}
}

func TestASelectionEndsAsItsItemsDo(t *testing.T) {
	w, got, _ := selecting(t, large(250, 0))
	for _, n := range []int{0, 100, 249} {
		got.fails[uuid(n)] = true
	}
	job := w.all("everything")
	if job.State != jobs.Partial || job.Done != 247 || job.Failed != 3 || job.Total != 250 {
		t.Errorf("%+v", job)
	}
	failures, err := w.store.Failures(t.Context(), job.ID, 0)
	if err != nil || len(failures) != 3 || failures[2].Index != 249 || failures[2].Item.ID != uuid(249) {
		t.Errorf("%v, %v", failures, err)
	}

	// What failed is retried alone, and what it never came to.
	got.news()
	got.fails = nil
	job.Items = nil
	submitted, err := w.submitter.Submit(t.Context(), jobs.Job{ID: "retry", Action: "alone", Trigger: jobs.TriggerPanel, Extension: "button", PIM: "main", Select: job.Rest(), Parent: job.ID})
	if err != nil {
		t.Fatal(err)
	}
	w.drain()
	if retried := w.job(submitted.Job.ID); retried.State != jobs.Succeeded || retried.Total != 3 || !slices.Equal(got.news(), []string{uuid(0), uuid(100), uuid(249)}) {
		t.Errorf("retried: %+v", retried)
	}
}

func TestASearchThatThePIMRefusesEndsWithItsSentence(t *testing.T) {
	w, got, _ := selecting(t, large(3, 0))
	job := w.all("refused")
	if job.State != jobs.Failed || job.Reason != jobs.ReasonPermanent || !strings.Contains(job.Message, `"no_such_attribute" is not supported`) || len(got.items) > 0 {
		t.Errorf("%s %s: %s", job.State, job.Reason, job.Message)
	}
}

func TestWhatIsGivenUpLeavesTheRestForARetry(t *testing.T) {
	w, got, _ := selecting(t, large(250, 0))
	got.with = func(run engine.Run) {
		if run.First == 100 {
			got.err = errors.New("down")
		}
	}
	job := w.all("changed")
	if job.State != jobs.Partial || job.Reason != jobs.ReasonGaveUp || job.Done != 100 || job.Failed != 100 || !job.Open() {
		t.Errorf("%s %s: done %d, failed %d of %d", job.State, job.Reason, job.Done, job.Failed, job.Total)
	}
	if mark, err := w.store.Mark(t.Context(), job.Select.Mark); err != nil || !mark.Until.IsZero() {
		t.Errorf("the mark has moved to %v, %v", mark, err)
	}
	got.news()
	got.with, got.err = nil, nil
	if _, err := w.submitter.Submit(t.Context(), jobs.Job{ID: "retry", Action: "alone", Trigger: jobs.TriggerPanel, Extension: "button", PIM: "main", Select: job.Rest()}); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if retried := w.job("retry"); retried.State != jobs.Succeeded || retried.Total != 150 || len(slices.Compact(got.news())) != 150 {
		t.Errorf("retried: %+v", retried)
	}
}

func TestASelectionIsCancelledBetweenPages(t *testing.T) {
	w, got, played := selecting(t, large(350, 0))
	id, _ := w.choose("alone", "everything")
	got.with = func(run engine.Run) {
		if run.First == 100 {
			if _, err := jobs.Cancel(t.Context(), w.store, id, w.clock.Now); err != nil {
				t.Error(err)
			}
		}
	}
	w.drain()
	if job := w.job(id); job.State != jobs.Cancelled || job.Done != 200 || len(played.Calls(list)) > 3 {
		t.Errorf("%s, done %d, %d calls", job.State, job.Done, len(played.Calls(list)))
	}
}

func TestProductsThatVanishFromAPageAtHandFail(t *testing.T) {
	got := &taken{}
	s := &script{batch: 100, run: got.run}
	w := newFixture(t, s.reading(engine.Reads{Attributes: []string{"sku"}}), fault{})
	played := w.playPIM(large(5, 0))
	w.turn = time.Nanosecond // each invocation does one step: the page is written, and its products are read again
	id, _ := w.choose("alone", "everything")
	w.deliver()
	if job := w.job(id); len(job.Select.Page) == 0 {
		w.deliver()
	}
	w.turn = 2 * time.Minute
	if job := w.job(id); len(job.Select.Page) == 5 {
		played.Hide(true, uuid(2))
	}
	w.drain()
	job := w.job(id)
	if job.Done+job.Failed != job.Total || job.State != jobs.Partial && job.State != jobs.Succeeded {
		t.Errorf("%+v", job)
	}
}

func TestOnlyWhatChangedSinceTheLastRun(t *testing.T) {
	w, got, _ := selecting(t, large(150, 0))
	run := func(when string, state jobs.State, want ...string) {
		t.Helper()
		w.clock.advance(3 * time.Second)
		got.news()
		job := w.all("changed")
		w.clock.advance(3 * time.Second)
		if found := got.news(); job.State != state || !slices.Equal(found, want) {
			t.Errorf("%s: %s (%s), %d items %v, want %v", when, job.State, job.Message, len(found), found, want)
		}
	}
	var everything []string
	for n := range 150 {
		everything = append(everything, uuid(n))
	}
	run("the first run", jobs.Succeeded, everything...)
	run("nothing has changed", jobs.Succeeded)
	w.edit(pim.TypeProduct, uuid(7))
	w.edit(pim.TypeProduct, uuid(8))
	run("two have changed", jobs.Succeeded, uuid(7), uuid(8))
	run("the two are not handed over again", jobs.Succeeded)
	w.edit(pim.TypeProduct, uuid(8))
	got.fails[uuid(8)] = true
	run("one changed again, and fails", jobs.Failed, uuid(8))
	run("it comes again, and fails", jobs.Failed, uuid(8))
	got.fails = nil
	run("it comes again", jobs.Succeeded, uuid(8))
	run("and not once more", jobs.Succeeded)
	got.err = engine.Permanent("closed", nil)
	w.edit(pim.TypeProduct, uuid(9))
	run("a run whose page is refused", jobs.Failed, uuid(9))
	got.err = nil
	w.edit(pim.TypeProduct, uuid(10))
	run("what was refused comes first, with what changed since", jobs.Succeeded, uuid(9), uuid(10))
	w.clock.advance(jobs.SearchLag)
	run("ten minutes later, nothing", jobs.Succeeded)
	w.clock.advance(40 * 24 * time.Hour)
	w.edit(pim.TypeProduct, uuid(11))
	run("40 days later the record is gone, the mark is not", jobs.Succeeded, uuid(11))
}

func TestAfterFailuresThatAreForgottenEverythingComes(t *testing.T) {
	w, got, _ := selecting(t, large(5, 0))
	got.fails[uuid(1)] = true
	w.all("changed")
	w.clock.advance(40 * 24 * time.Hour)
	got.news()
	if w.all("changed"); len(got.news()) != 5 {
		t.Error("an item that failed 40 days ago is lost")
	}
}

// TestAChangeInTheSameSecondIsNotLost: the PIM's times are whole seconds.
func TestAChangeInTheSameSecondIsNotLost(t *testing.T) {
	w, got, _ := selecting(t, large(5, 0))
	w.all("changed")
	for range 50 { // as many places within a second
		w.clock.advance(997 * time.Millisecond)
		w.edit(pim.TypeProduct, uuid(1))
		w.clock.advance(20 * time.Millisecond)
		w.all("changed")
		got.news()
		w.edit(pim.TypeProduct, uuid(1))
		w.clock.advance(time.Second)
		if w.all("changed"); len(got.news()) == 0 {
			t.Fatal("a change is lost that came in the second in which the one before was handed over")
		}
	}
}

// TestAVariantChangesWithItsModel: its own time stays, and the PIM's search finds it all the same.
func TestAVariantChangesWithItsModel(t *testing.T) {
	catalogue := large(3, 1)
	parent := catalogue.ProductModels[0].Code
	catalogue.Products[1].Parent = &parent
	w, got, _ := selecting(t, catalogue)
	w.all("changed")
	for n := range 3 {
		w.clock.advance(5 * time.Second)
		got.news()
		w.edit(pim.TypeModel, parent)
		w.clock.advance(5 * time.Second)
		w.all("changed")
		if found := got.news(); !slices.Equal(found, []string{uuid(1)}) {
			t.Errorf("change %d of its model: %v", n, found)
		}
		w.clock.advance(5 * time.Second)
		if w.all("changed"); len(got.news()) != 0 {
			t.Errorf("change %d of its model comes twice", n)
		}
	}
}

// TestAFaultInASelectionLosesNothingAndDoublesNothing lets every read and write of the record, every call of the PIM, every
// send and every call of the destination go wrong in turn.
func TestAFaultInASelectionLosesNothingAndDoublesNothing(t *testing.T) {
	for name, b := range backings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clean := selectionScenario(t, b, fault{})
			if clean.count < 12 {
				t.Fatalf("only %d operations: %q", clean.count, clean.names)
			}
			for at := 1; at <= clean.count; at++ {
				for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
					t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at, clean.names[at-1], way.after, way.crash), func(t *testing.T) {
						selectionScenario(t, b, way)
					})
				}
			}
		})
	}
}

func selectionScenario(t *testing.T, b backing, plan fault) *faults {
	const n = 205
	w := newFixture(t, b, plan)
	played := w.playPIMBehind(large(n, 0), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if err := w.faults.op("PIM "+r.URL.Path, func() error { next.ServeHTTP(rw, r); return nil }); err != nil {
				panic(http.ErrAbortHandler)
			}
		})
	})
	var id string
	for ok := false; !ok; { // a user presses again until told success
		id, ok = w.choose("bulk", "changed")
	}
	w.drain()
	count := &faults{count: w.faults.count, names: w.faults.names}
	job := w.job(id)
	if job.State != jobs.Succeeded || job.Done != n || job.Total != n || len(job.ThenDue) > 0 || w.dead() > 0 {
		t.Errorf("%s (%s), done %d, failed %d of %d, %d dead letters", job.State, job.Message, job.Done, job.Failed, job.Total, w.dead())
	}
	if follow := w.job(jobs.ID("report", []byte(id), []byte(jobs.Succeeded))); follow.State != jobs.Succeeded || follow.Total != 0 {
		t.Errorf("follow-up: %+v", follow)
	}
	if mark, err := w.store.Mark(t.Context(), job.Select.Mark); err != nil || mark.Until.IsZero() {
		t.Errorf("mark %+v, %v", mark, err)
	}
	if played.MostAtOnce() > 1 {
		t.Errorf("%d calls of the PIM at once", played.MostAtOnce())
	}
	w.destination.mu.Lock()
	defer w.destination.mu.Unlock()
	if len(w.destination.clashes) > 0 {
		t.Errorf("keys with two contents: %q", w.destination.clashes)
	}
	for what, times := range w.destination.applied {
		if times != 1 && strings.HasPrefix(what, "/bulk") {
			t.Errorf("%s applied %d times", what, times)
		}
	}
	if len(w.destination.applied) < n+1 {
		t.Errorf("%d effects", len(w.destination.applied))
	}
	return count
}

// A page that is read as the invocation's time ends is worked all the same: the next invocation would read its products again.
func TestNoPageIsReadTwice(t *testing.T) {
	got := &taken{fails: map[string]bool{}}
	s := &script{batch: 100, run: got.run}
	w := newFixture(t, s.reading(engine.Reads{Attributes: []string{"sku"}}), fault{})
	got.with = func(engine.Run) { w.clock.advance(35 * time.Second) }
	played := w.playPIMBehind(large(450, 0), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == list {
				w.clock.advance(20 * time.Second)
			}
			next.ServeHTTP(rw, r)
		})
	})
	if job := w.all("everything"); job.State != jobs.Succeeded || job.Done != 450 {
		t.Errorf("%s, done %d", job.State, job.Done)
	}
	if calls := played.Calls(list); len(calls) != 5 {
		t.Errorf("%d lists for 5 pages", len(calls))
	}
	if want := []string{"/0-99", "/100-199", "/200-299", "/300-399", "/400-449"}; !slices.Equal(got.keys, want) {
		t.Errorf("%q", got.keys)
	}
}
