package pimevent

import (
	"strconv"
	"time"
)

// Attributes of a message on the events queue, whose body is one event in the sender's own bytes. The functions that
// receive events write them, the worker reads them.
const (
	AttributeAPI         = "api"         // EventsAPI, EventPlatform or Notifications
	AttributePIM         = "pim"         // name in extensions.yaml
	AttributeReceived    = "received"    // RFC 3339 with nanoseconds, UTC, by API Gateway's clock
	AttributeCorrelation = "correlation" // request id of the delivery
	AttributeDelivery    = "delivery"    // of this one delivery: what tells a duplicate from a message that came back
)

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
