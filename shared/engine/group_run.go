package engine

import (
	"context"
	"errors"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Cause is what an event says of an item of a run.
type Cause struct {
	Event   *pimevent.Event // the newest of the entity
	Key     string          // idempotency key of what is sent about the item alone; "" in a job, whose own keys hold
	Began   time.Time       // when the event was recorded
	Deleted bool            // an event says that the entity is deleted
	Reached time.Time       // an older state of the entity lacks what the events tell of; zero: they do not say
	events  int             // that it stands for
}

// run does runs over a chunk of entities until all are through, or one does not work, or the time is used up.
func (g *group) run(ctx context.Context, chunk []*entity) {
	taken := g.take(ctx, chunk, func(e *entity) string { return e.newest().entry.Key })
	for len(taken) > 0 {
		a := g.once(ctx, taken)
		through := a.through
		g.release(ctx, taken[:through], func(n int) answer { return a.about(n) })
		taken = taken[through:]
		if a.class == done && through > 0 && ctx.Err() == nil && !g.over(g.Now()) {
			continue
		}
		rest := a
		rest.through, rest.failures = 0, nil
		if a.class == done {
			rest = answer{class: idle}
		}
		g.release(ctx, taken, func(int) answer { return rest })
		if len(taken) > 0 {
			g.observe(g.log, g.s.Action, rest, taken[0].newest().decide(g.s, rest))
		}
		return
	}
}

// once does one run.
func (g *group) once(ctx context.Context, entities []*entity) answer {
	a := g.Invocation.run(ctx, g.log, g.s.Action, g.Invocation.open, func(Action) Run {
		run := Run{
			Action: g.s.Action, Trigger: jobs.TriggerEvent, Subscription: g.s.Name, PIM: g.s.PIM, Label: g.s.Name, Total: len(entities), Now: g.Now(),
		}
		keys := make([][]byte, len(entities))
		for n, e := range entities {
			cause := g.causeOf(e)
			keys[n] = []byte(cause.Key)
			newest := e.newest()
			run.Items, run.Causes = append(run.Items, e.item), append(run.Causes, cause)
			run.Attempt = max(run.Attempt, newest.of(g.s).Tries+1)
			if cause.Began.After(run.Began) {
				run.Began = cause.Began
			}
			if n == 0 {
				run.Correlation = newest.delivery.Attributes[pimevent.AttributeCorrelation]
			}
		}
		run.Key = g.s.API + "/" + g.s.PIM + "/" + g.s.Name + "/latest-" + jobs.Digest(keys...)
		return run
	})
	if a.class == later && len(a.state) > 0 {
		const reason = "the action waits for something outside, and has not said so: it cannot for several products at once"
		a.class, a.reason, a.cause, a.err = refused, reason, jobs.CauseInternal, errors.New(reason)
	}
	return a
}

// causeOf is what the events say of an entity.
func (g *group) causeOf(e *entity) Cause {
	newest := e.newest()
	cause := Cause{Event: &newest.event, Key: newest.key(g.s, newest.of(g.s)), Began: newest.entry.CreatedAt, events: len(e.of)}
	for _, t := range e.of {
		if e.item != (jobs.Item{Type: t.event.Kind, ID: t.event.EntityID}) { // a variant, of which no event tells
			continue
		}
		cause.Deleted = cause.Deleted || t.event.Deletion()
		if reached := t.event.Reached(); reached.After(cause.Reached) {
			cause.Reached = reached
		}
	}
	if g.expands(newest.event) {
		cause.Key += "/" + e.item.Type + "/" + e.item.ID
	}
	return cause
}

// about is an answer as far as it concerns one item of the run, which is through.
func (a answer) about(index int) answer {
	one := answer{class: done, began: true, through: 1, gone: a.gone || a.absent[index]}
	for _, failure := range a.failures {
		if failure.Index == index {
			return answer{class: refused, began: true, reason: failure.Reason}
		}
	}
	return one
}

// take takes the marks of entities. What something newer was applied to is settled, and so is what is busy: its newest event
// comes again and stands for the others.
func (g *group) take(ctx context.Context, entities []*entity, holder func(*entity) string) (taken []*entity) {
	results := make([]ledger.Taking, len(entities))
	causes := make([]error, len(entities))
	g.several(len(entities), func(n int) {
		e := entities[n]
		e.mark, results[n], causes[n] = g.takeMark(ctx, g.s.Name, e.item.Type+"/"+e.item.ID, holder(e), e.newest().moment(), false)
	})
	for n, e := range entities {
		switch missed := (settled{cause: causes[n]}); {
		case causes[n] != nil:
			e.settle(missed, missed)
		case results[n] == ledger.Taken:
			taken = append(taken, e)
		case results[n] == ledger.Busy:
			e.settle(settled{at: e.newest().busyUntil(e.mark)}, settled{outcome: ledger.Stale})
		case results[n] == ledger.Already:
			e.settle(settled{outcome: ledger.Applied}, settled{outcome: ledger.Applied})
		default:
			e.settle(settled{outcome: ledger.Stale}, settled{outcome: ledger.Stale})
		}
	}
	return taken
}

// release gives marks back and settles their entities by an answer.
func (g *group) release(ctx context.Context, entities []*entity, of func(n int) answer) {
	g.several(len(entities), func(n int) {
		e, a := entities[n], of(n)
		result := make([]settled, len(e.of))
		for k, t := range e.of {
			if result[k] = g.after(t, a); a.gone { // an update of what is gone
				result[k] = settled{outcome: ledger.Stale}
			}
			result[k].covered = k < len(e.of)-1
		}
		newest := result[len(result)-1]
		for k := range result { // what waits comes again together
			if v := result[k].verdict; v != nil && newest.verdict != nil {
				v.at = newest.verdict.at
			}
		}
		if err := g.releaseMark(ctx, e.mark, newest); err != nil {
			for k := range result {
				result[k].cause = err
			}
		}
		for k, t := range e.of {
			t.settle(result[k])
		}
	})
}

// expands says whether variants are delivered in place of what an event is about.
func (g *group) expands(event pimevent.Event) bool {
	return g.s.Expand && event.Kind == jobs.ProductModel && !event.Deletion()
}
