// Package action answers a button in the PIM (POST /actions/{extension}): it finds out who really pressed, records
// a job, and says so in the few seconds that the PIM waits. The work itself is the worker's; nothing here can act in
// the PIM.
//
// The order is fixed, so that an unproven request costs nothing and learns nothing: size and base64 (package web),
// signature over the raw bytes, parse, time window, rights, then the durable write.
package action

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes. The PIM's largest, 500 items, has about 20 KB.
const MaxBody = 1 << 20

// maxGroups is how many of a user's groups a job keeps; rights are checked against all.
const maxGroups = 100

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing Signing
	Jobs    *jobs.Submitter
	Store   jobs.Store // watched by actions that wait
	Samples bool       // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler answers presses. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// ServeRequest answers one press: 200 with a job's ID, or with its verdict if the action waits for it (422 if that
// is a failure); 400, 401, 403, 404, 405, 413, and 503 if the job could not be recorded or queued, or if no secret
// could be had: pressing again is safe then.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	extension, err := h.extension(req)
	if err != nil {
		return web.Response{}, err
	}
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("extension", extension.Name))

	proven, err := h.prove(ctx, extension, req)
	if err != nil {
		return web.Response{}, err
	}
	req.Log.Add(slog.String("header", proven.Variant()), slog.Int("secret", proven.Secret()))

	press, err := Parse(proven)
	if err != nil {
		return web.Response{}, err
	}
	logPress(req.Log, press)
	if err := signature.Window(h.config.Now(), press.Timestamp, signature.ActionWindow); err != nil {
		return web.Response{}, unproven(req, err)
	}
	h.config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: proven.Variant()})

	if !allowed(extension.Allow, press.User) {
		return web.Response{}, &web.Error{Code: web.Forbidden, Reason: "not_allowed",
			Message: say("forbidden", press.Locale, extension.Messages, values{label: label(extension, press.Locale)})}
	}
	job := newJob(extension, press, proven, req.ID)
	submitted, err := h.config.Jobs.Submit(ctx, job)
	if err != nil {
		return web.Response{}, notSubmitted(err, extension, press)
	}
	req.Log.Add(slog.String("job", submitted.Job.ID), slog.String("verdict", string(submitted.Verdict)))
	h.config.Metrics.Count("Submitted", 1, metric.Dimension{Name: "Verdict", Value: string(submitted.Verdict)})
	return h.answer(ctx, req, extension, press, submitted)
}

// extension finds the extension that a path names, and checks the method. What follows the name is ignored: the PIM
// fills placeholders of the configured URL with product data.
func (h *Handler) extension(req *web.Request) (config.Extension, error) {
	path := req.Path
	if req.Stage != "" { // a stage may be named "actions"
		if rest, ok := strings.CutPrefix(path, "/"+req.Stage+"/"); ok {
			path = "/" + rest
		}
	}
	_, rest, _ := strings.Cut(path, "/actions/")
	name, _, _ := strings.Cut(rest, "/")
	extension, known := h.config.Config.Extensions[name]
	if !known || extension.Type != "action" {
		return config.Extension{}, &web.Error{Code: web.NotFound, Reason: "extension_unknown"}
	}
	if req.Method != http.MethodPost {
		return config.Extension{}, &web.Error{Code: web.Method, Reason: "method_not_allowed", Header: map[string]string{"allow": http.MethodPost}}
	}
	return extension, nil
}

// logPress puts on the log line who pressed and when. A username that is an e-mail address stays out; the uuid
// says as much.
func logPress(line *web.Line, press Press) {
	username := press.User.Username
	if strings.Contains(username, "@") {
		username = ""
	}
	line.Add(
		slog.String("user", press.User.UUID),
		slog.String("username", username),
		slog.Int64("timestamp", press.Timestamp),
		slog.Int("items", len(press.Items)),
	)
}

// allowed says whether a user may press. The PIM has signed the user's name and groups.
func allowed(allow config.Allow, user jobs.User) bool {
	if len(allow.Groups) == 0 && len(allow.Usernames) == 0 {
		return true
	}
	return slices.Contains(allow.Usernames, user.Username) ||
		slices.ContainsFunc(user.Groups, func(group string) bool { return slices.Contains(allow.Groups, group) })
}

// newJob is the job of a press. Its ID is that of the proven bytes: the same request is the same job.
func newJob(extension config.Extension, press Press, proven signature.Verified, requestID string) jobs.Job {
	job := jobs.Job{
		ID:          jobs.ID(extension.Name, proven.Body()),
		Action:      extension.Action,
		Trigger:     jobs.TriggerAction,
		Extension:   extension.Name,
		PIM:         extension.PIM,
		Label:       label(extension, press.Locale),
		Items:       press.Items,
		Context:     press.Context,
		Params:      press.Params,
		User:        press.User,
		Total:       len(press.Items),
		Correlation: requestID,
	}
	job.User.Groups = job.User.Groups[:min(len(job.User.Groups), maxGroups)]
	if extension.Once {
		job.Once = jobs.OnceKey(extension.Name, extension.Action, press.Items, press.Locale, press.Channel)
	}
	return job
}

// label is how the user knows the extension.
func label(extension config.Extension, locale string) string {
	if text := extension.Label.In(locale); text != "" {
		return text
	}
	return extension.Name
}

// notSubmitted is the refusal of a proven press that became no job.
func notSubmitted(err error, extension config.Extension, press Press) error {
	if errors.Is(err, jobs.ErrTooLarge) {
		return &web.Error{Code: web.TooLarge, Reason: "job_too_large", Message: say("too_large", press.Locale, extension.Messages, values{}), Err: err}
	}
	if cause, ok := errors.AsType[*jobs.NotStartedError](err); ok {
		return notStarted(cause.Err, extension, press)
	}
	return err
}

// notStarted asks the user to press again.
func notStarted(cause error, extension config.Extension, press Press) error {
	return &web.Error{Code: web.Unavailable, Reason: "job_not_started", Err: cause,
		Message: say("unavailable", press.Locale, extension.Messages, values{label: label(extension, press.Locale)})}
}
