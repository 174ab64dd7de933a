package engine

import (
	"context"
	"errors"
	"time"
)

// class is what follows an error.
type class struct {
	permanent bool
	later     bool          // nothing is wrong: the same batch goes on
	delay     time.Duration // at least, before the next try
	reason    string        // for the user
}

// classify decides, once, what an error means. Errors of this package say it by type; those of a client that this package does not
// know (package outbound) say it by method. Anything else is transient: a mistake in that direction costs time, in
// the other it loses work.
func classify(err error, now time.Time) class {
	if later, ok := errors.AsType[*LaterError](err); ok {
		return class{later: true, delay: later.After, reason: later.Reason}
	}
	c := class{reason: reason(err)}
	if _, ok := errors.AsType[*PermanentError](err); ok {
		c.permanent = true
		return c
	}
	if throttled, ok := errors.AsType[*ThrottledError](err); ok {
		c.delay = throttled.Until.Sub(now)
		return c
	}
	if told, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err); ok && told.Permanent() {
		c.permanent = true
		return c
	}
	if told, ok := errors.AsType[interface {
		error
		RetryAt() time.Time
	}](err); ok && !told.RetryAt().IsZero() {
		c.delay = told.RetryAt().Sub(now)
	}
	return c
}

// reason is what a user may read of an error: only what was written for users.
func reason(err error) string {
	if permanent, ok := errors.AsType[*PermanentError](err); ok {
		return permanent.Reason
	}
	if throttled, ok := errors.AsType[*ThrottledError](err); ok && throttled.Reason != "" {
		return throttled.Reason
	}
	if told, ok := errors.AsType[interface {
		error
		Reason() string
	}](err); ok {
		return told.Reason()
	}
	switch {
	case errors.Is(err, ErrUnknownAction):
		return "this version does not know the action"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return "a passing problem"
}

// Refused says whether an error is permanent, and its reason for the user: for a kind that calls once per item and
// goes on with the next.
func Refused(err error) (reason string, refused bool) {
	if err == nil {
		return "", false
	}
	c := classify(err, time.Time{})
	return c.reason, c.permanent
}
