package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// latest is the mark of a subscription with `deliver: latest`, as this turn has it: of an entity, at an event's time.
type latest struct {
	ledger.Mark
	at time.Time
}

// moment is the event's time as marks know it: a clock that runs ahead must not hide the changes that follow.
func (w *eventWork) moment() time.Time {
	if received := w.delivery.received(w.Now()); w.event.Time.After(received) {
		return received
	}
	return w.event.Time
}

// takeMark takes the right to bring a destination to the state of an event: one conditional write takes the lease and moves
// the mark to the event's time, before the run. holder is the event's record, or the job that does the work (heldBy); begun
// says that something is under way outside.
func (i *Invocation) takeMark(ctx context.Context, subscription, entity, holder string, at time.Time, begun bool) (*latest, ledger.Taking, error) {
	for {
		mark, err := i.Ledger.Mark(ctx, subscription, entity)
		if err != nil {
			return nil, 0, fmt.Errorf("read mark: %w", err)
		}
		if job, held := jobOf(mark); held && mark.Lease.Holder != holder && !mark.Lease.Live(i.Now()) {
			var under bool
			if mark, under, err = i.decided(ctx, mark, job); err != nil {
				return nil, 0, err
			}
			if under {
				return &latest{mark, at}, ledger.Busy, nil
			}
		}
		mark, taking := mark.Take(holder, at, begun, i.Now(), i.leaseEnd())
		if taking != ledger.Taken {
			return &latest{mark, at}, taking, nil
		}
		taken, err := i.Ledger.SaveMark(ctx, mark)
		if errors.Is(err, ledger.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("move mark: %w", err)
		}
		return &latest{taken, at}, taking, nil
	}
}

const jobHolder = "job/" // before a job's ID, as the holder of a mark

// heldBy is the holder of a mark for a job.
func heldBy(job string) string { return jobHolder + job }

// jobOf is the job that holds a mark, until it ends.
func jobOf(mark ledger.Mark) (id string, held bool) {
	return strings.CutPrefix(mark.Lease.Holder, jobHolder)
}

// decided is a mark that a job has held, once that has ended; under says that it has not. A job that was never recorded has
// applied nothing.
func (i *Invocation) decided(ctx context.Context, mark ledger.Mark, id string) (_ ledger.Mark, under bool, err error) {
	job, err := i.Store.Get(ctx, id)
	if errors.Is(err, jobs.ErrNotFound) {
		return mark.Refuse(mark.Time), false, nil
	}
	if err != nil {
		return mark, false, fmt.Errorf("read the job that has the mark: %w", err)
	}
	switch job = job.AsOf(i.Now()); {
	case !job.State.Ended():
		return mark, true, nil
	case job.State == jobs.Succeeded:
		return mark.Apply(mark.Time), false, nil
	}
	return mark.Refuse(mark.Time), false, nil
}

// releaseMark notes on the mark what became of the event, for other events of the entity.
func (i *Invocation) releaseMark(ctx context.Context, l *latest, s settled) error {
	switch {
	case s.outcome == ledger.Applied:
		return i.saveMark(ctx, l.Apply(l.at))
	case s.outcome != "": // refused, or nothing is there to be applied: it makes nothing older stale
		return i.saveMark(ctx, l.Refuse(l.at))
	}
	return i.saveMark(ctx, l.Wait(s.verdict.at.UTC(), false))
}

func (i *Invocation) saveMark(ctx context.Context, mark ledger.Mark) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	if _, err := i.Ledger.SaveMark(ctx, mark); err != nil && !errors.Is(err, ledger.ErrConflict) {
		return fmt.Errorf("release mark: %w", err)
	}
	return nil
}

// busyUntil is when an event comes again whose entity another run, or a job, has in hand: after as long again as it has
// waited for it, at most a message's longest delay.
func (w *eventWork) busyUntil(mark *latest) time.Time {
	now := w.Now()
	w.mu.Lock()
	waited := now.Sub(w.entry.CreatedAt)
	w.mu.Unlock()
	at := now.Add(max(backoff(1), min(waited, queue.MaxDelay)))
	if next := mark.NextTry.Add(shortestWait); next.After(at) {
		at = next
	}
	return at
}
