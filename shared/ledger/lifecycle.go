package ledger

import (
	"encoding/json"
	"maps"
	"time"
)

// Ended says whether the event's outcome stands.
func (e Entry) Ended() bool { return e.Outcome != "" }

// Summary is the outcome of an event whose subscriptions all have one: see ranking.
func (e Entry) Summary() Outcome {
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

// Of is what is remembered of the event for a subscription.
func (e Entry) Of(subscription string) Pending {
	if p, there := e.Pending[subscription]; there {
		return p
	}
	return Pending{Tries: e.Tries, DownSince: e.DownSince} // of the first wave; else nothing
}

// Due says from when on the event may go on: not before a time, if each subscription that was begun waits until then or longer
// and none has yet to begin, as far as the record knows.
func (e Entry) Due() time.Time {
	var due time.Time
	for _, p := range e.Pending {
		if p.NextTry.IsZero() {
			return time.Time{}
		}
		if due.IsZero() || p.NextTry.Before(due) {
			due = p.NextTry
		}
	}
	return due
}

// Claim is the entry with a new lease, for the message with a turn. If the one before was not given back, a run may have
// acted without telling. A redrive opens what was not applied again, and forgets what was remembered of it.
func (e Entry) Claim(until time.Time, turn int64, redrive bool) Entry {
	if !e.Lease.Until.IsZero() {
		pending := maps.Clone(e.Pending)
		for name := range e.KindStates {
			p := e.Of(name)
			p.Interrupted = true
			pending = with(pending, name, p)
		}
		e.Pending = pending
	}
	e.Lease = Lease{Token: e.Lease.Token + 1, Until: until}
	e.Turn = max(e.Turn, turn)
	if redrive && e.Ended() {
		e.Outcomes = maps.Clone(e.Outcomes)
		maps.DeleteFunc(e.Outcomes, func(_ string, outcome Outcome) bool { return outcome != Applied && outcome != Started })
		e.Outcome, e.Letter, e.DownSince, e.Tries = "", false, time.Time{}, 0
		e.Pending, e.Reasons, e.ThenDue = nil, nil, nil
		e.Round++
	}
	return e
}

// Remember is the entry with what is to be remembered of it for a subscription.
func (e Entry) Remember(subscription string, p Pending) Entry {
	e.Pending = with(e.Pending, subscription, p)
	return e
}

// Begin is the entry with the job that does what a subscription asks for.
func (e Entry) Begin(subscription, job string) Entry {
	e.Jobs = with(e.Jobs, subscription, job)
	return e
}

// Wait is the entry after a subscription's try that left it open, with the state that its kind wants to see again.
func (e Entry) Wait(subscription string, p Pending, state json.RawMessage) Entry {
	e = e.Remember(subscription, p)
	e.KindStates = without(e.KindStates, subscription)
	if len(state) > 0 {
		e.KindStates = with(e.KindStates, subscription, state)
	}
	return e
}

// With is the entry with the outcome for one subscription, and with the follow-up action that is then due ("": none).
func (e Entry) With(subscription string, outcome Outcome, reason, then string) Entry {
	e.Outcomes = with(e.Outcomes, subscription, outcome)
	e.Reasons = without(e.Reasons, subscription)
	if reason != "" {
		e.Reasons = with(e.Reasons, subscription, reason)
	}
	if then != "" {
		e.ThenDue = with(e.ThenDue, subscription, then)
	}
	e.Pending, e.KindStates = without(e.Pending, subscription), without(e.KindStates, subscription)
	return e
}

// Follow is the entry with a further action that is due for a subscription, beside what follows its outcome: what says
// which. The key is the subscription and that, with a slash between them.
func (e Entry) Follow(subscription, what, action string) Entry {
	e.ThenDue = with(e.ThenDue, subscription+"/"+what, action)
	return e
}

// Release is the entry that goes on later, by the message with a turn.
func (e Entry) Release(turn int64) Entry {
	e.Lease.Until = time.Time{}
	e.Turn = turn
	return e
}

// End is the entry whose outcome stands. One that failed is due on the dead letters.
func (e Entry) End(outcome Outcome, delivery string) Entry {
	e.Outcome, e.EndedBy, e.Counted, e.CountedAs = outcome, delivery, true, outcome
	e.Letter = e.AnyFailed()
	e.KindStates, e.Pending, e.Tries, e.DownSince = nil, nil, 0, time.Time{}
	return e.Release(e.Turn)
}

// Settled is the ended entry whose dead letter and follow-ups are sent.
func (e Entry) Settled() Entry {
	e.Letter, e.ThenDue = false, nil
	return e
}

func without[V any](m map[string]V, key string) map[string]V {
	if _, there := m[key]; !there {
		return m
	}
	m = maps.Clone(m)
	if delete(m, key); len(m) == 0 {
		return nil
	}
	return m
}

func with[M ~map[string]V, V any](m M, key string, value V) M {
	m = maps.Clone(m)
	if m == nil {
		m = M{}
	}
	m[key] = value
	return m
}
