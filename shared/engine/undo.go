package engine

import (
	"context"
	"errors"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// undoing takes back what a job has changed in the PIM. It is the action of every job whose Trigger is jobs.TriggerUndo;
// its items are those of the job that it undoes. What it changes can be undone in turn.
type undoing struct {
	*Engine
	parent string
}

var _ Writer = undoing{}

// openUndo opens it for the job in work. It needs no configuration: an action that is gone can still be undone.
func (w *jobWork) openUndo(context.Context, string) (Action, error) {
	return undoing{w.Engine, w.job.Parent}, nil
}

const undoBatch = 100

func (undoing) Batch() int { return undoBatch }

// Writes implements Writer: its updates are no Updates of values, so that it needs no leave for any.
func (undoing) Writes() *Writes { return &Writes{Models: ModelsWrite} }

// Run says what is to be taken back of each item.
func (u undoing) Run(ctx context.Context, run Run) (Result, error) {
	if u.Files == nil {
		return Result{}, Permanent("this deployment keeps no files: there is nothing to take back", nil)
	}
	parent, err := u.Store.Get(ctx, u.parent)
	if errors.Is(err, jobs.ErrNotFound) {
		return Result{}, Permanent("the job is no longer kept: nothing can be taken back", err)
	}
	if err != nil {
		return Result{}, err
	}
	lines, err := u.undoLines(ctx, u.parent, parent.Undo)
	if err != nil {
		return Result{}, err
	}
	of := map[int]int{} // place in updates, by index in the run
	var result Result
	for _, each := range lines {
		if len(each.Of) == 0 || len(each.Edits) == 0 {
			continue
		}
		index := each.Of[0] - run.First // a model that several items share is the first one's
		if index < 0 || index >= len(run.Items) {
			continue
		}
		n, there := of[index]
		if !there {
			n = len(result.Updates)
			of[index] = n
			result.Updates = append(result.Updates, Update{Index: index})
		}
		result.Updates[n].back = append(result.Updates[n].back, each)
	}
	return result, nil
}
