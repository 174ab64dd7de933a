package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// RedriveAttribute marks a dead letter of the events queue: run what is not applied, although the outcome stands.
const RedriveAttribute = "redrive"

const eventRetry = 24 * time.Hour // default of retry.for for events

// EventDelivery is one receive of a message that holds an event.
type EventDelivery struct {
	Body       []byte // the sender's own bytes
	Attributes map[string]string
}

func (d EventDelivery) tries() int {
	n, _ := strconv.Atoi(d.Attributes[TriesAttribute]) // absent or odd: none
	return max(n, 0)
}

func (d EventDelivery) received(now time.Time) time.Time {
	at, err := time.Parse(time.RFC3339Nano, d.Attributes[pimevent.AttributeReceived])
	if err != nil {
		return now.UTC()
	}
	return at.UTC()
}

// again is the message to go on with.
func (d EventDelivery) again(tries int, delay time.Duration) queue.Message {
	attributes := map[string]string{}
	for name, value := range d.Attributes {
		attributes[name] = value
	}
	delete(attributes, TriesAttribute)
	if tries > 0 {
		attributes[TriesAttribute] = strconv.Itoa(tries)
	}
	return queue.Message{Body: d.Body, Attributes: attributes, Delay: min(delay, queue.MaxDelay)}
}

// Event does what the subscriptions ask for, once, and records the outcome. nil means that the message can be
// deleted; an error that it must stay in the queue.
func (e *Engine) Event(ctx context.Context, d EventDelivery) error {
	turn := newTurn(ctx, e.Now())
	event := pimevent.Decode(d.Attributes[pimevent.AttributeAPI], d.Attributes[pimevent.AttributePIM], d.Body)
	key := event.API + "/" + event.PIM + "/" + event.ID
	log := e.Log.With("event", event.ID, "type", event.Type, "pim", event.PIM, "correlation", d.Attributes[pimevent.AttributeCorrelation])
	if turn.over(e.Now()) {
		return e.eventAgain(ctx, d, 0, 0)
	}
	for {
		entry, err := e.Ledger.Get(ctx, key)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			entry = e.newEntry(key, event)
		case err != nil:
			return e.ledgerAway(ctx, log, d, fmt.Errorf("read event: %w", err))
		}
		redrive := d.Attributes[RedriveAttribute] != ""
		switch {
		case entry.Ended() && entry.Letter && !redrive: // crashed between the end and the dead letter
			return e.bury(ctx, log, d, entry)
		case entry.Ended() && !redrive:
			if d.Attributes[pimevent.AttributeDelivery] == "" || d.Attributes[pimevent.AttributeDelivery] != entry.EndedBy {
				e.countEvent("duplicate")
				log.Info("event was seen before", "outcome", "duplicate")
			}
			return nil
		case entry.Ended() && entry.Whole() == ledger.Applied && !entry.AnyFailed():
			return nil // redriven twice
		case entry.Lease.Live(e.Now()):
			return e.eventAgain(ctx, d, 0, backoff(1))
		}
		claimed := entry.Claim(turn.deadline.Add(leaseMargin).UTC(), redrive)
		saved, err := e.Ledger.Save(ctx, claimed)
		if errors.Is(err, ledger.ErrConflict) {
			continue // another was faster: look again
		}
		if err != nil {
			return e.ledgerAway(ctx, log, d, fmt.Errorf("claim event: %w", err))
		}
		w := &eventWork{Engine: e, log: log, turn: turn, delivery: d, event: event, entry: saved}
		return w.do(ctx)
	}
}

func (e *Engine) newEntry(key string, event pimevent.Event) ledger.Entry {
	entry := ledger.Entry{Key: key, PIM: event.PIM, Type: event.Type, Time: event.Time, CreatedAt: e.Now().UTC()}
	if event.EntityID != "" {
		entry.Entity = event.PIM + "#" + event.Kind + "/" + event.EntityID
	}
	return entry
}

