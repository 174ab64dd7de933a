package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const (
	longestTurn  = time.Minute      // on one job in one invocation; then others get their turn
	leaseMargin  = 5 * time.Second  // a lease outlives its invocation by this
	shortestWait = 5 * time.Second  // before a destination that is down is tried again
	jobRetry     = time.Hour        // default of retry.for for jobs
	unknownRetry = time.Hour        // how long a job waits for a deployment that knows its action
	defaultTurn  = 2 * time.Minute  // the invocation's time where the context has no deadline
	batchReserve = 35 * time.Second // time that a batch may need: its longest call, and the checkpoint
)

// Config is what an Engine needs.
type Config struct {
	Config       *config.Config
	Kinds        map[string]Kind
	Store        jobs.Store
	Queue        queue.Sender // the jobs queue
	Ledger       ledger.Store
	Gaps         ledger.Gaps
	Events       queue.Sender // the events queue
	EventLetters queue.Sender // its dead letters
	Secrets      func(context.Context) (Secrets, error)
	Log          *slog.Logger
	Metrics      *metric.Sink
	Now          func() time.Time
}

// Engine does runs. It keeps nothing between them.
type Engine struct{ Config }

// New returns an Engine.
func New(config Config) *Engine { return &Engine{config} }

// Delivery is one receive of a message that names a job.
type Delivery struct {
	Job   string
	Last  bool // the queue will not deliver this message again
	Tries int  // how often in a row the record could not be reached (TriesAttribute)
}

// TriesAttribute is the message attribute that counts tries of which the job's record could not be told.
const TriesAttribute = "tries"

// Work moves a job as far as the time allows. nil means that the message can be deleted: the job has ended, or
// another message will move it. An error means that the message must stay in the queue; only then is a receive spent.
func (e *Engine) Work(ctx context.Context, d Delivery) error {
	turn := newTurn(ctx, e.Now())
	log := e.Log.With("job", d.Job)
	for {
		job, err := e.Store.Load(ctx, d.Job)
		if errors.Is(err, jobs.ErrNotFound) {
			log.Error("job is not there: its time to live has ended", "reason", "job_not_found")
			e.Metrics.Count("JobsNotFound", 1)
			return nil
		}
		if err != nil {
			return e.recordAway(ctx, log, d, fmt.Errorf("load job: %w", err))
		}
		started, decision := job.Start(turn.begun.UTC(), turn.deadline.Add(leaseMargin).UTC(), d.Last)
		switch decision {
		case jobs.Over:
			return e.followUp(ctx, log, d, job)
		case jobs.Leased:
			return e.sendAgain(ctx, job.ID, 0, max(job.Lease.Until.Sub(e.Now()), shortestWait))
		}
		saved, err := e.Store.Save(ctx, started)
		if errors.Is(err, jobs.ErrConflict) {
			continue // another was faster: look again
		}
		if err != nil {
			return e.recordAway(ctx, log, d, fmt.Errorf("start job: %w", err))
		}
		if decision == jobs.Abandoned {
			e.ended(log, saved, turn)
			return nil
		}
		w := &work{Engine: e, log: log, delivery: d, turn: turn, job: saved}
		return w.do(ctx)
	}
}

// turn is the time of one invocation.
type turn struct {
	begun, deadline time.Time
	reserve         time.Duration // needed to begin another batch
}

func newTurn(ctx context.Context, now time.Time) turn {
	deadline := now.Add(defaultTurn)
	if until, ok := ctx.Deadline(); ok {
		deadline = now.Add(time.Until(until)) // in the engine's clock
	}
	return turn{begun: now, deadline: deadline, reserve: min(batchReserve, deadline.Sub(now)/2)}
}

// over says that no further batch should be begun.
func (t turn) over(now time.Time) bool {
	return now.Sub(t.begun) > longestTurn || t.deadline.Sub(now) < t.reserve
}

// runTime is how long a batch begun now may take and leave time for its checkpoint.
func (t turn) runTime(now time.Time) time.Duration {
	left := t.deadline.Sub(now)
	return left - min(leaseMargin, left/5)
}

// recordAway goes on later without the record: that needs the queue alone.
func (e *Engine) recordAway(ctx context.Context, log *slog.Logger, d Delivery, cause error) error {
	log.Warn("job record is away: going on later", "reason", "record_unavailable", "error", cause.Error())
	if err := e.sendAgain(ctx, d.Job, d.Tries+1, backoff(d.Tries+1)); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// sendAgain sends another message for the job. It must have succeeded before the current one is deleted.
func (e *Engine) sendAgain(ctx context.Context, id string, tries int, delay time.Duration) error {
	message := jobs.Message(id)
	message.Delay = min(delay, queue.MaxDelay)
	if tries > 0 {
		message.Attributes = map[string]string{TriesAttribute: strconv.Itoa(tries)}
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := e.Queue.Send(ctx, message); err != nil {
		return fmt.Errorf("send the message to go on with: %w", err)
	}
	return nil
}

// backoff grows from 5 s to 15 min; half of it is chance, so that many jobs that wait for one destination do not
// come back together.
func backoff(tries int) time.Duration {
	full := shortestWait << min(max(tries-1, 0), 10)
	full = min(full, queue.MaxDelay)
	return max(shortestWait, full/2+rand.N(full/2))
}

// detached lives on for a moment when ctx ends: what has been done must still be written down.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), leaseMargin)
}
