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

	"golang.org/x/sync/semaphore"

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

const (
	atOnce      = 8        // messages of one invocation that are worked at the same time; jobs come one to an invocation
	bytesAtOnce = 16 << 20 // of their bodies together: working one takes about ten times its size in memory
)

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

// handle works the messages of one invocation, whose time they share. Bodies are decoded one by one, as others are done.
func (w *Worker) handle(ctx context.Context, messages []undecoded) (failed []string) {
	invocation := w.Engine.Begin(ctx)
	stays := make([]bool, len(messages))
	var working sync.WaitGroup
	places, room := make(chan struct{}, atOnce), semaphore.NewWeighted(bytesAtOnce)
	for i, m := range messages {
		places <- struct{}{}
		size := min(int64(m.size), bytesAtOnce)
		if err := room.Acquire(context.WithoutCancel(ctx), size); err != nil { // never: the context does not end
			stays[i] = true
			continue
		}
		working.Go(func() {
			defer func() { room.Release(size); <-places }()
			if err := w.one(ctx, invocation, m); err != nil {
				w.Log.Error("message stays in the queue", "reason", reasonOf(err), "error", err.Error(), "message_id", m.id)
				stays[i] = true
			}
		})
	}
	working.Wait()
	for i, stay := range stays {
		if stay {
			failed = append(failed, messages[i].id)
		}
	}
	return failed
}

var (
	errUnreadable = errors.New("unreadable message")
	errPanic      = errors.New("panic")
)

func (w *Worker) one(ctx context.Context, invocation *engine.Invocation, m undecoded) (err error) {
	defer func() {
		if cause := recover(); cause != nil { // its text may hold anything: the stack tells where
			w.Log.Error("panic", "reason", "panic", "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	message, err := m.decode()
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if pimevent.API(message.Attributes) != "" {
		return invocation.Event(ctx, engine.EventDelivery{Body: message.Body, Attributes: message.Attributes, Group: message.Group})
	}
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
	case errors.Is(err, errPanic):
		return "panic"
	}
	return "not_moved"
}
