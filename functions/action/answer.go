package action

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/web"
)

// maxWait is when an answer leaves at the latest, counted from API Gateway's clock: the PIM gives up after 5 s.
const maxWait = 4 * time.Second

// answer says what became of a press. The same press, delivered again, gets the same answer; success is said only
// of a job that is past recorded, which a Submitted is.
func (h *Handler) answer(ctx context.Context, req *web.Request, extension config.Extension, press Press, submitted jobs.Submitted) (web.Response, error) {
	job := submitted.Job
	own, locale := extension.Messages, press.Locale
	said := values{label: label(extension, locale), job: job.ID, user: job.User.Username, since: job.CreatedAt}
	if submitted.Verdict == jobs.AlreadyRunning {
		req.Log.Outcome = string(submitted.Verdict)
		return respond(http.StatusOK, say("running", locale, own, said))
	}
	wait := min(h.config.Config.Actions[extension.Action].Wait, maxWait)
	if wait > 0 {
		job = h.watch(ctx, req, job, wait)
	}
	switch {
	case job.Reason == jobs.ReasonNotQueued || job.Reason == jobs.ReasonNotStarted:
		return web.Response{}, notStarted(fmt.Errorf("job ended as %s", job.Reason), extension, press)
	case wait > 0 && job.State.Ended():
		req.Log.Outcome = string(job.State)
		req.Log.Add(slog.Int("done", job.Done), slog.Int("failed", job.Failed), slog.Int("total", job.Total))
		return verdict(extension, locale, said, job)
	}
	req.Log.Outcome = string(jobs.Started)
	return respond(http.StatusOK, say("started", locale, own, said))
}

// watch reads the job until it has ended or the time for an answer is up. A read that fails takes nothing back: the
// job is started, and that is the answer.
func (h *Handler) watch(ctx context.Context, req *web.Request, job jobs.Job, wait time.Duration) jobs.Job {
	until, latest := req.Received.Add(wait), h.config.Now().Add(wait)
	if until.After(latest) { // API Gateway's clock is ahead of ours
		until = latest
	}
	watched, err := jobs.Watch(ctx, h.config.Store, job.ID, until, h.config.Now)
	if err != nil {
		req.Log.Add(slog.String("watch_error", err.Error()))
		return job
	}
	return watched.AsOf(h.config.Now())
}

// verdict tells how a job ended: in the extension's own words, the job's, or ours.
func verdict(extension config.Extension, locale string, said values, job jobs.Job) (web.Response, error) {
	name := string(job.State)
	said.done, said.failed, said.total, said.message = job.Done, job.Failed, job.Total, job.Message
	text := job.Message
	if own := extension.Messages[name].In(locale); own != "" || text == "" {
		if own == "" && job.State == jobs.Succeeded && job.Total == 0 {
			name = "succeeded_none"
		}
		text = say(name, locale, extension.Messages, said)
	}
	if job.State == jobs.Succeeded {
		return respond(http.StatusOK, text)
	}
	return respond(http.StatusUnprocessableEntity, text)
}

// respond writes the answer that the PIM shows (Akeneo help, "Action extension").
func respond(status int, message string) (web.Response, error) {
	body, err := json.Marshal(struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
	}{status == http.StatusOK, message})
	if err != nil {
		return web.Response{}, fmt.Errorf("encode answer: %w", err)
	}
	return web.Response{Status: status, Body: body}, nil
}
