package eventsapi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// leastTime is what saving events has, however late it begins. The PIM gives up after 500 ms and sends nothing again:
// its answer comes as soon as the queue has the events, and late is better than lost.
const leastTime = time.Second

// saving is ctx with leastTime left at least.
func saving(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, limited := ctx.Deadline(); !limited || time.Until(end) > leastTime {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), leastTime)
}

// surelyFits is the size in bytes of a body that the queue takes in whatever form: base64 makes four of three.
const surelyFits = queue.MaxPayload / 2

// send queues the events. One that is too large for the queue does not keep the others out.
func (h *Handler) send(ctx context.Context, messages []queue.Message) error {
	sending, cancel := saving(ctx)
	defer cancel()
	err := h.config.Queue.Send(sending, messages...)
	if errors.Is(err, queue.ErrTooLarge) && len(messages) > 1 { // none was sent, and trying to compress it took its time
		return h.sendApart(ctx, messages)
	}
	return err
}

// sendApart sends what surely fits, and then each of the others by itself. Its error is a *queue.PartialError.
func (h *Handler) sendApart(ctx context.Context, messages []queue.Message) error {
	ctx, cancel := saving(ctx)
	defer cancel()
	var small []int
	var parts [][]int // of indexes
	for i, message := range messages {
		if len(message.Body) <= surelyFits {
			small = append(small, i)
		} else {
			parts = append(parts, []int{i})
		}
	}
	if len(small) > 0 {
		parts = slices.Insert(parts, 0, small)
	}
	lost := map[int]error{}
	for _, part := range parts {
		batch := make([]queue.Message, len(part))
		for i, at := range part {
			batch[i] = messages[at]
		}
		err := h.config.Queue.Send(ctx, batch...)
		partial, _ := errors.AsType[*queue.PartialError](err)
		for i, at := range part {
			switch {
			case partial != nil && partial.Failed[i] != nil:
				lost[at] = partial.Failed[i]
			case partial == nil && err != nil:
				lost[at] = err
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return &queue.PartialError{Failed: lost}
}
