package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// Verdict says how a Submit found the job that it answers with.
type Verdict string

const (
	Started        Verdict = "started"         // by this call
	Repeated       Verdict = "repeated"        // by an earlier delivery of the same request
	AlreadyRunning Verdict = "already_running" // another job holds the once key: nothing was started
)

// Submitted is a job that is durably queued: callers may report success.
type Submitted struct {
	Job     Job
	Verdict Verdict
}

// NotStartedError means that the job could not be recorded or queued; the user should ask again. Nothing was
// promised, and asking again is safe whatever has happened.
type NotStartedError struct{ Err error }

func (e *NotStartedError) Error() string { return fmt.Sprintf("job not started: %v", e.Err) }
func (e *NotStartedError) Unwrap() error { return e.Err }

// SubmitConfig is what a Submitter needs.
type SubmitConfig struct {
	Store Store
	Queue queue.Sender // the jobs queue
	Now   func() time.Time
}

// Submitter starts jobs: record, send, mark.
type Submitter struct{ SubmitConfig }

// NewSubmitter returns a Submitter.
func NewSubmitter(config SubmitConfig) *Submitter { return &Submitter{config} }

// Submit starts a job, or finds the one that the same request (ID) or the same work (Once) has started. Its error
// is a *NotStartedError, or ErrTooLarge.
//
// Whoever finds a job that is recorded but perhaps not sent, because the process that recorded it died or lost its
// connection, sends and marks it before answering: a second message is harmless, a missing one is not.
func (s *Submitter) Submit(ctx context.Context, job Job) (Submitted, error) {
	job.State, job.CreatedAt, job.Total, job.Turn = Recorded, s.Now().UTC(), len(job.Items), 1
	var takeover *Job
	for range 4 { // each turn means that another changed the record in between
		created, err := s.Store.Create(ctx, job, takeover)
		held, isHeld := errors.AsType[*OnceError](err)
		switch {
		case err == nil:
			return s.dispatch(ctx, created, Started)
		case errors.Is(err, ErrTooLarge):
			return Submitted{}, err
		case errors.Is(err, ErrConflict):
			takeover = nil
			continue
		case errors.Is(err, ErrExists):
			existing, err := s.Store.Get(ctx, job.ID)
			if err != nil {
				return Submitted{}, &NotStartedError{fmt.Errorf("read the job of the same request: %w", err)}
			}
			return s.resume(ctx, existing, Repeated)
		case !isHeld:
			return Submitted{}, &NotStartedError{fmt.Errorf("record: %w", err)}
		}
		holder, err := s.Store.Get(ctx, held.Holder)
		if err != nil {
			return Submitted{}, &NotStartedError{fmt.Errorf("read the holder of the once key: %w", err)}
		}
		switch read := holder.AsOf(s.Now()); {
		case holder.State.Ended(): // it has just freed the key
			takeover = nil
		case read.Reason == ReasonNotStarted:
			ended := holder.end(Failed, ReasonNotStarted, "")
			takeover = &ended
		case read.Reason == ReasonDeadLetter: // a redrive may still finish it; it only no longer keeps others out
			freed := holder
			freed.Once = ""
			takeover = &freed
		default:
			return s.resume(ctx, holder, AlreadyRunning)
		}
	}
	return Submitted{}, &NotStartedError{errors.New("record: others kept changing the holder of the once key")}
}

// resume answers with a job that is there already.
func (s *Submitter) resume(ctx context.Context, job Job, verdict Verdict) (Submitted, error) {
	switch read := job.AsOf(s.Now()); {
	case read.Reason == ReasonNotStarted || read.Reason == ReasonNotQueued:
		return Submitted{}, &NotStartedError{fmt.Errorf("an earlier delivery ended as %s", read.Reason)}
	case job.State == Recorded:
		return s.dispatch(ctx, job, verdict)
	case job.overdue(s.Now()) >= nudgeAfter:
		// Its message may be a dead letter that no worker has seen. Another does no harm; that it cannot be sent
		// neither: the job is queued.
		_ = s.Queue.Send(ctx, Message(job.ID, job.Turn))
	}
	return Submitted{Job: job, Verdict: verdict}, nil
}

