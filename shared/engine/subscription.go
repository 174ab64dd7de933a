package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// noRoom is why a subscription fails whose kind's state does not fit the event's record.
const noRoom = "the action's state does not fit beside those of the event's other subscriptions: it cannot go on without doing its work twice"

// subscription does what one subscription asks for and records what came of it, so that a retry leaves it out. last says that
// what it records can wait for the write that ends the turn. Its error is one of the record; what becomes of the action is an outcome, or a wait.
func (w *eventWork) subscription(ctx context.Context, s config.Subscription, last bool) error {
	if s.Action == "" { // a notification that nobody wants: its gap is recorded
		return w.record(ctx, outcome(s, ledger.Unmatched), last)
	}
	if s.Shadow {
		return w.record(ctx, outcome(s, ledger.Shadow), last)
	}
	if m, err := w.gathering.manner(ctx, s.Action); err == nil && m == asJob {
		return w.startJob(ctx, s, last)
	}
	var mark *latest
	if s.Deliver == "latest" && w.event.EntityID != "" && !w.event.Time.IsZero() {
		begun := len(w.state(s)) > 0
		var taking ledger.Taking
		var err error
		mark, taking, err = w.takeMark(ctx, s.Name, w.event.Kind+"/"+w.event.EntityID, w.entry.Key, w.moment(), begun)
		switch {
		case err != nil:
			return err
		case taking == ledger.Older:
			return w.record(ctx, outcome(s, ledger.Stale), last)
		case taking == ledger.Already:
			return w.record(ctx, func(e ledger.Entry) ledger.Entry { return w.ended(e, s, ledger.Applied, "") }, last)
		case taking == ledger.Busy:
			at := w.busyUntil(mark)
			w.open(at)
			return w.record(ctx, func(e ledger.Entry) ledger.Entry {
				pending := e.Of(s.Name)
				pending.NextTry = at.UTC()
				return e.Remember(s.Name, pending)
			}, true)
		}
	}
	for {
		a := w.work(ctx, s)
		if a.gone { // an update of what is gone
			if mark != nil {
				if err := w.releaseMark(ctx, mark, settled{outcome: ledger.Stale}); err != nil {
					return err
				}
			}
			return w.record(ctx, outcome(s, ledger.Stale), last)
		}
		v := w.decide(s, a)
		w.observe(w.log.With("subscription", s.Name), s.Action, a, v)
		if mark != nil && v.next != goesOn {
			if err := w.saveMark(ctx, mark.after(v, len(w.stateAfter(s, v)) > 0 || v.interrupted)); err != nil {
				return err
			}
		}
		if v.next == waits {
			w.open(v.at)
		}
		err := w.record(ctx, func(e ledger.Entry) ledger.Entry { return w.apply(e, s, v) }, v.next == ends && last || v.next == waits && len(v.state) == 0)
		if errors.Is(err, ledger.ErrTooLarge) { // all subscriptions' states together: without its own the kind would do its work twice
			return w.record(ctx, func(e ledger.Entry) ledger.Entry { return w.ended(e, s, ledger.Failed, noRoom) }, last)
		}
		if err != nil || v.next != goesOn {
			return err
		}
	}
}

// after is the mark after a verdict. begun says that something is under way outside.
func (l *latest) after(v verdict, begun bool) ledger.Mark {
	switch {
	case v.next == ends && v.reason != "":
		return l.Refuse(l.at)
	case v.next == ends:
		return l.Apply(l.at)
	}
	return l.Wait(v.at.UTC(), begun)
}

// outcome is a change of an event's record that gives a subscription its outcome, after which nothing follows.
func outcome(s config.Subscription, o ledger.Outcome) func(ledger.Entry) ledger.Entry {
	return func(e ledger.Entry) ledger.Entry { return e.With(s.Name, o, "", "") }
}

// state is what the kind wants to see again.
func (w *eventWork) state(s config.Subscription) json.RawMessage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entry.KindStates[s.Name]
}

// stateAfter is what it wants to see again after a verdict.
func (w *eventWork) stateAfter(s config.Subscription, v verdict) json.RawMessage {
	if v.keepsState && v.next != ends {
		return w.state(s)
	}
	return v.state
}

// work does one run.
func (w *eventWork) work(ctx context.Context, s config.Subscription) answer {
	if m, err := w.gathering.manner(ctx, s.Action); err != nil || m == asJob { // in the second case it has just come to be opened
		return notBegun(err, err == nil || ctx.Err() != nil)
	}
	pending := w.of(s)
	event := w.event
	a := w.run(ctx, w.log, s.Action, w.Invocation.open, func(Action) Run {
		return Run{
			Key: w.key(s, pending), Action: s.Action, Trigger: "event", Subscription: s.Name, PIM: event.PIM, Label: s.Name, Event: &event,
			Items: eventItems(event.Kind, event.EntityID), Total: 1, State: w.state(s), Interrupted: pending.Interrupted,
			Attempt: pending.Tries + 1, Correlation: w.delivery.Attributes[pimevent.AttributeCorrelation], Began: w.entry.CreatedAt, Now: w.Now(),
		}
	})
	if a.class == done && len(a.failures) > 0 {
		a.class, a.reason, a.through = refused, a.failures[0].Reason, 0
		a.failures = nil
	}
	return a
}

