package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// subscription does what one subscription asks for and records its outcome, so that a retry leaves it out. Its error is one of the
// record; what becomes of the action is an outcome, or a wait.
func (w *eventWork) subscription(ctx context.Context, s config.Subscription) error {
	if s.Shadow {
		return w.outcome(ctx, s, ledger.Shadow, "")
	}
	release := func() {}
	if s.Deliver == "latest" && w.event.EntityID != "" && !w.event.Time.IsZero() {
		var verdict markVerdict
		var err error
		verdict, release, err = w.mark(ctx, s)
		switch {
		case err != nil:
			return err
		case verdict == markStale:
			return w.outcome(ctx, s, ledger.Stale, "")
		case verdict == markBusy:
			w.wait = max(w.wait, backoff(1))
			return nil
		}
	}
	defer release()
	result, err := w.runAction(ctx, s)
	if err == nil && len(result.Failures) > 0 {
		err = Permanent(result.Failures[0].Reason, nil)
	}
	if err == nil {
		return w.outcome(ctx, s, ledger.Applied, "")
	}
	return w.settle(ctx, s, result, err)
}

// settle decides what follows an action's error.
func (w *eventWork) settle(ctx context.Context, s config.Subscription, result Result, err error) error {
	class := classify(err, w.Now())
	switch {
	case ctx.Err() != nil: // the process is stopping: nobody failed
		w.wait = max(w.wait, 1)
		return nil
	case class.later:
		entry := w.entry
		kindState(&entry, s.Name, result.State)
		w.wait = max(w.wait, class.delay, 1)
		_, err := w.save(ctx, entry)
		if err != nil && !errors.Is(err, ledger.ErrTooLarge) {
			w.entry.KindStates = entry.KindStates // the next write brings it: what was started outside must not be forgotten
		}
		return err
	case class.permanent:
		w.log.Warn("subscription failed", "subscription", s.Name, "reason", "permanent", "error", err.Error())
		return w.outcome(ctx, s, ledger.Failed, class.reason)
	}
	if w.entry.DownSince.IsZero() {
		w.entry.DownSince = w.Now().UTC()
	}
	if w.Now().Sub(w.entry.DownSince) >= w.patience(s, err) {
		w.log.Warn("subscription failed", "subscription", s.Name, "reason", "gave_up", "error", err.Error())
		return w.outcome(ctx, s, ledger.Failed, class.reason)
	}
	w.log.Warn("try failed", "subscription", s.Name, "reason", "transient", "error", err.Error(), "tries", w.entry.Tries+1)
	w.down = true
	w.wait = max(w.wait, class.delay, backoff(w.entry.Tries+1))
	return nil
}

func (w *eventWork) patience(s config.Subscription, err error) time.Duration {
	configured := w.Config.Config.Actions[s.Action].Retry
	switch {
	case errors.Is(err, ErrUnknownAction):
		return unknownRetry
	case configured > 0:
		return configured
	}
	return eventRetry
}

func (w *eventWork) runAction(ctx context.Context, s config.Subscription) (Result, error) {
	action, err := w.openAction(ctx, s.Action)
	if err != nil {
		return Result{}, err
	}
	event := w.event
	return w.guard(ctx, w.log, w.turn, action, Run{
		Key:    w.entry.Key + "/" + s.Name,
		Action: s.Action, Trigger: "event", Subscription: s.Name, PIM: event.PIM, Label: s.Name, Event: &event,
		Items: eventItems(event.Kind, event.EntityID), Total: 1, State: w.entry.KindStates[s.Name], Attempt: w.entry.Tries + 1,
		Correlation: w.delivery.Attributes[pimevent.AttributeCorrelation], Now: w.Now(),
	})
}

// eventItems lets kinds that work items work an event about one.
func eventItems(kind, id string) []jobs.Item {
	switch kind {
	case jobs.Product, jobs.ProductModel, jobs.Category:
		if id != "" {
			return []jobs.Item{{Type: kind, ID: id}}
		}
	}
	return nil
}

// outcome records what came of the event for one subscription. The last one's is written with the event's end.
func (w *eventWork) outcome(ctx context.Context, s config.Subscription, outcome ledger.Outcome, reason string) error {
	entry := w.entry.With(s.Name, outcome, reason)
	if w.last && w.wait == 0 {
		w.entry = entry
		return nil
	}
	_, err := w.save(ctx, entry)
	return err
}

type markVerdict int

const (
	markOurs markVerdict = iota
	markStale
	markBusy
)

// mark takes the right to bring a destination to this event's state: one conditional write takes the lease and
// moves the mark to the event's time, before the run. An earlier event is stale; the same time runs.
func (w *eventWork) mark(ctx context.Context, s config.Subscription) (markVerdict, func(), error) {
	nothing := func() {}
	entity := w.event.Kind + "/" + w.event.EntityID
	at := w.event.Time
	if received := w.delivery.received(w.Now()); at.After(received) {
		at = received // a clock that runs ahead must not hide the changes that follow
	}
	for {
		mark, err := w.Ledger.Mark(ctx, s.Name, entity)
		switch {
		case err != nil:
			return 0, nothing, fmt.Errorf("read mark: %w", err)
		case at.Before(mark.Time):
			return markStale, nothing, nil
		case mark.Lease.Live(w.Now()) && mark.Lease.Holder != w.entry.Key:
			return markBusy, nothing, nil
		}
		mark.Time = at
		mark.Lease = ledger.Lease{Token: mark.Lease.Token + 1, Until: w.turn.deadline.Add(leaseMargin).UTC(), Holder: w.entry.Key}
		taken, err := w.Ledger.SaveMark(ctx, mark)
		if errors.Is(err, ledger.ErrConflict) {
			continue
		}
		if err != nil {
			return 0, nothing, fmt.Errorf("move mark: %w", err)
		}
		return markOurs, func() {
			taken.Lease.Until = time.Time{}
			ctx, cancel := detached(ctx)
			defer cancel()
			if _, err := w.Ledger.SaveMark(ctx, taken); err != nil && !errors.Is(err, ledger.ErrConflict) {
				w.log.Warn("mark not released: others wait until its lease ends", "reason", "mark_not_released", "error", err.Error())
			}
		}, nil
	}
}

// sortedNames orders what a map holds by name, so that every turn goes through it alike.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
