package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Waiter is an Action that asks others for something and is told later how it went. Only jobs can wait.
//
// Before the first run of a batch its wait is written into the job's record: Run.Wait, the same at every try. A run that has
// asked returns Result.Wait. Nothing is held meanwhile; a message each 15 minutes looks after the job. What ends the wait is
// its jobs.Signal, of which there is one, however many come. If it brings how it went, the next run of the batch has it as
// Run.Signal; else (the time is over, a user stops waiting or stops the job) the engine ends the batch without a run. The
// signal may come before the run that asked has ended, or has told so: then the next run has it all the same.
type Waiter interface {
	Action
	Waits() *Waits // nil: this one does not
}

// Waits says how an action waits.
type Waits struct {
	Within   time.Duration // from the batch's first run on; at most jobs.MaxWithin
	For      string        // see the Wait constants of package jobs
	Callback bool          // what is sent carries an address: Run.Wait.URL
	AsDone   bool          // a user may say that it is done
}

// waitsOf is how an action waits; nil: it does not.
func waitsOf(action Action) *Waits {
	if waiter, ok := action.(Waiter); ok {
		return waiter.Waits()
	}
	return nil
}

// lateReasons say what did not come, by what was waited for.
var lateReasons = map[string]string{
	jobs.WaitCallback:  "the destination took it and did not call back in time",
	jobs.WaitPIMJob:    "the PIM did not say in time that its job ended",
	jobs.WaitWorkflow:  "the PIM did not say in time that its workflow ended",
	jobs.WaitExecution: "the state machine did not answer in time",
}

const stoppedWaiting = "a user stopped waiting for the answer"

// wait is a run's own view of its wait.
type wait struct {
	note   func(context.Context, Waits) (*jobs.Wait, error) // writes it before the first run
	signal *jobs.Signal                                     // that has come; nil: none yet
	folder string                                           // where Run.Keep keeps; "": it cannot
	store  files.Store
	kept   *sent // what an earlier try has kept, or this one
}

// await finds out how a run stands with its wait: it goes on with it, or has its answer without a call.
func (i *Invocation) await(ctx context.Context, waits Waits, run Run) (Run, *answer) {
	stopping := func(err error) *answer {
		a := notBegun(err, ctx.Err() != nil)
		return &a
	}
	if run.waiting == nil {
		return run, stopping(Permanent("this action waits for what others tell it: only a job can", nil))
	}
	var err error
	if run.Wait, err = run.waiting.note(ctx, waits); err != nil {
		return run, stopping(err)
	}
	signal := run.waiting.signal
	switch {
	case signal == nil && run.Wait.Begun:
		return run, &answer{class: awaits, began: true, state: run.State, until: run.Wait.Until, early: run.Wait.Failed}
	case signal != nil && !signal.Brings() && (signal.Kind != jobs.SignalEnded || signal.Code != "" || run.Wait.Begun):
		return run, without(*signal, *run.Wait)
	case signal != nil && signal.Brings():
		if run.Signal, err = i.whole(ctx, *signal); err != nil {
			return run, stopping(err)
		}
	}
	if waits.Callback {
		run.waiting.store, run.waiting.folder = i.Files, files.SentKey(run.Job, run.Wait.Name)
		if run.waiting.kept, err = i.earlierSent(ctx, run.waiting.folder); err != nil {
			return run, stopping(err)
		}
	}
	return run, nil
}

// without is the answer that a signal makes by itself.
func without(signal jobs.Signal, wait jobs.Wait) *answer {
	a := &answer{class: refused, began: true, code: jobs.ReasonNoSignal, reason: lateReasons[wait.For], early: wait.Failed}
	switch signal.Kind {
	case jobs.SignalCancel:
		return &answer{class: idle, stop: true}
	case jobs.SignalGiveUp:
		a.code, a.reason = jobs.ReasonStoppedWaiting, stoppedWaiting
	case jobs.SignalEnded:
		if signal.Code != "" {
			a.code, a.cause, a.reason = signal.Code, signal.Cause, signal.Reason
		}
	}
	return a
}

