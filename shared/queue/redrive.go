package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

const (
	// redriveWait makes every receive a long poll, which asks all of SQS's servers: a short poll may find nothing in a
	// queue that holds messages.
	redriveWait = time.Second
	// releaseTime bounds the calls that give newer letters back, which happen even if ctx has ended.
	releaseTime = 5 * time.Second
)

// Redrive moves letters back to work. All fields but Attributes are required.
type Redrive struct {
	Letters    Receiver          // the dead-letter queue
	Work       Sender            // the queue that its messages came from
	Attributes map[string]string // added to each message; they replace attributes of the same name
	Now        func() time.Time
}

// Redriven is what a Redrive did.
type Redriven struct {
	Moved int // letters that are messages of the work queue now
	Newer int // letters that came after the beginning and were left where they are, as far as they were seen
}

// Run moves the letters that are there when it begins, each once. A letter that comes later is left alone: a message
// that fails again while Run works does not go round in a circle. Letters are told apart by the time they were sent,
// so a clock that is wrong by a minute moves that minute's letters or leaves them.
//
// The messages are new in the work queue: their receive count starts again, and Sent is now. A letter is deleted only
// after its message was sent: whoever dies in between leaves it in both queues, never in none. A letter that the work
// queue refuses stays on loan until its visibility timeout ends; the others are moved, and the error is a *PartialError.
// SQS's own redrive (StartMessageMoveTask) sends a letter to the queue that it came from, and fails for those that
// were sent to the letters directly (SQS developer guide, "Learn how to configure a dead-letter queue redrive").
func (r Redrive) Run(ctx context.Context) (done Redriven, err error) {
	start := r.Now()
	var newer []Received
	defer func() {
		done.Newer = len(newer)
		err = errors.Join(err, r.release(ctx, newer))
	}()
	refused := map[int]error{} // in the order they were met
	for {
		letters, err := r.Letters.Receive(ctx, MaxBatch, redriveWait)
		if err != nil {
			return done, fmt.Errorf("receive dead letters: %w", err)
		}
		var old []Received
		for _, letter := range letters {
			if sentBefore(letter, start) {
				old = append(old, letter)
			} else {
				newer = append(newer, letter)
			}
		}
		if len(old) == 0 {
			break
		}
		failed, err := r.send(ctx, old)
		if err != nil {
			return done, fmt.Errorf("send dead letters back: %w", err)
		}
		for i, letter := range old {
			if failed[i] != nil {
				refused[len(refused)] = failed[i]
				continue
			}
			if err := r.Letters.Delete(ctx, letter.Receipt); err != nil {
				return done, fmt.Errorf("delete dead letter after sending it back: %w", err)
			}
			done.Moved++
		}
	}
	if len(refused) > 0 {
		return done, fmt.Errorf("send dead letters back: %w", &PartialError{Failed: refused})
	}
	return done, nil
}

// sentBefore reports whether a letter was surely sent before a time. SQS counts in whole milliseconds, rounded down.
func sentBefore(letter Received, start time.Time) bool {
	sent := letter.Sent
	if sent.Equal(sent.Truncate(time.Millisecond)) {
		sent = sent.Add(time.Millisecond - 1)
	}
	return sent.Before(start)
}

// send makes messages of letters. An error means that none is known to be sent.
func (r Redrive) send(ctx context.Context, letters []Received) (failed map[int]error, err error) {
	messages := make([]Message, len(letters))
	for i, letter := range letters {
		attributes := make(map[string]string, len(letter.Attributes)+len(r.Attributes))
		maps.Copy(attributes, letter.Attributes)
		maps.Copy(attributes, r.Attributes)
		messages[i] = Message{Body: letter.Body, Attributes: attributes, Group: letter.Group}
	}
	err = r.Work.Send(ctx, messages...)
	if partial, ok := errors.AsType[*PartialError](err); ok {
		return partial.Failed, nil
	}
	return nil, err
}

// release gives letters back that are not for this redrive, so that the next one finds them at once.
func (r Redrive) release(ctx context.Context, letters []Received) error {
	if len(letters) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	for _, letter := range letters {
		if err := r.Letters.Release(ctx, letter.Receipt); err != nil {
			return fmt.Errorf("give newer dead letters back: %w", err)
		}
	}
	return nil
}
