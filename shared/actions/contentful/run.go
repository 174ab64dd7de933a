package contentful

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/engine"
)

const (
	firstTry   = 5 * time.Second // before a call is tried again that did not reach Contentful; doubles
	longestTry = 5 * time.Minute
)

// Run takes one step, and has the engine write down where it stands before the next.
//
//	list the actions ─▶ intend to call one ─▶ call it ─▶ intend the next ─▶ … ─▶ look until all have ended
//
// An intent that is written down may be acted on by the run that finds it, unless one before had it and did not come
// back (Run.Interrupted): that one may have called. How long the intent has waited in a queue says nothing.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	s, err := a.start(ctx, run)
	if err != nil {
		return engine.Result{}, err
	}
	next := s.next()
	switch {
	case next == nil:
		return a.look(ctx, run, s)
	case next.Status == calling && run.Interrupted:
		next.end(unknown, "it was interrupted while being called, and is not called twice")
	case next.Status == calling:
		a.call(ctx, run, s, next)
	}
	return a.intend(run, s)
}

// intend has the next call's intent written down, or waits until it may be made.
func (a *action) intend(run engine.Run, s *state) (engine.Result, error) {
	next := s.next()
	if next == nil {
		return a.later(s, 0)
	}
	if run.Now.Sub(s.Since) >= a.Within {
		for _, c := range s.Calls {
			if c.Status == waiting {
				c.end(failed, fmt.Sprintf("not called within %s: %s", a.Within, cmp.Or(s.Trouble, "there was no time")))
			}
		}
		return a.later(s, 0)
	}
	if wait := s.NotBefore.Sub(run.Now); wait > 0 {
		return a.later(s, wait)
	}
	next.Status = calling
	return a.later(s, 0)
}

// later has the state written down, and goes on after a time: at once, if it is 0.
func (a *action) later(s *state, after time.Duration) (engine.Result, error) {
	text, err := s.encode()
	if err != nil { // without its state a call could be made twice
		return engine.Result{}, engine.Permanent("the calls' state could not be kept", err)
	}
	reason := s.Trouble
	if reason == "" {
		reason = "waiting for Contentful"
	}
	return engine.Result{State: text}, &engine.LaterError{After: after, Reason: reason}
}

// start reads where the run before stood, or finds out what there is to call.
func (a *action) start(ctx context.Context, run engine.Run) (*state, error) {
	if len(run.State) > 0 {
		s, err := decodeState(run.State)
		if err != nil {
			return nil, engine.Permanent("outcome unknown: another version of this program began the calls. Look in Contentful before you start it again", err)
		}
		return s, nil
	}
	if _, err := a.parameters.values(run); err != nil {
		return nil, err
	}
	if a.Category == "" {
		return &state{Since: run.Now.UTC(), Calls: []*call{{App: a.App, Action: a.Action}}}, nil
	}
	client, err := a.client(run.Action)
	if err != nil {
		return nil, err
	}
	found, err := client.Available(ctx, a.environment)
	if err != nil {
		return nil, fmt.Errorf("find actions: %w", err)
	}
	s := &state{Since: run.Now.UTC()}
	for _, one := range found {
		if contentfulapi.SameCategory(one.Category, a.Category) && contentfulapi.ValidID(one.ID) && contentfulapi.ValidID(one.App) {
			s.Calls = append(s.Calls, &call{App: one.App, Action: one.ID, Name: clean(one.Name, maxName)})
		}
	}
	slices.SortFunc(s.Calls, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Action, b.Action))
	})
	s.Calls = slices.CompactFunc(s.Calls, func(a, b *call) bool { return a.App == b.App && a.Action == b.Action })
	switch n := len(s.Calls); {
	case n == 0:
		return nil, engine.Permanent(fmt.Sprintf("%s has no App Action of category %s: install an app there that provides one", a.environment, a.Category), nil)
	case n > maxCalls:
		return nil, engine.Permanent(fmt.Sprintf("%s has %d App Actions of category %s, and at most %d are called by one action: name them one by one", a.environment, n, a.Category, maxCalls), nil)
	}
	return s, nil
}

// call makes the call whose intent is written down, and notes what is known of it.
func (a *action) call(ctx context.Context, run engine.Run, s *state, c *call) {
	values, err := a.parameters.values(run)
	if err != nil {
		reason, _ := engine.Refused(err)
		c.end(failed, reason)
		return
	}
	client, err := a.client(run.Action)
	if err != nil {
		c.end(failed, err.Error())
		return
	}
	made, err := client.Call(ctx, a.environment, c.App, c.Action, values)
	refused, _ := errors.AsType[*contentfulapi.Error](err)
	switch {
	case err == nil:
		s.NotBefore, s.Trouble, s.Tries = time.Time{}, "", 0
		c.ID, c.At = made.ID, run.Now.UTC()
		c.note(made)
		switch {
		case c.Status.ended():
		case c.ID == "":
			c.end(accepted, "")
		default:
			c.Status = called
		}
	case refused == nil: // the run's own end
		c.end(unknown, "there was no answer in time")
	case refused.Status >= 200 && refused.Status < 300:
		c.end(accepted, "")
	case refused.Permanent(): // which is always a refusal
		c.end(failed, refused.Reason())
	case refused.Refused(): // Contentful has not seen it, or asks for a pause: not called yet
		s.Tries++
		wait := min(firstTry<<min(s.Tries-1, 10), longestTry)
		if at := refused.RetryAt(); !at.IsZero() {
			wait = max(at.Sub(a.kind.Outbound.Now()), time.Second)
		}
		c.Status = waiting
		s.NotBefore, s.Trouble = run.Now.Add(wait).UTC(), clean(refused.Reason(), maxReason)
	default:
		c.end(unknown, refused.Reason())
	}
}

// note takes over the end that Contentful tells of, if it does.
func (c *call) note(told contentfulapi.Call) {
	switch told.Status {
	case contentfulapi.Succeeded:
		c.end(succeeded, "")
		c.Result = told.Result
	case contentfulapi.Failed:
		reason := cmp.Or(clean(told.Error.Message, maxReason), "the app answered with an error")
		if told.Error.StatusCode != 0 {
			reason = fmt.Sprintf("%s (%d)", clean(reason, maxReason-10), told.Error.StatusCode)
		}
		c.end(failed, reason)
	}
}
