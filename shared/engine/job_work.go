package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
)

// errLost means that another worker has the lease now: nothing may be written any more.
var errLost = errors.New("lease lost")

// jobWork is one turn on one job whose lease we hold.
type jobWork struct {
	*Invocation
	log      *slog.Logger
	delivery Delivery
	job      jobs.Job
	ran      int          // items of the last run
	kept     bool         // runs keep parts, for a Finisher to finish with
	finish   bool         // the last run was the finishing one
	signal   *jobs.Signal // that has ended the wait of the batch at hand
	selecting
}

// do works batch by batch until the job ends or has to go on later.
func (w *jobWork) do(ctx context.Context) error {
	for begun := false; ; begun = true {
		a := answer{class: idle}
		if (!w.job.Stop || w.signal != nil) && ctx.Err() == nil && !(begun && w.spent(len(w.job.AtHand()), w.page)) {
			a = w.work(ctx)
		}
		if over, err := w.settle(ctx, a); over {
			return err
		}
	}
}

// work does one run.
func (w *jobWork) work(ctx context.Context) answer {
	w.ran, w.finish = 0, false
	if err := w.unknown(); err != nil {
		return notBegun(err, ctx.Err() != nil)
	}
	if w.job.Open() && len(w.job.AtHand()) == 0 {
		if a := w.ahead; a != nil {
			w.ahead = nil
			return *a
		}
		return w.turn(ctx)
	}
	a := w.runBatch(ctx)
	if w.turnable(ctx, a) {
		a = w.withTurn(ctx, a)
	}
	return a
}

// runBatch does one run of the next batch.
func (w *jobWork) runBatch(ctx context.Context) answer {
	return w.run(ctx, w.log, w.job.Action, w.opens(), func(action Action) Run {
		job := &w.job
		if job.Batch == 0 {
			job.Batch = max(action.Batch(), 0)
			if job.Select != nil && (job.Batch == 0 || job.Batch > jobs.MaxPage) {
				job.Batch = jobs.MaxPage
			} else if job.Batch == 0 {
				job.Batch = max(job.Total, 1)
			}
		}
		from, to := job.NextBatch()
		w.ran = to - from
		_, w.kept = action.(Finisher)
		w.finish = w.kept && from >= job.Total // of a selection, its end is reached then
		items := slices.Clip(job.AtHand()[:to-from])
		told, causes := causes(*job, items)
		return Run{
			Key:    fmt.Sprintf("%s/%d-%d", job.ID, from, max(to-1, from)),
			Action: job.Action, Trigger: job.Trigger, Job: job.ID, Extension: job.Extension, Label: job.Label, PIM: job.PIM,
			Items: items, Causes: causes, page: w.page, First: from, Total: job.Total, Context: told, Params: job.Params, User: job.User,
			Ended: job.Ended, State: job.KindState, Interrupted: job.Interrupted, Attempt: job.Tries + 1, Correlation: job.Correlation, Began: job.CreatedAt, Now: w.Now(),
			waiting: &wait{note: w.note, signal: w.signal},
			intend:  w.intend, undo: undoFiles(job.Undo, from),
			Done: job.Done, finish: w.finish,
		}
	})
}

// unknown says what of a job the deployment does not have: its PIM, or what started it. nil: it has both.
func (w *jobWork) unknown() error {
	c, job := w.Config.Config, w.job
	if job.Trigger == jobs.TriggerThen { // it may tell of a PIM that is gone
		return nil
	}
	if _, known := c.PIMs[job.PIM]; !known && job.PIM != "" {
		return &absentError{fmt.Sprintf("this version does not know the PIM %q", job.PIM)}
	}
	if job.Extension == "" || job.Trigger == jobs.TriggerUndo {
		return nil
	}
	_, known := c.Called(job.Extension, job.PIM)
	if job.Trigger == jobs.TriggerContentful {
		_, known = c.Contentful.Actions[job.Extension]
	}
	if !known {
		return &absentError{fmt.Sprintf("this version does not know %q, which started it", job.Extension)}
	}
	return nil
}

// configured is the job's action as it is configured now; none, if the deployment does not have what started the job, and
// for an undo, which nothing follows.
func (w *jobWork) configured() config.Action {
	if w.unknown() != nil || w.job.Trigger == jobs.TriggerUndo {
		return config.Action{}
	}
	return w.Config.Config.Actions[w.job.Action]
}

