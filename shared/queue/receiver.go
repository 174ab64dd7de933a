package queue

import (
	"context"
	"time"
)

// Received is a message on loan: it comes again when its visibility timeout ends before Delete.
type Received struct {
	ID         string            // the queue's own id of the message
	Receipt    string            // what Delete needs; of this receive only
	Body       []byte            // the bytes that were sent, decoded
	Attributes map[string]string // as sent, without the queue's own
	Group      string            // as it was sent
	Receives   int               // how often it was received, this time included
	Sent       time.Time         // when it was sent (a dead letter keeps this)
}

// Depth is how many messages a queue holds, by what can be done with them now.
type Depth struct {
	Visible  int // can be received now
	InFlight int // received, not deleted, visibility timeout not ended
	Delayed  int // sent with a delay that has not ended
}

// Receiver takes messages out of a durable queue. Safe for concurrent use.
type Receiver interface {
	// Receive lends up to max messages (1 to 10) for the queue's visibility timeout, waiting up to wait
	// (0 to 20 s) for the first. No message is not an error.
	Receive(ctx context.Context, max int, wait time.Duration) ([]Received, error)

	// Delete acknowledges a message by its receipt. A receipt that is no longer known is not an error.
	Delete(ctx context.Context, receipt string) error

	// Release gives a message back before its visibility timeout ends: it can be received again at once. A receipt that
	// is no longer known is not an error.
	Release(ctx context.Context, receipt string) error

	// Depth counts; approximate on SQS.
	Depth(ctx context.Context) (Depth, error)
}
