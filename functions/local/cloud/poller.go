package cloud

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// The event source mappings and their worker, as template.yaml sets them.
const (
	PollersPerQueue = 2 // the smallest MaximumConcurrency
	JobsBatch       = 1
	EventsBatch     = 200
	EventsWindow    = 250 * time.Millisecond // a mapping takes a second at least
	workerTimeout   = 120 * time.Second
	longPoll        = 20 * time.Second
	maxReceive      = 10 // messages of one receive
	afterPollError  = time.Second
)

// Poller plays Lambda's event source mapping: it receives messages, invokes the worker, and deletes the messages that
// the worker does not report as failed. Those of a worker that crashes come again after their visibility timeout.
type Poller struct {
	Queue  queue.Queue
	Batch  int           // messages of one invocation, at most
	Window time.Duration // how long more of them may come, after the first
	Handle func(context.Context, []queue.Received) (failed []string)
	Log    *slog.Logger
}

// Run polls until receiving ends. An invocation that is under way goes on until working ends too.
func (p Poller) Run(receiving, working context.Context) {
	for receiving.Err() == nil {
		messages, err := p.receive(receiving)
		if len(messages) > 0 {
			p.invoke(working, messages)
		}
		if err != nil && receiving.Err() == nil {
			p.Log.Error("queue cannot be read", "reason", "receive_failed", "error", err.Error())
			select {
			case <-time.After(afterPollError):
			case <-receiving.Done():
			}
		}
	}
}

// receive collects the messages of one invocation from several receives.
func (p Poller) receive(ctx context.Context) ([]queue.Received, error) {
	messages, err := p.Queue.Receive(ctx, min(p.Batch, maxReceive), longPoll)
	until := time.Now().Add(p.Window)
	for err == nil && len(messages) > 0 && len(messages) < p.Batch && p.Window > 0 {
		left := time.Until(until)
		if left <= 0 {
			break
		}
		var more []queue.Received
		more, err = p.Queue.Receive(ctx, min(p.Batch-len(messages), maxReceive), left)
		messages = append(messages, more...)
	}
	return messages, err
}

func (p Poller) invoke(ctx context.Context, messages []queue.Received) {
	defer func() {
		if cause := recover(); cause != nil {
			p.Log.Error("worker crashed", "reason", "panic", "error", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	timed, cancel := context.WithTimeout(ctx, workerTimeout)
	defer cancel()
	failed := p.Handle(timed, messages)
	for _, message := range messages {
		if slices.Contains(failed, message.ID) {
			continue
		}
		if err := p.Queue.Delete(context.WithoutCancel(ctx), message.Receipt); err != nil {
			p.Log.Error("message not deleted: it comes again", "reason", "delete_failed", "error", err.Error())
		}
	}
}
