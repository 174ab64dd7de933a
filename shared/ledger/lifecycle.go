package ledger

import (
	"maps"
	"time"
)

// Ended says whether the event's outcome stands.
func (e Entry) Ended() bool { return e.Outcome != "" }

// Whole is the outcome of an event whose subscriptions all have one.
func (e Entry) Whole() Outcome {
	for _, outcome := range ranking {
		if e.any(outcome) {
			return outcome
		}
	}
	return Unmatched
}

// AnyFailed says whether a redrive has something to do.
func (e Entry) AnyFailed() bool { return e.any(Failed) }

func (e Entry) any(outcome Outcome) bool {
	for _, one := range e.Outcomes {
		if one == outcome {
			return true
		}
	}
	return false
}

// Claim is the entry with a new lease. A redrive opens what was not applied again.
func (e Entry) Claim(until time.Time, redrive bool) Entry {
	e.Lease = Lease{Token: e.Lease.Token + 1, Until: until}
	if redrive && e.Ended() {
		e.Outcomes = maps.Clone(e.Outcomes)
		maps.DeleteFunc(e.Outcomes, func(_ string, outcome Outcome) bool { return outcome != Applied })
		e.Outcome, e.Letter, e.DownSince, e.Tries = "", false, time.Time{}, 0
	}
	return e
}

// With is the entry with the outcome for one subscription.
func (e Entry) With(subscription string, outcome Outcome, reason string) Entry {
	e.Outcomes = with(e.Outcomes, subscription, outcome)
	if reason != "" {
		e.Reasons = with(e.Reasons, subscription, reason)
	}
	return e
}

// Release is the entry that goes on later.
func (e Entry) Release() Entry {
	e.Lease.Until = time.Time{}
	return e
}

// End is the entry whose outcome stands. One that failed is due on the dead letters.
func (e Entry) End(outcome Outcome, delivery string) Entry {
	e.Outcome, e.EndedBy, e.Counted = outcome, delivery, true
	e.Letter = e.AnyFailed()
	e.KindStates = nil
	return e.Release()
}

func with[V any](m map[string]V, key string, value V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}
