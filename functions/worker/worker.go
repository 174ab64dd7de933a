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

// bytesAtOnce bounds the bodies that are decoded together, in bytes: working one takes about ten times its size in memory.
const bytesAtOnce = 16 << 20

// undecoded is a message whose body is as it travels.
type undecoded struct {
	id     string
	size   int // of its body, decoded
	decode func() (queue.Received, error)
}

// Handle works messages and returns the IDs of those that must stay in the queue; the caller deletes the others. A
// message that nobody can read stays too: it ends in the dead letters, where it is seen.
func (w *Worker) Handle(ctx context.Context, messages []queue.Received) (failed []string) {
	all := make([]undecoded, len(messages))
	for i, message := range messages {
		all[i] = undecoded{id: message.ID, size: len(message.Body), decode: func() (queue.Received, error) { return message, nil }}
	}
	return w.handle(ctx, all)
}

// handle works the messages of one invocation, whose time they share: as many together as memory holds.
func (w *Worker) handle(ctx context.Context, messages []undecoded) (failed []string) {
	invocation := w.Engine.Begin(ctx)
	for len(messages) > 0 {
		n, size := 0, 0
		for n < len(messages) && (n == 0 || size+messages[n].size <= bytesAtOnce) {
			size += messages[n].size
			n++
		}
		failed = append(failed, w.together(ctx, invocation, messages[:n])...)
		messages = messages[n:]
	}
	return failed
}

// together works messages: events together, since what one subscription wants of several may be one piece of work.
func (w *Worker) together(ctx context.Context, invocation *engine.Invocation, messages []undecoded) (failed []string) {
	stays := func(m undecoded, err error) {
		w.Log.Error("message stays in the queue", "reason", reasonOf(err), "error", err.Error(), "message_id", m.id)
		failed = append(failed, m.id)
	}
	var events []engine.EventDelivery
	var of []undecoded
	for _, m := range messages {
		message, err := m.decode()
		switch {
		case err != nil:
			err = fmt.Errorf("%w: %w", errUnreadable, err)
		case pimevent.API(message.Attributes) != "":
			events, of = append(events, engine.EventDelivery{Body: message.Body, Attributes: message.Attributes, Group: message.Group}), append(of, m)
		default: // jobs come one to an invocation
			err = w.job(ctx, invocation, message)
		}
		if err != nil {
			stays(m, err)
		}
	}
	if len(events) == 0 {
		return failed
	}
	for n, err := range invocation.EventBatch(ctx, events) {
		if err != nil {
			stays(of[n], err)
		}
	}
	return failed
}

var errUnreadable = errors.New("unreadable message")

func (w *Worker) job(ctx context.Context, invocation *engine.Invocation, message queue.Received) (err error) {
	defer func() {
		if cause := recover(); cause != nil { // its text may hold anything: the stack tells where
			w.Log.Error("panic", "reason", "panic", "stack", string(debug.Stack()))
			err = engine.ErrPanic
		}
	}()
	id, turn, err := jobs.ParseMessage(message.Body)
	if errors.Is(err, jobs.ErrNewer) {
		return invocation.PutBack(ctx, message)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	tries, _ := strconv.Atoi(message.Attributes[engine.TriesAttribute]) // absent or odd: the first
	return invocation.Job(ctx, engine.Delivery{Job: id, Turn: turn, Last: message.Receives >= w.MaxReceives, Tries: min(max(tries, 0), 100)})
}

func reasonOf(err error) string {
	switch {
	case errors.Is(err, errUnreadable):
		return "unreadable_message"
	case errors.Is(err, engine.ErrPanic):
		return "panic"
	}
	return "not_moved"
}
