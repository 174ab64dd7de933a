package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// latestEvent is a change of one category, which the subscription "latest" wants.
func (w *fixture) latestEvent(id string, ago time.Duration) {
	w.receive(pimevent.EventPlatform, platform(id, "category.updated", `"category":{"code":"c1"}`, w.clock.Now().Add(-ago)))
}

// turn is one invocation for one message.
func (w *fixture) one() {
	messages, err := w.events.Receive(w.Context(), 1, 0)
	if err != nil {
		w.Fatal(err)
	}
	w.invoke(messages)
}

func (w *fixture) outcome(id string) ledger.Outcome {
	entry, err := w.ledger.Get(w.Context(), "event-platform/main/"+id)
	if err != nil {
		w.Fatal(err)
	}
	return entry.Outcome
}

// While a run is under way no other begins, older or newer.
func TestLatestRunsOneAtATime(t *testing.T) {
	var w *fixture
	var ran []string
	inside := 0
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		ran = append(ran, run.Event.ID)
		if inside++; inside > 1 {
			t.Errorf("%s began while another was under way", run.Event.ID)
		}
		defer func() { inside-- }()
		if run.Event.ID == "e2" { // meanwhile two others are delivered
			w.latestEvent("e1", 3*time.Minute)
			w.latestEvent("e3", time.Minute)
			w.one()
			w.one()
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	w.latestEvent("e2", 2*time.Minute)
	w.drainEvents()
	if !slices.Equal(ran, []string{"e2", "e3"}) || w.outcome("e1") != ledger.Stale || w.outcome("e3") != ledger.Applied {
		t.Errorf("ran %v; e1 %s, e3 %s", ran, w.outcome("e1"), w.outcome("e3"))
	}
}

// A kind that begins something outside and looks for its end later keeps its place until then, also when it is the older one.
func TestLatestWaitsForWhatWasBegunOutside(t *testing.T) {
	var w *fixture
	var under, ended []string
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		if len(run.State) == 0 {
			under = append(under, run.Event.ID)
			if len(under) > 1 {
				t.Errorf("%v are under way at once", under)
			}
			return engine.Result{State: json.RawMessage(`{"call":"c"}`)}, &engine.LaterError{After: 3 * time.Hour, Reason: "processing"}
		}
		under, ended = under[:len(under)-1], append(ended, run.Event.ID)
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	w.latestEvent("e1", 2*time.Minute)
	w.one()
	w.latestEvent("e2", time.Minute)
	w.drainEvents()
	if !slices.Equal(ended, []string{"e1", "e2"}) || w.outcome("e1") != ledger.Applied || w.outcome("e2") != ledger.Applied {
		t.Errorf("ended %v; e1 %s, e2 %s", ended, w.outcome("e1"), w.outcome("e2"))
	}
}

// What was refused was not applied: an older change is not too old because of it. While a newer one is not decided, it waits.
func TestLatestIsNotStaleByWhatWasRefused(t *testing.T) {
	var w *fixture
	decided := false
	var ran []string
	l := &listener{fail: func(run engine.Run) error {
		ran = append(ran, run.Event.ID)
		switch {
		case run.Event.ID != "newer":
			return nil
		case decided:
			return engine.Permanent("422", nil)
		}
		return errors.New("down")
	}}
	w = newFixture(t, l.script().backing(), fault{})
	w.latestEvent("newer", time.Minute)
	w.one()
	w.latestEvent("older", 2*time.Minute)
	w.one()
	if slices.Contains(ran, "older") || w.outcome("older") != "" {
		t.Errorf("ran %v while the newer one may have been applied; older is %q", ran, w.outcome("older"))
	}
	decided = true
	w.drainEvents()
	if w.outcome("newer") != ledger.Failed || w.outcome("older") != ledger.Applied {
		t.Errorf("newer %s, older %s: the destination has neither", w.outcome("newer"), w.outcome("older"))
	}
}

func TestLatestIsStaleByWhatWasApplied(t *testing.T) {
	l := &listener{}
	w := newFixture(t, l.script().backing(), fault{})
	w.latestEvent("newer", time.Minute)
	w.drainEvents()
	w.latestEvent("older", 2*time.Minute)
	w.drainEvents()
	if len(l.runs) != 1 || w.outcome("older") != ledger.Stale {
		t.Errorf("%d runs, older %s", len(l.runs), w.outcome("older"))
	}
}

// An event whose worker crashes each time keeps an older one waiting, not for ever.
func TestLatestDoesNotWaitForAnEventThatIsGone(t *testing.T) {
	var w *fixture
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		if run.Event.ID == "newer" {
			w.faults.mu.Lock()
			w.faults.dead = true
			w.faults.mu.Unlock()
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	w.latestEvent("newer", time.Minute)
	w.one()
	w.latestEvent("older", 2*time.Minute)
	w.drainEvents()
	if w.outcome("older") != ledger.Stale || len(w.letters.Messages()) != 1 {
		t.Errorf("older %q, %d dead letters", w.outcome("older"), len(w.letters.Messages()))
	}
}
