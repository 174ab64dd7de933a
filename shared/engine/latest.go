package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/ledger"
)

// latest is the mark of a subscription with `deliver: latest`, as this turn has it: of the event's entity, at its time.
type latest struct {
	ledger.Mark
	at time.Time
}

// take takes the right to bring a destination to this event's state: one conditional write takes the lease and moves the
// mark to the event's time, before the run.
func (w *eventWork) take(ctx context.Context, s config.Subscription) (*latest, ledger.Taking, error) {
	at := w.event.Time
	if received := w.delivery.received(w.Now()); at.After(received) {
		at = received // a clock that runs ahead must not hide the changes that follow
	}
	begun := len(w.entry.KindStates[s.Name]) > 0
	for {
		mark, err := w.Ledger.Mark(ctx, s.Name, w.event.Kind+"/"+w.event.EntityID)
		if err != nil {
			return nil, 0, fmt.Errorf("read mark: %w", err)
		}
		mark, taking := mark.Take(w.entry.Key, at, begun, w.Now(), w.leaseEnd())
		if taking != ledger.Taken {
			return &latest{mark, at}, taking, nil
		}
		taken, err := w.Ledger.SaveMark(ctx, mark)
		if errors.Is(err, ledger.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("move mark: %w", err)
		}
		return &latest{taken, at}, taking, nil
	}
}

// release notes on the mark what a verdict means for other events of the entity. begun says that something is under way outside.
func (w *eventWork) release(ctx context.Context, l *latest, v verdict, begun bool) error {
	var mark ledger.Mark
	switch {
	case v.next == ends && v.reason != "":
		mark = l.Refuse(l.at)
	case v.next == ends:
		mark = l.Apply(l.at)
	default:
		mark = l.Wait(v.at.UTC(), begun)
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if _, err := w.Ledger.SaveMark(ctx, mark); err != nil && !errors.Is(err, ledger.ErrConflict) {
		return fmt.Errorf("release mark: %w", err)
	}
	return nil
}
