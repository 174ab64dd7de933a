// Package eventplatform receives what Akeneo's Event Platform sends: events (POST /event-platform/{pim}), and what it
// says about our subscriptions (POST /event-platform/{pim}/notifications). It also answers every path that nothing
// else owns.
//
// The platform suspends a subscription at once for a 404 or a redirect, and sends again what is answered 503; so
// there are no such answers here, whatever comes, and whatever is proven is kept, whether we understand it or not.
package eventplatform

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
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

// MaxBody is the largest body in bytes: Lambda takes 6 MB of a request. An event with a long delta has some 20 KB.
const MaxBody = 6 << 20

// maxEvents is how many events an array may hold to be taken apart. The platform sends one event at a time.
const maxEvents = 100

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing secrets.Holder[secrets.Signing]
	Queue   queue.Sender // of events
	Samples bool         // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler receives events and notifications. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// ServeRequest answers one request: 200 with an empty body when what it brought is in the queue; 503, which asks the
// platform to come again, if it could not be queued or no secret could be had; 413 if it is too large for the queue
// even compressed; 401 to everything else, whatever path and method.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (answer web.Response, err error) {
	err = errPanic // until receive returns
	defer func() { h.measure(err) }()
	return h.receive(ctx, req)
}

func (h *Handler) receive(ctx context.Context, req *web.Request) (web.Response, error) {
	to, refusal := h.address(req)
	if refusal != "" {
		return web.Response{}, &web.Error{Code: web.Unproven, Reason: refusal}
	}
	delivery := pimevent.Delivery{API: to.api, PIM: to.pim, Received: req.Received, Correlation: cmp.Or(req.ID, rand.Text())}
	req.Log.Correlation = delivery.Correlation
	req.Log.Add(slog.String("pim", to.pim))

	proven, err := h.prove(ctx, to, req)
	if err != nil {
		return web.Response{}, err
	}
	req.Log.Add(slog.String("header", proven.Variant()), slog.Int("secret", proven.Secret()))
	h.config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: proven.Variant()})

	events := []json.RawMessage{proven.Body()}
	if to.api == pimevent.EventPlatform {
		var understood bool
		if events, understood = Parse(proven); !understood {
			req.Log.Reason, req.Log.Level = "body_kept_as_it_is", slog.LevelWarn
		}
	}
	messages := make([]queue.Message, len(events))
	for i, event := range events {
		messages[i] = queue.Message{Body: event, Attributes: delivery.Attributes(i)}
	}
	req.Log.Add(slog.Int("events", len(events)))
	if err := h.send(ctx, req, messages); err != nil {
		return web.Response{}, err
	}
	req.Log.Outcome = "queued"
	return web.Response{Status: http.StatusOK}, nil
}

// address is where a delivery goes.
type address struct {
	api     string // pimevent.EventPlatform or pimevent.Notifications
	pim     string
	secrets string // key of the secrets in the signing document
}

// address finds what a request is for, with or without a final slash in its path; refusal is the reason if it is for
// nothing.
func (h *Handler) address(req *web.Request) (to address, refusal string) {
	path := req.Path
	if req.Stage != "" { // a stage may be named "event-platform"
		if rest, ok := strings.CutPrefix(path, "/"+req.Stage+"/"); ok {
			path = "/" + rest
		}
	}
	_, rest, found := strings.Cut(path, "/event-platform/")
	pim, tail, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	switch {
	case !found || tail != "" && tail != pimevent.Notifications:
		return address{}, "path_unknown"
	case req.Method != http.MethodPost:
		return address{}, "method_not_allowed"
	}
	if _, known := h.config.Config.PIMs[pim]; !known {
		return address{}, "pim_unknown"
	}
	if tail == pimevent.Notifications {
		return address{pimevent.Notifications, pim, pim + "/" + pimevent.Notifications}, ""
	}
	return address{pimevent.EventPlatform, pim, pim}, ""
}
