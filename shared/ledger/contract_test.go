package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

// store is what both adapters are.
type store interface {
	ledger.Store
	ledger.Gaps
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

// contract is what every Store and Gaps must keep, clause by clause.
var contract = []struct {
	name string
	test func(*testing.T, bench)
}{
	{"what is saved is read back", readBack},
	{"what is not there is not found", notThere},
	{"a first save is refused when there is an entry", firstSave},
	{"a save replaces the version that it was made for", versions},
	{"of eight writers one wins each version, and none is lost", race},
	{"keys are kept apart, whatever they hold", oddKeys},
	{"an entry is gone after its life, and its key is free", expiry},
	{"reasons are cut between characters", longReasons},
	{"a record that is too large is refused", tooLarge},
	{"a store shares nothing with its callers", copies},
	{"a mark that was never set is there", marks},
	{"a mark is of one subscription and one entity", marksApart},
	{"a mark is gone after its life", marksExpire},
	{"recent entries are those of an entity, newest first", recent},
	{"gaps are listed newest first, each once", gaps},
	{"a gap that has ended is not opened again", gapsStayClosed},
	{"a context that has ended ends the call", ended},
}

func fullEntry(key string) ledger.Entry {
	return ledger.Entry{
		Key: key, PIM: "main", Type: "com.akeneo.pim.v1.product.updated", Entity: "main#product/6a9f", Time: noon.Add(-time.Minute),
		Outcomes: map[string]ledger.Outcome{"catalogue": ledger.Applied, "shop": ledger.Failed}, Reasons: map[string]string{"shop": "422"},
		KindStates: map[string]json.RawMessage{"shop": json.RawMessage(`{"call":"1"}`)}, Outcome: ledger.Applied, Counted: true,
		EndedBy: "delivery", Letter: true, Lease: ledger.Lease{Token: 3, Until: noon.Add(time.Minute), Holder: "me"}, Tries: 2,
		DownSince: noon.Add(-time.Hour), CreatedAt: noon,
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

func oddKeys(t *testing.T, b bench) {
	long := strings.Repeat("é", 5000)
	keys := []string{
		"event-platform/main/1", "event-platform/main/1/2", "event-platform/main/1#2", "event-platform/other/1", "events-api/main/1",
		"event-platform/main/" + long, "event-platform/main/" + long + "2", "event-platform/main/ö\x00\n\"", "event-platform/main/", "x",
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

func copies(t *testing.T, b bench) {
	entry := ledger.Entry{Key: "event-platform/main/1", Outcomes: map[string]ledger.Outcome{"a": ledger.Applied}, KindStates: map[string]json.RawMessage{"a": json.RawMessage(`1`)}}
	saved := save(t, b, entry)
	for _, one := range []ledger.Entry{entry, saved, get(t, b, entry.Key)} {
		one.Outcomes["a"], one.KindStates["a"][0] = ledger.Failed, '2'
	}
	if got := get(t, b, entry.Key); got.Outcomes["a"] != ledger.Applied || string(got.KindStates["a"]) != "1" {
		t.Errorf("changed from outside: %+v", got)
	}
}

func marks(t *testing.T, b bench) {
	mark, err := b.Mark(t.Context(), "catalogue", "main#product/1")
	if err != nil || mark != (ledger.Mark{Subscription: "catalogue", Entity: "main#product/1"}) {
		t.Fatalf("never set: %+v, %v", mark, err)
	}
	mark.Time, mark.Lease = noon, ledger.Lease{Token: 1, Until: noon.Add(time.Minute), Holder: "event-platform/main/1"}
	saved, err := b.SaveMark(t.Context(), mark)
	want := mark
	want.Version = 1
	if err != nil || saved != want {
		t.Fatalf("saved: %+v, %v", saved, err)
	}
	if _, err := b.SaveMark(t.Context(), mark); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a second first save: %v", err)
	}
	if got, err := b.Mark(t.Context(), "catalogue", "main#product/1"); err != nil || got != want {
		t.Errorf("read: %+v, %v", got, err)
	}
	saved.Time = noon.Add(time.Second)
	if saved, err = b.SaveMark(t.Context(), saved); err != nil || saved.Version != 2 {
		t.Errorf("moved: %+v, %v", saved, err)
	}
}

func marksApart(t *testing.T, b bench) {
	long := strings.Repeat("e", 3000)
	set := func(subscription, entity string) {
		t.Helper()
		if _, err := b.SaveMark(t.Context(), ledger.Mark{Subscription: subscription, Entity: entity, Time: noon}); err != nil {
			t.Errorf("%s %.20s: %v", subscription, entity, err)
		}
	}
	set("a", "main#product/1")
	set("a", "main#product/2")
	set("b", "main#product/1")
	set("a", long)
	set("a", long+"2")
}

func marksExpire(t *testing.T, b bench) {
	if _, err := b.SaveMark(t.Context(), ledger.Mark{Subscription: "a", Entity: "main#product/1", Time: noon}); err != nil {
		t.Fatal(err)
	}
	b.pass(ledger.Life)
	mark, err := b.Mark(t.Context(), "a", "main#product/1")
	if err != nil || mark.Version != 0 || !mark.Time.IsZero() {
		t.Errorf("after its life: %+v, %v", mark, err)
	}
	if _, err := b.SaveMark(t.Context(), mark); err != nil {
		t.Errorf("set anew: %v", err)
	}
}

func recent(t *testing.T, b bench) {
	for i := range 5 {
		save(t, b, ledger.Entry{Key: fmt.Sprintf("event-platform/main/%d", i), Entity: "main#product/1", CreatedAt: noon.Add(time.Duration(i) * time.Second)})
	}
	save(t, b, ledger.Entry{Key: "event-platform/main/other", Entity: "main#product/2", CreatedAt: noon})
	save(t, b, ledger.Entry{Key: "event-platform/main/none", CreatedAt: noon})
	for _, row := range []struct {
		entity string
		limit  int
		want   string
	}{
		{"main#product/1", 3, "4 3 2"},
		{"main#product/1", 100, "4 3 2 1 0"},
		{"main#product/1", 0, "4"},
		{"main#product/2", 10, "other"},
		{"main#product/3", 10, ""},
		{"", 10, ""},
	} {
		found, err := b.Recent(t.Context(), row.entity, row.limit)
		var got []string
		for _, entry := range found {
			got = append(got, strings.TrimPrefix(entry.Key, "event-platform/main/"))
		}
		if err != nil || strings.Join(got, " ") != row.want {
			t.Errorf("%s, at most %d: %q, want %q, %v", row.entity, row.limit, got, row.want, err)
		}
	}
}

func gaps(t *testing.T, b bench) {
	gap := ledger.Gap{PIM: "main", Subscription: "018e", From: noon, Reason: "success rate", Events: []string{"a", "b"}}
	later := ledger.Gap{PIM: "main", Subscription: "018f", From: noon.Add(time.Hour)}
	for _, one := range []ledger.Gap{gap, later, gap, {PIM: "other", Subscription: "018e", From: noon}} {
		saveGap(t, b, one)
	}
	gap.To = noon.Add(30 * time.Minute)
	saveGap(t, b, gap)
	found, err := b.Gaps(t.Context(), "main")
	if err != nil || !reflect.DeepEqual(found, []ledger.Gap{later, gap}) {
		t.Errorf("gaps %+v, %v", found, err)
	}
	if found, err := b.Gaps(t.Context(), "nobody"); len(found) != 0 || err != nil {
		t.Errorf("gaps of nobody: %v, %v", found, err)
	}
	b.pass(ledger.Life)
	if found, err := b.Gaps(t.Context(), "main"); len(found) != 0 || err != nil {
		t.Errorf("after their life: %v, %v", found, err)
	}
}

func gapsStayClosed(t *testing.T, b bench) {
	gap := ledger.Gap{PIM: "main", Subscription: "018e", From: noon, To: noon.Add(time.Minute)}
	saveGap(t, b, gap)
	open := gap
	open.To = time.Time{}
	saveGap(t, b, open)
	if found, err := b.Gaps(t.Context(), "main"); err != nil || !reflect.DeepEqual(found, []ledger.Gap{gap}) {
		t.Errorf("gaps %+v, %v", found, err)
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

func saveGap(t *testing.T, b bench, gap ledger.Gap) {
	t.Helper()
	if err := b.SaveGap(t.Context(), gap); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want ledger.Entry) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n%+v, want\n%+v", what, got, want)
	}
}
