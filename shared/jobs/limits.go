package jobs

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// validate refuses a job that no Store can keep.
func validate(job Job) error {
	if job.ID == "" || len(job.ID) > 64 {
		return fmt.Errorf("job ID %q: want 1 to 64 characters", job.ID)
	}
	if len(job.Items) > MaxItems {
		return fmt.Errorf("%w: %d items, at most %d", ErrTooLarge, len(job.Items), MaxItems)
	}
	size := len(job.Context) + len(job.Params)
	for _, item := range job.Items {
		switch {
		case item.ID == "" || item.Type == "":
			return errors.New("an item without type or ID")
		case len(item.ID) > MaxCode:
			return fmt.Errorf("%w: an item's ID of %d bytes, at most %d", ErrTooLarge, len(item.ID), MaxCode)
		}
		size += len(item.ID) + len(item.Type) + len(`{"type":"","id":""},`)
	}
	if size > MaxRecord {
		return fmt.Errorf("%w: %d bytes of items, params and context, at most %d", ErrTooLarge, size, MaxRecord)
	}
	return nil
}

// valid says whether exactly one index is asked for and the limit makes sense, and fills the default.
func (q Query) valid() (Query, error) {
	if (q.Owner == "") == (q.Entity == "") {
		return q, errors.New("list jobs: want exactly one of owner and entity")
	}
	if q.Limit == 0 {
		q.Limit = 20
	}
	if q.Limit < 1 || q.Limit > 100 {
		return q, fmt.Errorf("list jobs: limit %d, want 1 to 100", q.Limit)
	}
	return q, nil
}

// cut shortens a reason to MaxReason bytes without cutting a character.
func cut(reason string) string {
	if len(reason) <= MaxReason {
		return reason
	}
	end := MaxReason
	for end > 0 && !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end]
}
