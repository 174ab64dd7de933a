package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// inQueues is how many messages the queues of work hold.
func (w *fixture) inQueues() int {
	jobs, _ := w.queue.Depth(w.Context())
	events, _ := w.events.Depth(w.Context())
	return jobs.Visible + jobs.Delayed + jobs.InFlight + events.Visible + events.Delayed + events.InFlight
}

// Messages of the past are deleted: however many there are of one turn, the next leaves one.
func TestMessagesDoNotMultiply(t *testing.T) {
	var w *fixture
	down, calls := true, 0
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
		if calls++; down {
			return engine.Result{}, errors.New("down")
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 1)
	w.receive(pimevent.EventPlatform, platform("e1", "product.created", product, w.clock.Now()), platform("e1", "product.created", product, w.clock.Now()))
	for range 5 { // a user presses the button again and again, and a queue delivers twice
		_ = w.queue.Send(t.Context(), jobs.Message(id, 1))
	}
	for range 20 {
		for w.deliver() {
		}
		for {
			messages, _ := w.events.Receive(t.Context(), 10, 0)
			if len(messages) == 0 {
				break
			}
			w.invoke(messages)
		}
		w.clock.advance(time.Minute)
	}
	if n := w.inQueues(); n != 2 {
		t.Errorf("%d messages for one job and one event", n)
	}
	down = false
	w.drain()
	w.drainEvents()
	if w.job(id).State != jobs.Succeeded || w.count("applied") != 1 || w.count("duplicate") != 1 {
		t.Errorf("job %s, %d applied, %d duplicates", w.job(id).State, w.count("applied"), w.count("duplicate"))
	}
}

// A worker of the first wave, which meets messages during a deployment, must leave those that go on with what this one wrote: it knows
// {"job":ID}, and the attribute "api". What comes back from the dead letters, as a webhook's, has the form that both read.
func TestTheFirstWaveLeavesOurMessages(t *testing.T) {
	l := &listener{fail: func(engine.Run) error { return errors.New("down") }}
	w := newFixture(t, l.script().backing(), fault{})
	w.press("alone", 1)
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	w.deliver()
	w.one()
	for _, q := range w.memories {
		for _, m := range q.Messages() {
			var first struct{ Job string }
			_ = json.Unmarshal(m.Body, &first)
			if first.Job != "" || m.Attributes["api"] != "" {
				t.Errorf("readable: %s %v", m.Body, m.Attributes)
			}
		}
	}
	w.drainEvents() // until patience ends
	for _, letter := range w.letters.Messages() {
		if letter.Attributes["api"] != pimevent.EventPlatform || letter.Attributes[engine.TurnAttribute] != "" || letter.Attributes[engine.RedriveAttribute] == "" {
			t.Errorf("letter %v", letter.Attributes)
		}
	}
}

// TestAFaultAnywhereLeavesOneMessage lets everything go wrong in turn while a destination asks for pauses: neither is the job or
// the event lost, nor called too early, nor do messages remain.
func TestAFaultAnywhereLeavesOneMessage(t *testing.T) {
	scenario := func(t *testing.T, plan fault) *faults {
		var w *fixture
		jobPause := &paused{pause: 40 * time.Minute, ask: func(until time.Time) error { return &engine.ThrottledError{Until: until, Reason: "429"} }}
		eventPause := &paused{pause: 40 * time.Minute, ask: jobPause.ask}
		s := &script{run: func(ctx context.Context, run engine.Run) (engine.Result, error) {
			p := jobPause
			if run.Event != nil {
				p = eventPause
			}
			return p.run(ctx, run)
		}}
		w = newFixture(t, s.backing(), fault{})
		jobPause.w, eventPause.w = w, w
		id, _ := w.press("alone", 1)
		w.receive(pimevent.EventPlatform, platform("e1", "product.created", product, w.clock.Now()))
		w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
		most := 0
		for range 200 {
			w.deliver()
			if messages, _ := w.events.Receive(t.Context(), 10, 0); len(messages) > 0 {
				w.invoke(messages)
			}
			most = max(most, w.inQueues())
			w.clock.advance(time.Minute)
		}
		w.faults.plan = fault{}
		if job := w.job(id); job.State != jobs.Succeeded || w.count("applied") > 1 || w.dead() != 0 || len(w.letters.Messages()) != 0 {
			t.Errorf("job %s (%s), %d applied, %d and %d dead letters", job.State, job.Reason, w.count("applied"), w.dead(), len(w.letters.Messages()))
		}
		if entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1"); err != nil || entry.Outcome != "applied" {
			t.Errorf("event %s, %v", entry.Outcome, err)
		}
		if n := w.inQueues(); n != 0 || most > 4 {
			t.Errorf("%d messages left, %d at most", n, most)
		}
		for _, p := range []*paused{jobPause, eventPause} {
			early := 0
			for _, at := range p.calls[1:] {
				if at < p.pause {
					early++
				}
			}
			if early > 1 { // the answer that asked for the pause may be lost once, with its record
				t.Errorf("called at %v", p.calls)
			}
		}
		return w.faults
	}
	clean := scenario(t, fault{})
	for at := 1; at <= clean.count; at++ {
		for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
			t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at, clean.names[at-1], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
		}
	}
}

// The lease's token fences: a worker that lost its lease to another writes nothing, whatever its record's version says.
func TestALostLeaseIsNoticedByItsToken(t *testing.T) {
	var w *fixture
	s := &script{run: func(ctx context.Context, run engine.Run) (engine.Result, error) {
		job, err := w.store.Load(ctx, run.Job)
		if err != nil {
			t.Fatal(err)
		}
		job.Lease.Token++ // another worker has taken it over, and runs
		if _, err := w.store.Save(ctx, job); err != nil {
			t.Fatal(err)
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 1)
	w.deliver()
	job, _ := w.store.Get(t.Context(), id)
	if job.State != jobs.Running || job.Done != 0 {
		t.Errorf("the loser wrote: %s, done %d", job.State, job.Done)
	}
	if depth, _ := w.queue.Depth(t.Context()); depth.Delayed != 1 {
		t.Errorf("queue %+v: the message of the other worker may have been deleted with ours", depth)
	}
}
