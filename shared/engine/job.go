package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// TriesAttribute is the message attribute that counts tries of which no record could be told.
const TriesAttribute = "tries"

// Delivery is one receive of a message that names a job.
type Delivery struct {
	Job   string
	Turn  int64 // of the message (jobs.ParseMessage)
	Last  bool  // the queue will not deliver this message again
	Tries int   // how often in a row the record could not be reached (TriesAttribute)
}

// Job moves a job as far as the time allows. nil means that the message can be deleted: the job has ended, or
// another message will move it. An error means that the message must stay in the queue; only then is a receive spent.
func (i *Invocation) Job(ctx context.Context, d Delivery) error {
	log := i.Log.With("job", d.Job)
	for {
		job, err := i.Store.Load(ctx, d.Job)
		switch {
		case errors.Is(err, jobs.ErrNotFound):
			log.Error("job is not there: its time to live has ended", "reason", "job_not_found")
			i.Metrics.Count("JobsNotFound", 1)
			return nil
		case errors.Is(err, jobs.ErrNewer):
			return i.putBack(ctx, log, i.Queue, jobs.Message(d.Job, d.Turn))
		case err != nil:
			return i.jobUnavailable(ctx, log, d, fmt.Errorf("load job: %w", err))
		}
		now := i.Now()
		if !job.State.Ended() && i.over(now) {
			return i.sendJob(ctx, d.Job, d.Turn, d.Tries, 0)
		}
		signal, err := i.signalOf(ctx, job, now)
		if err != nil {
			return i.jobUnavailable(ctx, log, d, fmt.Errorf("look for the signal: %w", err))
		}
		started, decision := job.Start(jobs.Claim{Turn: d.Turn, Last: d.Last, Signal: signal != nil, Now: now.UTC(), Until: i.leaseEnd()})
		switch decision {
		case jobs.Over:
			return i.followUp(ctx, log, d, job)
		case jobs.Superseded:
			return nil
		case jobs.Leased:
			return i.sendJob(ctx, job.ID, d.Turn, 0, max(job.Lease.Until.Sub(now), shortestWait))
		case jobs.Early:
			if again, err := i.tooEarly(ctx, log, d, job, now); !again {
				return err
			}
			continue
		}
		saved, err := i.Store.Save(ctx, started)
		if errors.Is(err, jobs.ErrConflict) {
			continue // another was faster: look again
		}
		if err != nil {
			return i.jobUnavailable(ctx, log, d, fmt.Errorf("start job: %w", err))
		}
		if decision == jobs.Abandoned {
			i.jobEnded(log, saved)
			return nil
		}
		w := &jobWork{Invocation: i, log: log, delivery: d, job: saved, signal: signal}
		return w.do(ctx)
	}
}

// tooEarly sends a message for the rest of a pause, without a call. again says that another has changed the record.
func (i *Invocation) tooEarly(ctx context.Context, log *slog.Logger, d Delivery, job jobs.Job, now time.Time) (again bool, err error) {
	turn := max(job.Turn, d.Turn) + 1
	if err := i.sendJob(ctx, job.ID, turn, 0, job.NotBefore.Sub(now)); err != nil {
		return false, err
	}
	err = i.Store.Rest(ctx, job.ID, turn)
	if err != nil && !errors.Is(err, jobs.ErrConflict) {
		// The message is sent, and goes on whether or not the record has its turn.
		log.Warn("pause: the message's turn was not recorded", "reason", "record_unavailable", "error", err.Error())
		return false, nil
	}
	return err != nil, nil
}

// jobUnavailable goes on later without the record: that needs the queue alone.
func (i *Invocation) jobUnavailable(ctx context.Context, log *slog.Logger, d Delivery, cause error) error {
	log.Warn("job store unavailable: retrying without the record", "reason", "record_unavailable", "error", cause.Error())
	if err := i.sendJob(ctx, d.Job, d.Turn, d.Tries+1, backoff(d.Tries+1)); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// sendJob sends another message for the job. It must have succeeded before the current one is deleted.
func (i *Invocation) sendJob(ctx context.Context, id string, turn int64, tries int, delay time.Duration) error {
	message := jobs.Message(id, turn)
	message.Delay = min(max(delay, 0), queue.MaxDelay)
	if tries > 0 {
		message.Attributes = map[string]string{TriesAttribute: strconv.Itoa(tries)}
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := i.Queue.Send(ctx, message); err != nil {
		return fmt.Errorf("send the message to go on with: %w", err)
	}
	return nil
}

// newerWait is how long a message rests that only a newer version can read: a deployment takes minutes.
const newerWait = 5 * time.Minute

// putBack leaves a record of a newer format, and its message, as they are.
func (i *Invocation) putBack(ctx context.Context, log *slog.Logger, to queue.Sender, message queue.Message) error {
	log.Warn("a newer version wrote this: putting it back", "reason", "newer_format")
	i.Metrics.Count("PutBack", 1)
	message.Delay = newerWait
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := to.Send(ctx, message); err != nil {
		return fmt.Errorf("put back: %w", err)
	}
	return nil
}

// PutBack leaves a message of the jobs queue that only a newer version can read as it is.
func (i *Invocation) PutBack(ctx context.Context, message queue.Received) error {
	return i.putBack(ctx, i.Log, i.Queue, queue.Message{Body: message.Body, Attributes: message.Attributes, Group: message.Group})
}
