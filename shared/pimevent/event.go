// Package pimevent is what the PIM tells us, in one form for both of its event APIs: the older Events API, whose
// events hold the full product, and the Event Platform, whose CloudEvents hold little more than a name.
//
// It decodes what it can and keeps the rest: an event of an unknown type, without an entity or without an author is
// an event too. The sender's own bytes are never changed.
package pimevent

import (
	"encoding/json"
	"strings"
	"time"
)

// The PIM's event APIs.
const (
	EventsAPI     = "events-api"     // retired by the vendor at the end of 2026
	EventPlatform = "event-platform" // CloudEvents 1.0
	Notifications = "notifications"  // what the Event Platform says about our subscriptions
)

// Event is one event, normalised. What a sender did not say is empty.
type Event struct {
	API  string // EventsAPI or EventPlatform
	PIM  string // name in extensions.yaml
	ID   string // event_id, or the CloudEvents id; without one a digest of the bytes
	Type string // product.updated, com.akeneo.pim.v1.product.updated.delta, …: open
	Kind string // what it is about, by its key in the payload: product, product_model, category, asset, …
	// Identifier is what people know the entity by: a product's SKU, where the Event Platform's subscription asks for
	// identifiers; a product model's code. "": the event does not say.
	Identifier string
	EntityID   string    // the entity's uuid or code; family/code where codes are unique in a family only
	Author     Author    // who caused it; empty for became-complete and the like
	Time       time.Time // when, by the sender's clock
	Updated    time.Time // of a delta event: when the PIM wrote the change, by the PIM's own clock; zero: it does not say
	Source     string    // pim_source of the Events API: which PIM says it sent this
	Subject    string    // CloudEvents subject: the subscription's id at the Event Platform
	Changes    []Change  // of a delta event: what has changed
	Notice     *Notification
	Raw        []byte // the event in the sender's own bytes
}

// Author is who caused an event.
type Author struct {
	Identifier string // opaque: a user's UUID or name, a client id, a connection's code
	Type       string // ui, user, api, job, system, …: open
}

// Change is one thing that a delta event says has changed: a value of an attribute, a label, or a property such as
// categories, family or enabled.
type Change struct {
	Name    string // attribute code, labels, or the property's name
	Value   bool   // of an attribute
	Locale  string // of a label or a localizable value; "" for everything else
	Channel string // of a scopable value; "" for everything else

	// As the sender wrote them, in JSON; nil where the change has none. A value, a label and a property such as family or
	// enabled have Previous and New; a list such as categories or groups has Added and Removed.
	Previous, New, Added, Removed json.RawMessage
}

// Change is the first of the changes of an attribute or property; one without a name where it has not changed.
func (e Event) Change(name string) Change {
	for _, change := range e.Changes {
		if change.Name == name {
			return change
		}
	}
	return Change{}
}

// clockSkew is by how much the clock that writes an event's time may be ahead of the PIM's.
const clockSkew = 2 * time.Second

// Reached is the time at which the PIM's record of the entity stands at least, once the event has happened: what is older
// does not have the change. Zero: the event does not say. The PIM's record has whole seconds (Akeneo: "Products", updated).
func (e Event) Reached() time.Time {
	at := e.Updated
	if at.IsZero() && !e.Time.IsZero() && (strings.HasSuffix(e.Type, ".created") || strings.HasSuffix(e.Type, ".updated") || e.Delta()) {
		at = e.Time.Add(-clockSkew)
	}
	return at.Truncate(time.Second)
}

// Deletion says whether the entity is deleted, by the event's type.
func (e Event) Deletion() bool {
	return strings.HasSuffix(e.Type, ".deleted") || strings.HasSuffix(e.Type, ".removed")
}

// Notification is what the Event Platform says about a subscription: the event's payload where API is Notifications.
type Notification struct {
	Type         string // subscription.suspended.system, subscription.suspended.user, subscription.revoked, subscription.resumed
	Subscription string
	Reason       string
	Events       []string
}

// Delta says whether the event tells what has changed.
func (e Event) Delta() bool { return strings.HasSuffix(e.Type, ".delta") }
