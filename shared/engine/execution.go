package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// executionEnded notes the end of a job of the PIM's that an event tells of, and hands it to the job of ours that waits for
// it. It does so whoever caused the event, ourselves above all, and whether or not a subscription wants it.
func (w *eventWork) executionEnded(ctx context.Context) error {
	execution, ok := w.event.Execution()
	if !ok || !execution.Ended || w.Profiles == nil {
		return nil
	}
	now := w.Now().UTC()
	end := jobs.End{
		Execution: execution.ID, Status: execution.Status, Label: execution.Label, Rows: execution.Rows, Skipped: execution.Skipped,
		Warnings: execution.Warnings, Started: execution.Started, At: now,
	}
	var launch jobs.Launch
	waits := false
	err := jobs.ChangeProfile(ctx, w.Profiles, jobs.ProfileKey(w.event.PIM, execution.Direction, execution.Code), now, func(p *jobs.Profile) bool {
		end, launch, waits = p.Ended(end)
		return true
	})
	if err != nil {
		return fmt.Errorf("note the end of the PIM's job: %w", err)
	}
	if !waits {
		return nil
	}
	body, err := json.Marshal(end)
	if err != nil {
		return fmt.Errorf("encode the end of the PIM's job: %w", err)
	}
	return w.hand(ctx, jobs.Signal{Job: launch.Job, Wait: launch.Wait, Kind: jobs.SignalEvent, At: now, Body: body})
}

// workflowEnded notes the end of a workflow of the PIM's on an item. Jobs of ours go on once it has ended on all of theirs.
func (w *eventWork) workflowEnded(ctx context.Context) error {
	workflow, kind, id, ok := w.event.WorkflowEnd()
	if !ok || w.Profiles == nil {
		return nil
	}
	now, at := w.Now().UTC(), w.event.Time
	if at.IsZero() {
		at = now
	}
	var told []jobs.Runs
	err := jobs.ChangeProfile(ctx, w.Profiles, jobs.WorkflowKey(w.event.PIM, workflow), now, func(p *jobs.Profile) bool {
		told = p.Over(jobs.WorkflowItem(jobs.Item{Type: kind, ID: id}), at)
		return len(p.Runs) > 0
	})
	if err != nil {
		return fmt.Errorf("note the end of the PIM's workflow: %w", err)
	}
	for _, runs := range told {
		if err := w.hand(ctx, jobs.Signal{Job: runs.Job, Wait: runs.Wait, Kind: jobs.SignalEvent, At: now}); err != nil {
			return err
		}
	}
	return nil
}

// hand gives a job the signal that it waits for.
func (w *eventWork) hand(ctx context.Context, signal jobs.Signal) error {
	if _, err := w.Store.PutSignal(ctx, signal); err != nil {
		return fmt.Errorf("tell the job: %w", err)
	}
	w.log.Info("a job waited for this event", "job", signal.Job)
	return w.sendJob(ctx, signal.Job, 0, 0, 0)
}
