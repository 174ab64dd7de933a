// Package action answers a button in the PIM (POST /actions/{extension}): it finds out who really pressed, records
// a job, and says so in the few seconds that the PIM waits. The work itself is the worker's; nothing here can act in
// the PIM.
//
// The order is fixed, so that an unproven request costs nothing and learns nothing: size and base64 (package web),
// signature over the raw bytes, parse, time window, rights, then the durable write.
package action

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

// MaxBody is the largest body in bytes. The PIM's largest, 500 items, has about 20 KB.
const MaxBody = 1 << 20

// maxGroups is how many of a user's groups a job keeps; rights are checked against all.
const maxGroups = 100

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing *secrets.Cache[secrets.Signing]
	Jobs    *jobs.Submitter
	Store   jobs.Store // watched by actions that wait
	Samples bool       // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler answers presses. It is a web.Handler.
type Handler struct {
	config Config
	gate   *gate.Gate
	known  func(name string) bool
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{
		config: config, known: gate.Extensions(config.Config, "action"),
		gate: gate.New(gate.Config{Signing: config.Signing, Samples: config.Samples, Metrics: config.Metrics}),
	}
}

// proven is a press that the PIM has sent, with the button that it is of.
type proven struct {
	Press
	req       *web.Request
	extension config.Extension
	action    config.Action
	label     string // of the extension, in the user's locale
}

// ServeRequest answers one press: 200 with a job's ID, or with its end if the action waits for it (422 if that is a
// failure, or if it is known why the job goes on later); 400, 401, 403, 405, 413, and 503 if the job could not be
// recorded or queued, or if no secret could be had: pressing again is safe then. What follows the extension's name in
// the path is ignored: the PIM fills placeholders of the configured URL with product data.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	if err := gate.Method(req, http.MethodPost); err != nil {
		return web.Response{}, err
	}
	path := gate.FindPath(req, "actions", h.known)
	extension := h.config.Config.Extensions[path.Name]
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("extension", extension.Name))

	var verified signature.Verified
	var own secrets.Extension
	err := h.gate.Prove(ctx, req, path, func(signing secrets.Signing) (refusal error) {
		own = signing.Extensions[path.Name]
		if refusal = h.gate.Open(signing, path.Name, extension.Unsigned); refusal == nil {
			verified, refusal = signature.VerifyAction(gate.ActionProof(own, extension.Unsigned), req.Header, req.Body)
		}
		return refusal
	})
	if err != nil {
		return web.Response{}, err
	}
	press, err := Parse(verified)
	if err != nil {
		return web.Response{}, err
	}
	req.Log.Add(slog.String("user", press.User.UUID), slog.String("username", texts.Username(press.User)),
		slog.Int64("timestamp", press.Timestamp), slog.Int("items", len(press.Items)))
	if err := signature.Window(h.config.Now(), press.Timestamp, signature.ActionWindow); err != nil {
		return web.Response{}, h.gate.Refuse(req, err)
	}
	h.gate.Verified(req, verified.Variant(), verified.Secret())
	h.gate.Used(req, gate.UseOf(path.Name, own.Secrets, verified.Secret()), gate.UseOfCredential(path.Name, own.Credentials, verified.Credential()))

	p := proven{press, req, extension, h.config.Config.Actions[extension.Action], extension.Label.In(press.Locale)}
	if p.label == "" {
		p.label = extension.Name
	}
	if !allowed(extension.Allow, press.User) {
		return web.Response{}, p.refusal(web.Forbidden, "not_allowed", "forbidden", nil)
	}
	return h.start(ctx, p, jobs.ID(extension.Name, verified.Body()))
}

// allowed says whether a user may press. The PIM has signed the user's name and groups.
func allowed(allow config.Allow, user jobs.User) bool {
	if len(allow.Groups) == 0 && len(allow.Usernames) == 0 {
		return true
	}
	return slices.Contains(allow.Usernames, user.Username) ||
		slices.ContainsFunc(user.Groups, func(group string) bool { return slices.Contains(allow.Groups, group) })
}

