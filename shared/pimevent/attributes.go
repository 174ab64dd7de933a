package pimevent

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"
)

// Attributes of a message on the events queue, whose body is one event in the sender's own bytes. The functions that
// receive events write them, the worker reads them.
const (
	AttributeAPI         = "api"         // EventsAPI, EventPlatform or Notifications
	AttributeAPIAgain    = "api-2"       // in its place, in a message that the worker itself sent to go on with an event
	AttributePIM         = "pim"         // name in extensions.yaml
	AttributeReceived    = "received"    // RFC 3339 with nanoseconds, UTC, by API Gateway's clock
	AttributeCorrelation = "correlation" // request id of the delivery
	AttributeDelivery    = "delivery"    // of this one delivery: what tells a duplicate from a message that came back
)

// API is the API of the event in a message with these attributes; "" if it holds none. A message to go on with has its own
// name for it, so that a worker of the first wave, which would drop what the event's record says of pauses, leaves it to a
// newer one.
func API(attributes map[string]string) string {
	return cmp.Or(attributes[AttributeAPI], attributes[AttributeAPIAgain])
}

// Delivery is one request that brought events.
type Delivery struct {
	API         string // EventsAPI, EventPlatform or Notifications
	PIM         string // name in extensions.yaml
	Received    time.Time
	Correlation string // request id, not empty: it is what makes deliveries of the same bytes two
}

// Attributes are those of the message that carries the delivery's event of this index, counted from 0.
func (d Delivery) Attributes(index int) map[string]string {
	return map[string]string{
		AttributeAPI:         d.API,
		AttributePIM:         d.PIM,
		AttributeReceived:    d.Received.UTC().Format(time.RFC3339Nano),
		AttributeCorrelation: d.Correlation,
		AttributeDelivery:    d.Correlation + "#" + strconv.Itoa(index),
	}
}

// Group is the message group of one of its events: the PIM, and the subscription at the Event Platform, whose ID is the event's
// subject. A thousand events of one subscription do not keep another's waiting.
func (d Delivery) Group(event []byte) string {
	var at struct {
		Subject string `json:"subject"`
	}
	if d.API != EventPlatform || json.Unmarshal(event, &at) != nil {
		at.Subject = d.API
	}
	return d.PIM + "/" + at.Subject
}
