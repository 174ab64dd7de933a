package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

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

// recentPages: what has expired and was not removed yet takes places on the pages that a query reads.
func recentPages(t *testing.T, b bench) {
	var entries []ledger.Entry
	for i := range 5 {
		entries = append(entries, save(t, b, ledger.Entry{Key: fmt.Sprintf("event-platform/main/%d", i), Entity: "main#product/1", CreatedAt: noon.Add(time.Duration(i) * time.Second)}))
	}
	b.pass(ledger.Life / 2)
	for _, i := range []int{0, 1, 2, 4} {
		save(t, b, entries[i])
	}
	b.pass(ledger.Life / 2)
	for limit, want := range map[int]string{1: "4", 2: "4 2", 3: "4 2 1", 4: "4 2 1 0", 5: "4 2 1 0"} {
		found, err := b.Recent(t.Context(), "main#product/1", limit)
		var got []string
		for _, entry := range found {
			got = append(got, strings.TrimPrefix(entry.Key, "event-platform/main/"))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("at most %d: %q, want %q, %v", limit, got, want, err)
		}
	}
}

func manyRecent(t *testing.T, b bench) {
	for i := range 101 {
		save(t, b, ledger.Entry{Key: fmt.Sprintf("event-platform/main/%d", i), Entity: "main#product/1", CreatedAt: noon})
	}
	if found, err := b.Recent(t.Context(), "main#product/1", 1000); len(found) != 100 || err != nil {
		t.Errorf("%d entries, %v", len(found), err)
	}
}

func gaps(t *testing.T, b bench) {
	gap := ledger.Gap{PIM: "main", Subscription: "018e", From: noon, Reason: "success rate", Events: []string{"a", "b"}}
	second := ledger.Gap{PIM: "main", Subscription: "018f", From: noon}
	later := ledger.Gap{PIM: "main", Subscription: "018f", From: noon.Add(time.Nanosecond)}
	for _, one := range []ledger.Gap{gap, later, second, gap, {PIM: "other", Subscription: "018e", From: noon}, {PIM: "main2", Subscription: "018e", From: noon}} {
		saveGap(t, b, one)
	}
	gap.To = noon.Add(30 * time.Minute)
	saveGap(t, b, ledger.Gap{PIM: "main", Subscription: "018e", To: gap.To})
	found, err := b.Gaps(t.Context(), "main")
	if err != nil || !reflect.DeepEqual(found, []ledger.Gap{later, second, gap}) {
		t.Errorf("gaps %+v, %v", found, err)
	}
	gap.Events[0], found[2].Events[0] = "spoilt", "spoilt"
	if found, _ := b.Gaps(t.Context(), "main"); len(found) != 3 || found[2].Events[0] != "a" {
		t.Errorf("changed from outside: %+v", found)
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

func gapsExpire(t *testing.T, b bench) {
	gap := ledger.Gap{PIM: "main", Subscription: "018e", From: noon, To: noon.Add(time.Minute)}
	saveGap(t, b, gap)
	b.pass(ledger.Life)
	gap.To = time.Time{}
	saveGap(t, b, gap)
	if found, err := b.Gaps(t.Context(), "main"); err != nil || !reflect.DeepEqual(found, []ledger.Gap{gap}) {
		t.Errorf("gaps %+v, %v", found, err)
	}
}

// gapsPair: suspensions and resumes are told in any order, and more than once.
func gapsPair(t *testing.T, b bench) {
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	begin := func(minute int) ledger.Gap { return ledger.Gap{PIM: "main", Subscription: "018e", From: at(minute)} }
	end := func(minute int) ledger.Gap { return ledger.Gap{PIM: "main", Subscription: "018e", To: at(minute)} }
	told := []ledger.Gap{begin(0), end(10), begin(20), end(30), begin(40), {PIM: "main", Subscription: "018f", To: at(5)}}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
	for _, one := range append(told, told...) {
		saveGap(t, b, one)
	}
	var want []ledger.Gap
	for _, minutes := range [][2]int{{40, -1}, {20, 30}, {0, 10}} {
		gap := begin(minutes[0])
		if minutes[1] >= 0 {
			gap.To = at(minutes[1])
		}
		want = append(want, gap)
	}
	if found, err := b.Gaps(t.Context(), "main"); err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("told as %+v\ngaps %+v, %v", told, found, err)
	}
}

func manyGaps(t *testing.T, b bench) {
	for i := range 103 {
		saveGap(t, b, ledger.Gap{PIM: "main", Subscription: "018e", From: noon.Add(time.Duration(2*i) * time.Second)})
		saveGap(t, b, ledger.Gap{PIM: "main", Subscription: "018e", To: noon.Add(time.Duration(2*i+1) * time.Second)})
	}
	found, err := b.Gaps(t.Context(), "main")
	if err != nil || len(found) != 100 || !found[0].From.Equal(noon.Add(204*time.Second)) || !found[99].To.Equal(noon.Add(7*time.Second)) {
		t.Errorf("%d gaps, %v", len(found), err)
	}
}

func oddGaps(t *testing.T, b bench) {
	large := strings.Repeat("é", 200_000)
	gap := ledger.Gap{PIM: "main", Subscription: large, From: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Reason: large}
	for range 1000 {
		gap.Events = append(gap.Events, large)
	}
	saveGap(t, b, gap)
	if gap.Events[0] != large {
		t.Error("the caller's gap was changed")
	}
	found, err := b.Gaps(t.Context(), "main")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d gaps, %v", len(found), err)
	}
	cut := large[:296] + "…"
	if got := found[0]; !got.From.IsZero() || got.Reason != cut || len(got.Events) != 100 || got.Events[99] != cut || len(got.Subscription) > 800 {
		t.Errorf("%.300v", got)
	}
	saveGap(t, b, ledger.Gap{PIM: "main", Subscription: large, To: noon})
	if found, err := b.Gaps(t.Context(), "main"); err != nil || len(found) != 1 || found[0].To != noon {
		t.Errorf("ended: %d gaps, %v", len(found), err)
	}
}

func saveGap(t *testing.T, b bench, gap ledger.Gap) {
	t.Helper()
	if err := b.SaveGap(t.Context(), gap); err != nil {
		t.Fatal(err)
	}
}
