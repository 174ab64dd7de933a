package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// redriveWait makes every receive a long poll, which asks all of SQS's servers: a short poll may find nothing in a
// queue that holds messages.
const redriveWait = time.Second

// Redrive moves the messages of a dead-letter queue back to the queue they came from, until a receive finds none,
// and says how many were moved. They are new messages there: their receive count starts again, and Sent is now.
//
// A message is deleted only after it was sent: whoever dies between the two leaves it in both queues, never in
// none. What could not be sent stays in the dead letters and is on loan until its visibility timeout ends. SQS's
// own redrive (StartMessageMoveTask) does the same inside AWS; this one works for every Queue.
func Redrive(ctx context.Context, from, to Queue) (int, error) {
	moved := 0
	for {
		letters, err := from.Receive(ctx, MaxBatch, redriveWait)
		if err != nil {
			return moved, fmt.Errorf("receive dead letters: %w", err)
		}
		if len(letters) == 0 {
			return moved, nil
		}
		messages := make([]Message, len(letters))
		for i, letter := range letters {
			messages[i] = Message{Body: letter.Body, Attributes: letter.Attributes}
		}
		sendErr := to.Send(ctx, messages...)
		partial, isPartial := errors.AsType[*PartialError](sendErr)
		if sendErr != nil && !isPartial {
			return moved, fmt.Errorf("send dead letters back: %w", sendErr)
		}
		for i, letter := range letters {
			if isPartial && partial.Failed[i] != nil {
				continue
			}
			if err := from.Delete(ctx, letter.Receipt); err != nil {
				return moved, fmt.Errorf("delete dead letter after sending it back: %w", err)
			}
			moved++
		}
		if sendErr != nil {
			return moved, fmt.Errorf("send dead letters back: %w", sendErr)
		}
	}
}
