package jobs

import (
	"context"
	"errors"
	"fmt"
)

// Why a wait cannot be ended by hand.
var (
	ErrNotWaiting = errors.New("the job waits for nothing that somebody could end")
	ErrNotAsDone  = errors.New("nobody but who was asked can say that this is done: the wait can only be given up")
)

// EndWait ends the wait of a job by hand: SignalAsDone, where the wait allows it, or SignalGiveUp. It returns the job as it
// is then, which goes on in a moment; with what came meanwhile, if something did. ErrNotFound, ErrNotWaiting, ErrNotAsDone,
// or a *NotStartedError: ending it again is safe.
func (s *Submitter) EndWait(ctx context.Context, id, kind string, user User) (Job, error) {
	job, err := s.Store.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return Job{}, err
	case err != nil:
		return Job{}, &NotStartedError{fmt.Errorf("read the job that waits: %w", err)}
	case !job.AtRest():
		return Job{}, ErrNotWaiting
	case kind == SignalAsDone && !job.Awaits.AsDone:
		return Job{}, ErrNotAsDone
	}
	if _, err := s.Store.PutSignal(ctx, Signal{Job: id, Wait: job.Awaits.Name, Kind: kind, At: s.Now().UTC(), User: user}); err != nil {
		return Job{}, &NotStartedError{err}
	}
	if err := s.Queue.Send(ctx, Message(id, 0)); err != nil {
		return Job{}, &NotStartedError{fmt.Errorf("send: %w", err)}
	}
	return job, nil
}
