// Package queue is the way from the request to the worker. A Sender stores messages durably; a Receiver hands each out
// until it is deleted. Functions hold a Sender alone, because Lambda receives for them; the local system and the redrive
// of dead letters receive too. Production uses SQS; tests and the local system use Memory, which keeps SQS's rules
// (visibility timeout, receive count, delay, dead letters) and passes the same contract test.
//
// It is not a stream and keeps no order. A message can be delivered more than once: what it starts must be safe
// to start twice. Messages of one group do not keep those of another waiting, however many they are (SQS developer guide,
// "Amazon SQS fair queues").
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
	maxGroup   = 128              // characters of a group's name
)

// ErrTooLarge is returned by Send for a message that exceeds MaxPayload even compressed. Nothing of the call was sent.
var ErrTooLarge = errors.New("message larger than 1 MiB")

// Message is what Send takes.
type Message struct {
	Body       []byte            // any bytes; what is not legal SQS text travels in base64
	Attributes map[string]string // at most 8, values not empty; names [A-Za-z0-9_-]{1,256}, "encoding" is ours
	Delay      time.Duration     // 0 to MaxDelay, whole seconds (rounded up)
	Group      string            // whose message it is; "": nobody's. What SQS takes in no such name becomes "_", what is longer than 128 characters is cut
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

// Sender puts messages into a durable queue. Safe for concurrent use.
type Sender interface {
	// Send returns nil when every message is stored durably. It splits what exceeds a call's limits (10 entries,
	// 1 MiB) and repeats entries that failed for a passing cause while ctx lives. A *PartialError names messages
	// that are surely not stored or of which that is unknown (a lost answer): sending them again may double them.
	// Any other error means that none is known to be stored.
	Send(ctx context.Context, messages ...Message) error
}

// Queue is both ends of one queue.
type Queue interface {
	Sender
	Receiver
}
