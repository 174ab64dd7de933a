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
func (i *Invocation) followUp(ctx context.Context, log *slog.Logger, d Delivery, ended jobs.Job) error {
	if ended.ThenDue == "" {
		return nil
	}
	if err := i.startFollowUp(ctx, ended); err != nil {
		return i.jobUnavailable(ctx, log, d, fmt.Errorf("follow-up: %w", err))
	}
	cleared := ended
	cleared.ThenDue = ""
	if _, err := i.Store.Save(ctx, cleared); err != nil && !errors.Is(err, jobs.ErrConflict) {
		return i.jobUnavailable(ctx, log, d, fmt.Errorf("follow-up: %w", err))
	}
	return nil
}

func (i *Invocation) startFollowUp(ctx context.Context, ended jobs.Job) error {
	items, err := i.followUpItems(ctx, ended)
	if err != nil {
		return err
	}
	return i.start(ctx, jobs.Job{
		ID:     jobs.ID(ended.ThenDue, []byte(ended.ID), []byte(ended.State)),
		Action: ended.ThenDue, Extension: ended.Extension, Label: ended.Label, PIM: ended.PIM,
		Items: items, Context: ended.Context, Params: ended.Params, User: ended.User,
		Parent: ended.ID, Correlation: ended.Correlation,
		Ended: &jobs.Ended{Job: ended.ID, Action: ended.Action, Outcome: ended.State, Done: ended.Done, Total: ended.Total, Message: ended.Message},
	})
}

// start records a follow-up and sends its message. Its ID is derived: it is one job, however often this is repeated.
func (i *Invocation) start(ctx context.Context, follow jobs.Job) error {
	follow.Trigger, follow.State, follow.Total, follow.Turn, follow.CreatedAt = jobs.TriggerThen, jobs.Recorded, len(follow.Items), 1, i.Now().UTC()
	if _, err := i.Store.Create(ctx, follow, nil); err != nil && !errors.Is(err, jobs.ErrExists) {
		return fmt.Errorf("record %q: %w", follow.ID, err)
	}
	return i.sendJob(ctx, follow.ID, follow.Turn, 0, 0)
}

// followUpItems are all items after a success, else those that failed.
func (i *Invocation) followUpItems(ctx context.Context, ended jobs.Job) ([]jobs.Item, error) {
	if ended.State == jobs.Succeeded {
		return ended.Items, nil
	}
	failures, err := i.Store.Failures(ctx, ended.ID, 0)
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	items := make([]jobs.Item, len(failures))
	for n, failure := range failures {
		items[n] = failure.Item
	}
	return items, nil
}
