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
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: Lambda takes 6 MB of a request. An event with a long delta has some 20 KB.
const MaxBody = 6 << 20

// maxEvents is how many events an array may hold to be taken apart. The platform sends one event at a time.
const maxEvents = 100

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing *secrets.Cache[secrets.Signing]
	Queue   queue.Sender // of events
	Samples bool         // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler receives events and notifications. It is a web.Handler.
type Handler struct {
	config Config
	gate   *gate.Gate
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{config, gate.New(gate.Config{Signing: config.Signing, Samples: config.Samples, Metrics: config.Metrics})}
}

// ServeRequest answers one request: 200 with an empty body when what it brought is in the queue, and to a signed empty
// body, which brings nothing; 503, which asks the
// platform to come again, if it could not be queued or no secret could be had; 413 if it is too large for the queue
// even compressed; 401 to everything else, whatever path and method.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	return h.gate.Taken(func() (web.Response, error) { return h.receive(ctx, req) })
}

func (h *Handler) receive(ctx context.Context, req *web.Request) (web.Response, error) {
	if gate.Method(req, http.MethodPost) != nil { // no 405 here: whatever comes is refused alike
		return web.Response{}, h.gate.Refuse(req, &signature.Error{Reason: gate.MethodNotAllowed})
	}
	to := h.address(req)
	delivery := pimevent.Delivery{API: to.api, PIM: to.Name, Received: req.Received, Correlation: cmp.Or(req.ID, rand.Text())}
	req.Log.Correlation = delivery.Correlation
	if to.Known {
		req.Log.Add(slog.String("pim", to.Name))
	}

	var proven signature.Verified
	var own []string
	err := h.gate.Prove(ctx, req, to.Path, func(signing secrets.Signing) (refusal error) {
		own = secrets.EventSecrets(signing.EventPlatform[to.secrets], h.config.Samples)
		proven, refusal = signature.VerifyEventPlatform(own, req.Header, req.Body)
		return refusal
	})
	if err != nil {
		return web.Response{}, err
	}
	h.gate.Verified(req, proven.Variant(), proven.Secret())
	h.gate.Used(req, gate.UseOf("event-platform."+to.secrets, own, proven.Secret()))
	if len(proven.Body()) == 0 { // no delivery of the platform's: somebody asks whether we can be reached
		req.Log.Outcome = "reachable"
		return web.Response{Status: http.StatusOK}, nil
	}

	events := []json.RawMessage{proven.Body()}
	if to.api == pimevent.EventPlatform {
		var understood bool
		if events, understood = Parse(proven); !understood {
			req.Log.Reason, req.Log.Level = "body_kept_as_it_is", slog.LevelWarn
		}
	}
	messages := make([]queue.Message, len(events))
	for i, event := range events {
		messages[i] = queue.Message{Body: event, Attributes: delivery.Attributes(i), Group: delivery.Group(event)}
	}
	req.Log.Add(slog.Int("events", len(events)))
	// After a failure the platform sends all of it again; what is in the queue already is then recognised by its id.
	if err := h.gate.Queued(req, len(messages), h.config.Queue.Send(ctx, messages...)); err != nil {
		return web.Response{}, err
	}
	req.Log.Outcome = "queued"
	return web.Response{Status: http.StatusOK}, nil
}

// address is where a delivery goes.
type address struct {
	gate.Path        // of the PIM
	api       string // pimevent.EventPlatform or pimevent.Notifications
	secrets   string // key of the secrets in the signing document
}

// address finds what a request is for, with or without a final slash in its path.
func (h *Handler) address(req *web.Request) address {
	path := gate.FindPath(req, "event-platform", func(pim string) bool {
		_, known := h.config.Config.PIMs[pim]
		return known
	})
	switch strings.TrimSuffix(path.Rest, "/") {
	case "":
		return address{path, pimevent.EventPlatform, path.Name}
	case pimevent.Notifications:
		return address{path, pimevent.Notifications, path.Name + "/" + pimevent.Notifications}
	}
	path.Known = false
	return address{path, pimevent.EventPlatform, path.Name}
}

// Parse takes a proven delivery apart: one CloudEvent in structured mode, or an array of them, each in the sender's own
// bytes. It never fails and never returns nothing: what it does not understand (an empty array and one of more than
// 100 included) it returns as it is, in one piece, because a refusal would cost more than a message that matches no
// subscription.
func Parse(proven signature.Verified) (events []json.RawMessage, understood bool) {
	events, ok := pimevent.Split(proven.Body())
	if !ok || len(events) == 0 || len(events) > maxEvents {
		return []json.RawMessage{proven.Body()}, false
	}
	return events, true
}
