// Package pimevent is what the PIM tells us, in one form for both of its event APIs.
package pimevent

import "time"

// The PIM's two event APIs.
const (
	EventsAPI     = "events-api"     // the older webhooks: full products, retired by the vendor at the end of 2026
	EventPlatform = "event-platform" // CloudEvents
)

// Event is one event, normalised. What a sender did not say is empty.
type Event struct {
	API      string    // EventsAPI or EventPlatform
	PIM      string    // name in extensions.yaml
	ID       string    // event_id, or the CloudEvents id
	Type     string    // product.updated, com.akeneo.pim.v1.product.updated, …: open
	Kind     string    // product, product_model, category, …
	EntityID string    // the entity's uuid or code
	Author   Author    // who changed it
	Time     time.Time // when, by the sender's clock
	Raw      []byte    // the event in the sender's own bytes
}

// Author is who caused an event.
type Author struct {
	Identifier string
	Type       string // ui, user, api, job, system, …: open
}
