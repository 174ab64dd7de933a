package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const (
	// RedriveAttribute marks a dead letter of the events queue: run what is not applied, although the outcome stands.
	RedriveAttribute = "redrive"
	// TurnAttribute is the message attribute that holds the turn of an event's record; the webhook's message has none.
	TurnAttribute = "turn"
)

// EventDelivery is one receive of a message that holds an event.
type EventDelivery struct {
	Body       []byte // the sender's own bytes
	Attributes map[string]string
	Group      string // of the message
}

func (d EventDelivery) number(name string) int64 {
	n, _ := strconv.ParseInt(d.Attributes[name], 10, 64) // absent or odd: none
	return max(n, 0)
}

func (d EventDelivery) tries() int       { return int(min(d.number(TriesAttribute), 100)) }
func (d EventDelivery) turn() int64      { return d.number(TurnAttribute) }
func (d EventDelivery) redrive() bool    { return d.Attributes[RedriveAttribute] != "" }
func (d EventDelivery) delivery() string { return d.Attributes[pimevent.AttributeDelivery] }

func (d EventDelivery) received(now time.Time) time.Time {
	at, err := time.Parse(time.RFC3339Nano, d.Attributes[pimevent.AttributeReceived])
	if err != nil {
		return now.UTC()
	}
	return at.UTC()
}

// again is the message to go on with. A redrive is over once its claim is written, which the turn tells.
func (d EventDelivery) again(turn int64, tries int, delay time.Duration) queue.Message {
	attributes := maps.Clone(d.Attributes)
	delete(attributes, TurnAttribute)
	delete(attributes, TriesAttribute)
	delete(attributes, pimevent.AttributeAPI)
	delete(attributes, pimevent.AttributeAPIAgain)
	if turn > 0 {
		attributes[TurnAttribute] = strconv.FormatInt(turn, 10)
		attributes[pimevent.AttributeAPIAgain] = pimevent.API(d.Attributes)
	} else {
		attributes[pimevent.AttributeAPI] = pimevent.API(d.Attributes)
	}
	if turn > d.turn() {
		delete(attributes, RedriveAttribute)
	}
	if tries > 0 {
		attributes[TriesAttribute] = strconv.Itoa(tries)
	}
	return queue.Message{Body: d.Body, Attributes: attributes, Group: d.Group, Delay: min(max(delay, 0), queue.MaxDelay)}
}

func (i *Invocation) newEntry(key string, event pimevent.Event, d EventDelivery) ledger.Entry {
	entry := ledger.Entry{Key: key, PIM: event.PIM, Type: event.Type, Time: event.Time, CreatedAt: i.Now().UTC(), Delivery: d.delivery(), Format: ledger.Format}
	if event.EntityID != "" {
		entry.Entity = event.PIM + "#" + event.Kind + "/" + event.EntityID
	}
	return entry
}

// claim takes the event's lease if there is something to do. Without it, the error is that of Event; ErrConflict: look again.
func (w *eventWork) claim(ctx context.Context) (claimed bool, err error) {
	now, entry, d := w.Now().UTC(), w.entry, w.delivery
	switch {
	case entry.Ended() && (entry.Letter || len(entry.ThenDue) > 0) && !d.redrive(): // a crash between the end and what is due then
		return false, w.settled(ctx)
	case entry.Ended() && (!d.redrive() || d.turn() > 0 && d.turn() < entry.Turn):
		w.duplicate(entry.EndedBy)
		return false, nil
	case entry.Ended() && !entry.AnyFailed() && entry.Outcome == ledger.Applied:
		return false, nil // redriven twice
	case entry.Ended(): // a redrive
	case d.turn() < entry.Turn && !d.redrive():
		w.duplicate(entry.Delivery)
		return false, nil
	case entry.Lease.Live(now):
		return false, w.sendEvent(ctx, d, d.turn(), 0, backoff(1))
	case now.Before(entry.Due()) && !d.redrive():
		return false, w.tooEarly(ctx, entry.Due())
	}
	outcome, wanted, err := w.matching(ctx)
	if err != nil {
		return false, w.unavailable(ctx, err)
	}
	if outcome != "" { // nothing is run: the end is the only write
		w.entry = entry.Claim(time.Time{}, d.turn(), d.redrive())
		return false, w.end(ctx, outcome)
	}
	entry = entry.Claim(w.leaseEnd(), d.turn(), d.redrive())
	for _, s := range wanted {
		if entry.Outcomes[s.Name] != "" {
			continue
		}
		w.wanted = append(w.wanted, s)
		if pending := entry.Of(s.Name); pending.Action == "" {
			pending.Action = s.Action
			entry = entry.Remember(s.Name, pending)
		}
	}
	saved, err := w.Ledger.Save(ctx, entry)
	if errors.Is(err, ledger.ErrConflict) {
		w.wanted = nil
		return false, err
	}
	if err != nil {
		return false, w.unavailable(ctx, fmt.Errorf("claim event: %w", err))
	}
	w.entry = saved
	return true, nil
}

