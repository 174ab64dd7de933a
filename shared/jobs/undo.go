package jobs

import (
	"context"
	"errors"
	"fmt"
)

// Why a job cannot be undone.
var (
	ErrNotEnded      = errors.New("the job has not ended: stop it, or wait, before it is undone")
	ErrNothingToUndo = errors.New("the job has changed nothing in the PIM: there is nothing to undo")
	ErrUndoing       = errors.New("the job is being undone already: wait for that to end")
)

// Undoable says whether Undo can take back what the job, as it reads at this time (AsOf), has changed in the PIM.
func (j Job) Undoable() bool { return j.undoRefusal() == nil }

// undoRefusal is why the job cannot be undone: ErrNotEnded, ErrNothingToUndo, or nil.
func (j Job) undoRefusal() error {
	switch {
	case !j.State.Ended():
		return ErrNotEnded
	case len(j.Undo) == 0:
		return ErrNothingToUndo
	}
	return nil
}

// Undo starts a job that takes back what another one has changed in the PIM, for a user. It has the items of that job, its
// action and its label; its Trigger is TriggerUndo and its Parent the other job. Of a job over a selection, whose items are
// not kept, it has what was changed, page by page (Select.Undo). At most one at a time undoes a job. Its error is ErrNotFound,
// ErrNotEnded, ErrNothingToUndo, ErrUndoing, or that of Submit.
func (s *Submitter) Undo(ctx context.Context, id string, user User) (Job, error) {
	done, err := s.Store.Load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Job{}, err
	}
	if err != nil {
		return Job{}, &NotStartedError{fmt.Errorf("read the job to undo: %w", err)}
	}
	if err := done.AsOf(s.Now()).undoRefusal(); err != nil {
		return Job{}, err
	}
	undo := Job{
		ID:     ID("undo", []byte(id), fmt.Append(nil, s.Now().UnixNano())),
		Action: done.Action, Trigger: TriggerUndo, Extension: done.Extension, PIM: done.PIM, Label: done.Label,
		Items: done.Items, Context: done.Context, Params: done.Params, User: user, Parent: id, Correlation: done.Correlation,
		Once: Digest([]byte("undo"), []byte(id)),
	}
	if done.Select != nil {
		undo.Select = &Select{Undo: id, Resolved: true}
	}
	submitted, err := s.Submit(ctx, undo)
	if err != nil {
		return Job{}, err
	}
	if submitted.Verdict == AlreadyRunning {
		return submitted.Job, ErrUndoing
	}
	return submitted.Job, nil
}
