package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

type outcomes = map[string]ledger.Outcome

func TestTheWholeIsTheFirstThatAnySubscriptionHas(t *testing.T) {
	for _, row := range []struct {
		name string
		of   outcomes
		want ledger.Outcome
	}{
		{"nobody wants it", nil, ledger.Unmatched},
		{"one applied it, one failed", outcomes{"a": ledger.Failed, "b": ledger.Applied}, ledger.Applied},
		{"one failed, for one it was stale", outcomes{"a": ledger.Stale, "b": ledger.Failed}, ledger.Failed},
		{"stale, and in a shadow", outcomes{"a": ledger.Shadow, "b": ledger.Stale}, ledger.Stale},
		{"in a shadow alone", outcomes{"a": ledger.Shadow}, ledger.Shadow},
	} {
		if got := (ledger.Entry{Outcomes: row.of}).Summary(); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestAnEventIsClaimedEndedAndRedriven(t *testing.T) {
	until := noon.Add(time.Minute)
	open := ledger.Entry{Key: "k", KindStates: map[string]json.RawMessage{"a": json.RawMessage(`1`)}}
	claimed := open.Claim(until, 0, false)
	if claimed.Lease.Token != 1 || !claimed.Lease.Live(noon) || claimed.Lease.Live(until) {
		t.Errorf("claimed %+v", claimed.Lease)
	}
	half := claimed.With("a", ledger.Applied, "", "").With("b", ledger.Failed, "422", "")
	if len(claimed.Outcomes) != 0 || half.Reasons["b"] != "422" || len(half.Reasons) != 1 {
		t.Errorf("outcomes %v and %v, reasons %v", claimed.Outcomes, half.Outcomes, half.Reasons)
	}
	ended := half.End(ledger.Applied, "delivery")
	if !ended.Ended() || !ended.Letter || !ended.Counted || ended.EndedBy != "delivery" || ended.KindStates != nil || ended.Lease.Live(noon) {
		t.Errorf("ended %+v", ended)
	}
	if again := ended.Claim(until, 0, false); !again.Ended() || again.Lease.Token != 2 {
		t.Errorf("a duplicate opens it: %+v", again)
	}
	ended.DownSince, ended.Tries = noon, 7
	redriven := ended.Claim(until, 0, true)
	if redriven.Ended() || redriven.Letter || !redriven.DownSince.IsZero() || redriven.Tries != 0 || !redriven.Counted || !maps.Equal(redriven.Outcomes, outcomes{"a": ledger.Applied}) {
		t.Errorf("a redrive opens what was not applied: %+v", redriven)
	}
	if whole := open.Claim(until, 0, false).With("a", ledger.Stale, "", "").End(ledger.Stale, "d"); whole.Letter {
		t.Error("what did not fail is a dead letter")
	}
	if released := claimed.Release(4); released.Lease.Live(noon) || released.Lease.Token != 1 || released.Turn != 4 {
		t.Errorf("released %+v", released.Lease)
	}
}

func TestAClaimOpensWhatARedriveIsFor(t *testing.T) {
	mixed := outcomes{"a": ledger.Applied, "b": ledger.Failed, "c": ledger.Stale, "d": ledger.Shadow}
	for _, row := range []struct {
		name    string
		outcome ledger.Outcome
		redrive bool
		left    outcomes
	}{
		{"a delivery of an open event", "", false, mixed},
		{"a redrive that goes on keeps what it has come to", "", true, mixed},
		{"a delivery of an ended event", ledger.Applied, false, mixed},
		{"a redrive of an ended event", ledger.Applied, true, outcomes{"a": ledger.Applied}},
	} {
		before := ledger.Entry{Outcomes: maps.Clone(mixed), Outcome: row.outcome}
		claimed := before.Claim(noon, 0, row.redrive)
		if !maps.Equal(claimed.Outcomes, row.left) {
			t.Errorf("%s: outcomes %v, want %v", row.name, claimed.Outcomes, row.left)
		}
		if !maps.Equal(before.Outcomes, mixed) {
			t.Errorf("%s: changed the entry it was made from", row.name)
		}
	}
}

func TestAnOutcomeLeavesTheEntryItWasMadeFrom(t *testing.T) {
	before := ledger.Entry{Outcomes: outcomes{"a": ledger.Failed}, Reasons: map[string]string{"a": "422"}}
	after := before.With("a", ledger.Applied, "late", "").With("b", ledger.Shadow, "", "")
	if before.Outcomes["a"] != ledger.Failed || before.Reasons["a"] != "422" || len(before.Outcomes) != 1 {
		t.Errorf("before: %v, %v", before.Outcomes, before.Reasons)
	}
	if !maps.Equal(after.Outcomes, outcomes{"a": ledger.Applied, "b": ledger.Shadow}) || !maps.Equal(after.Reasons, map[string]string{"a": "late"}) {
		t.Errorf("after: %v, %v", after.Outcomes, after.Reasons)
	}
}

// An event goes on when the first of its subscriptions may; one that has yet to begin may at once.
func TestWhenAnEventIsDue(t *testing.T) {
	pending := func(tries ...time.Duration) ledger.Entry {
		entry := ledger.Entry{}
		for i, try := range tries {
			p := ledger.Pending{Tries: 1}
			if try > 0 {
				p.NextTry = noon.Add(try)
			}
			entry = entry.Remember(string(rune('a'+i)), p)
		}
		return entry
	}
	for _, row := range []struct {
		name  string
		entry ledger.Entry
		want  time.Time
	}{
		{"nothing is known", ledger.Entry{}, time.Time{}},
		{"one waits", pending(time.Hour), noon.Add(time.Hour)},
		{"three wait", pending(2*time.Hour, time.Hour, 3*time.Hour), noon.Add(time.Hour)},
		{"one waits, one has yet to begin", pending(time.Hour, 0), time.Time{}},
	} {
		if got := row.entry.Due(); !got.Equal(row.want) {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// What an entry remembers of a subscription goes with its try, or with its outcome; that of others stays.
func TestAnEntryRemembersEachSubscriptionForItself(t *testing.T) {
	state := json.RawMessage(`{"call":"c1"}`)
	entry := (ledger.Entry{}).Wait("a", ledger.Pending{Tries: 1}, state).Wait("b", ledger.Pending{Tries: 2}, state)
	if len(entry.KindStates) != 2 || entry.Of("a").Tries != 1 || entry.Of("b").Tries != 2 {
		t.Fatalf("%+v", entry)
	}
	if again := entry.Wait("a", ledger.Pending{Tries: 3}, nil); len(again.KindStates) != 1 || string(again.KindStates["b"]) != string(state) || again.Of("a").Tries != 3 {
		t.Errorf("a try that leaves no state: %+v", again)
	}
	ended := entry.With("a", ledger.Failed, "422", "tell")
	if _, there := ended.KindStates["a"]; there || len(ended.Pending) != 1 || ended.Of("b").Tries != 2 || !maps.Equal(ended.ThenDue, map[string]string{"a": "tell"}) {
		t.Errorf("an outcome: %+v", ended)
	}
	if last := ended.With("b", ledger.Applied, "", ""); last.KindStates != nil || last.Pending != nil || len(last.ThenDue) != 1 {
		t.Errorf("the last outcome: %+v", last)
	}
	if none := (ledger.Entry{}).With("a", ledger.Applied, "", ""); none.ThenDue != nil {
		t.Errorf("a follow-up that nobody asked for: %v", none.ThenDue)
	}
}

func TestWhatAnEntryKeepsOfOddTexts(t *testing.T) {
	m := ledger.NewMemory(ledger.MemoryConfig{Now: func() time.Time { return noon }})
	for at, kept := range map[time.Time]bool{
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC): true, time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC): false,
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC): true, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC): false,
	} {
		saved, err := m.Save(t.Context(), ledger.Entry{Key: at.String(), Time: at})
		if want := map[bool]time.Time{true: at}[kept]; err != nil || !saved.Time.Equal(want) {
			t.Errorf("the time %s: %s, %v", at, saved.Time, err)
		}
	}
	for length, want := range map[int]string{300: strings.Repeat("x", 300), 301: strings.Repeat("x", 297) + "…"} {
		saved, err := m.Save(t.Context(), (ledger.Entry{Key: fmt.Sprint(length)}).With("a", ledger.Failed, strings.Repeat("x", length), ""))
		if err != nil || saved.Reasons["a"] != want {
			t.Errorf("a reason of %d bytes: %d bytes, %v", length, len(saved.Reasons["a"]), err)
		}
	}
}

// A record of exactly what a row holds is kept.
func TestAnEntrysLimit(t *testing.T) {
	const most = 350_000 // bytes, with the end of its line
	m := ledger.NewMemory(ledger.MemoryConfig{Now: func() time.Time { return noon }})
	with := func(size int) ledger.Entry {
		return (ledger.Entry{Key: "k"}).Wait("a", ledger.Pending{Tries: 1}, json.RawMessage(`"`+strings.Repeat("x", size)+`"`))
	}
	saved, err := ledger.NewMemory(ledger.MemoryConfig{Now: func() time.Time { return noon }}).Save(t.Context(), with(0))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	room := most - len(text) - 1
	if _, err := m.Save(t.Context(), with(room+1)); !errors.Is(err, ledger.ErrTooLarge) {
		t.Errorf("one byte above it: %v", err)
	}
	if _, err := m.Save(t.Context(), with(room)); err != nil {
		t.Errorf("at it: %v", err)
	}
}
