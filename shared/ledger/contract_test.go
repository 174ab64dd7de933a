package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

// store is what both adapters are.
type store interface {
	ledger.Store
}

// bench is a store and its clock.
type bench struct {
	store
	*clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// contract is what every Store must keep, clause by clause. Clauses on marks and on lists have files of their own.
var contract = []struct {
	name string
	test func(*testing.T, bench)
}{
	{"what is saved is read back", readBack},
	{"what is not there is not found", notThere},
	{"a first save is refused when there is an entry", firstSave},
	{"a save replaces the version that it was made for", versions},
	{"of eight writers one wins each version, and none is lost", race},
	{"of eight first saves one wins", firstRace},
	{"keys are kept apart, whatever they hold", oddKeys},
	{"an entry is gone after its life, and its key is free", expiry},
	{"reasons are cut between characters", longReasons},
	{"a record that is too large is refused", tooLarge},
	{"what a sender made odd or large is recorded", oddEvents},
	{"a store shares nothing with its callers", copies},
	{"a mark that was never set is there", marks},
	{"a mark is of one subscription and one entity", marksApart},
	{"of eight that move a mark one wins", marksRace},
	{"a mark is gone after its life", marksExpire},
	{"a mark of an odd entity is kept", oddMarks},
	{"recent entries are those of an entity, newest first", recent},
	{"recent entries are found behind those whose life has ended", recentPages},
	{"of many entries 100 are listed", manyRecent},
	{"gaps are listed newest first, each once", gaps},
	{"a gap that has ended is not opened again", gapsStayClosed},
	{"a gap can begin anew after its life", gapsExpire},
	{"gaps pair whatever the order in which they are told", gapsPair},
	{"of many gaps the newest 100 are listed", manyGaps},
	{"a gap of odd reasons and events is kept", oddGaps},
	{"a context that has ended ends the call", ended},
}

func fullEntry(key string) ledger.Entry {
	return ledger.Entry{
		Key: key, PIM: "main", Type: "com.akeneo.pim.v1.product.updated", Entity: "main#product/6a9f", Time: noon.Add(-time.Minute),
		Outcomes: map[string]ledger.Outcome{"catalogue": ledger.Applied, "shop": ledger.Failed}, Reasons: map[string]string{"shop": "422"},
		Jobs:       map[string]string{"shop": "shop-1"},
		KindStates: map[string]json.RawMessage{"shop": json.RawMessage(`{"call":"1"}`)}, Outcome: ledger.Applied, Counted: true,
		EndedBy: "delivery", Letter: true, Lease: ledger.Lease{Token: 3, Until: noon.Add(time.Minute), Holder: "me"}, Tries: 2,
		DownSince: noon.Add(-time.Hour), CreatedAt: noon, CountedAs: ledger.Applied, Delivery: "delivery", Round: 4, Turn: 5, Format: ledger.Format,
		Pending: map[string]ledger.Pending{"erp": {Action: "send", Tries: 1, DownSince: noon, Asked: time.Hour, NextTry: noon.Add(time.Hour), Interrupted: true}},
		ThenDue: map[string]string{"shop": "tell"},
	}
}

func readBack(t *testing.T, b bench) {
	given := fullEntry("event-platform/main/1")
	saved := save(t, b, given)
	want := given
	want.Version, want.UpdatedAt, want.ExpiresAt = 1, noon, noon.Add(ledger.Life)
	same(t, "saved", saved, want)
	same(t, "read", get(t, b, given.Key), want)
	fields := reflect.ValueOf(saved)
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			t.Errorf("the test's entry has no %s", fields.Type().Field(i).Name)
		}
	}
}

func notThere(t *testing.T, b bench) {
	for _, key := range []string{"event-platform/main/1", "", "x"} {
		if _, err := b.Get(t.Context(), key); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	if _, err := b.Save(t.Context(), ledger.Entry{}); err == nil {
		t.Error("an entry without a key was saved")
	}
}

func firstSave(t *testing.T, b bench) {
	entry := ledger.Entry{Key: "event-platform/main/1", Tries: 1}
	save(t, b, entry)
	if _, err := b.Save(t.Context(), entry); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a second first save: %v", err)
	}
}

