package engine

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// loggable is an error without what a destination answered: reasons are for the user who may see them.
func loggable(err error) string {
	if err == nil {
		return ""
	}
	if own, ok := errors.AsType[*PermanentError](err); ok {
		if own.Err == nil {
			return "refused"
		}
		return loggable(own.Err)
	}
	if pause, ok := errors.AsType[*ThrottledError](err); ok {
		if pause.Err == nil {
			return "asked for a pause"
		}
		return loggable(pause.Err)
	}
	if _, ok := errors.AsType[*LaterError](err); ok {
		return "later"
	}
	return err.Error()
}

// username leaves out one that is an e-mail address: the uuid identifies as well.
func username(name string) string {
	if strings.Contains(name, "@") {
		return ""
	}
	return name
}

// observe logs and counts what an answer and its verdict mean for those who run this.
func (e *Engine) observe(log *slog.Logger, action string, a answer, v verdict) {
	log = log.With("action", action)
	if v.failedTry {
		e.Metrics.Count("TriesFailed", 1)
		e.Metrics.Seconds("DownAge", v.down)
	}
	switch {
	case a.cause == jobs.CauseConfiguration:
		e.Metrics.Count("ConfigurationMistakes", 1)
		log.Error("configuration has a mistake", "reason", jobs.CauseConfiguration, "error", loggable(a.err))
	case v.reason != "":
		log.Warn("items failed", "reason", v.reason, "cause", v.cause, "error", loggable(a.err))
	case v.failedTry:
		log.Warn("try failed", "reason", a.cause, "error", loggable(a.err), "tries", v.tries, "down_ms", v.down.Milliseconds())
	case len(v.failures) > 0:
		log.Warn("items failed", "reason", "reported", "items", len(v.failures))
	}
}
