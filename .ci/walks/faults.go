package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
)

// poison puts a message that is none of ours into each queue: it ends among the dead letters, and its neighbours are done.
func poison(ctx context.Context, v *visit) (string, error) {
	queues := map[string]string{"JobsQueueUrl": "JobsDeadLettersUrl", "EventsQueueUrl": "EventsDeadLettersUrl"}
	before := map[string]int{}
	for queue, letters := range queues {
		depth, err := v.Depth(ctx, letters)
		if err != nil {
			return "", err
		}
		before[letters] = depth
		if err := v.Put(ctx, queue, "not a message of ours"); err != nil {
			return "", err
		}
	}
	id, err := v.press(ctx)
	if err != nil {
		return "", err
	}
	event := change()
	if err := v.deliver(ctx, event); err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, id); err != nil {
		return "", err
	}
	err = stack.Until(ctx, patience, "the good event is applied", func() (bool, error) {
		outcome, err := v.Outcome(ctx, "event-platform", event.ID)
		return outcome == "applied", err
	})
	if err != nil {
		return "", err
	}
	const wait = (stack.Receives+2)*stack.Visibility*time.Second + time.Minute
	for letters, depth := range before {
		err := stack.Until(ctx, wait, letters+" holds the poison", func() (bool, error) {
			now, err := v.Depth(ctx, letters)
			return now == depth+1, err
		})
		if err != nil {
			return "", err
		}
	}
	counted, err := v.Letters(ctx)
	if err != nil {
		return "", err
	}
	for _, queue := range []string{"jobs", "events"} {
		if !strings.Contains(counted, queue+": about ") || strings.Contains(counted, queue+": about 0 ") {
			return "", fmt.Errorf("pimctl counts the dead letters so: %s", counted)
		}
	}
	return fmt.Sprintf("a message that is none of ours is a dead letter after %d receives, which pimctl finds; its neighbours were done", stack.Receives), nil
}

// killedWorker kills the worker in the middle of a job: another finishes it, with the same keys.
func killedWorker(ctx context.Context, v *visit) (string, error) {
	var asked, killed atomic.Int64
	v.destination.Before(func() {
		if asked.Add(1) == 1 {
			killed.Add(int64(v.Kill("worker")))
		}
	})
	defer v.destination.Before(nil)
	id, err := v.press(ctx)
	if err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, id); err != nil {
		return "", err
	}
	if killed.Load() == 0 {
		return "", errors.New("no worker was killed: the emulator runs it in another way")
	}
	if keys := v.destination.Contradictions(); len(keys) > 0 {
		return "", fmt.Errorf("keys with two contents: %q", keys)
	}
	return "a worker killed in the middle of a job: another finished it, with the same Idempotency-Key", nil
}
