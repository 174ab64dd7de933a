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
	"sync"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
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

// atOnce is how many messages of one invocation are worked at the same time. Jobs come one to an invocation.
const atOnce = 8

// Handle works messages and returns the IDs of those that must stay in the queue; the caller deletes the others. A
// message that nobody can read stays too: it ends in the dead letters, where it is seen.
func (w *Worker) Handle(ctx context.Context, messages []queue.Received) (failed []string) {
	stays := make([]bool, len(messages))
	var working sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, message := range messages {
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			if err := w.one(ctx, message); err != nil {
				w.Log.Error("message stays in the queue", "reason", reasonOf(err), "error", err.Error(), "message_id", message.ID, "receives", message.Receives)
				stays[i] = true
			}
		})
	}
	working.Wait()
	for i, stay := range stays {
		if stay {
			failed = append(failed, messages[i].ID)
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
	if message.Attributes[pimevent.AttributeAPI] != "" {
		return w.Engine.Event(ctx, engine.EventDelivery{Body: message.Body, Attributes: message.Attributes})
	}
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
