package local

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// The queues and their worker, as template.yaml sets them.
const (
	pollersPerQueue = 2 // the event source mapping's smallest MaximumConcurrency
	jobsBatch       = 1
	eventsBatch     = 10 // of 50, which a mapping collects from several receives
	visibility      = 180 * time.Second
	maxReceives     = 5
	workerTimeout   = 120 * time.Second
	longPoll        = 20 * time.Second
	afterPollError  = time.Second
)

// poller plays Lambda's event source mapping: it receives messages, invokes the worker, and deletes what the
// worker does not want back. A worker that crashes leaves its messages to their visibility timeout.
type poller struct {
	queue  queue.Queue
	batch  int
	handle func(context.Context, []queue.Received) (failed []string)
	log    *slog.Logger
}

// run polls until receiving ends. An invocation goes on then, until working ends too.
func (p poller) run(receiving, working context.Context) {
	for receiving.Err() == nil {
		messages, err := p.queue.Receive(receiving, p.batch, longPoll)
		if len(messages) > 0 {
			p.invoke(working, messages)
		}
		if err != nil && receiving.Err() == nil {
			p.log.Error("queue cannot be read", "reason", "receive_failed", "error", err.Error())
			pause(receiving, afterPollError)
		}
	}
}

func (p poller) invoke(ctx context.Context, messages []queue.Received) {
	defer func() {
		if cause := recover(); cause != nil {
			p.log.Error("worker crashed", "reason", "panic", "error", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	timed, cancel := context.WithTimeout(ctx, workerTimeout)
	defer cancel()
	failed := p.handle(timed, messages)
	for _, message := range messages {
		if slices.Contains(failed, message.ID) {
			continue
		}
		if err := p.queue.Delete(context.WithoutCancel(ctx), message.Receipt); err != nil {
			p.log.Error("message not deleted: it comes again", "reason", "delete_failed", "error", err.Error())
		}
	}
}
