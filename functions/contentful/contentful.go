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
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes. Contentful names no limit; 1,000 entries have about 25 KB.
const MaxBody = 1 << 20

// Config of a Handler. All but BasePath and Metrics are required.
type Config struct {
	Config   *config.Config
	Signing  secrets.Holder[secrets.Signing]
	Jobs     *jobs.Submitter
	BasePath string // what a domain's mapping puts in front of our paths: "/pim" or "pim"; Contentful signs it
	Samples  bool   // published sample secrets may prove: on a developer's machine only
	Now      func() time.Time
	Metrics  *metric.Sink
}

// Handler answers App Actions. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// ServeRequest answers one call: 202 with the job's ID; 400 if the parameters are not those of the action's category; 403,
// in one fixed text, to whoever is not proven or calls from a space that is not listed; 404, 405, 413; 503 if the job
// could not be recorded or queued, or if no secret could be had: calling again is safe then.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	to := split(req)
	action, known := h.config.Config.Contentful.Actions[to.name]
	if !known {
		return web.Response{}, &web.Error{Code: web.NotFound, Reason: "action_unknown"}
	}
	if req.Method != http.MethodPost {
		return web.Response{}, &web.Error{Code: web.Method, Reason: "method_not_allowed", Header: map[string]string{"allow": http.MethodPost}}
	}
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("action", action.Name))

	call, err := h.prove(ctx, req, to)
	if err != nil {
		return web.Response{}, err
	}
	logCall(req.Log, call)
	h.config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: call.Variant()})
	if !allowed(h.config.Config.Contentful.Spaces, call) {
		return web.Response{}, forbidden("space_not_listed", nil)
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

// logCall puts on the log line who called, from where and when: what was signed of it, and nothing else.
func logCall(line *web.Line, call signature.ContentfulCall) {
	line.Add(
		slog.String("header", call.Variant()),
		slog.Int("secret", call.Secret()),
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
		return &web.Error{Code: web.Unavailable, Reason: "job_not_started", Message: "The job could not be started. Please call again.", Err: cause.Err}
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
