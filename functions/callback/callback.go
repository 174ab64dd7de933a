// Package callback takes what others send to the address of a wait (POST /callbacks/{job}/{wait}): how it went, what we
// asked of them. It proves the address, checks the form, records it as the signal of the wait, and wakes the job.
//
// It does not know the job: whether the items are its own and what may change in the PIM is the worker's business, and so is
// what becomes of the job. The form is package callback's in shared.
package callback

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/pim-functions/pim-functions/shared/callback"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes; a larger one is refused before it is read (413).
const MaxBody = 5 << 20

// Config of a Handler. All but Metrics are required.
type Config struct {
	Links   *secrets.Cache[secrets.Links]
	Signals Signals
	Files   address.Putter // of bodies that are too long for a signal
	Queue   queue.Sender   // the jobs queue
	Now     func() time.Time
	Metrics *metric.Sink
}

// Signals are a jobs.Store's.
type Signals interface {
	// PutSignal writes a signal where there is none, and returns the one that holds the place.
	PutSignal(ctx context.Context, signal jobs.Signal) (there jobs.Signal, err error)
}

// Handler takes callbacks. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config} }

var jobID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ServeRequest answers one callback: 200 once it is recorded and the job is woken, and again for the same bytes, however
// late; 409 for other bytes than the first; 410 where nobody waits any more, since the time is over, a user stopped, or the
// destination had refused; 422 for what has not the form, of which nothing is written; 401 with one fixed text for all that
// no address of ours proves; 405; 413; and 503 if it could not be recorded, or nobody be told: whoever sends it again loses
// nothing.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	if err := gate.Method(req, http.MethodPost); err != nil {
		return web.Response{}, err
	}
	path := gate.FindPath(req, "callbacks", jobID.MatchString)
	link := signature.Link{Kind: signature.LinkCallback, Job: path.Name, Name: unescaped(path.Rest)}
	err := gate.ProveLink(ctx, gate.LinkConfig{Links: h.config.Links, Now: h.config.Now, Metrics: h.config.Metrics}, req, link)
	refused, _ := errors.AsType[*web.Error](err)
	late := refused != nil && refused.Reason == signature.LinkExpired // proven, and its time is over
	if err != nil && !late {
		return web.Response{}, err
	}
	if _, err := callback.Parse(req.Body); err != nil {
		return web.Response{}, unusable(err)
	}
	signal := jobs.Signal{Job: link.Job, Wait: link.Name, Kind: jobs.SignalTimeout, At: h.config.Now().UTC()}
	digest := jobs.Digest(req.Body)
	if !late {
		if signal, err = h.brings(ctx, signal, req.Body, digest); err != nil {
			return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "body_not_stored", Err: err}
		}
	}
	there, err := h.config.Signals.PutSignal(ctx, signal)
	if err != nil {
		return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "signal_not_recorded", Err: err}
	}
	if err := h.config.Queue.Send(ctx, jobs.Message(link.Job, 0)); err != nil { // whoever comes second may be the one who is heard
		return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "job_not_woken", Err: err}
	}
	return h.answer(req, there, digest)
}

// brings is the signal with what came. What is too long for it is stored first, under its digest.
func (h *Handler) brings(ctx context.Context, signal jobs.Signal, content []byte, digest string) (jobs.Signal, error) {
	signal.Kind, signal.Digest = jobs.SignalCallback, digest
	if len(content) <= jobs.MaxSignalBody {
		signal.Body = content
		return signal, nil
	}
	signal.File = address.SignalKey(signal.Job, signal.Wait, digest)
	return signal, h.config.Files.Put(ctx, signal.File, content, "application/json")
}

// answer is what the holder of the place makes of this callback.
func (h *Handler) answer(req *web.Request, there jobs.Signal, digest string) (web.Response, error) {
	switch {
	case there.Kind == jobs.SignalCallback && there.Digest == digest:
		req.Log.Add(slog.String("result", "taken"))
		return web.Response{Status: http.StatusOK, Body: []byte(`{"received":true}`)}, nil
	case there.Brings():
		return web.Response{}, &web.Error{Code: web.Conflict, Reason: "signal_differs", Message: "Something else was said before, and counts. This was not taken."}
	}
	return web.Response{}, &web.Error{Code: web.Gone, Reason: "wait_" + there.Kind, Message: "Nobody waits for this any more. It was not taken."}
}

// unusable is the refusal of a body that has not the form: in the words of package body, with the status of a request that
// is understood and cannot be used.
func unusable(err error) error {
	if refused, ok := errors.AsType[*web.Error](err); ok {
		return &web.Error{Code: web.Refused, Reason: refused.Reason, Message: refused.Message}
	}
	return err
}

// unescaped is a wait's name as the link was signed for. What is no escape is a name that no link of ours has.
func unescaped(rest string) string {
	if name, err := url.PathUnescape(rest); err == nil {
		return name
	}
	return rest
}
