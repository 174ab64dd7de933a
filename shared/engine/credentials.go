package engine

import (
	"context"
	"log/slog"
	"time"
)

// refreshPause is between two looks for a newer connection secret.
const refreshPause = 10 * time.Second

// otherCredentials says whether a run that began at a time is to be done again, since the destination did not accept its
// credentials and there are others now. Where nobody has looked since the run began, because somebody had looked just
// before, the error becomes one that passes: the work is done when a look is possible again.
func (i *Invocation) otherCredentials(ctx context.Context, log *slog.Logger, began time.Time, refreshed bool, err error) (again bool, _ error) {
	if refreshed || i.Refresh == nil || !credentialsRefused(err) {
		return false, err
	}
	fresh, known, failed := i.Refresh(ctx, began)
	if failed != nil {
		log.Warn("connection secret not refreshed", "reason", "secret_unavailable", "error", failed.Error())
	}
	switch {
	case fresh && failed == nil && !i.over(i.Now()):
		return true, err
	case known && !fresh:
		return false, err
	}
	return false, &unsettledError{err, i.Now().Add(refreshPause)}
}

// unsettledError is a refusal of credentials that may not be the newest. It does not unwrap: a refusal is permanent.
type unsettledError struct {
	refused error
	until   time.Time
}

func (e *unsettledError) Error() string { return e.refused.Error() }

// Permanent is what package outbound's errors have.
func (e *unsettledError) Permanent() bool { return false }

// RetryAt is when the next look is possible.
func (e *unsettledError) RetryAt() time.Time { return e.until }

// Reason is the refusal's.
func (e *unsettledError) Reason() string { return reasonOf(e.refused) }
