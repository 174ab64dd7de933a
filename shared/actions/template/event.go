package template

import (
	"encoding/json"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Event is what a template sees of an event.
type Event struct {
	pimevent.Event
	Time    Time
	Updated Time // of a delta: when the PIM wrote the change
	Changes []Change
}

// Change is what a template sees of one thing that a delta says has changed.
type Change struct {
	pimevent.Change

	// JSON values; nil where the event tells none. A value, a label, family and enabled have Previous and New; categories
	// and groups have Added and Removed.
	Previous, New, Added, Removed any
}

// Time is a time that prints as RFC 3339.
type Time struct{ time.Time }

// String is the time as RFC 3339 with as many digits of a second as there are; "" for none.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func eventOf(event pimevent.Event) Event {
	e := Event{Event: event, Time: Time{event.Time}, Updated: Time{event.Updated}, Changes: make([]Change, len(event.Changes))}
	for n, change := range event.Changes {
		e.Changes[n] = changeOf(change)
	}
	return e
}

// Change is the first of the changes of an attribute or property; one without a name where it has not changed.
func (e Event) Change(name string) Change { return changeOf(e.Event.Change(name)) }

func changeOf(change pimevent.Change) Change {
	c := Change{Change: change}
	for raw, into := range map[*json.RawMessage]*any{&change.Previous: &c.Previous, &change.New: &c.New, &change.Added: &c.Added, &change.Removed: &c.Removed} {
		if len(*raw) > 0 {
			*into, _ = valueOf(*raw) // the event was read from JSON
		}
	}
	return c
}