func versions(t *testing.T, b bench) {
	first := save(t, b, ledger.Entry{Key: "event-platform/main/1"})
	b.pass(time.Hour)
	next := first
	next.Tries = 1
	second := save(t, b, next)
	if second.Version != 2 || !second.UpdatedAt.Equal(noon.Add(time.Hour)) || !second.ExpiresAt.Equal(noon.Add(time.Hour+ledger.Life)) {
		t.Errorf("saved %+v", second)
	}
	for _, version := range []int64{0, 1, 3} {
		stale := next
		stale.Version, stale.Tries = version, 9
		if _, err := b.Save(t.Context(), stale); !errors.Is(err, ledger.ErrConflict) {
			t.Errorf("version %d: %v", version, err)
		}
	}
	same(t, "read", get(t, b, first.Key), second)
}

func race(t *testing.T, b bench) {
	const writers, each = 8, 5
	save(t, b, ledger.Entry{Key: "event-platform/main/1"})
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for written := 0; written < each; {
				entry, err := b.Get(t.Context(), "event-platform/main/1")
				if err != nil {
					t.Error(err)
					return
				}
				entry.Tries++
				switch _, err := b.Save(t.Context(), entry); {
				case err == nil:
					written++
				case !errors.Is(err, ledger.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	// A write whose answer was lost, and which another's followed, reads as a conflict: there may be more than succeeded.
	if got := get(t, b, "event-platform/main/1"); got.Tries < writers*each || got.Version != int64(got.Tries)+1 {
		t.Errorf("%d updates and version %d, want %d", got.Tries, got.Version, writers*each)
	}
}

func firstRace(t *testing.T, b bench) {
	won := together(t, 8, func() error {
		_, err := b.Save(t.Context(), ledger.Entry{Key: "event-platform/main/1"})
		return err
	})
	if got := get(t, b, "event-platform/main/1"); won != 1 || got.Version != 1 {
		t.Errorf("%d wrote, version %d", won, got.Version)
	}
}

// together calls f so many times at once and counts its successes. Any error but a conflict fails the test.
func together(t *testing.T, n int, f func() error) int {
	t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			switch err := f(); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ledger.ErrConflict):
				t.Error(err)
			}
		})
	}
	all.Wait()
	return int(won.Load())
}

func oddKeys(t *testing.T, b bench) {
	long := strings.Repeat("é", 5000)
	keys := []string{
		"event-platform/main/1", "event-platform/main/1/2", "event-platform/main/1#2", "event-platform/other/1", "events-api/main/1",
		"event-platform/main/" + long, "event-platform/main/" + long + "2", "event-platform/main/" + long[:800], "event-platform/main/" + long[:802],
		"event-platform/main/" + strings.Repeat("#/", 500), "event-platform/main/" + strings.Repeat("#/", 499) + "##", "event-platform/main/ö\x00\n\"", "event-platform/main/", "x",
	}
	for i, key := range keys {
		save(t, b, ledger.Entry{Key: key, Tries: i, Entity: "main#product/" + long})
	}
	for i, key := range keys {
		if got := get(t, b, key); got.Tries != i || got.Key != key {
			t.Errorf("key %.40q holds entry %d of %.40q", key, got.Tries, got.Key)
		}
	}
	if found, err := b.Recent(t.Context(), "main#product/"+long, 100); len(found) != len(keys) || err != nil {
		t.Errorf("%d entries, %v", len(found), err)
	}
}

func expiry(t *testing.T, b bench) {
	entry := ledger.Entry{Key: "event-platform/main/1", Entity: "main#product/1"}
	saved := save(t, b, entry)
	b.pass(ledger.Life)
	if _, err := b.Get(t.Context(), entry.Key); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("after its life: %v", err)
	}
	if found, err := b.Recent(t.Context(), "main#product/1", 10); len(found) != 0 || err != nil {
		t.Errorf("recent: %v, %v", found, err)
	}
	if _, err := b.Save(t.Context(), saved); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a save of what is gone: %v", err)
	}
	if again := save(t, b, entry); again.Version != 1 {
		t.Errorf("saved anew as version %d", again.Version)
	}
}

func longReasons(t *testing.T, b bench) {
	saved := save(t, b, ledger.Entry{Key: "event-platform/main/1", Reasons: map[string]string{"a": strings.Repeat("é", 200), "b": strings.Repeat("x", 300)}})
	got := get(t, b, saved.Key)
	if want := strings.Repeat("é", 148) + "…"; got.Reasons["a"] != want || len(got.Reasons["b"]) != 300 {
		t.Errorf("reasons of %d and %d bytes: %q", len(got.Reasons["a"]), len(got.Reasons["b"]), got.Reasons["a"])
	}
}

