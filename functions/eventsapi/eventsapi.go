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
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: Lambda takes 6 MB of a request. Ten full products have some 100 KB.
const MaxBody = 6 << 20

// maxEvents is how many events the PIM puts in one request (Akeneo: "Events API", "Limits").
const maxEvents = 10

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing *secrets.Cache[secrets.Signing]
	Queue   queue.Sender // of events
	Samples bool         // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler receives events. It is a web.Handler.
type Handler struct {
	config Config
	gate   *gate.Gate
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{config, gate.New(gate.Config{Signing: config.Signing, Samples: config.Samples, Metrics: config.Metrics})}
}

// ServeRequest answers one request: 200 with an empty body when every event is in the queue, and to the PIM's test of
// the address, which is a signed empty body; 400 to a proven body that holds no events, 401, 405, 413, and 503 if an
// event could not be queued or no secret could be had. Never 404, and never a redirect, which the PIM takes for
// success.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	return h.gate.Taken(func() (web.Response, error) { return h.receive(ctx, req) })
}

func (h *Handler) receive(ctx context.Context, req *web.Request) (web.Response, error) {
	if err := gate.Method(req, http.MethodPost); err != nil {
		return web.Response{}, err
	}
	ctx, cancel := saving(ctx)
	defer cancel()
	path := h.path(req)
	delivery := pimevent.Delivery{API: pimevent.EventsAPI, PIM: path.Name, Received: req.Received, Correlation: cmp.Or(req.ID, rand.Text())}
	req.Log.Correlation = delivery.Correlation
	if path.Known {
		req.Log.Add(slog.String("pim", path.Name))
	}

	var proven signature.Verified
	var own []string
	err := h.gate.Prove(ctx, req, path, func(signing secrets.Signing) error {
		own = secrets.EventSecrets(signing.EventsAPI[path.Name], h.config.Samples)
		verified, sent, refusal := signature.VerifyEventsAPI(own, req.Header, req.Body)
		if refusal == nil {
			proven, refusal = verified, signature.Window(h.config.Now(), sent.Unix(), signature.EventsAPIWindow)
		}
		return refusal
	})
	if err != nil {
		return web.Response{}, err
	}
	h.gate.Verified(req, proven.Variant(), proven.Secret())
	h.gate.Used(req, gate.UseOf("events-api."+path.Name, own, proven.Secret()))
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
		messages[i] = queue.Message{Body: event, Attributes: delivery.Attributes(i), Group: delivery.Group(event)}
	}
	if err := h.gate.Queued(req, len(messages), h.send(ctx, messages)); err != nil {
		return web.Response{}, err
	}
	req.Log.Outcome = "queued"
	return accepted, nil
}

// accepted is the answer to what we have: an empty 200.
var accepted = web.Response{Status: http.StatusOK}

// path finds the PIM that a path names, with or without a final slash.
func (h *Handler) path(req *web.Request) gate.Path {
	path := gate.FindPath(req, "events-api", func(pim string) bool {
		_, known := h.config.Config.PIMs[pim]
		return known
	})
	path.Known = path.Known && path.Rest == ""
	return path
}

// Parse takes a proven body apart: {"events":[…]}, each event in the PIM's own bytes (Akeneo: "Events API", "Event
// format"). An event may hold anything: the vendor adds actions, and an odd one among ten must not cost the others.
// Its error is a *web.Error that says what is wrong.
func Parse(proven signature.Verified) ([]json.RawMessage, error) {
	var body struct {
		Events []json.RawMessage `json:"events"`
	}
	if json.Unmarshal(proven.Body(), &body) != nil { // its error would quote the body
		return nil, &web.Error{Code: web.Invalid, Reason: "body_malformed", Message: `The body is not {"events":[…]}.`}
	}
	if len(body.Events) == 0 {
		return nil, &web.Error{Code: web.Invalid, Reason: "events_missing", Message: "The body holds no events."}
	}
	return body.Events, nil
}
