package pimjob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

const (
	heldFor  = 30 * time.Second // before a launch is tried again that another launch of the profile keeps out
	lastHold = 2 * time.Minute  // before its time is over it is not launched any more: its end could not come in time
)

// state is what one run leaves to the next.
type state struct {
	Since     time.Time `json:"since"` // the intent to launch was written then
	Called    bool      `json:"called,omitempty"`
	Execution string    `json:"execution,omitempty"` // its ID, as the PIM answered; "": it did not, or it is not known
}

// Run takes one step, and has the engine write down where it stands before the next.
//
//	keep other launches out, intend to launch ─▶ launch it ─▶ note what the PIM answered, and look for the end ─▶ wait
//
// An intent that is written down may be acted on by the run that finds it, unless one before had it and did not come back
// (Run.Interrupted): that one may have launched.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Signal != nil {
		return a.told(ctx, run)
	}
	if len(run.State) == 0 {
		return a.intend(ctx, run)
	}
	var s state
	if err := json.Unmarshal(run.State, &s); err != nil {
		return engine.Result{}, engine.Permanent("it is not known whether the PIM's job was launched: look in the PIM before you start it again", err)
	}
	if s.Called || run.Interrupted {
		s.Called = true
		return a.note(ctx, run, s)
	}
	return a.launch(ctx, run, s)
}

// launching is the launch of a run, as others see it.
func launching(run engine.Run, since time.Time) jobs.Launch {
	return jobs.Launch{Job: run.Job, Wait: run.Wait.Name, Since: since.UTC(), Until: run.Wait.Until}
}

// change changes what is known of the profile.
func (a *action) change(ctx context.Context, run engine.Run, change func(*jobs.Profile) bool) error {
	return jobs.ChangeProfile(ctx, a.kind.Profiles, jobs.ProfileKey(run.PIM, a.direction, a.code), run.Now.UTC(), change)
}

// begin keeps other launches of the profile out, from now on. other is the one that keeps this one out.
func (a *action) begin(ctx context.Context, run engine.Run) (other *jobs.Launch, err error) {
	own := launching(run, run.Now)
	for range 2 {
		err = a.change(ctx, run, func(p *jobs.Profile) bool {
			if other != nil { // nobody waits for it any longer
				p.Free(*other)
			}
			other = p.Begin(own)
			return other == nil
		})
		if err != nil || other == nil {
			return nil, err
		}
		if _, err := a.kind.Signals.Signal(ctx, other.Job, other.Wait); errors.Is(err, jobs.ErrNoSignal) {
			return other, nil
		} else if err != nil {
			return nil, err
		}
	}
	return other, nil
}

// intend has the intent to launch written down, once no other launch keeps it out.
func (a *action) intend(ctx context.Context, run engine.Run) (engine.Result, error) {
	other, err := a.begin(ctx, run)
	switch {
	case err != nil:
		return engine.Result{}, err
	case other == nil:
		return later(state{Since: run.Now.UTC()})
	case run.Wait.Until.Sub(run.Now) <= lastHold:
		return engine.Result{}, engine.Permanent("nothing was launched: another launch of the same profile did not end in time. Start it again once that one has ended in the PIM", nil)
	}
	return engine.Result{}, &engine.LaterError{After: heldFor, Reason: "another launch of the same profile has to end first"}
}

// later has the state written down, and goes on at once.
func later(s state) (engine.Result, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return engine.Result{}, engine.Permanent("an internal error", err)
	}
	return engine.Result{State: text}, &engine.LaterError{Reason: "the PIM's job is being launched"}
}

// launch makes the call whose intent is written down.
func (a *action) launch(ctx context.Context, run engine.Run, s state) (engine.Result, error) {
	if run.Attempt > 1 { // the one before was certainly not made: what others have started meanwhile is not ours
		other, err := a.begin(ctx, run)
		if err != nil {
			return engine.Result{}, err
		}
		if other != nil {
			return engine.Result{}, &engine.LaterError{Reason: "another launch of the same profile has to end first"}
		}
	}
	client, err := run.Client(ctx)
	if err != nil {
		return engine.Result{}, err
	}
	s.Execution, err = client.Launch(ctx, a.direction, a.code)
	if err != nil && pim.Unmade(err) {
		return engine.Result{}, a.unmade(ctx, run, err)
	}
	s.Called = true
	result, err := a.note(ctx, run, s)
	if err != nil && result.State == nil && !final(err) { // what the PIM answered must be kept
		return later(s)
	}
	return result, err
}

// final says whether an error is the end of the batch.
func final(err error) bool {
	_, refused := engine.Refused(err)
	return refused
}

// unmade is the error of a launch that was certainly not made. Where it is not tried again, others need not wait for it.
func (a *action) unmade(ctx context.Context, run engine.Run, err error) error {
	if !final(err) {
		return err
	}
	freed := a.change(ctx, run, func(p *jobs.Profile) bool { p.Free(launching(run, run.Now)); return true })
	err = errors.Join(a.explained(err), freed) // what was not freed is, once this job has ended
	reason, _ := engine.Refused(err)
	return engine.Permanent(reason, err)
}

// explained is a refusal with a sentence for profiles that are not there, or may not be launched.
func (a *action) explained(err error) error {
	failed, ok := errors.AsType[*pim.Error](err)
	switch {
	case ok && failed.NotFound() && failed.Message == "":
		return engine.Permanent(fmt.Sprintf("the PIM has no %s profile %q, or hides it from its connection", a.direction, a.code), err)
	case ok && failed.Status == http.StatusForbidden:
		return engine.Permanent("the PIM does not let its connection launch jobs: give its user that right", err)
	}
	return err
}

// note tells others what the PIM answered, and looks whether the end is there already. Else the run waits for it.
func (a *action) note(ctx context.Context, run engine.Run, s state) (engine.Result, error) {
	var end *jobs.End
	err := a.change(ctx, run, func(p *jobs.Profile) bool {
		end = p.Launched(launching(run, s.Since), s.Execution, pim.Numeric(s.Execution))
		return true
	})
	if err != nil {
		return engine.Result{}, err
	}
	if end != nil {
		return a.ended(ctx, run, *end)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return engine.Result{}, engine.Permanent("an internal error", err)
	}
	return engine.Result{Wait: true, State: text}, nil
}
