// Package eventsapi receives the PIM's Events API (POST /events-api/{pim}), which the vendor ends on 2026-12-31: when
// nobody sends it any more, this folder and its function can go.
//
// The PIM waits 500 ms and never sends again, so that nothing happens here but what cannot wait: find out who sent
// the events, put each in the queue in the PIM's own bytes, answer. What they mean is the worker's concern.
package eventsapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: Lambda takes 6 MB of a request. Ten full products have some 100 KB.
const MaxBody = 6 << 20

// maxEvents is how many events the PIM puts in one request (Akeneo: "Events API", "Limits").
const maxEvents = 10

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing secrets.Holder[secrets.Signing]
	Queue   queue.Sender // of events
	Samples bool         // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler receives events. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// ServeRequest answers one request: 200 with an empty body when every event is in the queue, and to the PIM's test of
// the address, which is a signed empty body; 400 to a proven body that holds no events, 401, 405, 413, and 503 if an
// event could not be queued or no secret could be had. Never 404, and never a redirect, which the PIM takes for
// success.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (answer web.Response, err error) {
	err = errPanic // until receive returns
	defer func() { h.measure(err) }()
	return h.receive(ctx, req)
}

func (h *Handler) receive(ctx context.Context, req *web.Request) (web.Response, error) {
	if req.Method != http.MethodPost {
		return web.Response{}, &web.Error{Code: web.Method, Reason: "method_not_allowed", Header: map[string]string{"allow": http.MethodPost}}
	}
	pim, known := h.pim(req)
	if !known {
		return web.Response{}, &web.Error{Code: web.Unproven, Reason: "pim_unknown"}
	}
	delivery := pimevent.Delivery{API: pimevent.EventsAPI, PIM: pim, Received: req.Received, Correlation: cmp.Or(req.ID, rand.Text())}
	req.Log.Correlation = delivery.Correlation
	req.Log.Add(slog.String("pim", pim))

	proven, err := h.prove(ctx, pim, req)
	if err != nil {
		return web.Response{}, err
	}
	h.config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: proven.Variant()})
	if len(proven.Body()) == 0 {
		req.Log.Outcome = "reachable"
		return accepted, nil
	}
	events, err := Parse(proven)
	if err != nil {
		return web.Response{}, err
	}
	req.Log.Add(slog.Int("events", len(events)))
	if len(events) > maxEvents {
		req.Log.Reason, req.Log.Level = "more_events_than_documented", slog.LevelWarn
	}
	messages := make([]queue.Message, len(events))
	for i, event := range events {
		messages[i] = queue.Message{Body: event, Attributes: delivery.Attributes(i)}
	}
	if err := h.send(ctx, req, messages); err != nil {
		return web.Response{}, err
	}
	req.Log.Outcome = "queued"
	return accepted, nil
}

// accepted is the answer to what we have: an empty 200.
var accepted = web.Response{Status: http.StatusOK}

// pim finds the PIM that a path names, with or without a final slash.
func (h *Handler) pim(req *web.Request) (name string, known bool) {
	path := req.Path
	if req.Stage != "" { // a stage may be named "events-api"
		if rest, ok := strings.CutPrefix(path, "/"+req.Stage+"/"); ok {
			path = "/" + rest
		}
	}
	_, rest, _ := strings.Cut(path, "/events-api/")
	name = strings.TrimSuffix(rest, "/")
	_, known = h.config.Config.PIMs[name]
	return name, known
}
