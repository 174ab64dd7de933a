package engine

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
)

// group is the events of an invocation that one subscription wants for the latest state of what they are about: one run, or
// one job, for all of it. An event is a sign that something has changed; what it is like is read when the run begins. So the
// newest event of an entity stands for the older ones, which share its outcome.
type group struct {
	*Invocation
	s     config.Subscription
	job   bool // the action is done by a job
	log   *slog.Logger
	works []*eventWork
	tally []*tally
}

// entity is one thing that a group brings up to date.
type entity struct {
	item jobs.Item
	of   []*tally // by the events' times: the last one is the newest
	mark *latest
}

func (e *entity) newest() *tally { return e.of[len(e.of)-1] }

// tally is what comes of one event for the group's subscription: of one entity, or of all variants of a model.
type tally struct {
	*eventWork
	mu      sync.Mutex
	open    int // entities that are not settled
	settled []settled
	told    bool
}

// settled is what became of an event for one entity.
type settled struct {
	outcome ledger.Outcome // "": it goes on later
	reason  string         // of Failed
	covered bool           // a newer event of the entity stands for this one: what follows is that one's
	cause   error          // a record was missed
	at      time.Time      // with no outcome and no verdict: when to come again; nothing was tried
	verdict *verdict       // with no outcome: what follows the try
}

func (t *tally) settle(s settled) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled = append(t.settled, s)
	t.open--
}

// settle notes what became of an entity for all its events: alike, or for the older ones as covered says.
func (e *entity) settle(newest settled, covered settled) {
	covered.covered = true
	for _, t := range e.of[:len(e.of)-1] {
		t.settle(covered)
	}
	e.newest().settle(newest)
}

// guard does the group's work. A panic is the failure of its messages.
func (g *group) guard(ctx context.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			g.log.Error("panic", "reason", "panic", "stack", string(debug.Stack()))
			for _, w := range g.works {
				w.fail(ErrPanic)
			}
		}
	}()
	g.do(ctx)
}

// do does what the group wants, as far as the time allows. Each event's part of the work ends with its last entity.
func (g *group) do(ctx context.Context) {
	if len(g.works) == 0 {
		return
	}
	entities := g.entities(ctx)
	g.tell(ctx)
	for len(entities) > 0 {
		n := min(len(entities), g.most(ctx))
		chunk := entities[:n]
		entities = entities[n:]
		switch {
		case ctx.Err() != nil || g.over(g.Now()): // the process is stopping, or its time is used up
			now := settled{at: g.Now()}
			for _, e := range chunk {
				e.settle(now, now)
			}
		case g.job:
			g.start(ctx, chunk)
		default:
			g.run(ctx, chunk)
		}
		g.tell(ctx)
	}
}

// most is how many entities come together: as many as the PIM lists in one call, or as the action takes; of a job, as many as
// it holds.
func (g *group) most(ctx context.Context) int {
	if g.job {
		return jobs.MaxItems
	}
	action, err := g.Invocation.open(ctx, g.s.Action)
	if err != nil || action.Batch() <= 0 {
		return jobs.MaxPage
	}
	return min(action.Batch(), jobs.MaxPage)
}

// entities are those of the events that are due, oldest first. The variants of a model are found in the PIM.
func (g *group) entities(ctx context.Context) (due []*entity) {
	for _, w := range g.works {
		g.tally = append(g.tally, &tally{eventWork: w})
	}
	slices.SortStableFunc(g.tally, func(a, b *tally) int { return a.moment().Compare(b.moment()) })
	known := map[jobs.Item]*entity{}
	var all []*entity
	for _, t := range g.tally {
		items := eventItems(t.event.Kind, t.event.EntityID)
		if g.expands(t.event) {
			t.open = 1
			if next := t.of(g.s).NextTry; g.Now().Before(next) {
				t.settle(settled{at: next})
				continue
			}
			variants, err := g.variants(ctx, t.event)
			if err != nil {
				t.settle(g.after(t, notBegun(err, ctx.Err() != nil)))
				continue
			}
			items = variants
		}
		t.open = len(items)
		for _, item := range items {
			e := known[item]
			if e == nil {
				e = &entity{item: item}
				known[item], all = e, append(all, e)
			}
			e.of = append(e.of, t)
		}
	}
	for _, e := range all {
		if next := e.newest().of(g.s).NextTry; g.Now().Before(next) && !g.expands(e.newest().event) {
			e.settle(settled{at: next}, settled{at: next})
			continue
		}
		due = append(due, e)
	}
	return due
}

// after is what follows an answer about one entity for one of its events.
func (g *group) after(t *tally, a answer) settled {
	v := t.decide(g.s, a)
	switch {
	case v.next == ends && v.reason != "":
		return settled{outcome: ledger.Failed, reason: v.message}
	case v.next == ends:
		return settled{outcome: ledger.Applied}
	}
	if v.next == goesOn {
		v.next, v.at = waits, g.Now()
	}
	return settled{verdict: &v}
}

// tell ends the group's part of each event that is settled.
func (g *group) tell(ctx context.Context) {
	var ready []*tally
	for _, t := range g.tally {
		if t.open <= 0 && !t.told {
			t.told = true
			ready = append(ready, t)
		}
	}
	g.several(len(ready), func(n int) {
		t := ready[n]
		t.guard(func() error {
			t.part(ctx, g.record(ctx, t))
			return nil
		})
	})
}

// record writes what came of an event: it waits for the first of its entities that does, else it has failed if one has.
func (g *group) record(ctx context.Context, t *tally) error {
	var waiting, tried, failed *settled
	outcome, covered := ledger.Outcome(""), true
	var missed error
	for n := range t.settled {
		s := &t.settled[n]
		missed = errors.Join(missed, s.cause)
		switch {
		case s.cause != nil:
		case s.outcome == "" && s.verdict != nil:
			tried = s
		case s.outcome == "":
			if waiting == nil || s.at.Before(waiting.at) {
				waiting = s
			}
		case s.outcome == ledger.Failed:
			failed = s
		}
		covered = covered && s.covered
		if s.outcome == ledger.Applied || s.outcome == ledger.Started || outcome == "" {
			outcome = s.outcome
		}
	}
	only := len(t.wanted) == 1 // the write at the end of the turn follows at once
	switch {
	case missed != nil:
		return missed
	case tried != nil:
		t.eventWork.open(tried.verdict.at)
		return t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry { return t.apply(e, g.s, *tried.verdict) }, true)
	case waiting != nil:
		t.eventWork.open(waiting.at)
		return t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry {
			pending := e.Of(g.s.Name)
			pending.NextTry = waiting.at.UTC()
			return e.Remember(g.s.Name, pending)
		}, true)
	case failed != nil && !covered:
		return t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry { return t.ended(e, g.s, ledger.Failed, failed.reason) }, only)
	case failed != nil:
		return t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry { return e.With(g.s.Name, ledger.Failed, failed.reason, "") }, only)
	case outcome == ledger.Applied && !covered, len(t.settled) == 0:
		return t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry { return t.ended(e, g.s, ledger.Applied, "") }, only)
	}
	return t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry { return e.With(g.s.Name, outcome, "", "") }, only)
}