func tooLarge(t *testing.T, b bench) {
	state := json.RawMessage(`"` + strings.Repeat("<", 349000) + `"`)
	save(t, b, ledger.Entry{Key: "event-platform/main/1", KindStates: map[string]json.RawMessage{"a": state}})
	if _, err := b.Save(t.Context(), ledger.Entry{Key: "event-platform/main/2", KindStates: map[string]json.RawMessage{"a": state, "b": state}}); !errors.Is(err, ledger.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// oddEvents: a record that is refused for what its sender made of it would send the event round for ever.
func oddEvents(t *testing.T, b bench) {
	large := strings.Repeat("é", 200_000)
	paris := time.FixedZone("", 2*60*60)
	for name, c := range map[string]struct {
		given ledger.Entry
		want  func(*ledger.Entry)
	}{
		"times of another zone":    {ledger.Entry{Time: noon.In(paris), CreatedAt: noon.In(paris)}, func(e *ledger.Entry) { e.Time, e.CreatedAt = noon, noon }},
		"a time before the year 0": {ledger.Entry{Time: time.Date(0, 1, 1, 0, 0, 0, 0, paris)}, func(e *ledger.Entry) { e.Time = time.Time{} }},
		"a time of the year 10000": {ledger.Entry{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, func(e *ledger.Entry) { e.Time = time.Time{} }},
		"a type too long":          {ledger.Entry{Type: large}, func(e *ledger.Entry) { e.Type = large[:296] + "…" }},
		"an entity too long":       {ledger.Entry{Entity: large}, nil},
	} {
		c.given.Key = "event-platform/main/" + name
		saved := save(t, b, c.given)
		same(t, name, get(t, b, c.given.Key), saved)
		if c.want == nil {
			if found, err := b.Recent(t.Context(), c.given.Entity, 10); len(found) != 1 || len(found[0].Entity) > 800 || err != nil {
				t.Errorf("%s: %d entries, %v", name, len(found), err)
			}
			continue
		}
		want := saved
		c.want(&want)
		same(t, name, saved, want)
	}
}

func copies(t *testing.T, b bench) {
	entry := ledger.Entry{Key: "event-platform/main/1", Entity: "main#product/1", Outcomes: map[string]ledger.Outcome{"a": ledger.Applied}, KindStates: map[string]json.RawMessage{"a": json.RawMessage(`1`)}}
	saved := save(t, b, entry)
	found, err := b.Recent(t.Context(), "main#product/1", 1)
	if len(found) != 1 || err != nil {
		t.Fatalf("%d entries, %v", len(found), err)
	}
	for _, one := range []ledger.Entry{entry, saved, get(t, b, entry.Key), found[0]} {
		one.Outcomes["a"], one.KindStates["a"][0] = ledger.Failed, '2'
	}
	if got := get(t, b, entry.Key); got.Outcomes["a"] != ledger.Applied || string(got.KindStates["a"]) != "1" {
		t.Errorf("changed from outside: %+v", got)
	}
}

func ended(t *testing.T, b bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Get":      func() error { _, err := b.Get(ctx, "event-platform/main/1"); return err },
		"Save":     func() error { _, err := b.Save(ctx, ledger.Entry{Key: "event-platform/main/1"}); return err },
		"Mark":     func() error { _, err := b.Mark(ctx, "a", "b"); return err },
		"SaveMark": func() error { _, err := b.SaveMark(ctx, ledger.Mark{Subscription: "a", Entity: "b"}); return err },
		"Recent":   func() error { _, err := b.Recent(ctx, "a", 1); return err },
		"SaveGap":  func() error { return b.SaveGap(ctx, ledger.Gap{PIM: "main"}) },
		"Gaps":     func() error { _, err := b.Gaps(ctx, "main"); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func save(t *testing.T, b bench, entry ledger.Entry) ledger.Entry {
	t.Helper()
	saved, err := b.Save(t.Context(), entry)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func get(t *testing.T, b bench, key string) ledger.Entry {
	t.Helper()
	entry, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %.60q: %v", key, err)
	}
	return entry
}

func same(t *testing.T, what string, got, want ledger.Entry) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n%+v, want\n%+v", what, got, want)
	}
}
