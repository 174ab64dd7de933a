// Package worker is the function behind the queues: it takes what the HTTP functions have recorded and queued, and
// does it. It keeps no state between invocations.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// Config is what a Worker needs.
type Config struct {
	Engine      *engine.Engine
	MaxReceives int // of the queue's redrive policy: the receive after which a message is a dead letter
	Log         *slog.Logger
}

// Worker works messages.
type Worker struct{ Config }

// New returns a Worker.
func New(config Config) *Worker { return &Worker{config} }

// Handle works messages one after the other and returns the IDs of those that must stay in the queue; the caller
// deletes the others. A message that nobody can read stays too: it ends in the dead letters, where it is seen.
func (w *Worker) Handle(ctx context.Context, messages []queue.Received) (failed []string) {
	for _, message := range messages {
		if err := w.one(ctx, message); err != nil {
			w.Log.Error("message stays in the queue", "reason", reasonOf(err), "error", err.Error(), "message_id", message.ID, "receives", message.Receives)
			failed = append(failed, message.ID)
		}
	}
	return failed
}

var (
	errUnreadable = errors.New("unreadable message")
	errPanic      = errors.New("panic")
)

func (w *Worker) one(ctx context.Context, message queue.Received) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			w.Log.Error("panic", "reason", "panic", "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, cause)
		}
	}()
	id, err := jobs.ParseMessage(message.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	tries, _ := strconv.Atoi(message.Attributes[engine.TriesAttribute]) // absent or odd: the first
	return w.Engine.Work(ctx, engine.Delivery{Job: id, Last: message.Receives >= w.MaxReceives, Tries: max(tries, 0)})
}

func reasonOf(err error) string {
	switch {
	case errors.Is(err, errUnreadable):
		return "unreadable_message"
	case errors.Is(err, errPanic):
		return "panic"
	}
	return "not_moved"
}
