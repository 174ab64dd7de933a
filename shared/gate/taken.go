package gate

import (
	"errors"
	"log/slog"
	"slices"

	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// strangers are the reasons for which a request was none of the sender's: the whole internet can call us.
var strangers = []string{Unknown, MethodNotAllowed, signature.SignatureMissing, signature.SignatureMalformed}

// errPanic stands for a request that ended in a panic: it was not taken either.
var errPanic = errors.New("panic")

// Taken serves a delivery of events, and counts 1 if it was taken and 0 if not: the average is the success rate that the
// sender sees. What cannot have been the sender's is not counted.
func (g *Gate) Taken(serve func() (web.Response, error)) (answer web.Response, err error) {
	err = errPanic // until serve returns
	defer func() {
		refused, _ := errors.AsType[*web.Error](err)
		switch {
		case err == nil:
			g.Metrics.Count("Taken", 1)
		case refused == nil || !slices.Contains(strangers, refused.Reason):
			g.Metrics.Count("Taken", 0)
		}
	}()
	return serve()
}

// Queued counts how many of n events the queue has after a Send, and returns the refusal of a delivery that it did not
// take as a whole: 413 if nothing worse happened than that events are too large for it, else 503. The log line says how
// many it has then.
func (g *Gate) Queued(req *web.Request, n int, err error) error {
	queued, tooLarge := n, errors.Is(err, queue.ErrTooLarge)
	if partial, ok := errors.AsType[*queue.PartialError](err); ok {
		queued, tooLarge = n-len(partial.Failed), true
		for _, cause := range partial.Failed {
			tooLarge = tooLarge && errors.Is(cause, queue.ErrTooLarge)
		}
	} else if err != nil {
		queued = 0
	}
	if queued > 0 {
		g.Metrics.Count("EventsReceived", float64(queued))
	}
	if err == nil {
		return nil
	}
	req.Log.Add(slog.Int("queued", queued))
	if tooLarge {
		return &web.Error{Code: web.TooLarge, Reason: "event_too_large", Err: err}
	}
	return &web.Error{Code: web.Unavailable, Reason: "events_not_queued", Err: err}
}
