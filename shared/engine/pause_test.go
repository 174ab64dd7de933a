package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// paused is a destination that asks for one pause at its first call and notes when it is called, from the first call on.
type paused struct {
	w     *fixture
	pause time.Duration
	ask   func(until time.Time) error
	first time.Time
	calls []time.Duration
}

func (p *paused) run(context.Context, engine.Run) (engine.Result, error) {
	now := p.w.clock.Now()
	if p.first.IsZero() {
		p.first = now
	}
	p.calls = append(p.calls, now.Sub(p.first))
	if now.Sub(p.first) < p.pause {
		return engine.Result{}, p.ask(p.first.Add(p.pause))
	}
	return engine.Result{}, nil
}

// A queue delays a message for 15 minutes at most; retry.for is an hour for jobs and two for these events. Whoever asked
// for a pause is not called before it ends, and not given up.
func TestAPauseIsKeptHoweverLongItIs(t *testing.T) {
	asks := map[string]func(w **fixture) func(time.Time) error{
		"throttled": func(**fixture) func(time.Time) error {
			return func(until time.Time) error { return &engine.ThrottledError{Until: until, Reason: "429"} }
		},
		"later": func(w **fixture) func(time.Time) error {
			return func(until time.Time) error {
				return &engine.LaterError{After: until.Sub((*w).clock.Now()), Reason: "wait"}
			}
		},
	}
	for name, ask := range asks {
		for _, pause := range []time.Duration{time.Minute, 16 * time.Minute, 3 * time.Hour, 23 * time.Hour} {
			for _, duplicates := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", pause, " duplicates ", duplicates), func(t *testing.T) {
					var w *fixture
					p := &paused{pause: pause, ask: ask(&w)}
					w = newFixture(t, (&script{run: p.run}).backing(), fault{})
					p.w = w
					id, _ := w.press("alone", 1)
					w.deliver()
					if job := w.job(id); job.State != jobs.Waiting || job.NextTry.Sub(w.clock.Now()) < pause-2*time.Second {
						t.Errorf("%s, next try in %s", job.State, job.NextTry.Sub(w.clock.Now()))
					}
					if duplicates {
						job := w.job(id)
						for turn := range int64(4) {
							_ = w.queue.Send(t.Context(), jobs.Message(id, max(job.Turn-turn, 0)))
						}
					}
					w.drain()
					if job := w.job(id); job.State != jobs.Succeeded || len(p.calls) != 2 || p.calls[1] < pause || p.calls[1] > pause+5*time.Minute {
						t.Errorf("a job: %s (%s), called at %v", job.State, job.Reason, p.calls)
					}
					*p = paused{w: w, pause: pause, ask: ask(&w)}
					w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
					if duplicates {
						w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
					}
					w.drainEvents()
					if entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcome != ledger.Applied || len(p.calls) != 2 || p.calls[1] < pause || p.calls[1] > pause+5*time.Minute {
						t.Errorf("an event: %s %v, called at %v", entry.Outcome, entry.Reasons, p.calls)
					}
				})
			}
		}
	}
}

// A destination that asks for a day again and again is given up after three, and a redrive begins anew.
func TestPausesWithoutEndAreGivenUp(t *testing.T) {
	var w *fixture
	asking, calls := true, 0
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
		if calls++; asking {
			return engine.Result{}, &engine.ThrottledError{Until: w.clock.Now().Add(365 * 24 * time.Hour), Reason: "slow down"}
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	begun := w.clock.Now()
	id, _ := w.press("alone", 2)
	w.drain()
	job := w.job(id)
	if took := job.UpdatedAt.Sub(begun); job.State != jobs.Failed || job.Reason != jobs.ReasonGaveUp || job.Cause != jobs.CauseDestinationBusy || calls != 4 || took < 72*time.Hour || took > 74*time.Hour {
		t.Errorf("a job: %s (%s, %s) after %d calls in %s", job.State, job.Reason, job.Cause, calls, took)
	}
	calls = 0
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	w.drainEvents()
	entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1")
	if entry.Outcome != ledger.Failed || calls != 4 || len(w.letters.Messages()) != 1 {
		t.Fatalf("an event: %s after %d calls", entry.Outcome, calls)
	}
	asking = false
	w.redrive()
	if entry, _ = w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcome != ledger.Applied {
		t.Errorf("redriven: %s %v", entry.Outcome, entry.Reasons)
	}
}

// redrive puts the dead letters of events back to work.
func (w *fixture) redrive() {
	w.Helper()
	for _, letter := range w.letters.Messages() {
		if err := w.events.Send(w.Context(), queue.Message{Body: letter.Body, Attributes: letter.Attributes}); err != nil {
			w.Fatal(err)
		}
	}
	w.letters = queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: w.clock.Now})
	w.engine.Config.EventLetters = w.letters
	w.drainEvents()
}

