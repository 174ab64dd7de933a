// Package pimevent is what the PIM tells us, in one form for both of its event APIs: the older Events API, whose
// events hold the full product, and the Event Platform, whose CloudEvents hold little more than a name.
//
// It decodes what it can and keeps the rest: an event of an unknown type, without an entity or without an author is
// an event too. The sender's own bytes are never changed.
package pimevent

import (
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
