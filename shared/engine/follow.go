package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// followUp starts what is due after a job's end: record, send, clear. Each step may be repeated; the follow-up's
// ID is derived, so that it is one job however often this runs.
func (e *Engine) followUp(ctx context.Context, log *slog.Logger, d Delivery, ended jobs.Job) error {
	if ended.ThenDue == "" {
		return nil
	}
	if err := e.startFollowUp(ctx, ended); err != nil {
		return e.recordAway(ctx, log, d, fmt.Errorf("follow-up: %w", err))
	}
	cleared := ended
	cleared.ThenDue = ""
	if _, err := e.Store.Save(ctx, cleared); err != nil && !errors.Is(err, jobs.ErrConflict) {
		return e.recordAway(ctx, log, d, fmt.Errorf("follow-up: %w", err))
	}
	return nil
}

func (e *Engine) startFollowUp(ctx context.Context, ended jobs.Job) error {
	items, err := e.followUpItems(ctx, ended)
	if err != nil {
		return err
	}
	follow := jobs.Job{
		ID:     jobs.ID(ended.ThenDue, []byte(ended.ID), []byte(ended.State)),
		Action: ended.ThenDue, Trigger: jobs.TriggerThen, Extension: ended.Extension, Label: ended.Label, PIM: ended.PIM,
		Items: items, Total: len(items), Context: ended.Context, Params: ended.Params, User: ended.User,
		State: jobs.Recorded, Parent: ended.ID, Correlation: ended.Correlation, CreatedAt: e.Now().UTC(),
		Ended: &jobs.Ended{Job: ended.ID, Action: ended.Action, Outcome: ended.State, Done: ended.Done, Total: ended.Total, Message: ended.Message},
	}
	if _, err := e.Store.Create(ctx, follow, nil); err != nil && !errors.Is(err, jobs.ErrExists) {
		return fmt.Errorf("record %q: %w", follow.ID, err)
	}
	return e.sendAgain(ctx, follow.ID, 0, 0)
}

// followUpItems are all items after a success, else those that failed.
func (e *Engine) followUpItems(ctx context.Context, ended jobs.Job) ([]jobs.Item, error) {
	if ended.State == jobs.Succeeded {
		return ended.Items, nil
	}
	failures, err := e.Store.Failures(ctx, ended.ID, 0)
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	items := make([]jobs.Item, len(failures))
	for i, failure := range failures {
		items[i] = failure.Item
	}
	return items, nil
}
