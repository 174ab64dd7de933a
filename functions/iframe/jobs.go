package iframe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/body"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/texts"
	"github.com/pim-functions/pim-functions/shared/web"
)

// pageSize is how many jobs one list holds.
const pageSize = 20

// listed is a job as the page shows it: nothing of how it is kept.
type listed struct {
	ID          string     `json:"id"`
	Action      string     `json:"action"`
	Label       string     `json:"label"`
	Trigger     string     `json:"trigger"`
	State       jobs.State `json:"state"`
	Done        int        `json:"done"`
	Failed      int        `json:"failed"`
	Total       int        `json:"total"`
	Open        bool       `json:"open"`              // more may follow than the total counts, or was left out at the end
	Message     string     `json:"message,omitempty"` // how it is, in one sentence
	Reason      string     `json:"reason,omitempty"`  // stable code of a failed end
	Parent      string     `json:"parent,omitempty"`  // the job that this one repeats or follows
	CreatedAt   time.Time  `json:"createdAt"`
	UpdatedAt   time.Time  `json:"updatedAt"`
	User        string     `json:"user,omitempty"`
	Cancellable bool       `json:"cancellable"`
	Cancelling  bool       `json:"cancelling"`
	Retryable   bool       `json:"retryable"`
	Waits       bool       `json:"waits"`    // for somebody's word, and for nothing else: the wait can be given up
	AsDone      bool       `json:"asDone"`   // and a user may say that it is done
	Undoable    bool       `json:"undoable"` // it has changed products, which can be taken back
	Files       int        `json:"files"`    // that it made and that are still kept
	Changed     bool       `json:"changed"`  // it has changed products: the PIM's own page is out of date
}

// newListed is the job as it reads at this time, for this page, in the language that its call names.
func (h *Handler) newListed(c call, job jobs.Job) listed {
	job = job.AsOf(h.config.Now())
	l := listed{
		ID: job.ID, Action: job.Action, Label: texts.Label(job), Trigger: job.Trigger, State: job.State,
		Done: job.Done, Failed: job.Failed, Total: job.Total, Open: job.Open(), Reason: job.Reason, Parent: job.Parent, User: texts.Username(job.User),
		Message:   texts.Status(job, c.language(), texts.Of(h.config.Config, job, c.language(), h.config.Now())),
		CreatedAt: job.CreatedAt, UpdatedAt: job.UpdatedAt,
		Cancellable: !job.State.Ended() && !job.Stop,
		Cancelling:  !job.State.Ended() && job.Stop,
		Retryable:   retryable(c.extension, job),
		Waits:       job.AtRest() && !job.Stop,
		AsDone:      job.AtRest() && !job.Stop && job.Awaits.AsDone,
		Undoable:    job.Undoable(),
		Files:       len(h.kept(job)),
		Changed:     job.State.Ended() && job.Done > 0 && h.changes(job),
	}
	if job.Label != "" && job.Trigger == jobs.TriggerThen { // its label is that of the job that it follows
		l.Label += " → " + job.Action
	}
	return l
}

// changes says whether a job has changed products, or its destination says that it did, by
// {"changed":true} or a count in its result.
func (h *Handler) changes(job jobs.Job) bool {
	if job.Changed > 0 {
		return true
	}
	var result struct {
		Changed any `json:"changed"`
	}
	if json.Unmarshal(job.Result, &result) != nil {
		return false
	}
	return result.Changed == true || result.Changed != nil && result.Changed != false && result.Changed != 0.0
}

// retryable says whether this page may start the failed items of a job again: it starts what it offers, and nothing
// else, whatever other button the job came from.
func retryable(extension config.Extension, job jobs.Job) bool {
	return (job.State == jobs.Failed || job.State == jobs.Partial) && job.Trigger != jobs.TriggerUndo && slices.Contains(extension.Actions, job.Action)
}

