package eventsapi

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/web"
)

// How long a send may take, counted from API Gateway's clock. The PIM gives up after 500 ms, its own way here and back
// included.
const (
	answerTime  = 400 * time.Millisecond
	minSendTime = 100 * time.Millisecond // what a send has however late it begins
	lateTime    = 2 * time.Second        // what it has when the PIM no longer waits: late is better than lost
	maxWaited   = 30 * time.Second       // API Gateway gives up then: an older request is a sample
)

// send queues the events and counts those that the queue has. The PIM will not send again what it is refused, so
// that an event too large for the queue does not keep the others out of it.
func (h *Handler) send(ctx context.Context, req *web.Request, messages []queue.Message) error {
	sending, cancel := context.WithTimeout(ctx, h.sendTime(req.Received))
	defer cancel()
	err := h.config.Queue.Send(sending, messages...)
	queued := stored(err, len(messages))
	if errors.Is(err, queue.ErrTooLarge) && len(messages) > 1 { // none was sent, and trying to compress it took its time
		queued, err = h.sendApart(ctx, messages)
	}
	if queued > 0 {
		h.config.Metrics.Count("EventsReceived", float64(queued))
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, queue.ErrTooLarge):
		err = &web.Error{Code: web.TooLarge, Reason: "event_too_large", Err: err}
	default:
		err = &web.Error{Code: web.Unavailable, Reason: "events_not_queued", Err: err}
	}
	req.Log.Add(slog.Int("queued", queued))
	return err
}

// surelyFits is the size in bytes of a body that the queue takes in whatever form: base64 makes four of three.
const surelyFits = queue.MaxPayload / 2

// sendApart sends what surely fits, and then each of the others by itself. Its error is ErrTooLarge only if nothing
// worse happened.
func (h *Handler) sendApart(ctx context.Context, messages []queue.Message) (queued int, err error) {
	ctx, cancel := context.WithTimeout(ctx, lateTime)
	defer cancel()
	var small []queue.Message
	var parts [][]queue.Message
	for _, message := range messages {
		if len(message.Body) <= surelyFits {
			small = append(small, message)
		} else {
			parts = append(parts, []queue.Message{message})
		}
	}
	if len(small) > 0 {
		parts = slices.Insert(parts, 0, small)
	}
	for _, part := range parts {
		failed := h.config.Queue.Send(ctx, part...)
		queued += stored(failed, len(part))
		if failed != nil && (err == nil || errors.Is(err, queue.ErrTooLarge)) {
			err = failed
		}
	}
	return queued, err
}

// stored is how many of n messages the queue has after a Send.
func stored(err error, n int) int {
	if partial, ok := errors.AsType[*queue.PartialError](err); ok {
		return n - len(partial.Failed)
	}
	if err != nil {
		return 0
	}
	return n
}

// sendTime is what is left of the time for an answer. After a cold start that took it all there is nobody to answer
// in time, but there are events to save, which nobody sends again.
func (h *Handler) sendTime(received time.Time) time.Duration {
	waited := h.config.Now().Sub(received)
	switch {
	case waited < 0 || waited > maxWaited: // that clock cannot be of this request
		return answerTime
	case waited >= answerTime:
		return lateTime
	}
	return max(answerTime-waited, minSendTime)
}
