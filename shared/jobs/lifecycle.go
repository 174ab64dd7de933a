package jobs

import "time"

// Reasons of a failed end, for whoever reads the record.
const (
	ReasonNotQueued  = "not_queued"  // its message could not be sent: the user was asked to press again
	ReasonNotStarted = "not_started" // recorded, and nobody finished starting it within RecordedLife
	ReasonDeadLetter = "dead_letter" // its worker crashed each time; a redrive starts it again
	ReasonGaveUp     = "gave_up"     // the destination stayed down longer than retry.for
	ReasonPermanent  = "permanent"   // trying again cannot help
)

// AsOf is the job as a reader sees it at a time. The record says what was written; two ends are never written,
// because nobody is there to write them: a start that was given up, and a worker that crashed on the last receive
// of its message.
func (j Job) AsOf(now time.Time) Job {
	switch {
	case j.abandoned(now):
		j.State, j.Reason = Failed, ReasonNotStarted
	case j.State == Running && j.LastReceive && !now.Before(j.Lease.Until):
		j.State, j.Reason = Failed, ReasonDeadLetter
	}
	return j
}

// abandoned says that the job was recorded too long ago to be started: whoever asked for it was told to try again.
// A follow-up has nobody who could: it can be started at any age.
func (j Job) abandoned(now time.Time) bool {
	return j.State == Recorded && j.Trigger != TriggerThen && now.Sub(j.CreatedAt) >= RecordedLife
}

// Start is what a message may do with the job it names.
type Start int

const (
	Granted   Start = iota // the returned job is running with a new lease: save it, then work
	Leased                 // another worker holds it until Lease.Until
	Over                   // it has ended
	Abandoned              // too old to start: save the returned job, which has failed
)

// Start asks for the lease from now to until; last says that the message will not be delivered again. The caller
// saves the job that comes with Granted or Abandoned; whoever saves first has it.
func (j Job) Start(now, until time.Time, last bool) (Job, Start) {
	switch {
	case j.State.Ended():
		return j, Over
	case j.abandoned(now):
		return j.end(Failed, ReasonNotStarted, ""), Abandoned
	case j.State == Running && now.Before(j.Lease.Until):
		return j, Leased
	}
	j.State = Running
	j.Lease = Lease{Token: j.Lease.Token + 1, Until: until}
	j.LastReceive = last
	j.Message = ""
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

// Batch to work next: items[first:last]. A job without items has one batch of none.
func (j Job) NextBatch() (first, last int) {
	if j.Batch <= 0 {
		return j.Next, j.Total
	}
	return j.Next, min(j.Next+j.Batch, j.Total)
}

// Advance is the checkpoint after a batch of size items, of which some failed. There was progress: the destination is not down.
func (j Job) Advance(size, failed int) Job {
	j.Next += size
	j.Done += size - failed
	j.Failed += failed
	j.KindState = nil
	return j.Up()
}

// Up notes that the destination answers.
func (j Job) Up() Job {
	j.Tries = 0
	j.DownSince = time.Time{}
	return j
}

// Down notes a try that found the destination down.
func (j Job) Down(now time.Time) Job {
	j.Tries++
	if j.DownSince.IsZero() {
		j.DownSince = now
	}
	return j
}

// Wait gives the lease back: the job goes on by another message. The message says why, for the user.
func (j Job) Wait(message string) Job {
	j.State, j.Message = Waiting, message
	j.Lease.Until = time.Time{}
	j.LastReceive = false
	return j
}

// Orphan is a job that waits although no message could be sent to go on with and the current one will not come
// again: it reads as a dead letter, which is where its message goes.
func (j Job) Orphan(now time.Time) Job {
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
		reason = ""
	}
	return j.end(state, reason, message)
}

// Cancel asks the job to stop: at once if no worker is on it, else after the batch in work (Stop). It has no
// effect on a job that has ended.
func (j Job) Cancel(now time.Time) Job {
	switch {
	case j.State.Ended() || j.AsOf(now).Reason == ReasonNotStarted:
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
	j.KindState = nil
	return j
}