// eventWork is one turn on one event whose lease we hold.
type eventWork struct {
	*Engine
	log      *slog.Logger
	turn     turn
	delivery EventDelivery
	event    pimevent.Event
	entry    ledger.Entry
	wait     time.Duration // until what is open should be tried again; 0: nothing is open
	down     bool          // something is open because a try failed
	last     bool          // the subscription at hand is the last without an outcome
}

func (w *eventWork) do(ctx context.Context) error {
	outcome, wanted, err := w.wanted(ctx)
	switch {
	case err != nil:
		return w.later(ctx, backoff(w.entry.Tries+1), err)
	case outcome != "":
		return w.end(ctx, outcome)
	}
	wanted = slices.DeleteFunc(wanted, func(s config.Subscription) bool { return w.entry.Outcomes[s.Name] != "" })
	for i, subscription := range wanted {
		w.last = i == len(wanted)-1
		if ctx.Err() != nil || w.turn.over(w.Now()) { // the process is stopping, or its time is used up
			w.wait = max(w.wait, 1)
			break
		}
		if err := w.subscription(ctx, subscription); err != nil {
			return w.later(ctx, backoff(w.entry.Tries+1), err)
		}
	}
	if w.wait > 0 {
		return w.later(ctx, w.wait, nil)
	}
	return w.end(ctx, w.entry.Whole())
}

// wanted says which subscriptions the event is for, or the outcome of one that is for none.
func (w *eventWork) wanted(ctx context.Context) (ledger.Outcome, []config.Subscription, error) {
	if w.event.API == pimevent.Notifications {
		if err := w.gap(ctx); err != nil {
			return "", nil, err
		}
		notification, there := w.Config.Config.Notifications[w.event.PIM]
		if !there {
			return ledger.Unmatched, nil, nil
		}
		return "", []config.Subscription{{Name: "notifications", PIM: w.event.PIM, API: w.event.API, Deliver: "every", Action: notification.Action}}, nil
	}
	refused, odd := foreign(w.Config.Config.PIMs[w.event.PIM], w.event)
	if refused || odd {
		w.log.Warn("event names another PIM as its source", "reason", "pim_source", "source", host(w.event.Source))
		w.Metrics.Count("EventsOfOtherSource", 1)
	}
	if refused {
		return ledger.Foreign, nil, nil
	}
	own, err := w.own(ctx)
	if own || err != nil {
		return ledger.Self, nil, err
	}
	var wanted []config.Subscription
	for _, name := range sortedNames(w.Config.Config.Subscriptions) {
		if matches, _ := Matches(w.Config.Config.Subscriptions[name], w.event); matches {
			wanted = append(wanted, w.Config.Config.Subscriptions[name])
		}
	}
	if len(wanted) == 0 {
		return ledger.Unmatched, nil, nil
	}
	return "", wanted, nil
}

// own says whether we caused the event ourselves: acting on it would make a loop.
func (w *eventWork) own(ctx context.Context) (bool, error) {
	author := w.event.Author
	if author.Type != "api" || author.Identifier == "" {
		return false, nil
	}
	secrets, err := w.Secrets(ctx)
	if err != nil {
		return false, fmt.Errorf("connection secret: %w", err)
	}
	for _, list := range [][]string{secrets.Identities[w.event.PIM], w.Config.Config.PIMs[w.event.PIM].Self} {
		for _, identity := range list {
			if identity == author.Identifier {
				return true, nil
			}
		}
	}
	return false, nil
}

// end writes the outcome; by that write the event is counted.
func (w *eventWork) end(ctx context.Context, outcome ledger.Outcome) error {
	counted := w.entry.Counted
	entry := w.entry.End(outcome, w.delivery.Attributes[pimevent.AttributeDelivery])
	saved, err := w.save(ctx, entry)
	if err != nil {
		return w.unsaved(ctx, err)
	}
	if !counted {
		w.countEvent(string(outcome))
	}
	w.log.Info("event ended", "outcome", outcome, "outcomes", fmt.Sprint(saved.Outcomes), "tries", saved.Tries, "duration_ms", w.Now().Sub(w.turn.begun).Milliseconds())
	w.Metrics.Duration("EventAge", w.Now().Sub(w.delivery.received(w.Now())))
	if saved.Letter {
		return w.bury(ctx, w.log, w.delivery, saved)
	}
	return nil
}

