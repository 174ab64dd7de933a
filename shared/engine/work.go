package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
)

// errLost means that another worker has the lease now: nothing may be written any more.
var errLost = errors.New("lease lost")

// work is one turn on one job whose lease we hold.
type work struct {
	*Engine
	log      *slog.Logger
	delivery Delivery
	turn     turn
	job      jobs.Job
	action   config.Action // as configured now; zero if unknown
}

// do works batch by batch until the job ends or has to go on later.
func (w *work) do(ctx context.Context) error {
	action, err := w.open(ctx)
	if err != nil {
		return w.settle(ctx, err, nil)
	}
	if w.job.Batch == 0 {
		w.job.Batch = positive(action.Batch(), w.job.Total)
	}
	for begun := false; ; begun = true {
		switch {
		case w.job.Stop:
			return w.end(ctx, w.job.Cancelled())
		case ctx.Err() != nil, begun && w.turn.over(w.Now()): // the process is stopping, or its time is used up
			return w.wait(ctx, "", 0)
		}
		from, to := w.job.NextBatch()
		result, err := w.run(ctx, action, from, to)
		if err != nil {
			if settled := w.settle(ctx, err, &result); settled != errAgain {
				return settled
			}
			continue
		}
		failures := w.failures(result, from, to)
		w.job.Message, w.job.Result = result.Message, bounded(result.Result, w.job.Result)
		done, err := w.checkpoint(ctx, w.job.Advance(to-from, len(failures)), failures)
		if done {
			return err
		}
	}
}

// checkpoint writes a batch's end, together with the job's end if it was the last; done says that the turn is over.
func (w *work) checkpoint(ctx context.Context, job jobs.Job, failures []jobs.Failure) (done bool, err error) {
	if job.Next >= job.Total {
		return true, w.end(ctx, job.Finish(job.Reason, job.Message), failures...)
	}
	if err := w.save(ctx, job, failures...); err != nil {
		return true, w.unsaved(ctx, err)
	}
	return false, nil
}

// errAgain lets the loop go on with the same turn.
var errAgain = errors.New("go on in this turn")

// open finds the job's action as it is configured now.
func (w *work) open(ctx context.Context) (Action, error) {
	if !w.extensionKnown() {
		return nil, ErrUnknownAction
	}
	w.action = w.Config.Config.Actions[w.job.Action]
	return w.openAction(ctx, w.job.Action)
}

// openAction makes an action as it is configured now, with the secrets of now.
func (e *Engine) openAction(ctx context.Context, name string) (Action, error) {
	configured, known := e.Config.Config.Actions[name]
	kind, has := e.Kinds[configured.Kind]
	if !known || !has {
		return nil, ErrUnknownAction
	}
	secrets, err := e.Secrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("connection secret: %w", err)
	}
	section, err := configured.Section.Resolve(secrets.Values)
	if err != nil {
		return nil, fmt.Errorf("action %q: %w", name, err)
	}
	action, err := kind.Open(section, secrets)
	if err != nil {
		return nil, fmt.Errorf("action %q: %w", name, err)
	}
	return action, nil
}

// extensionKnown says whether the deployment has what started the job.
func (w *work) extensionKnown() bool {
	if w.job.Extension == "" || w.job.Trigger == jobs.TriggerThen {
		return true
	}
	if w.job.Trigger == jobs.TriggerContentful {
		_, known := w.Config.Config.Contentful.Actions[w.job.Extension]
		return known
	}
	_, known := w.Config.Config.Extensions[w.job.Extension]
	return known
}

// run does one batch.
func (w *work) run(ctx context.Context, action Action, from, to int) (Result, error) {
	job := w.job
	return w.guard(ctx, w.log, w.turn, action, Run{
		Key:    fmt.Sprintf("%s/%d-%d", job.ID, from, max(to-1, from)),
		Action: job.Action, Trigger: job.Trigger, Job: job.ID, Extension: job.Extension, Label: job.Label, PIM: job.PIM,
		Items: job.Items[from:to:to], First: from, Total: job.Total, Context: job.Context, Params: job.Params, User: job.User,
		Ended: job.Ended, State: job.KindState, Attempt: job.Tries + 1, Correlation: job.Correlation, Now: w.Now(),
	})
}

