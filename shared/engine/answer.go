package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// class is the sort of answer that a run gave.
type class int

const (
	idle    class = iota // nothing was run: the time is used up, the process is stopping, or a user asked to stop
	done                 // the batch, or the part of it that Result.Done names, is through
	later                // nothing is wrong: the same batch goes on, with the state it gave
	refused              // trying again cannot help
	failing              // passing: the same batch is tried again
	awaits               // others are asked: the batch goes on with its signal, with the state it gave
	cut                  // the process stopped in the middle of a run: nobody failed, and what the run did is not known
)

// answer is what came of a run, or of the attempt to begin one.
type answer struct {
	class    class
	gone     bool         // of an event: its entity is not in the PIM any more
	absent   map[int]bool // of a run for several events: items that are not in the PIM any more, by index
	began    bool         // a run began; what goes wrong before concerns all that is left, not this batch alone
	through  int          // items from the first of the batch that are through
	failures []Failure
	changed  int // items that changed in the PIM
	message  string
	result   json.RawMessage
	page     *turned // of a selection: the page that follows the one at hand, which is through
	files    []jobs.File
	state    json.RawMessage // with later
	after    time.Duration   // with later
	pauseTo  time.Time       // with failing: the pause that somebody asked for ends then; zero: nobody did
	reason   string          // for the user
	code     string          // with refused: of the end, if it is not that trying again cannot help
	cause    string
	until    time.Time           // with awaits: when the wait ends
	early    []jobs.EarlyFailure // with awaits: items that failed already
	stop     bool                // a user asked to stop
	err      error               // for the log, see loggable
}

// answerOf says what a run's result and error mean. batch is how many items it was given. stopping says that the process is
// about to end, which is nobody's failure.
func answerOf(result Result, err error, batch int, stopping bool) answer {
	a := answer{began: true, changed: result.changed, message: result.Message, result: result.Result, files: result.Files, through: min(max(result.Done, 0), batch)}
	if err == nil && result.Done == 0 {
		a.through = batch
	}
	a.failures = within(result.Failures, a.through)
	waits, isLater := errors.AsType[*LaterError](err)
	switch {
	case err == nil, a.through > 0 && a.through == batch: // what goes wrong after the last item is over with it
		a.class = done
		return a
	case isLater:
		if problem := stateProblem(result.State); problem != "" {
			a.class, a.reason, a.cause, a.err = refused, problem, jobs.CauseInternal, errors.New(problem)
			return a
		}
		a.class, a.state, a.after, a.reason = later, result.State, max(waits.After, 0), waits.Reason
		return a
	case stopping:
		a.class = cut
		return a
	}
	a.class, a.pauseTo, a.reason, a.cause, a.err = classify(err)
	return a
}

// notBegun is the answer where the run could not begin.
func notBegun(err error, stopping bool) answer {
	if stopping {
		return answer{class: idle}
	}
	a := answer{err: err}
	a.class, a.pauseTo, a.reason, a.cause, a.err = classify(err)
	return a
}

// within keeps the first failure of each item that is through.
func within(failures []Failure, through int) []Failure {
	var kept []Failure
	seen := make(map[int]bool, len(failures))
	for _, failure := range failures {
		if failure.Index >= 0 && failure.Index < through && !seen[failure.Index] {
			seen[failure.Index] = true
			kept = append(kept, failure)
		}
	}
	return kept
}

// stateProblem says why a kind's state cannot be kept; "" if it can. Without its state a kind repeats what it has begun
// outside: so the batch fails.
func stateProblem(state json.RawMessage) string {
	switch {
	case len(state) > jobs.MaxKindState:
		return fmt.Sprintf("the action's state has %d bytes and %d are kept: it cannot go on without doing its work twice", len(state), jobs.MaxKindState)
	case len(state) > 0 && !json.Valid(state):
		return "the action's state is not JSON: it cannot go on without doing its work twice"
	}
	return ""
}

// What an error can say of itself by method, for clients that this package does not know (package outbound).
type (
	permanent    interface{ Permanent() bool }    // trying again cannot help
	throttled    interface{ Throttled() bool }    // the destination asked for a pause
	retryAt      interface{ RetryAt() time.Time } // the pause ends then; zero: it did not say
	silent       interface{ Silent() bool }       // no complete answer in time
	unauthorized interface{ Unauthorized() bool } // the credentials were not accepted: fresh ones can help
	reasoned     interface{ Reason() string }     // for the user: no host, no status code
)