// duplicate counts a message of another delivery than the one that goes, or went, on with the event.
func (w *eventWork) duplicate(of string) {
	if own := w.delivery.delivery(); own == "" || own != of {
		w.countEvent(1, "duplicate")
		w.log.Info("event was seen before", "outcome", "duplicate")
	}
}

// tooEarly sends a message for the rest of a pause, without a call.
func (w *eventWork) tooEarly(ctx context.Context, due time.Time) error {
	turn := max(w.entry.Turn, w.delivery.turn()) + 1
	if err := w.sendEvent(ctx, w.delivery, turn, 0, due.Sub(w.Now())); err != nil {
		return err
	}
	entry := w.entry
	entry.Turn = turn
	_, err := w.Ledger.Save(ctx, entry)
	if err != nil && !errors.Is(err, ledger.ErrConflict) {
		// The message is sent, and goes on whether or not the record has its turn.
		w.log.Warn("pause: the message's turn was not recorded", "reason", "record_unavailable", "error", err.Error())
		return nil
	}
	return err
}

// matching says which subscriptions want the event, or the outcome of one that is for none.
func (w *eventWork) matching(ctx context.Context) (ledger.Outcome, []config.Subscription, error) {
	if w.event.API == pimevent.Notifications {
		notification := w.Config.Config.Notifications[w.event.PIM]
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
	if err := w.executionEnded(ctx); err != nil {
		return "", nil, err
	}
	if err := w.workflowEnded(ctx); err != nil {
		return "", nil, err
	}
	own, err := w.own(ctx)
	if err != nil {
		return "", nil, err
	}
	var wanted []config.Subscription
	leftOut := false // an event of our own would make a loop
	for _, name := range slices.Sorted(maps.Keys(w.Config.Config.Subscriptions)) {
		matches, _ := Matches(w.Config.Config.Subscriptions[name], w.event)
		if matches && own {
			if writes, err := w.changesPIM(ctx, w.Config.Config.Subscriptions[name].Action); err != nil {
				return "", nil, err
			} else if writes {
				leftOut = true
				continue
			}
		}
		if matches {
			wanted = append(wanted, w.Config.Config.Subscriptions[name])
		}
	}
	if len(wanted) == 0 && leftOut {
		return ledger.Self, nil, nil
	}
	if len(wanted) == 0 {
		return ledger.Unmatched, nil, nil
	}
	return "", wanted, nil
}

// own says whether we caused the event ourselves. What changes the PIM because of it would make a loop; what brings it
// elsewhere has to know of our changes too.
func (w *eventWork) own(ctx context.Context) (bool, error) {
	author := w.event.Author
	if author.Type != "api" || author.Identifier == "" {
		return false, nil
	}
	secrets, err := w.Secrets(ctx)
	if err != nil {
		return false, fmt.Errorf("connection secret: %w", err)
	}
	return slices.Contains(secrets.Identities[w.event.PIM], author.Identifier) ||
		slices.Contains(w.Config.Config.PIMs[w.event.PIM].Self, author.Identifier), nil
}
