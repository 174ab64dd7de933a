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
	if _, err := w.Store.PutSignal(ctx, jobs.Signal{Job: launch.Job, Wait: launch.Wait, Kind: jobs.SignalEvent, At: now, Body: body}); err != nil {
		return fmt.Errorf("tell the job: %w", err)
	}
	w.log.Info("a job waited for this event", "job", launch.Job)
	return w.sendJob(ctx, launch.Job, 0, 0, 0)
}
