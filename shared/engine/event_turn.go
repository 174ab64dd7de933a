package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// defaultAtOnce is how many events of an invocation are worked at the same time.
const defaultAtOnce = 8

// ErrPanic: the work on a message panicked. The message stays, and is a dead letter if it goes on so.
var ErrPanic = errors.New("panic")

// Event works one event.
func (i *Invocation) Event(ctx context.Context, d EventDelivery) error {
	return i.EventBatch(ctx, []EventDelivery{d})[0]
}

// EventBatch does what the subscriptions ask for, once for each event, and records the outcomes. Those that want the latest state
// of products alone get one run for all products that the events tell of (group). An error of the result's says that the
// message of that place must stay in the queue; nil that it can be deleted.
func (i *Invocation) EventBatch(ctx context.Context, deliveries []EventDelivery) []error {
	stay := make([]error, len(deliveries))
	works := make([]*eventWork, len(deliveries))
	gathering := i.gather(ctx)
	for n, d := range deliveries {
		event := pimevent.Decode(pimevent.API(d.Attributes), d.Attributes[pimevent.AttributePIM], d.Body)
		works[n] = &eventWork{
			Invocation: i, delivery: d, event: event, stay: &stay[n], gathering: gathering,
			log: i.Log.With("event", event.ID, "type", event.Type, "pim", event.PIM, "correlation", d.Attributes[pimevent.AttributeCorrelation]),
		}
	}
	// What is gathered is claimed first, all of it, so that it comes together.
	i.several(len(works), func(n int) {
		if w := works[n]; gathering.wants(w.event) {
			w.guard(func() error { return w.begin(ctx) })
		}
	})
	for _, w := range works {
		w.join()
	}
	// A slow subscription holds up no other.
	var under sync.WaitGroup
	for _, g := range gathering.groups {
		if i.atOnce() == 1 {
			g.guard(ctx)
			continue
		}
		under.Go(func() { g.guard(ctx) })
	}
	i.several(len(works), func(n int) {
		w := works[n]
		w.guard(func() error {
			if !w.tried {
				if err := w.begin(ctx); err != nil || !w.claimed {
					return err
				}
				w.join()
			}
			if w.claimed {
				w.part(ctx, w.do(ctx))
			}
			return nil
		})
	})
	under.Wait()
	return stay
}

func (i *Invocation) atOnce() int {
	if i.AtOnce > 0 {
		return i.AtOnce
	}
	return defaultAtOnce
}

// several calls a function for each number below n, a few at the same time.
func (i *Invocation) several(n int, do func(int)) {
	if i.atOnce() == 1 || n == 1 {
		for k := range n {
			do(k)
		}
		return
	}
	var working sync.WaitGroup
	places := make(chan struct{}, i.atOnce())
	for k := range n {
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			do(k)
		})
	}
	working.Wait()
}

// eventWork is one turn on one event. What it asks for is done in parts, which may go on side by side: that of the
// subscriptions which want the event alone, and one for each group that it is in.
type eventWork struct {
	*Invocation
	log       *slog.Logger
	delivery  EventDelivery
	event     pimevent.Event
	stay      *error // of the message
	gathering *gathering
	tried     bool // the claim
	claimed   bool

	mu     sync.Mutex // of what follows
	entry  ledger.Entry
	wanted []config.Subscription // that have no outcome
	alone  []config.Subscription // of these, which want the event by itself
	parts  int                   // that are under way
	at     time.Time             // when the first of what stays open goes on; zero: nothing stays open
	cause  error                 // of a record that was missed
}

// guard does a step of the work. A panic is the failure of this message alone; its text may hold anything, so that the log
// tells only where.
func (w *eventWork) guard(do func() error) {
	defer func() {
		if cause := recover(); cause != nil {
			w.log.Error("panic", "reason", "panic", "stack", string(debug.Stack()))
			w.fail(ErrPanic)
		}
	}()
	if err := do(); err != nil {
		w.fail(err)
	}
}

// fail leaves the message in the queue.
func (w *eventWork) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.stay, w.claimed = err, false
}

// begin claims the event, if there is something to do. Its error is that of Event.
func (w *eventWork) begin(ctx context.Context) error {
	w.tried = true
	i, d := w.Invocation, w.delivery
	if i.over(i.Now()) {
		return i.sendEvent(ctx, d, d.turn(), d.tries(), 0)
	}
	key := w.event.API + "/" + w.event.PIM + "/" + w.event.ID
	for {
		entry, err := i.Ledger.Get(ctx, key)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			entry = i.newEntry(key, w.event, d)
		case errors.Is(err, ledger.ErrNewer):
			return i.putBack(ctx, w.log, i.Events, d.again(d.turn(), d.tries(), 0))
		case err != nil:
			return w.unavailable(ctx, fmt.Errorf("read event: %w", err))
		}
		w.entry = entry
		claimed, err := w.claim(ctx)
		if errors.Is(err, ledger.ErrConflict) {
			continue // another was faster: look again
		}
		w.claimed = claimed
		return err
	}
}

// join takes the event apart into those that want it alone and the groups that it is in.
func (w *eventWork) join() {
	if !w.claimed || w.parts > 0 {
		return
	}
	w.parts = 1
	for _, s := range w.wanted {
		if g := w.gathering.of(s, w.event); g != nil {
			g.works = append(g.works, w)
			w.parts++
			continue
		}
		w.alone = append(w.alone, s)
	}
}

// do does what the subscriptions want that want the event alone, as far as the time allows. Its error is one of the record.
func (w *eventWork) do(ctx context.Context) error {
	if w.event.Notice != nil {
		if err := w.gap(ctx); err != nil {
			return err
		}
	}
	for n, s := range w.alone {
		due := w.of(s).NextTry
		if w.Now().Before(due) {
			w.open(due)
			continue
		}
		if ctx.Err() != nil || w.over(w.Now()) { // the process is stopping, or its time is used up
			w.open(w.Now())
			continue
		}
		if err := w.subscription(ctx, s, n == len(w.alone)-1 && len(w.alone) == len(w.wanted)); err != nil {
			return err
		}
	}
	return nil
}

// part ends a part of the work; the last one ends the turn.
func (w *eventWork) part(ctx context.Context, cause error) {
	w.mu.Lock()
	w.parts--
	w.cause = errors.Join(w.cause, cause)
	last := w.parts == 0 && w.claimed
	w.mu.Unlock()
	if !last {
		return
	}
	w.guard(func() error {
		switch {
		case w.cause != nil:
			return w.later(ctx, w.Now().Add(backoff(w.delivery.tries()+1)), w.cause)
		case !w.at.IsZero():
			return w.later(ctx, w.at, nil)
		}
		return w.end(ctx, w.entry.Summary())
	})
}

// open notes that a subscription goes on at a time.
func (w *eventWork) open(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at.IsZero() || at.Before(w.at) {
		w.at = at
	}
}

// of is what is remembered of the event for a subscription.
func (w *eventWork) of(s config.Subscription) ledger.Pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entry.Of(s.Name)
}