// dispatch sends the message of a recorded job and marks the job.
func (s *Submitter) dispatch(ctx context.Context, job Job, verdict Verdict) (Submitted, error) {
	if err := s.Queue.Send(ctx, Message(job.ID, job.Turn)); err != nil {
		err = fmt.Errorf("send: %w", err)
		if job.Trigger == TriggerSchedule { // it stays recorded: the clock sends again
			return Submitted{}, &NotStartedError{err}
		}
		if _, failed := s.Store.Save(ctx, job.NotQueued()); errors.Is(failed, ErrConflict) {
			return s.moved(ctx, job, verdict, err) // the message arrived all the same, or another sent one
		}
		return Submitted{}, &NotStartedError{err}
	}
	marked, err := s.Store.Save(ctx, job.Queue())
	switch {
	case errors.Is(err, ErrConflict):
		return s.moved(ctx, job, verdict, err)
	case err != nil:
		return Submitted{}, &NotStartedError{fmt.Errorf("mark queued: %w", err)}
	}
	return Submitted{Job: marked, Verdict: verdict}, nil
}

// moved answers after another has changed the record: a job that is durably queued, or further, is success.
func (s *Submitter) moved(ctx context.Context, job Job, verdict Verdict, cause error) (Submitted, error) {
	now, err := s.Store.Get(ctx, job.ID)
	if err != nil {
		return Submitted{}, &NotStartedError{errors.Join(cause, fmt.Errorf("read again: %w", err))}
	}
	if now.State == Recorded || now.Reason == ReasonNotQueued || now.Reason == ReasonNotStarted {
		return Submitted{}, &NotStartedError{cause}
	}
	now.Items, now.Context, now.Params = job.Items, job.Context, job.Params
	return Submitted{Job: now, Verdict: verdict}, nil
}

// OnceKey names the work of a press: the same extension, action, items (in any order), locale and channel.
func OnceKey(extension, action string, items []Item, locale, channel string) string {
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = item.Type + "/" + item.ID
	}
	slices.Sort(names)
	parts := [][]byte{[]byte(extension), []byte(action), []byte(locale), []byte(channel)}
	for _, name := range names {
		parts = append(parts, []byte(name))
	}
	return Digest(parts...)
}

// OnceKeyOf names work whose items nobody named: the same extension, action and PIM, and the same selection; with "" whatever
// the items are.
func OnceKeyOf(extension, action, pim, selection string) string {
	return Digest([]byte("of"), []byte(extension), []byte(action), []byte(pim), []byte(selection))
}

// Watch reads a job until it has ended, or until a time, and returns the last read. It returns early when ctx ends.
func Watch(ctx context.Context, store Store, id string, until time.Time, now func() time.Time) (Job, error) {
	const shortest, longest = 25 * time.Millisecond, 200 * time.Millisecond
	for pause := shortest; ; pause = min(pause*3/2, longest) {
		job, err := store.Get(ctx, id)
		left := until.Sub(now())
		if err != nil || job.AsOf(now()).State.Ended() || left <= 0 {
			return job, err
		}
		select {
		case <-ctx.Done():
			return job, nil
		case <-time.After(min(pause, left)):
		}
	}
}

// Cancel asks a job to stop and returns it as it is then. One that waits for a signal is stopped in its place; if the signal
// came first, the job does what it brings and stops behind that.
func Cancel(ctx context.Context, store Store, id string, now func() time.Time) (Job, error) {
	for {
		job, err := store.Get(ctx, id)
		if err != nil {
			return Job{}, err
		}
		asked := job.Cancel(now())
		if job.AtRest() {
			there, err := store.PutSignal(ctx, Signal{Job: id, Wait: job.Awaits.Name, Kind: SignalCancel, At: now().UTC()})
			if err != nil {
				return Job{}, err
			}
			if there.Kind != SignalCancel {
				asked = job
				asked.Stop = true
			}
		}
		if asked.State == job.State && asked.Stop == job.Stop {
			return job, nil
		}
		saved, err := store.Save(ctx, asked)
		if !errors.Is(err, ErrConflict) {
			return saved, err
		}
	}
}