// later releases the lease, then sends the message to go on with. cause is nil where no record was missed.
func (w *eventWork) later(ctx context.Context, delay time.Duration, cause error) error {
	if errors.Is(cause, errLost) {
		return w.unsaved(ctx, cause)
	}
	entry := w.entry.Release()
	if w.down || cause != nil {
		entry.Tries++
	}
	if cause != nil {
		w.log.Warn("event goes on later", "reason", "transient", "error", cause.Error())
	}
	if _, err := w.save(ctx, entry); err != nil {
		return w.unsaved(ctx, err)
	}
	return w.eventAgain(ctx, w.delivery, 0, delay)
}

// unsaved goes on when the record could not be written: with the same keys, once it can.
func (w *eventWork) unsaved(ctx context.Context, err error) error {
	if errors.Is(err, errLost) {
		w.log.Warn("lease lost: another worker goes on", "reason", "lease_lost")
		return w.eventAgain(ctx, w.delivery, 0, backoff(1))
	}
	return w.ledgerAway(ctx, w.log, w.delivery, err)
}

// save writes the entry as the holder of its lease.
func (w *eventWork) save(ctx context.Context, entry ledger.Entry) (ledger.Entry, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	saved, err := w.Ledger.Save(ctx, entry)
	switch {
	case errors.Is(err, ledger.ErrConflict):
		return ledger.Entry{}, errLost
	case err != nil:
		return ledger.Entry{}, fmt.Errorf("record event: %w", err)
	}
	w.entry = saved
	return saved, nil
}

// bury puts the event on the dead letters, then notes that it is there. A crash in between puts it there twice;
// a redrive of the second finds nothing left to do.
func (e *Engine) bury(ctx context.Context, log *slog.Logger, d EventDelivery, entry ledger.Entry) error {
	letter := d.again(0, 0)
	letter.Attributes[RedriveAttribute] = "1"
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := e.EventLetters.Send(ctx, letter); err != nil {
		return e.ledgerAway(ctx, log, d, fmt.Errorf("send to the dead letters: %w", err))
	}
	entry.Letter = false
	if _, err := e.Ledger.Save(ctx, entry); err != nil && !errors.Is(err, ledger.ErrConflict) {
		return e.ledgerAway(ctx, log, d, fmt.Errorf("record event: %w", err))
	}
	return nil
}

// ledgerAway goes on later without the record: that needs the queue alone.
func (e *Engine) ledgerAway(ctx context.Context, log *slog.Logger, d EventDelivery, cause error) error {
	log.Warn("event record is away: going on later", "reason", "record_unavailable", "error", cause.Error())
	tries := d.tries() + 1
	if err := e.eventAgain(ctx, d, tries, backoff(tries)); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// eventAgain sends another message for the event. It must have succeeded before the current one is deleted.
func (e *Engine) eventAgain(ctx context.Context, d EventDelivery, tries int, delay time.Duration) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := e.Events.Send(ctx, d.again(tries, delay)); err != nil {
		return fmt.Errorf("send the event to go on with: %w", err)
	}
	return nil
}

func (e *Engine) countEvent(outcome string) {
	e.Metrics.Count("Events", 1, metric.Dimension{Name: "Outcome", Value: outcome})
}

// kindState keeps what a kind wants to see again. The map is the entry's own: what cannot be saved is forgotten.
func kindState(entry *ledger.Entry, subscription string, state json.RawMessage) {
	states := map[string]json.RawMessage{subscription: bounded(state, nil)}
	for other, known := range entry.KindStates {
		if other != subscription {
			states[other] = known
		}
	}
	entry.KindStates = states
}
