package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// undoing takes back what a job has changed in the PIM. It is the action of every job whose Trigger is jobs.TriggerUndo;
// its items are those of the job that it undoes. What it changes can be undone in turn.
type undoing struct {
	*Engine
	parent string
	page   int // of a job over a selection: batches of it, from the last, up to the one whose changes are at hand; else 0
}

var _ Writer = undoing{}

// opens is what opens the action of the job in work.
func (w *jobWork) opens() func(context.Context, string) (Action, error) {
	if w.job.Trigger == jobs.TriggerUndo {
		return w.openUndo
	}
	return w.Engine.open
}

// openUndo opens it for the job in work. It needs no configuration: an action that is gone can still be undone.
func (w *jobWork) openUndo(context.Context, string) (Action, error) {
	u := undoing{Engine: w.Engine, parent: w.job.Parent}
	if w.job.Select != nil {
		u.page = w.job.Select.From
	}
	return u, nil
}

const undoBatch = 100

func (undoing) Batch() int { return undoBatch }

// Writes implements Writer: its updates are no Updates of values, so that it needs no leave for any.
func (undoing) Writes() *Writes { return &Writes{Models: ModelsWrite} }

// Run says what is to be taken back of each item.
func (u undoing) Run(ctx context.Context, run Run) (Result, error) {
	names, err := u.undone(ctx, u.parent)
	if err != nil {
		return Result{}, err
	}
	if u.page > 0 {
		batches := undoBatches(names)
		names = batches[len(batches)-u.page]
	}
	lines, err := u.undoLines(ctx, u.parent, names)
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
		if u.page > 0 {
			index = slices.Index(run.Items, each.Item)
		}
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

// undone are the names of the undo files of a job that is to be undone.
func (e *Engine) undone(ctx context.Context, id string) ([]string, error) {
	if e.Files == nil {
		return nil, Permanent("this deployment keeps no files: there is nothing to take back", nil)
	}
	job, err := e.Store.Get(ctx, id)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil, Permanent("the job is no longer kept: nothing can be taken back", err)
	}
	return job.Undo, err
}

// changedPage is the page of what one batch of a job over a selection has changed. The last batch comes first: what two
// batches changed is taken back in the opposite order.
func (w *jobWork) changedPage(ctx context.Context, selection jobs.Select, first int) (*turned, error) {
	names, err := w.undone(ctx, selection.Undo)
	if err != nil {
		return nil, err
	}
	batches := undoBatches(names)
	selection.From++
	lines, err := w.undoLines(ctx, selection.Undo, batches[len(batches)-selection.From])
	if err != nil {
		return nil, err
	}
	var items []jobs.Item
	for _, each := range lines {
		if len(each.Edits) > 0 {
			items = append(items, each.Item)
		}
	}
	selection.End = selection.From == len(batches)
	return &turned{selection: *selection.Turn(first, items)}, nil
}
