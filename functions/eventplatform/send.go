package eventplatform

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/web"
)

// How long an answer may take, counted from API Gateway's clock. The platform gives up after 5 s.
const (
	answerTime  = 3 * time.Second
	minSendTime = time.Second      // what a send has however late it begins
	maxWaited   = 30 * time.Second // API Gateway gives up then: an older request is a sample
)

// send queues what a delivery brought and counts what the queue has. After a failure the platform sends all of it
// again; what is in the queue already is then recognised by its id.
func (h *Handler) send(ctx context.Context, req *web.Request, messages []queue.Message) error {
	ctx, cancel := context.WithTimeout(ctx, h.sendTime(req.Received))
	defer cancel()
	err := h.config.Queue.Send(ctx, messages...)
	queued := stored(err, len(messages))
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

// sendTime is what is left of the time for an answer.
func (h *Handler) sendTime(received time.Time) time.Duration {
	waited := h.config.Now().Sub(received)
	if waited < 0 || waited > maxWaited { // that clock cannot be of this request
		waited = 0
	}
	return max(answerTime-waited, minSendTime)
}
