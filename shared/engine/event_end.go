package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
)

// end writes the outcome, with the follow-ups and the dead letter that are then due; by that write the event is counted.
func (w *eventWork) end(ctx context.Context, outcome ledger.Outcome) error {
	before, counted := w.entry.CountedAs, w.entry.Counted
	if err := w.save(ctx, w.entry.End(outcome, w.delivery.delivery())); err != nil {
		if w.entry.Version == 0 && errors.Is(err, errLost) { // nothing was claimed: another delivery was faster
			return ledger.ErrConflict
		}
		return w.unwritten(ctx, err)
	}
	if !counted || before != outcome {
		if counted && before != "" { // a redrive has changed what became of the event
			w.countEvent(-1, string(before))
		}
		w.countEvent(1, string(outcome))
	}
	w.log.Info("event ended", "outcome", outcome, "outcomes", fmt.Sprint(w.entry.Outcomes), "duration_ms", w.Now().Sub(w.begun).Milliseconds())
	w.Metrics.Duration("EventAge", w.Now().Sub(w.delivery.received(w.Now())))
	return w.settled(ctx)
}

// settled starts the follow-ups of an ended event and puts it on the dead letters, as far as that is due, then notes that it is done. A
// crash in between does both again: a follow-up's ID is derived, and a redrive of a second letter finds nothing left to do.
func (w *eventWork) settled(ctx context.Context) error {
	entry := w.entry
	if !entry.Letter && len(entry.ThenDue) == 0 {
		return nil
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	for _, key := range slices.Sorted(maps.Keys(entry.ThenDue)) {
		if err := w.startFollowUpOf(ctx, key); err != nil {
			return w.unavailable(ctx, fmt.Errorf("follow-up: %w", err))
		}
	}
	if entry.Letter {
		letter := w.delivery.again(0, 0, 0)
		letter.Attributes[RedriveAttribute] = "1"
		if err := w.EventLetters.Send(ctx, letter); err != nil {
			return w.unavailable(ctx, fmt.Errorf("send to the dead letters: %w", err))
		}
	}
	if _, err := w.Ledger.Save(ctx, entry.Settled()); err != nil && !errors.Is(err, ledger.ErrConflict) {
		return w.unavailable(ctx, fmt.Errorf("record event: %w", err))
	}
	return nil
}

// later sends the message to go on with, then releases the lease. cause is nil where no record was missed.
func (w *eventWork) later(ctx context.Context, at time.Time, cause error) error {
	if errors.Is(cause, errLost) {
		return w.unwritten(ctx, cause)
	}
	tries := 0
	if cause != nil {
		tries = w.delivery.tries() + 1
		w.log.Warn("event goes on later", "reason", "record_unavailable", "error", cause.Error())
	}
	turn := w.entry.Turn + 1
	if err := w.sendEvent(ctx, w.delivery, turn, tries, at.Sub(w.Now())); err != nil {
		// The message stays. What is known of the tries is kept all the same.
		return errors.Join(err, w.save(ctx, w.entry.Release(w.entry.Turn)))
	}
	if err := w.save(ctx, w.entry.Release(turn)); err != nil {
		w.log.Warn("event goes on by the message that is sent", "reason", "record_unavailable", "error", err.Error())
	}
	return nil
}

// unwritten goes on when the record could not be written: with the same keys, once it can.
func (w *eventWork) unwritten(ctx context.Context, err error) error {
	if errors.Is(err, errLost) {
		w.log.Warn("lease lost: another worker goes on", "reason", "lease_lost")
		return w.sendEvent(ctx, w.delivery, w.delivery.turn(), 0, backoff(1))
	}
	return w.unavailable(ctx, err)
}

// save writes the entry as the holder of its lease.
func (w *eventWork) save(ctx context.Context, entry ledger.Entry) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	saved, err := w.Ledger.Save(ctx, entry)
	switch {
	case errors.Is(err, ledger.ErrConflict):
		return errLost
	case err != nil:
		return fmt.Errorf("record event: %w", err)
	}
	w.entry = saved
	return nil
}

// unavailable goes on later without the record: that needs the queue alone.
func (w *eventWork) unavailable(ctx context.Context, cause error) error {
	w.log.Warn("event store unavailable: retrying without the record", "reason", "record_unavailable", "error", cause.Error())
	tries := w.delivery.tries() + 1
	if err := w.sendEvent(ctx, w.delivery, w.delivery.turn(), tries, backoff(tries)); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// sendEvent sends another message for the event. It must have succeeded before the current one is deleted.
func (i *Invocation) sendEvent(ctx context.Context, d EventDelivery, turn int64, tries int, delay time.Duration) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := i.Events.Send(ctx, d.again(turn, tries, delay)); err != nil {
		return fmt.Errorf("send the event to go on with: %w", err)
	}
	return nil
}

func (e *Engine) countEvent(n float64, outcome string) {
	e.Metrics.Count("Events", n, metric.Dimension{Name: "Outcome", Value: outcome})
}