// Each subscription has its own patience: one that waits for two hours spends nothing of another's.
func TestOneSubscriptionsOutageSpendsNothingOfAnothers(t *testing.T) {
	var w *fixture
	var begun time.Time
	calls := map[string]int{}
	l := &listener{}
	l.fail = func(run engine.Run) error {
		at := w.clock.Now().Sub(begun)
		calls[run.Subscription]++
		switch {
		case run.Subscription == "other" && at < time.Minute:
			return errors.New("down for a moment")
		case run.Subscription == "every" && at < 115*time.Minute:
			return &engine.LaterError{After: 10 * time.Minute, Reason: "processing"}
		case run.Subscription == "every" && at < 125*time.Minute:
			return errors.New("one passing failure")
		}
		return nil
	}
	w = newFixture(t, l.script().backing(), fault{})
	begun = w.clock.Now()
	w.receive(pimevent.EventPlatform, platform("e1", "product.deleted", product, begun))
	w.drainEvents()
	entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1")
	if err != nil || entry.AnyFailed() {
		t.Errorf("%v %v, %v", entry.Outcomes, entry.Reasons, err)
	}
	if calls["other"] > 8 {
		t.Errorf("other was called %d times", calls["other"])
	}
}

func TestProgressBeginsPatienceAnew(t *testing.T) {
	var w *fixture
	var since time.Time // of the batch's first try
	last := -1
	s := &script{batch: 1, run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		if run.First != last {
			last, since = run.First, w.clock.Now()
		}
		if w.clock.Now().Sub(since) < 40*time.Minute { // each batch; retry.for is an hour
			return engine.Result{}, errors.New("down")
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 4)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded {
		t.Errorf("%s (%s), done %d", job.State, job.Reason, job.Done)
	}
}

// While a destination that does not work is waited for, a reader sees why, when it is tried next and until when, and no host.
func TestAWaitSaysWhyAndUntilWhen(t *testing.T) {
	w := newFixture(t, memory, fault{})
	w.destination.answer = func(string, int) (int, string) { return 503, "" }
	id, _ := w.press("plain", 1) // retry.for: 2h
	w.deliver()
	now := w.clock.Now()
	job := w.job(id)
	if job.State != jobs.Waiting || job.Cause != jobs.CauseDestinationDown || job.Message != "the destination has a problem" ||
		job.NextTry.Sub(now) > 5*time.Second || job.NextTry.Before(now) || job.GivesUpAt.Sub(now).Round(time.Minute) != 2*time.Hour {
		t.Errorf("%s %q %q, next %s, gives up %s", job.State, job.Cause, job.Message, job.NextTry, job.GivesUpAt)
	}
	w.destination.answer = nil
	w.drain()
	if job := w.job(id); job.Cause != "" || !job.NextTry.IsZero() || !job.GivesUpAt.IsZero() || !job.NotBefore.IsZero() {
		t.Errorf("after the end: %+v", job)
	}
}

// A subscription that was asked for a pause is left alone, although another of the same event goes on before.
func TestAPauseIsItsSubscriptionsOwn(t *testing.T) {
	var w *fixture
	var begun time.Time
	var early int
	l := &listener{fail: func(run engine.Run) error {
		at := w.clock.Now().Sub(begun)
		switch {
		case run.Subscription == "every" && at < time.Minute:
			return &engine.ThrottledError{Until: begun.Add(3 * time.Hour), Reason: "429"}
		case run.Subscription == "every" && at < 3*time.Hour:
			early++
		case run.Subscription == "other" && at < 2*time.Hour:
			return &engine.LaterError{After: 10 * time.Minute}
		}
		return nil
	}}
	w = newFixture(t, l.script().backing(), fault{})
	begun = w.clock.Now()
	w.receive(pimevent.EventPlatform, platform("e1", "product.deleted", product, begun))
	w.drainEvents()
	if entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1"); early > 0 || entry.AnyFailed() || entry.Outcome != ledger.Applied {
		t.Errorf("%d calls in the pause; %v", early, entry.Outcomes)
	}
}

// A message that comes before a pause ends goes back with one small write, and without a call.
func TestAnEarlyMessageGoesBack(t *testing.T) {
	var w *fixture
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
		return engine.Result{}, &engine.ThrottledError{Until: w.clock.Now().Add(2 * time.Hour), Reason: "429"}
	}}
	w = newFixture(t, s.backing(), fault{})
	w.press("alone", 1)
	w.deliver()
	w.receive(pimevent.EventPlatform, platform("e1", "product.created", product, w.clock.Now()))
	w.one()
	w.clock.advance(15 * time.Minute)
	w.faults.names = nil
	w.deliver()
	w.one()
	if got, want := steps(w.faults.names), "load, send, rest, delete, get event, send, save event, delete"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