// start records and queues a press's job. Its ID is that of the proven bytes: the same request is the same job.
func (h *Handler) start(ctx context.Context, p proven, id string) (web.Response, error) {
	job := jobs.Job{
		ID:          id,
		Action:      p.extension.Action,
		Trigger:     jobs.TriggerAction,
		Extension:   p.extension.Name,
		PIM:         p.extension.PIM,
		Label:       p.label,
		Items:       p.Items,
		Context:     p.Context,
		Params:      p.Params,
		User:        p.User,
		Total:       len(p.Items),
		Correlation: p.req.ID,
	}
	job.User.Groups = job.User.Groups[:min(len(job.User.Groups), maxGroups)]
	if p.extension.Select != "" && len(p.Items) == 0 { // a position's own items come first
		job.Select = &jobs.Select{Name: p.extension.Select, Mark: jobs.MarkKey("button", p.extension.Declared, p.extension.PIM, p.extension.Select)}
	}
	job.Once = p.once(job)
	submitted, err := h.config.Jobs.Submit(ctx, job)
	switch cause, notStarted := errors.AsType[*jobs.NotStartedError](err); {
	case errors.Is(err, jobs.ErrTooLarge):
		return web.Response{}, p.refusal(web.TooLarge, "job_too_large", "too_large", err)
	case notStarted:
		return web.Response{}, p.refusal(web.Unavailable, "job_not_started", "unavailable", cause.Err)
	case err != nil:
		return web.Response{}, err
	}
	p.req.Log.Add(slog.String("job", submitted.Job.ID), slog.String("verdict", string(submitted.Verdict)))
	h.config.Metrics.Count("Submitted", 1, metric.Dimension{Name: "Verdict", Value: string(submitted.Verdict)})
	return h.answer(ctx, p, submitted)
}

// once is the key that keeps the same work out while a job does it; "": nothing is kept out.
func (p proven) once(job jobs.Job) string {
	e := p.extension
	switch {
	case !e.Once:
		return ""
	case e.OnceForAll:
		return jobs.OnceKeyOf(e.Name, e.Action, e.PIM, "")
	case job.Select != nil:
		return jobs.OnceKeyOf(e.Name, e.Action, e.PIM, job.Select.Name)
	}
	return jobs.OnceKey(e.Name, e.Action, p.Items, p.Locale, p.Channel)
}

// answer says what became of a press. The same press, delivered again, gets the same answer.
func (h *Handler) answer(ctx context.Context, p proven, submitted jobs.Submitted) (web.Response, error) {
	job, wait := submitted.Job, min(p.action.Wait, web.AnswerTime)
	if submitted.Verdict == jobs.AlreadyRunning {
		p.req.Log.Outcome = string(submitted.Verdict)
		return p.respond(http.StatusOK, texts.Say("running", p.Locale, p.extension.Messages, h.values(p, job)))
	}
	if wait > 0 {
		// A read that fails takes nothing back: the job is started, and that is the answer.
		if watched, err := jobs.Watch(ctx, h.config.Store, job.ID, p.req.Received.Add(wait), h.config.Now); err != nil {
			p.req.Log.Add(slog.String("watch_error", err.Error()))
		} else {
			job = watched.AsOf(h.config.Now())
		}
	}
	values := h.values(p, job)
	switch {
	case job.Reason == jobs.ReasonNotQueued || job.Reason == jobs.ReasonNotStarted:
		return web.Response{}, p.refusal(web.Unavailable, "job_not_started", "unavailable", fmt.Errorf("job ended as %s", job.Reason))
	case wait > 0 && job.State.Ended():
		p.req.Log.Outcome = string(job.State)
		p.req.Log.Add(slog.Int("done", job.Done), slog.Int("failed", job.Failed), slog.Int("total", job.Total))
		status := http.StatusUnprocessableEntity
		if job.State == jobs.Succeeded {
			status = http.StatusOK
		}
		return p.respond(status, texts.End(job, p.Locale, p.extension.Messages, values))
	case wait > 0 && job.State == jobs.Waiting && values.Message != "":
		p.req.Log.Outcome = string(job.State)
		return p.respond(http.StatusUnprocessableEntity, texts.Say("delayed", p.Locale, p.extension.Messages, values))
	}
	p.req.Log.Outcome = string(jobs.Started)
	return p.respond(http.StatusOK, texts.Say("started", p.Locale, p.extension.Messages, values))
}

// values are what the answers may name of a job. The label is this press's, whoever started the job.
func (h *Handler) values(p proven, job jobs.Job) texts.Values {
	v := texts.Of(h.config.Config, job, p.Locale, h.config.Now())
	v.Label = p.label
	return v
}

// refusal is the answer to a proven press that starts nothing, in words for its user.
func (p proven) refusal(code web.Code, reason, text string, cause error) error {
	return &web.Error{Code: code, Reason: reason, Err: cause, Message: texts.Say(text, p.Locale, p.extension.Messages, texts.Values{Label: p.label})}
}

// respond writes the answer that the PIM shows (Akeneo help, "Action extension").
func (p proven) respond(status int, message string) (web.Response, error) {
	body, err := json.Marshal(struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
	}{status == http.StatusOK, message})
	if err != nil {
		return web.Response{}, fmt.Errorf("encode answer: %w", err)
	}
	return web.Response{Status: status, Body: body}, nil
}
