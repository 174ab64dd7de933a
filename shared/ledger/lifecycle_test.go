package ledger_test

import (
	"encoding/json"
	"maps"
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