// list answers with the user's jobs in this PIM, whichever button started them, newest first. `before` in the query
// is the `next` of an earlier list.
func (h *Handler) list(ctx context.Context, c call) (web.Response, error) {
	owner, err := c.owner()
	if err != nil {
		return web.Response{}, err
	}
	query := jobs.Query{Owner: owner, Limit: pageSize}
	asked, err := url.ParseQuery(c.req.Query)
	if err != nil {
		return web.Response{}, body.Malformed("query_malformed", "The query is malformed.")
	}
	if before := asked.Get("before"); before != "" {
		if query.Before, err = time.Parse(time.RFC3339Nano, before); err != nil {
			return web.Response{}, body.Malformed("before_invalid", "before must be the next of an earlier list.")
		}
	}
	found, more, err := h.config.Store.List(ctx, query)
	if err != nil {
		return web.Response{}, unreadable(err)
	}
	answer := struct {
		Jobs []listed   `json:"jobs"`
		Next *time.Time `json:"next,omitempty"`
	}{Jobs: make([]listed, len(found))}
	for i, job := range found {
		answer.Jobs[i] = h.newListed(c, job)
	}
	if more && len(found) > 0 {
		answer.Next = &found[len(found)-1].CreatedAt
	}
	return respond(answer)
}

// show answers with one job and what failed of it.
func (h *Handler) show(ctx context.Context, c call) (web.Response, error) {
	job, err := h.mine(ctx, c)
	if err != nil {
		return web.Response{}, err
	}
	failures, err := h.config.Store.Failures(ctx, job.ID, jobs.MaxItems) // a selection can have more than an answer holds
	if err != nil {
		return web.Response{}, unreadable(err)
	}
	return respond(struct {
		Job      listed         `json:"job"`
		Failures []jobs.Failure `json:"failures"`
	}{h.newListed(c, job), append([]jobs.Failure{}, failures...)})
}

// download is a file of a job that the page can have.
type download struct {
	Name  string    `json:"name"`
	URL   string    `json:"url"`
	Bytes int64     `json:"bytes"`
	Until time.Time `json:"until"` // when it is deleted
}

// files answers with the links of a job's files.
func (h *Handler) files(ctx context.Context, c call) (web.Response, error) {
	job, err := h.mine(ctx, c)
	if err != nil {
		return web.Response{}, err
	}
	return respond(struct {
		Files []download `json:"files"`
	}{h.kept(job)})
}

// kept are the files of a job that are still there.
func (h *Handler) kept(job jobs.Job) []download {
	found := []download{}
	for _, f := range job.Files {
		if f.Link != "" && h.config.Now().Before(f.Until) {
			found = append(found, download{Name: f.Name, URL: f.Link, Bytes: f.Bytes, Until: f.Until})
		}
	}
	return found
}

// cancel asks a job to stop: at once, or after the batch in work.
func (h *Handler) cancel(ctx context.Context, c call) (web.Response, error) {
	job, err := h.mine(ctx, c)
	if err != nil {
		return web.Response{}, err
	}
	if job, err = jobs.Cancel(ctx, h.config.Store, job.ID, h.config.Now); err != nil {
		return web.Response{}, unreadable(err)
	}
	c.req.Log.Outcome = "cancel_asked"
	return respond(struct {
		Job listed `json:"job"`
	}{h.newListed(c, job)})
}

// retry starts what failed of a job again, as a job of its own.
func (h *Handler) retry(ctx context.Context, c call) (web.Response, error) {
	job, err := h.mine(ctx, c)
	if err != nil {
		return web.Response{}, err
	}
	wish, err := parse(c.req.Body)
	if err != nil {
		return web.Response{}, err
	}
	before := job.AsOf(h.config.Now())
	switch {
	case !slices.Contains(c.extension.Actions, job.Action):
		return web.Response{}, notOffered()
	case !retryable(c.extension, before):
		return web.Response{}, &web.Error{Code: web.Refused, Reason: "nothing_failed", Message: "Nothing of this job has failed."}
	}
	again := jobs.Job{Action: job.Action, Label: job.Label, Context: job.Context, Params: job.Params, Parent: job.ID}
	if job.Select != nil {
		again.Select = job.Rest()
	} else {
		failures, err := h.config.Store.Failures(ctx, job.ID, 0)
		if err != nil {
			return web.Response{}, unreadable(err)
		}
		again.Items = left(job, failures)
	}
	if err := json.Unmarshal(job.Context, &wish.around); err != nil && len(job.Context) > 0 {
		wish.around = surroundings{} // of another shape: only the once key is less exact
	}
	return h.submit(ctx, c, wish, again)
}

