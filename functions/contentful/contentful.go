// Package contentful answers App Actions (POST /contentful/{action}): it finds out whether Contentful really called,
// records a job, and says so. The work itself is the worker's; nothing here can act anywhere.
//
// The order is fixed, so that an unproven request costs nothing and learns nothing: size and base64 (package web),
// signature over the raw bytes with its time, the spaces that may call, parse, then the durable write.
package contentful

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/texts"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes. Contentful names no limit; 1,000 entries have about 25 KB.
const MaxBody = 1 << 20

// Config of a Handler. All but BasePath and Metrics are required.
type Config struct {
	Config   *config.Config
	Signing  *secrets.Cache[secrets.Signing]
	Jobs     *jobs.Submitter
	BasePath string // what a domain's mapping puts in front of our paths: "/pim" or "pim"; Contentful signs it
	Samples  bool   // published sample secrets may prove: on a developer's machine only
	Now      func() time.Time
	Metrics  *metric.Sink
}

// Handler answers App Actions. It is a web.Handler.
type Handler struct {
	config Config
	gate   *gate.Gate
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{config, gate.New(gate.Config{Signing: config.Signing, Refusal: web.Forbidden, Samples: config.Samples, Metrics: config.Metrics})}
}

func (h *Handler) known(name string) bool {
	_, there := h.config.Config.Contentful.Actions[name]
	return there
}

// ServeRequest answers one call: 202 with the job's ID; 400 if the parameters are not those of the action's category; 403,
// in one fixed text, to whoever is not proven, calls from a space that is not listed, or names no action; 405, 413; 503 if
// the job could not be recorded or queued, or if no secret could be had: calling again is safe then.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	if err := gate.Method(req, http.MethodPost); err != nil {
		return web.Response{}, err
	}
	path := h.address(req)
	action := h.config.Config.Contentful.Actions[path.Name]
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("action", action.Name))

	var call signature.ContentfulCall
	signed := signature.ContentfulRequest{Method: req.Method, Paths: called(req, path.Own, h.config.BasePath), Header: req.Header, Body: req.Body}
	var own []string
	err := h.gate.Prove(ctx, req, path, func(signing secrets.Signing) (refusal error) {
		own = secrets.Usable(signing.Contentful, 0, h.config.Samples)
		call, refusal = signature.VerifyContentful(own, signed, h.config.Now())
		return refusal
	})
	if err != nil {
		return web.Response{}, err
	}
	h.gate.Verified(req, call.Variant(), call.Secret())
	h.gate.Used(req, gate.UseOf("contentful", own, call.Secret()))
	logCall(req.Log, call)
	if !allowed(h.config.Config.Contentful.Spaces, call) {
		return web.Response{}, h.gate.Refuse(req, &signature.Error{Reason: "space_not_listed"})
	}

	parameters, err := Parse(action.Category, call.Verified)
	if err != nil {
		return web.Response{}, err
	}
	req.Log.Add(slog.Int("items", len(parameters.Items)))
	job, err := newJob(action, call, parameters, req.ID)
	if err != nil {
		return web.Response{}, err
	}
	submitted, err := h.config.Jobs.Submit(ctx, job)
	if err != nil {
		return web.Response{}, notSubmitted(err)
	}
	req.Log.Outcome = string(submitted.Verdict)
	req.Log.Add(slog.String("job", submitted.Job.ID), slog.String("verdict", string(submitted.Verdict)))
	h.config.Metrics.Count("Submitted", 1, metric.Dimension{Name: "Verdict", Value: string(submitted.Verdict)})
	return accepted(submitted.Job.ID)
}

// allowed says whether a call's space and environment may call. None listed: any. What was not signed is no place.
func allowed(spaces []string, call signature.ContentfulCall) bool {
	return len(spaces) == 0 || slices.Contains(spaces, call.Space+"/"+call.Environment)
}

// logCall puts on the log line who called, from where and when: what was signed of it, and nothing else.
func logCall(line *web.Line, call signature.ContentfulCall) {
	line.Add(
		slog.String("space", call.Space),
		slog.String("environment", call.Environment),
		slog.String("user", call.User),
		slog.String("app", call.App),
		slog.Int64("timestamp", call.Sent.UnixMilli()),
	)
}

// place is where a call came from, for the action's templates and for what it sends: an entry's ID says nothing without it.
type place struct {
	Space       string `json:"space,omitempty"`
	Environment string `json:"environment,omitempty"`
	App         string `json:"app,omitempty"` // that called, if no user did
}

// newJob is the job of a call. Its ID is that of what was signed: one call that is delivered twice is one job, and the
// same message sent twice, at two times, is two. It has no once key.
func newJob(action config.ContentfulAction, call signature.ContentfulCall, parameters Parameters, requestID string) (jobs.Job, error) {
	from, err := json.Marshal(place{call.Space, call.Environment, call.App})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("encode context: %w", err)
	}
	return jobs.Job{
		ID:          jobs.ID(action.Name, call.Canonical),
		Action:      action.Action,
		Trigger:     jobs.TriggerContentful,
		Extension:   action.Name,
		Label:       action.Name,
		Items:       parameters.Items,
		Context:     from,
		Params:      parameters.Params,
		User:        jobs.User{UUID: call.User},
		Total:       len(parameters.Items),
		Correlation: requestID,
	}, nil
}

// notSubmitted is the refusal of a proven call that became no job.
func notSubmitted(err error) error {
	if errors.Is(err, jobs.ErrTooLarge) {
		return &web.Error{Code: web.TooLarge, Reason: "job_too_large", Message: "The parameters are too large.", Err: err}
	}
	if cause, ok := errors.AsType[*jobs.NotStartedError](err); ok {
		return &web.Error{Code: web.Unavailable, Reason: "job_not_started", Message: texts.Say("app_unavailable", "", nil, texts.Values{}), Err: cause.Err}
	}
	return err
}

// accepted is the answer that Contentful keeps as the call's result.
func accepted(id string) (web.Response, error) {
	body, err := json.Marshal(struct {
		Job string `json:"job"`
	}{id})
	if err != nil {
		return web.Response{}, fmt.Errorf("encode answer: %w", err)
	}
	return web.Response{Status: http.StatusAccepted, Body: body}, nil
}