// settle writes what follows an answer: once. over says that the turn is.
func (w *jobWork) settle(ctx context.Context, a answer) (over bool, err error) {
	v := w.verdict(a)
	var unsent error
	turn := w.job.Turn
	if v.next == waits { // the message first: a message without its turn in the record goes on, a record without a message does not
		turn++
		if unsent = w.sendJob(ctx, w.job.ID, turn, 0, v.at.Sub(w.Now())); unsent != nil {
			turn--
		}
	}
	err = w.write(ctx, a, &v, turn, unsent != nil)
	if errors.Is(err, errSignal) {
		return false, nil
	}
	if err != nil {
		return true, w.unwritten(ctx, err, v.next == waits && unsent == nil)
	}
	w.observe(w.log, w.job.Action, a, v)
	switch v.next {
	case goesOn:
		return false, nil
	case waits:
		w.log.Info("job goes on later", "action", w.job.Action, "cause", v.cause, "delay_ms", v.at.Sub(w.Now()).Milliseconds(),
			"done", w.job.Done, "total", w.job.Total, "failed", w.job.Failed, "correlation", w.job.Correlation)
		if w.job.AtRest() {
			w.lookAgain(ctx, w.log)
		}
		return true, unsent
	}
	w.jobEnded(w.log, w.job)
	w.dropParts(ctx)
	return true, w.followUp(ctx, w.log, w.delivery, w.job)
}

func (w *jobWork) verdict(a answer) verdict {
	patience := w.configured().Retry
	if patience == 0 {
		patience = jobRetry
	}
	left, page := len(w.job.AtHand())-a.through, w.page
	if a.page != nil {
		left, page = len(a.page.selection.Page), a.page.products
	}
	return decide(standing{
		left: w.job.Total - w.job.Next, more: w.follows(a), batch: w.ran, stop: w.job.Stop, patience: patience, unfinished: w.kept && !w.finish,
		retries: retries{tries: w.job.Tries, downSince: w.job.DownSince, asked: w.job.Asked},
	}, a, moment{now: w.Now().UTC(), over: w.spent(left, page)})
}

// follows says whether pages of the job's selection follow an answer.
func (w *jobWork) follows(a answer) bool {
	if a.page != nil {
		return len(a.page.selection.Page) > 0 || !a.page.selection.End
	}
	return w.job.Open()
}

// write saves what a verdict makes of the job, as the holder of its lease. A request to stop that came meanwhile makes another
// verdict.
func (w *jobWork) write(ctx context.Context, a answer, v *verdict, turn int64, unsent bool) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	for range 5 { // each turn means that another changed the record in between
		if err := w.close(ctx, *v); err != nil {
			return err
		}
		next, failures := w.apply(*v)
		next.Turn = turn
		if unsent && w.job.LastReceive {
			next = next.Stranded(w.Now().UTC())
		}
		if next.State.Ended() && next.Message == "" && next.Failed > 0 {
			next.Message = w.firstReason(ctx, failures)
		}
		if next.State.Ended() && next.Message == "" {
			next.Message = changedMessage(next)
		}
		saved, err := w.Store.Save(ctx, next, failures...)
		if err == nil {
			w.job = saved
			if saved.Awaits == nil {
				w.signal = nil
			}
			if v.page != nil {
				w.page = v.page.products
			}
			return nil
		}
		if !errors.Is(err, jobs.ErrConflict) {
			return fmt.Errorf("checkpoint: %w", err)
		}
		now, err := w.Store.Get(ctx, w.job.ID)
		if err != nil {
			return fmt.Errorf("read after a conflict: %w", err)
		}
		if now.State != jobs.Running || now.Lease.Token != w.job.Lease.Token {
			return errLost
		}
		w.job.Version, w.job.Stop = now.Version, now.Stop
		*v = w.verdict(a)
	}
	return errors.New("checkpoint: others kept changing the record")
}

// apply is the job after a verdict.
func (w *jobWork) apply(v verdict) (jobs.Job, []jobs.Failure) {
	job := w.job
	failures := make([]jobs.Failure, len(v.failures))
	for i, failure := range v.failures {
		index := job.Next + failure.Index
		failures[i] = jobs.Failure{Index: index, Item: job.Item(index), Reason: failure.Reason}
	}
	job = job.Advance(v.through, len(failures))
	job.Changed += v.changed
	job.Tries, job.DownSince, job.Asked = v.tries, v.downSince, v.asked
	job.KindState, job.Interrupted = v.state, v.interrupted
	if v.keepsState {
		job.KindState, job.Interrupted = w.job.KindState, w.job.Interrupted || v.interrupted
	}
	if len(v.result) > 0 && len(v.result) <= jobs.MaxKindState && json.Valid(v.result) {
		job.Result = v.result
	}
	if v.page != nil {
		job.Select = &v.page.selection
		job.Total = job.Select.First + len(job.Select.Page)
	}
	if w.finish && v.files != nil {
		job.Files = v.files
	}
	job.Message = v.message
	if v.reason != "" {
		job.Reason, job.Cause = v.reason, v.cause
		job.Broken = job.Broken || v.through == 0 || v.gaveUp && w.job.Open()
	}
	switch v.next {
	case waits:
		job = job.Wait(v.at, v.message)
		job.Cause, job.GivesUpAt = v.cause, v.givesUpAt
		if v.held {
			job.NotBefore = v.at
		}
		if v.asks {
			begun := *job.Awaits
			begun.Begun, begun.Failed = true, v.early
			job.Awaits = &begun
		}
	case stops:
		job = job.Cancelled()
	case ends:
		if job = job.Finish(job.Reason, job.Message); w.finish && v.reason != "" { // its items are through, but what they were for is not
			job = job.Fail(v.reason, v.message)
		}
		job.ThenDue = follows(w.configured().Then, job)
	}
	return job, failures
}

