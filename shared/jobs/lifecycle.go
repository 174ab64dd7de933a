package jobs

import "time"

// Reasons of a failed end, for who reads the record.
const (
	ReasonNotQueued  = "not_queued"  // its message could not be sent: the user was asked to press again
	ReasonNotStarted = "not_started" // recorded, and nobody finished starting it within RecordedLife
	ReasonDeadLetter = "dead_letter" // its worker crashed each time; a redrive starts it again
	ReasonGaveUp     = "gave_up"     // the destination stayed down longer than retry.for
	ReasonPermanent  = "permanent"   // trying again cannot help

	ReasonNoSignal       = "no_signal"       // what it waited for did not come in time
	ReasonStoppedWaiting = "stopped_waiting" // a user ended the wait
)

// AsOf is the job as a reader sees it at a time. The record says what was written; three ends are never written,
// because nobody is there to write them: a start that was given up, a worker that crashed on the last receive of its
// message, and a message that became a dead letter before any worker began.
func (j Job) AsOf(now time.Time) Job {
	switch {
	case j.abandoned(now):
		j.State, j.Reason = Failed, ReasonNotStarted
	case j.State == Running && j.LastReceive && !now.Before(j.Lease.Until), j.overdue(now) >= OverdueAfter:
		j.State, j.Reason = Failed, ReasonDeadLetter
	}
	return j
}

// overdue is for how long a message should have gone on with the job; not positive for one that need not yet.
func (j Job) overdue(now time.Time) time.Duration {
	if j.State != Queued && j.State != Waiting {
		return 0
	}
	due := j.CreatedAt
	for _, at := range []time.Time{j.UpdatedAt, j.NextTry} {
		if at.After(due) {
			due = at
		}
	}
	return now.Sub(due)
}

// abandoned says that the job was recorded too long ago to be started: who asked for it was told to try again.
// A follow-up, a schedule and an event have nobody who could: they can be started at any age.
func (j Job) abandoned(now time.Time) bool {
	attended := j.Trigger != TriggerThen && j.Trigger != TriggerSchedule && j.Trigger != TriggerEvent
	return j.State == Recorded && attended && now.Sub(j.CreatedAt) >= RecordedLife
}

// Start is what a message may do with the job it names.
type Start int

const (
	Granted    Start = iota // the returned job is running with a new lease: save it, then work
	Superseded              // delete the message: a later one goes on with the job
	Leased                  // another worker holds it until Lease.Until: come again then
	Early                   // somebody asked for a pause until NotBefore: come again then
	Over                    // it has ended
	Abandoned               // too old to start: save the returned job, which has failed
)

// Claim is a message's request for a job's lease.
type Claim struct {
	Turn       int64 // of the message; 0: it has none, and only moves a job that can be moved now
	Last       bool  // the message will not be delivered again
	Signal     bool  // what the job waits for is there: it need not rest any longer
	Now, Until time.Time
}

// Start asks for the lease. The caller saves the job that comes with Granted or Abandoned; the first to save has it.
// A job whose message was a dead letter is started by any message: a redrive, which clears what was remembered of
// failed tries.
func (j Job) Start(c Claim) (Job, Start) {
	redriven := j.AsOf(c.Now).Reason == ReasonDeadLetter
	nudge := c.Turn == 0 && j.Turn > 0
	switch {
	case j.State.Ended():
		return j, Over
	case j.abandoned(c.Now):
		return j.end(Failed, ReasonNotStarted, ""), Abandoned
	case redriven:
		j.Reason, j.Cause = "", ""
		j = j.Up()
	case c.Turn > 0 && c.Turn < j.Turn:
		return j, Superseded
	case j.State == Running && c.Now.Before(j.Lease.Until):
		if nudge {
			return j, Superseded
		}
		return j, Leased
	case c.Now.Before(j.NotBefore) && !(c.Signal && j.restsForSignal()):
		if nudge {
			return j, Superseded
		}
		return j, Early
	}
	j.Interrupted = j.Interrupted || j.State == Running // the lease was not given back
	j.State = Running
	j.Lease = Lease{Token: j.Lease.Token + 1, Until: c.Until}
	j.LastReceive = c.Last
	j.Turn = max(j.Turn, c.Turn)
	j.Message, j.NextTry, j.NotBefore, j.GivesUpAt = "", time.Time{}, time.Time{}, time.Time{}
	if j.Reason == "" {
		j.Cause = ""
	}
	j.Attempt++
	return j, Granted
}

// Queue is the job once its message is durable. Only a recorded job is marked.
func (j Job) Queue() Job {
	j.State = Queued
	return j
}

// NotQueued is the job whose message could not be sent.
func (j Job) NotQueued() Job { return j.end(Failed, ReasonNotQueued, "") }

// Batch to work next, by the indexes of its items. A job without items has one batch of none.
func (j Job) NextBatch() (first, last int) {
	last = j.Total
	if j.Select != nil {
		last = j.Select.First + len(j.Select.Page)
	}
	if j.Batch > 0 {
		last = min(j.Next+j.Batch, last)
	}
	return j.Next, max(last, j.Next)
}

// Advance is the checkpoint after size items, of which some failed. There was progress: the destination works.
func (j Job) Advance(size, failed int) Job {
	j.Next += size
	j.Done += size - failed
	j.Failed += failed
	j.KindState, j.Interrupted = nil, false
	if size > 0 {
		j.Awaits = nil
	}
	return j.Up()
}

// Up forgets failed tries and pauses.
func (j Job) Up() Job {
	j.Tries, j.DownSince, j.Asked, j.NotBefore = 0, time.Time{}, 0, time.Time{}
	return j
}

// Wait gives the lease back: the job goes on by another message, at a time. The message says why, for the user.
func (j Job) Wait(at time.Time, message string) Job {
	j.State, j.Message, j.NextTry = Waiting, message, at
	j.Lease.Until = time.Time{}
	j.LastReceive = false
	return j
}

// Stranded is a job that should wait although no message could be sent to go on with and the current one will not come
// again: it reads as a dead letter, which is where its message goes.
func (j Job) Stranded(now time.Time) Job {
	j.State, j.Lease.Until, j.LastReceive = Running, now, true
	return j
}

// Finish ends the job by its counts: succeeded, partial or failed.
func (j Job) Finish(reason, message string) Job {
	state := Succeeded
	switch {
	case j.Done == 0 && (j.Failed > 0 || j.Broken):
		state = Failed
	case j.Failed > 0 || j.Broken:
		state = Partial
	}
	if state == Succeeded {
		reason, j.Cause = "", ""
	}
	return j.end(state, reason, message)
}

// Fail ends the job whose items are through, where what is made of them all failed.
func (j Job) Fail(reason, message string) Job { return j.end(Failed, reason, message) }

// Cancel asks the job to stop: at once if no worker is on it, else after the batch in work (Stop). It has no
// effect on a job that has ended.
func (j Job) Cancel(now time.Time) Job {
	switch {
	case j.State.Ended() || j.abandoned(now):
		return j
	case j.State == Running && now.Before(j.Lease.Until):
		j.Stop = true
		return j
	}
	return j.end(Cancelled, "", "")
}

// Cancelled ends a job that was asked to stop.
func (j Job) Cancelled() Job { return j.end(Cancelled, "", "") }

func (j Job) end(state State, reason, message string) Job {
	j.State, j.Reason, j.Message = state, reason, message
	j.Lease.Until = time.Time{}
	j.LastReceive = false
	j.KindState, j.Interrupted, j.Awaits = nil, false, nil
	j.NextTry, j.NotBefore, j.GivesUpAt = time.Time{}, time.Time{}, time.Time{}
	return j
}
