package engine

import (
	"cmp"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const (
	shortestWait = 5 * time.Second     // before a destination that is down is tried again
	longestPause = 24 * time.Hour      // that counts of one pause that a destination asks for
	allPauses    = 72 * time.Hour      // of the pauses that it may ask for, together, until there is progress
	longestLater = 14 * 24 * time.Hour // that a kind may ask to be left alone: records live for 30 days
	jobRetry     = time.Hour           // default of retry.for for jobs
	eventRetry   = 24 * time.Hour      // default of retry.for for events
	unknownRetry = time.Hour           // how long work waits for a deployment that knows its action
)

// next is what becomes of a piece of work after an answer.
type next int

const (
	goesOn next = iota // in this turn, with the next batch or a further step of the same one
	waits              // for a time: another message goes on with it
	ends               // nothing is left to do
	stops              // a user asked for it
)

// A wait for a signal is a wait until the signal is too late: what ends it earlier is a message that finds it. Losing the
// lease to another worker is no verdict: it is what the write of one finds.

// standing is what a run began with: a job at its checkpoint, or an event for one subscription, which is a batch of one.
type standing struct {
	left  int  // items that are not through, as far as they are counted
	more  bool // others follow that are not counted: pages of a selection
	batch int  // of these, in the run
	stop  bool
	// unfinished: once all items are through, the action has something left to do (Finisher).
	unfinished bool
	retries
	patience time.Duration // retry.for
}

// retries is what is remembered between tries; progress clears it.
type retries struct {
	tries     int           // that failed
	downSince time.Time     // of the first of them, later by every pause that was asked for: pauses are no down-time
	asked     time.Duration // pauses asked for, together
}

// moment is the time of an answer.
type moment struct {
	now  time.Time
	over bool // the turn's time is used up: no further run begins
}

// verdict is what follows an answer. It is written once.
type verdict struct {
	next     next
	through  int                 // items, from the first that was not, that are through
	changed  int                 // of these, how many changed in the PIM
	failures []Failure           // of these, by index from the same place
	gaveUp   bool                // nothing of what is left is worked any more, whether or not it is counted
	page     *turned             // comes to hand
	at       time.Time           // with waits: when to go on
	held     bool                // with waits: somebody asked for this pause, and no message may go on before it ends
	asks     bool                // with waits: for a signal
	early    []jobs.EarlyFailure // with asks
	retries
	state       json.RawMessage // of the kind, for the next run of the batch
	keepsState  bool            // the state stays what it was
	interrupted bool            // a run may have acted without telling
	reason      string          // code of a failed end
	cause       string
	message     string
	result      json.RawMessage
	files       []jobs.File
	givesUpAt   time.Time     // with waits: if what is wrong stays so
	failedTry   bool          // to be counted
	down        time.Duration // with failedTry: for how long by now
}

// decide says what follows an answer, for jobs and events alike. It is pure but for the chance in a wait's length.
func decide(s standing, a answer, t moment) verdict {
	v := verdict{retries: s.retries, through: a.through, changed: a.changed, failures: a.failures, message: a.message, result: a.result, page: a.page, files: a.files, keepsState: a.through == 0}
	if a.through > 0 || a.class == done {
		v.retries = retries{} // progress: the destination works
	}
	switch a.class {
	case cut:
		v.interrupted = true
	case later:
		v.retries, v.state, v.keepsState, v.message = retries{}, a.state, false, a.reason
		if a.after > 0 {
			v.waitUntil(t.now.Add(min(a.after, longestLater)), true)
		}
	case awaits:
		v.retries, v.state, v.keepsState = retries{}, a.state, false
		v.asks, v.early = true, a.early
		v.waitUntil(a.until, true)
	case refused:
		v.giveUp(s, a, cmp.Or(a.code, jobs.ReasonPermanent))
	case failing:
		v.tryAgain(s, a, t)
	}
	over := (a.class == done || a.class == refused || v.reason != "") && v.through >= s.left && (v.gaveUp || !s.more)
	if s.unfinished && !v.gaveUp {
		over = false
	}
	switch {
	case over:
		v.next = ends
	case s.stop || a.stop:
		v.next = stops
	case v.next == goesOn && (t.over || a.class == idle || a.class == cut):
		v.next, v.at = waits, t.now
	}
	return v
}

// waitUntil has another message go on at a time.
func (v *verdict) waitUntil(at time.Time, held bool) {
	v.next, v.at, v.held = waits, at, held
}

// giveUp fails the rest of the batch. Where no run began, or no more tries are to be made, all that is left fails.
func (v *verdict) giveUp(s standing, a answer, code string) {
	to, reason := s.left, a.reason
	if code != jobs.ReasonGaveUp && a.began {
		to = s.batch
	}
	v.gaveUp = code == jobs.ReasonGaveUp || !a.began
	if code == jobs.ReasonGaveUp && a.class == failing {
		reason += ", and the time for trying again is over"
	}
	for i := v.through; i < to; i++ {
		v.failures = append(v.failures, Failure{Index: i, Reason: reason})
	}
	for _, known := range a.early { // their own reasons are the better ones
		if n := known.Index - v.through; n >= 0 && n < len(v.failures) {
			v.failures[n].Reason = known.Reason
		}
	}
	v.through, v.reason, v.cause, v.message, v.keepsState = to, code, a.cause, reason, false
	v.retries = retries{}
}

// tryAgain waits for a destination that does not work: as long as it asked for, else longer with every try, until
// patience ends.
func (v *verdict) tryAgain(s standing, a answer, t moment) {
	patience := s.patience
	if a.cause == jobs.CauseUnknownAction {
		patience = unknownRetry
	}
	v.tries++
	if v.downSince.IsZero() {
		v.downSince = t.now
	}
	pause := min(max(a.pauseTo.Sub(t.now), 0), longestPause)
	v.failedTry, v.down = true, max(t.now.Sub(v.downSince), 0)
	if v.down >= patience || v.asked+pause > allPauses {
		v.giveUp(s, a, jobs.ReasonGaveUp)
		return
	}
	v.asked += pause
	v.downSince = v.downSince.Add(pause)
	v.waitUntil(t.now.Add(max(pause, backoff(v.tries))), pause > 0)
	v.cause, v.message, v.givesUpAt = a.cause, a.reason, v.downSince.Add(patience)
}

// backoff grows from 5 s to 15 min; half of it is chance, so that many jobs that wait for one destination do not
// come back together.
func backoff(tries int) time.Duration {
	full := shortestWait << min(max(tries-1, 0), 10)
	full = min(full, queue.MaxDelay)
	return max(shortestWait, full/2+rand.N(full/2))
}
