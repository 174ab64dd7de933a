// Package queue is the way from the request to the worker: a Queue takes messages, holds them durably and
// hands each out until it is deleted. Production uses SQS; tests and the local system use Memory, which keeps
// SQS's rules (visibility timeout, receive count, delay, dead letters) and passes the same contract test.
//
// It is not a stream and keeps no order. A message can be delivered more than once: what it starts must be safe
// to start twice.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of Amazon SQS (SQS developer guide, "Message quotas").
const (
	MaxBatch   = 10               // entries of one SendMessageBatch or ReceiveMessage
	MaxPayload = 1 << 20          // bytes of one message, and of one SendMessageBatch, attributes included
	MaxDelay   = 15 * time.Minute // longest delay of one message
)

// ErrTooLarge is returned by Send for a message that exceeds MaxPayload even compressed. Nothing of the call was sent.
var ErrTooLarge = errors.New("message larger than 1 MiB")

// Message is what Send takes.
type Message struct {
	Body       []byte            // any bytes; what is not legal SQS text travels in base64
	Attributes map[string]string // at most 8, values not empty; names [A-Za-z0-9_-]{1,256}, "encoding" is ours
	Delay      time.Duration     // 0 to MaxDelay, whole seconds (rounded up)
}

// Received is a message on loan: it comes again when its visibility timeout ends before Delete.
type Received struct {
	ID         string            // the queue's own id of the message
	Receipt    string            // what Delete needs; of this receive only
	Body       []byte            // the bytes that were sent, decoded
	Attributes map[string]string // as sent, without the queue's own
	Receives   int               // how often it was received, this time included
	Sent       time.Time         // when it was sent (a dead letter keeps this)
}

// Depth is how many messages a queue holds, by what can be done with them now.
type Depth struct {
	Visible  int // can be received now
	InFlight int // received, not deleted, visibility timeout not ended
	Delayed  int // sent with a delay that has not ended
}

// PartialError says which messages of a Send are not in the queue; the others are.
type PartialError struct {
	Failed map[int]error // by index in the call
}

func (e *PartialError) Error() string {
	for _, err := range e.Failed {
		return fmt.Sprintf("%d messages not sent, one of them: %v", len(e.Failed), err)
	}
	return "no message failed"
}

// Queue is a durable queue. All methods are safe for concurrent use.
type Queue interface {
	// Send returns nil when every message is stored durably. It splits what exceeds a call's limits (10 entries,
	// 1 MiB) and repeats entries that failed for a passing cause while ctx lives. A *PartialError names messages
	// that are surely not stored or of which that is unknown (a lost answer): sending them again may double them.
	// Any other error means that none is known to be stored.
	Send(ctx context.Context, messages ...Message) error

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