// key is the idempotency key of the event for a subscription. An id that is no legal header value is hashed. What the
// configuration adds to the content is the action's name: another than at the first try makes another key.
func (w *eventWork) key(s config.Subscription, pending ledger.Pending) string {
	id := w.event.ID
	if !legalHeader(id) {
		id = "sha256-" + jobs.Digest([]byte(id))
	}
	key := w.event.API + "/" + w.event.PIM + "/" + id + "/" + s.Name
	if pending.Action != "" && pending.Action != s.Action {
		key += "/" + jobs.Digest([]byte(s.Action))
	}
	return key
}

// legalHeader says whether every server reads a text alike as part of a header's value: visible ASCII, and spaces
// (RFC 9110, 5.5).
func legalHeader(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// decide is the verdict on an answer for one subscription.
func (w *eventWork) decide(s config.Subscription, a answer) verdict {
	pending := w.of(s)
	patience := w.Config.Config.Actions[s.Action].Retry
	if patience == 0 {
		patience = eventRetry
	}
	return decide(standing{
		left: 1, batch: 1, patience: patience,
		retries: retries{tries: pending.Tries, downSince: pending.DownSince, asked: pending.Asked},
	}, a, moment{now: w.Now().UTC(), over: w.over(w.Now())})
}

// apply is the entry after a verdict for one subscription.
func (w *eventWork) apply(entry ledger.Entry, s config.Subscription, v verdict) ledger.Entry {
	if v.next == ends && v.reason != "" {
		return w.ended(entry, s, ledger.Failed, v.message)
	}
	if v.next == ends {
		return w.ended(entry, s, ledger.Applied, "")
	}
	before := entry.Of(s.Name)
	pending := ledger.Pending{
		Action: before.Action, Tries: v.tries, DownSince: v.downSince, Asked: v.asked, NextTry: v.at.UTC(), Interrupted: v.interrupted,
	}
	if v.next == goesOn {
		pending.NextTry = time.Time{}
	}
	state := v.state
	if v.keepsState {
		state = entry.KindStates[s.Name]
		pending.Interrupted = pending.Interrupted || before.Interrupted
	}
	return entry.Wait(s.Name, pending, state)
}

// ended is an entry with the outcome for one subscription, and with what follows: the outcome, and the entity if kinds that
// work items can work it.
func (w *eventWork) ended(entry ledger.Entry, s config.Subscription, outcome ledger.Outcome, reason string) ledger.Entry {
	then := w.Config.Config.Actions[s.Action].Then
	state, byItem := jobs.Succeeded, jobs.ThenDone
	if outcome != ledger.Applied {
		state, byItem = jobs.Failed, jobs.ThenNotDone
	}
	entry = entry.With(s.Name, outcome, reason, then[string(state)])
	if action := then[byItem]; action != "" && len(eventItems(w.event.Kind, w.event.EntityID)) > 0 {
		entry = entry.Follow(s.Name, byItem, action)
	}
	return entry
}

// record changes the entry and saves it, or leaves that to the write at the end of the turn.
func (w *eventWork) record(ctx context.Context, change func(ledger.Entry) ledger.Entry, later bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := change(w.entry)
	if later {
		w.entry = entry
		return nil
	}
	err := w.save(ctx, entry)
	if err != nil && !errors.Is(err, errLost) && !errors.Is(err, ledger.ErrTooLarge) {
		w.entry = entry // the next write brings it: what was begun outside must not be forgotten
	}
	return err
}

// startFollowUpOf starts what follows an ended event by one key of what is due.
func (w *eventWork) startFollowUpOf(ctx context.Context, key string) error {
	name, _, _ := strings.Cut(key, "/")
	action, outcome, done := w.entry.ThenDue[key], jobs.Succeeded, 1
	if w.entry.Outcomes[name] != ledger.Applied {
		outcome, done = jobs.Failed, 0
	}
	ran := w.Config.Config.Subscriptions[name].Action
	if w.event.API == pimevent.Notifications {
		ran = w.Config.Config.Notifications[w.event.PIM].Action
	}
	return w.start(ctx, jobs.Job{
		ID: jobs.ID(action, []byte(w.entry.Key), []byte(key), []byte(outcome), fmt.Append(nil, w.entry.Round)), Trigger: jobs.TriggerThen,
		Action: action, Label: name, PIM: w.event.PIM, Items: eventItems(w.event.Kind, w.event.EntityID),
		Correlation: w.delivery.Attributes[pimevent.AttributeCorrelation],
		Ended:       &jobs.Ended{Job: w.entry.Key, Action: ran, Outcome: outcome, Done: done, Total: 1, Message: w.entry.Reasons[name]},
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
