package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// follows are the follow-ups of a job that has ended: of its end, and of its items, where there are any.
func follows(then map[string]string, ended jobs.Job) jobs.Follows {
	due := jobs.Follows{}
	for what, holds := range map[string]bool{
		string(ended.State): true,
		jobs.ThenDone:       ended.Done > 0 && (ended.State == jobs.Succeeded || ended.State == jobs.Partial),
		jobs.ThenNotDone:    ended.Failed > 0 && (ended.State == jobs.Failed || ended.State == jobs.Partial),
	} {
		if action := then[what]; action != "" && holds {
			due[what] = action
		}
	}
	if len(due) == 0 {
		return nil
	}
	return due
}

// followUp starts what is due after a job's end: record and send each, then clear. Each step may be repeated; a follow-up's
// ID is derived, so that it is one job however often this runs.
func (i *Invocation) followUp(ctx context.Context, log *slog.Logger, d Delivery, ended jobs.Job) error {
	if len(ended.ThenDue) == 0 {
		return nil
	}
	for _, what := range slices.Sorted(maps.Keys(ended.ThenDue)) {
		if err := i.startFollowUp(ctx, ended, what); err != nil {
			return i.jobUnavailable(ctx, log, d, fmt.Errorf("follow-up: %w", err))
		}
	}
	cleared := ended
	cleared.ThenDue = nil
	if _, err := i.Store.Save(ctx, cleared); err != nil && !errors.Is(err, jobs.ErrConflict) {
		return i.jobUnavailable(ctx, log, d, fmt.Errorf("follow-up: %w", err))
	}
	return nil
}

// startFollowUp starts what follows a job's end in a state, or its items.
func (i *Invocation) startFollowUp(ctx context.Context, ended jobs.Job, what string) error {
	action := ended.ThenDue[what]
	if what == "" {
		what = string(ended.State) // as the first wave recorded it
	}
	items, selection, err := i.followUpItems(ctx, ended, what)
	if err != nil {
		return err
	}
	return i.start(ctx, jobs.Job{
		ID: jobs.ID(action, []byte(ended.ID), []byte(what)), Trigger: jobs.TriggerThen,
		Action: action, Extension: ended.Extension, Label: ended.Label, PIM: ended.PIM,
		Items: items, Select: selection, Context: contextOf(ended), Params: ended.Params, User: ended.User,
		Parent: ended.ID, Correlation: ended.Correlation,
		Ended: &jobs.Ended{Job: ended.ID, Action: ended.Action, Outcome: ended.State, Done: ended.Done, Total: ended.Total, Message: ended.Message, File: fileOf(ended)},
	})
}

// fileOf is the link of a job's file, or of the first of several.
func fileOf(job jobs.Job) string {
	if len(job.Files) == 0 {
		return ""
	}
	return job.Files[0].Link
}

// start records a job that nobody waits for and sends its message. Its ID is derived: it is one job, however often this is repeated.
func (i *Invocation) start(ctx context.Context, follow jobs.Job) error {
	follow.State, follow.Total, follow.Turn, follow.CreatedAt = jobs.Recorded, len(follow.Items), 1, i.Now().UTC()
	if _, err := i.Store.Create(ctx, follow, nil); err != nil && !errors.Is(err, jobs.ErrExists) {
		return fmt.Errorf("record %q: %w", follow.ID, err)
	}
	return i.sendJob(ctx, follow.ID, follow.Turn, 0, 0)
}

// followUpItems are all items after a success and those that failed after another end; by item, those that did or did not
// succeed. A selection keeps only what failed of what it found; that comes page by page where it is more than a record holds.
func (i *Invocation) followUpItems(ctx context.Context, ended jobs.Job, what string) ([]jobs.Item, *jobs.Select, error) {
	if ended.State == jobs.Succeeded {
		return ended.Items, nil, nil
	}
	if ended.Select != nil && ended.Failed > jobs.MaxItems {
		return nil, &jobs.Select{Failed: ended.ID}, nil
	}
	failures, err := i.Store.Failures(ctx, ended.ID, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("read failures: %w", err)
	}
	failed := make(map[int]bool, len(failures))
	items := make([]jobs.Item, len(failures))
	for n, failure := range failures {
		items[n], failed[failure.Index] = failure.Item, true
	}
	if what != jobs.ThenDone {
		return items, nil, nil
	}
	items = nil
	for index, item := range ended.Items {
		if !failed[index] {
			items = append(items, item)
		}
	}
	return items, nil, nil
}
