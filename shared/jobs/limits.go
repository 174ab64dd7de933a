package jobs

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	maxID        = 64 // bytes of a job's ID
	defaultLimit = 20 // jobs of one List
	maxLimit     = 100

	nudgeAfter = time.Hour // of a press that meets a job which should have gone on: longer than all receives of a message take
)

// validate refuses what no Store can create.
func validate(job Job, takeover *Job) error {
	if !possibleID(job.ID) {
		return fmt.Errorf("job ID %q: want 1 to %d characters", job.ID, maxID)
	}
	if takeover != nil && job.Once == "" {
		return errors.New("a takeover without a once key")
	}
	if len(job.Items) > MaxItems {
		return fmt.Errorf("%w: %d items, at most %d", ErrTooLarge, len(job.Items), MaxItems)
	}
	if job.Select != nil && len(job.Items) > 0 {
		return errors.New("a job with items and with a selection")
	}
	for i, item := range job.Items {
		switch {
		case item.ID == "" || item.Type == "":
			return fmt.Errorf("item %d has no type or no ID", i)
		case !utf8.ValidString(item.ID):
			return fmt.Errorf("item %d: the ID is not UTF-8", i)
		case len(item.ID) > MaxCode:
			return fmt.Errorf("%w: the ID of item %d has %d bytes, at most %d", ErrTooLarge, i, len(item.ID), MaxCode)
		}
	}
	return nil
}

// possibleID says whether a job can have this ID. An ID that somebody made up can be too long for a key, which is
// not an error but no job.
func possibleID(id string) bool { return id != "" && len(id) <= maxID }

// valid says whether exactly one index is asked for and the limit makes sense, and fills the default.
func (q Query) valid() (Query, error) {
	if (q.Owner == "") == (q.Entity == "") {
		return q, errors.New("list jobs: want exactly one of owner and entity")
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	if q.Limit < 1 || q.Limit > maxLimit {
		return q, fmt.Errorf("list jobs: limit %d, want 1 to %d", q.Limit, maxLimit)
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