// amend writes a change of the record in the middle of a turn, as the holder of the lease. made says of a record that holds
// it: our own write, whose answer was lost. A request to stop that came meanwhile is kept for after the batch.
func (w *jobWork) amend(ctx context.Context, what string, change func(jobs.Job) jobs.Job, made func(jobs.Job) bool) error {
	for range 5 { // each turn means that another changed the record in between
		saved, err := w.Store.Save(ctx, change(w.job))
		if err == nil {
			w.job = saved
			return nil
		}
		if !errors.Is(err, jobs.ErrConflict) {
			return fmt.Errorf("%s: %w", what, err)
		}
		now, err := w.Store.Get(ctx, w.job.ID)
		if err != nil {
			return fmt.Errorf("%s: read after a conflict: %w", what, err)
		}
		if now.State != jobs.Running || now.Lease.Token != w.job.Lease.Token {
			return errLost
		}
		w.job.Version, w.job.Stop, w.job.Undo, w.job.Awaits = now.Version, now.Stop, now.Undo, now.Awaits
		if made(now) {
			return nil
		}
	}
	return fmt.Errorf("%s: others kept changing the record", what)
}

// dropParts deletes what runs have kept for the finishing one. What a crash leaves, the bucket deletes after some days.
func (w *jobWork) dropParts(ctx context.Context) {
	if !w.kept || w.Files == nil {
		return
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	var keys []string
	for file, err := range w.Files.List(ctx, files.PartsFolder(w.job.ID)) {
		if err != nil {
			w.log.Warn("parts of the job's file are not deleted: the bucket will", "reason", "files_unavailable", "error", err.Error())
			return
		}
		keys = append(keys, file.Key)
	}
	if err := w.Files.Delete(ctx, keys...); err != nil {
		w.log.Warn("parts of the job's file are not deleted: the bucket will", "reason", "files_unavailable", "error", err.Error())
	}
}

// firstReason says why items failed, where there is no other message.
func (w *jobWork) firstReason(ctx context.Context, failures []jobs.Failure) string {
	if earlier, err := w.Store.Failures(ctx, w.job.ID, 1); err == nil && len(earlier) > 0 {
		return earlier[0].Reason
	}
	if len(failures) > 0 {
		return failures[0].Reason
	}
	return ""
}

// unwritten goes on when a verdict could not be written. What was done since the last one is done again with the same keys.
func (w *jobWork) unwritten(ctx context.Context, err error, sent bool) error {
	if errors.Is(err, errLost) {
		// Our receipt may be that of a message now in another worker's hands: replace it before it is deleted.
		w.log.Warn("lease lost: another worker goes on", "reason", "lease_lost")
		return w.sendJob(ctx, w.job.ID, w.job.Turn, 0, w.deadline.Sub(w.Now())+2*writeReserve)
	}
	if sent {
		w.log.Warn("job store unavailable: the message that is sent goes on", "reason", "record_unavailable", "error", err.Error())
		return nil
	}
	return w.jobUnavailable(ctx, w.log, w.delivery, err)
}

// jobEnded logs and counts an end.
func (i *Invocation) jobEnded(log *slog.Logger, job jobs.Job) {
	now := i.Now()
	log.Info("job ended", "action", job.Action, "extension", job.Extension, "outcome", job.State, "reason", job.Reason, "cause", job.Cause,
		"done", job.Done, "total", job.Total, "failed", job.Failed, "attempt", job.Attempt, "correlation", job.Correlation,
		"user", job.User.UUID, "username", username(job.User.Username),
		"age_ms", now.Sub(job.CreatedAt).Milliseconds(), "duration_ms", now.Sub(i.begun).Milliseconds())
	i.Metrics.Count("JobsEnded", 1, metric.Dimension{Name: "Outcome", Value: string(job.State)})
	i.Metrics.Duration("JobAge", now.Sub(job.CreatedAt))
}