// guard does a run within the turn's time. A panic in an action is that run's failure and nobody else's.
func (e *Engine) guard(ctx context.Context, log *slog.Logger, turn turn, action Action, run Run) (result Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, turn.runTime(run.Now))
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			log.Error("panic in action", "action", run.Action, "reason", "panic", "stack", string(debug.Stack()))
			err = Permanent("an internal error", errors.New("panic"))
		}
	}()
	return action.Run(ctx, run)
}

// settle decides what follows an error. result is nil where no run took place.
func (w *work) settle(ctx context.Context, err error, result *Result) error {
	class := classify(err, w.Now())
	switch {
	case ctx.Err() != nil: // the process is stopping: nobody failed
		return w.wait(ctx, "", 0)
	case class.later && result != nil:
		w.job.KindState = bounded(result.State, nil)
		w.job = w.job.Up()
		if class.delay > 0 {
			return w.wait(ctx, class.reason, class.delay)
		}
		if err := w.save(ctx, w.job); err != nil {
			return w.unsaved(ctx, err)
		}
		return errAgain
	case class.permanent && result != nil:
		_, to := w.job.NextBatch()
		return w.fail(ctx, to, jobs.ReasonPermanent, class.reason, err)
	case class.permanent:
		return w.fail(ctx, w.job.Total, jobs.ReasonPermanent, class.reason, err)
	}
	w.job = w.job.Down(w.Now().UTC())
	if w.Now().Sub(w.job.DownSince) >= w.patience(err) {
		return w.fail(ctx, w.job.Total, jobs.ReasonGaveUp, class.reason, err)
	}
	w.log.Warn("try failed", "action", w.job.Action, "reason", "transient", "error", err.Error(), "tries", w.job.Tries)
	return w.wait(ctx, class.reason, max(class.delay, backoff(w.job.Tries)))
}

// patience is how long a destination may stay down.
func (w *work) patience(err error) time.Duration {
	switch {
	case errors.Is(err, ErrUnknownAction):
		return unknownRetry
	case w.action.Retry > 0:
		return w.action.Retry
	}
	return jobRetry
}

// fail gives up the items from the checkpoint to index to.
func (w *work) fail(ctx context.Context, to int, code, reason string, cause error) error {
	w.log.Warn("items failed", "action", w.job.Action, "reason", code, "error", cause.Error())
	from := w.job.Next
	failures := make([]jobs.Failure, 0, to-from)
	for i := from; i < to; i++ {
		failures = append(failures, jobs.Failure{Index: i, Item: w.job.Items[i], Reason: reason})
	}
	job := w.job.Advance(to-from, to-from)
	job.Message, job.Reason, job.Broken = reason, code, job.Broken || to == from
	done, err := w.checkpoint(ctx, job, failures)
	if done {
		return err
	}
	return errAgain
}

// end writes the job's end, and that its follow-up is due, in one step.
func (w *work) end(ctx context.Context, job jobs.Job, failures ...jobs.Failure) error {
	job.ThenDue = w.action.Then[string(job.State)]
	if job.Message == "" && job.Failed > 0 {
		job.Message = w.firstReason(ctx, failures)
	}
	if err := w.save(ctx, job, failures...); err != nil {
		return w.unsaved(ctx, err)
	}
	w.ended(w.log, w.job, w.turn)
	return w.followUp(ctx, w.log, w.delivery, w.job)
}

// firstReason says why items failed, where nothing else has been said.
func (w *work) firstReason(ctx context.Context, failures []jobs.Failure) string {
	if earlier, err := w.Store.Failures(ctx, w.job.ID, 1); err == nil && len(earlier) > 0 {
		return earlier[0].Reason
	}
	if len(failures) > 0 {
		return failures[0].Reason
	}
	return ""
}