// whole is a signal with its body, wherever that lies.
func (i *Invocation) whole(ctx context.Context, signal jobs.Signal) (*jobs.Signal, error) {
	if signal.File == "" {
		return &signal, nil
	}
	if i.Files == nil {
		return nil, Permanent("this deployment keeps no files: what the signal brought cannot be read", nil)
	}
	content, err := readFile(ctx, i.Files, signal.File)
	if errors.Is(err, files.ErrNotFound) {
		return nil, Permanent("what the signal brought is no longer kept", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read what the signal brought: %w", err)
	}
	signal.Body = content
	return &signal, nil
}

func readFile(ctx context.Context, store files.Store, key string) ([]byte, error) {
	file, err := store.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// waitOf is the answer of a run that has asked. What failed already is kept.
func waitOf(run Run, result Result, lost *reading) answer {
	if problem := stateProblem(result.State); problem != "" {
		return answer{class: refused, began: true, reason: problem, cause: jobs.CauseInternal, err: errors.New(problem)}
	}
	failures := lost.whole(Result{Failures: within(result.Failures, len(run.Items))}).Failures
	a := answer{class: awaits, began: true, state: result.State, until: run.Wait.Until}
	room := maxEarly
	if len(failures) > 0 {
		room /= len(failures)
	}
	for _, failure := range failures {
		a.early = append(a.early, jobs.EarlyFailure{Index: failure.Index, Reason: cutTo(failure.Reason, room)})
	}
	return a
}

// maxEarly is how many bytes the reasons of items that failed before the wait have in the record, together.
const maxEarly = 64 << 10

func cutTo(text string, size int) string {
	if size = min(size, jobs.MaxReason); len(text) > size {
		text = string(bytes.ToValidUTF8([]byte(text[:size]), nil))
	}
	return text
}

// withEarly adds what had failed before the wait.
func (r Run) withEarly(result Result) Result {
	if r.Wait == nil {
		return result
	}
	reasons := make(map[int]string, len(r.Wait.Failed))
	for _, early := range r.Wait.Failed {
		reasons[early.Index] = early.Reason
	}
	var failures []Failure
	for index, place := range places(r) {
		if reason, failed := reasons[place]; failed {
			failures = append(failures, Failure{Index: index, Reason: reason})
		}
	}
	result.Failures = append(failures, result.Failures...)
	return result
}

// note writes the wait of the batch at hand into the record, once.
func (w *jobWork) note(ctx context.Context, waits Waits) (*jobs.Wait, error) {
	from, to := w.job.NextBatch()
	name := fmt.Sprintf("%d-%d", from, max(to-1, from))
	if kept := w.job.Awaits; kept != nil && kept.Name == name {
		return kept, nil
	}
	if w.job.Select != nil {
		return nil, Permanent("an action that waits takes items, not a selection", nil)
	}
	now := w.Now().UTC()
	wanted := &jobs.Wait{Name: name, For: waits.For, Until: now.Add(min(waits.Within, jobs.MaxWithin)).Truncate(time.Second), AsDone: waits.AsDone}
	if waits.Callback {
		if w.Callback == nil {
			return nil, Permanent("this deployment makes no links, so that it cannot wait for a callback", nil)
		}
		var err error
		if wanted.URL, err = w.Callback(ctx, w.job.ID, name, wanted.Until); err != nil {
			return nil, fmt.Errorf("address for the callback: %w", err)
		}
	}
	err := w.amend(ctx, "note the wait",
		func(job jobs.Job) jobs.Job { job.Awaits = wanted; return job },
		func(job jobs.Job) bool { return job.Awaits != nil && job.Awaits.Name == name })
	return w.job.Awaits, err
}

// signalOf is what has ended the wait of a job, if something did. Once its time is over, that is the signal.
func (i *Invocation) signalOf(ctx context.Context, job jobs.Job, now time.Time) (*jobs.Signal, error) {
	if job.Awaits == nil || job.State.Ended() {
		return nil, nil
	}
	signal, err := i.Store.Signal(ctx, job.ID, job.Awaits.Name)
	if errors.Is(err, jobs.ErrNoSignal) && now.Before(job.Awaits.Until) {
		return nil, nil
	}
	if errors.Is(err, jobs.ErrNoSignal) {
		signal, err = i.Store.PutSignal(ctx, jobs.Signal{Job: job.ID, Wait: job.Awaits.Name, Kind: jobs.SignalTimeout, At: now.UTC()})
	}
	if err != nil {
		return nil, err
	}
	return &signal, nil
}

// errSignal means that the signal came before the batch could end otherwise: what it brings counts.
var errSignal = errors.New("the signal came first")

// close ends the wait of a batch that is about to end otherwise, so that nobody is told that a callback counts.
func (w *jobWork) close(ctx context.Context, v verdict) error {
	if w.job.Awaits == nil || w.signal != nil || v.next != stops && v.next != ends && v.through == 0 {
		return nil
	}
	ending := jobs.Signal{Job: w.job.ID, Wait: w.job.Awaits.Name, Kind: jobs.SignalEnded, At: w.Now().UTC(), Code: v.reason, Cause: v.cause, Reason: v.message}
	if v.next == stops && v.through == 0 {
		ending = jobs.Signal{Job: ending.Job, Wait: ending.Wait, Kind: jobs.SignalCancel, At: ending.At}
	}
	there, err := w.Store.PutSignal(ctx, ending)
	switch {
	case err != nil:
		return fmt.Errorf("end the wait: %w", err)
	case there.Brings():
		w.signal = &there
		return errSignal
	}
	return nil
}

// lookAgain moves a job whose signal came while its run was under way: its message met a job that was leased.
func (w *jobWork) lookAgain(ctx context.Context, log *slog.Logger) {
	ctx, cancel := detached(ctx)
	defer cancel()
	_, err := w.Store.Signal(ctx, w.job.ID, w.job.Awaits.Name)
	if errors.Is(err, jobs.ErrNoSignal) {
		return
	}
	if err := w.sendJob(ctx, w.job.ID, 0, 0, 0); err != nil {
		log.Warn("the signal is there, and the message that says so was not sent: the next one finds it", "reason", "queue_unavailable", "error", err.Error())
	}
}