// undo takes back what a job has changed in the PIM, by a job of its own.
func (h *Handler) undo(ctx context.Context, c call) (web.Response, error) {
	job, err := h.mine(ctx, c)
	if err != nil {
		return web.Response{}, err
	}
	undone, err := h.config.Jobs.Undo(ctx, job.ID, job.User)
	switch {
	case errors.Is(err, jobs.ErrNotEnded):
		return web.Response{}, &web.Error{Code: web.Conflict, Reason: "not_ended", Message: "This job has not ended. Stop it, or wait until it has ended, before you undo it."}
	case errors.Is(err, jobs.ErrNothingToUndo):
		return web.Response{}, &web.Error{Code: web.Conflict, Reason: "nothing_to_undo", Message: "This job has changed nothing in the PIM: there is nothing to undo."}
	case errors.Is(err, jobs.ErrUndoing):
		return web.Response{}, &web.Error{Code: web.Conflict, Reason: "undo_running", Message: "This job is being undone already. Wait until that has ended."}
	case err != nil:
		return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "job_not_started", Err: err}
	}
	c.req.Log.Outcome = "undo_started"
	return respond(struct {
		Job listed `json:"job"`
	}{h.newListed(c, undone)})
}

// left are the items of a job that failed, and those that it never came to because its worker crashed or because it
// was never started.
func left(job jobs.Job, failures []jobs.Failure) []jobs.Item {
	var items []jobs.Item
	for _, failure := range failures {
		items = append(items, failure.Item)
	}
	return append(items, job.Items[min(job.Next, len(job.Items)):]...)
}

func notOffered() error {
	return &web.Error{Code: web.Forbidden, Reason: "action_not_offered", Message: "This page does not offer that action."}
}

// mine reads the job that the path names. One of another user or PIM is not there: who guesses IDs learns nothing.
func (h *Handler) mine(ctx context.Context, c call) (jobs.Job, error) {
	if _, err := c.owner(); err != nil {
		return jobs.Job{}, err
	}
	c.req.Log.Add(slog.String("job", c.job[:min(len(c.job), 64)]))
	job, err := h.config.Store.Load(ctx, c.job)
	switch {
	case errors.Is(err, jobs.ErrNotFound), err == nil && !c.owns(job):
		return jobs.Job{}, &web.Error{Code: web.NotFound, Reason: "job_unknown", Message: "There is no such job."}
	case err != nil:
		return jobs.Job{}, unreadable(err)
	}
	return job, nil
}

// owner is the key of the user's jobs. Tokens of before June 2025 name no UUID, without which nobody's jobs are found.
func (c call) owner() (string, error) {
	owner := jobs.Owner(c.extension.PIM, c.user.UserUUID)
	if owner == "" {
		return "", &web.Error{Code: web.Forbidden, Reason: "user_uuid_missing", Message: "The PIM's token names no user UUID: the PIM is too old for this page."}
	}
	return owner, nil
}

// language is the user's, as the page says: a locale of the PIM's.
func (c call) language() string {
	asked, _ := url.ParseQuery(c.req.Query) // what cannot be read is no language
	return asked.Get("language")
}

func (c call) owns(job jobs.Job) bool {
	return job.PIM == c.extension.PIM && job.User.UUID == c.user.UserUUID
}

func unreadable(err error) error {
	return &web.Error{Code: web.Unavailable, Reason: "jobs_unavailable", Err: err}
}

// respond writes what the page reads.
func respond(answer any) (web.Response, error) {
	body, err := json.Marshal(answer)
	if err != nil {
		return web.Response{}, fmt.Errorf("encode answer: %w", err)
	}
	return web.Response{Body: body}, nil
}