// wait releases the lease in the write that says why, then sends the message to go on with.
func (w *work) wait(ctx context.Context, reason string, delay time.Duration) error {
	last := w.job.LastReceive
	if err := w.save(ctx, w.job.Wait(reason)); err != nil {
		return w.unsaved(ctx, err)
	}
	w.log.Info("job goes on later", "action", w.job.Action, "state", w.job.State, "reason", reason, "delay_ms", delay.Milliseconds(),
		"done", w.job.Done, "total", w.job.Total, "failed", w.job.Failed, "correlation", w.job.Correlation)
	err := w.sendAgain(ctx, w.job.ID, 0, delay)
	if err != nil && last {
		ctx, cancel := detached(ctx)
		defer cancel()
		_, orphan := w.Store.Save(ctx, w.job.Orphan(w.Now().UTC()))
		return errors.Join(err, orphan)
	}
	return err
}

// unsaved goes on when a checkpoint could not be written. What was done since the last one is done again with the same keys.
func (w *work) unsaved(ctx context.Context, err error) error {
	if errors.Is(err, errLost) {
		// Our receipt may be that of a message now in another worker's hands: replace it before it is deleted.
		w.log.Warn("lease lost: another worker goes on", "reason", "lease_lost")
		return w.sendAgain(ctx, w.job.ID, 0, w.turn.deadline.Sub(w.Now())+2*leaseMargin)
	}
	return w.recordAway(ctx, w.log, w.delivery, err)
}

// save writes the job as the holder of its lease. A change that another made meanwhile (a request to stop) is kept.
func (w *work) save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	for range 5 { // each turn means that another changed the record in between
		saved, err := w.Store.Save(ctx, job, failures...)
		if err == nil {
			w.job = saved
			return nil
		}
		if !errors.Is(err, jobs.ErrConflict) {
			return fmt.Errorf("checkpoint: %w", err)
		}
		now, err := w.Store.Get(ctx, job.ID)
		if err != nil {
			return fmt.Errorf("read after a conflict: %w", err)
		}
		if now.State != jobs.Running || now.Lease.Token != job.Lease.Token {
			return errLost
		}
		job.Version, job.Stop = now.Version, now.Stop
	}
	return errors.New("checkpoint: others kept changing the record")
}

// failures gives a result's failures their place in the job.
func (w *work) failures(result Result, from, to int) []jobs.Failure {
	found := make([]jobs.Failure, 0, len(result.Failures))
	seen := make(map[int]bool, len(result.Failures))
	for _, failure := range result.Failures {
		if failure.Index < 0 || failure.Index >= to-from || seen[failure.Index] {
			continue
		}
		seen[failure.Index] = true
		index := from + failure.Index
		found = append(found, jobs.Failure{Index: index, Item: w.job.Items[index], Reason: failure.Reason})
	}
	return found
}

// ended logs and counts an end.
func (e *Engine) ended(log *slog.Logger, job jobs.Job, turn turn) {
	now := e.Now()
	log.Info("job ended", "action", job.Action, "extension", job.Extension, "outcome", job.State, "reason", job.Reason,
		"done", job.Done, "total", job.Total, "failed", job.Failed, "attempt", job.Attempt, "correlation", job.Correlation,
		"user", job.User.UUID, "username", loggable(job.User.Username),
		"age_ms", now.Sub(job.CreatedAt).Milliseconds(), "duration_ms", now.Sub(turn.begun).Milliseconds())
	e.Metrics.Count("JobsEnded", 1, metric.Dimension{Name: "Outcome", Value: string(job.State)})
	e.Metrics.Duration("JobAge", now.Sub(job.CreatedAt))
}

// loggable leaves out a username that is an e-mail address: the uuid says as much.
func loggable(username string) string {
	if strings.Contains(username, "@") {
		return ""
	}
	return username
}

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return max(otherwise, 1)
}

// bounded keeps what a kind wants kept if it is small enough, else what was there.
func bounded(fresh, otherwise json.RawMessage) json.RawMessage {
	if len(fresh) == 0 || len(fresh) > jobs.MaxKindState || !json.Valid(fresh) {
		return otherwise
	}
	return fresh
}