// told asks an error, or one that it wraps, for something of type T.
func told[T any](err error) (T, bool) {
	var found T
	ok := errors.As(err, &found)
	return found, ok
}

// classify decides, once, what an error means. Anything unknown is passing: a mistake in that direction costs time, in
// the other it loses work.
func classify(err error) (class class, pauseTo time.Time, reason, cause string, forLog error) {
	class, forLog = failing, err
	if mistake := mistakeOf(err); mistake != "" {
		return refused, time.Time{}, mistake, jobs.CauseConfiguration, err
	}
	reason, cause = reasonOf(err), causeOf(err)
	if own, ok := errors.AsType[*PermanentError](err); ok {
		return refused, time.Time{}, own.Reason, "", err
	}
	if pause, ok := errors.AsType[*ThrottledError](err); ok {
		return failing, pause.Until, reason, cause, err
	}
	if p, ok := told[permanent](err); ok && p.Permanent() {
		return refused, time.Time{}, reason, "", err
	}
	if r, ok := told[retryAt](err); ok {
		pauseTo = r.RetryAt()
	}
	return class, pauseTo, reason, cause, forLog
}

// mistakeOf is the sentence about a mistake in the configuration or in the connection secret, which names the key; "" for
// another error. Trying again cannot help: somebody has to mend it.
func mistakeOf(err error) string {
	var problem *config.Problem
	if many, ok := errors.AsType[config.Problems](err); ok && len(many) > 0 {
		problem = many[0]
	} else if !errors.As(err, &problem) {
		return ""
	}
	text := "the configuration has a mistake: " + problem.Message
	if problem.Remedy != "" {
		text += "; " + problem.Remedy
	}
	return text
}

// causeOf is the stable code of a passing error.
func causeOf(err error) string {
	if errors.Is(err, ErrUnknownAction) {
		return jobs.CauseUnknownAction
	}
	if _, ok := errors.AsType[*unsettledError](err); ok {
		return jobs.CauseCredentials
	}
	if busy, ours := fromPIM(err); ours {
		if busy {
			return jobs.CausePIMBusy
		}
		return jobs.CausePIMDown
	}
	if _, ok := errors.AsType[*ThrottledError](err); ok {
		return jobs.CauseDestinationBusy
	}
	if t, ok := told[throttled](err); ok && t.Throttled() {
		return jobs.CauseDestinationBusy
	}
	if r, ok := told[retryAt](err); ok && !r.RetryAt().IsZero() {
		return jobs.CauseDestinationBusy
	}
	if s, ok := told[silent](err); ok && s.Silent() || errors.Is(err, context.DeadlineExceeded) {
		return jobs.CauseNoAnswer
	}
	if _, ok := told[permanent](err); ok { // a client's error
		return jobs.CauseDestinationDown
	}
	return jobs.CauseInternal
}

// fromPIM says whether an error is the PIM's, not a destination's, and whether the PIM asked for a pause.
func fromPIM(err error) (busy, ours bool) {
	if failed, ok := errors.AsType[*pim.Error](err); ok {
		return failed.Throttled(), true
	}
	if failed, ok := errors.AsType[*pim.TokenError](err); ok {
		return !failed.RetryAt().IsZero(), true
	}
	return false, false
}

// reasonOf is what a user may read of an error: only what was written for users.
func reasonOf(err error) string {
	if own, ok := errors.AsType[*PermanentError](err); ok {
		return own.Reason
	}
	if pause, ok := errors.AsType[*ThrottledError](err); ok && pause.Reason != "" {
		return pause.Reason
	}
	if r, ok := told[reasoned](err); ok {
		return r.Reason()
	}
	switch {
	case errors.Is(err, ErrUnknownAction):
		return "this version does not know the action"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return "a passing problem"
}

// credentialsRefused says that fresh credentials can help.
func credentialsRefused(err error) bool {
	u, ok := told[unauthorized](err)
	return ok && u.Unauthorized()
}

// Refused says whether an error is permanent, and its reason for the user: for a kind that calls once per item and
// goes on with the next.
func Refused(err error) (reason string, permanent bool) {
	if err == nil {
		return "", false
	}
	class, _, reason, _, _ := classify(err)
	return reason, class == refused
}
