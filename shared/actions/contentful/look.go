package contentful

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/engine"
)

const (
	firstPause   = 250 * time.Millisecond // between looks inside a run; doubles
	longestPause = 2 * time.Second        // as Contentful's own client does
	jobPauses    = 12 * time.Second       // of one run together; a verdict that comes at once is seen at once
	eventPauses  = 2 * time.Second        // other events wait for the place
	reserve      = 25 * time.Second       // of the run's time, for a last look and its checkpoint

	firstRound   = 5 * time.Second // until the next run looks; doubles
	longestRound = time.Minute

	settling = 30 * time.Second // a call may be unknown for a moment; what is silent for longer stays so
)

// look waits for the calls' ends, a while in this run and then in later ones.
func (a *action) look(ctx context.Context, run engine.Run, s *state) (engine.Result, error) {
	client, err := a.client(run.Action)
	if err != nil {
		return engine.Result{}, err
	}
	paused, allowed := time.Duration(0), jobPauses
	if run.Event != nil {
		allowed = eventPauses
	}
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		after, err := a.round(ctx, run, s, client)
		if err != nil {
			return engine.Result{}, err
		}
		switch {
		case len(s.open()) == 0:
			return s.result(a.environment, run)
		case run.Now.Add(paused).Sub(s.Since) >= a.Within:
			for _, c := range s.open() {
				c.end(unknown, fmt.Sprintf("it did not end within %s", a.Within))
			}
			return s.result(a.environment, run)
		case after > 0, paused+wait > allowed, !enough(ctx, wait+reserve):
			s.Rounds++
			return a.later(s, max(after, min(firstRound<<min(s.Rounds-1, 10), longestRound)))
		}
		if err := a.kind.Pause(ctx, wait); err != nil {
			return engine.Result{}, err
		}
		paused += wait
	}
}

// enough says whether a run has this much time left.
func enough(ctx context.Context, needed time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > needed
}

// round looks at every open call once. After a refusal that asks to come later it stops, and says when.
func (a *action) round(ctx context.Context, run engine.Run, s *state, client *contentfulapi.Client) (after time.Duration, err error) {
	s.Trouble = ""
	for _, c := range s.open() {
		found, err := client.Look(ctx, a.environment, c.App, c.Action, c.ID)
		silent := run.Now.Sub(c.At) >= settling
		failure, _ := errors.AsType[*contentfulapi.Error](err)
		switch {
		case err == nil && found.Status == contentfulapi.Unreported && silent, contentfulapi.NotFound(err) && silent:
			c.end(accepted, "")
		case err == nil:
			c.note(found)
		case contentfulapi.NotFound(err): // for a moment
		case failure == nil:
			return 0, err // the run's own end
		case failure.Permanent():
			c.end(unknown, failure.Reason())
		default:
			s.Trouble = clean(failure.Reason(), maxReason)
			if at := failure.RetryAt(); !at.IsZero() {
				return max(at.Sub(a.kind.Outbound.Now()), time.Second), nil
			}
			return firstRound, nil
		}
	}
	return 0, nil
}
