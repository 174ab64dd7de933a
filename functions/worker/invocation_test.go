package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// TestAnInvocationEndsBeforeItIsKilled gives one invocation fifty events whose destination hangs. All end before Lambda's timeout, with a run
// or sent on: a process that is killed acknowledges none of its messages.
func TestAnInvocationEndsBeforeItIsKilled(t *testing.T) {
	for _, hangs := range []time.Duration{20 * time.Second, 30 * time.Second, time.Hour} {
		t.Run(hangs.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const timeout = 2 * time.Minute
				var mu sync.Mutex
				shortest, runs := time.Hour, 0
				f := newFixture(t, func(ctx context.Context, _ engine.Run) (engine.Result, error) {
					deadline, _ := ctx.Deadline()
					mu.Lock()
					shortest = min(shortest, time.Until(deadline))
					runs++
					mu.Unlock()
					ctx, cancel := context.WithTimeout(ctx, hangs)
					defer cancel()
					<-ctx.Done()
					return engine.Result{}, ctx.Err()
				})
				var messages []queue.Received
				for i := range 50 {
					messages = append(messages, queue.Received{ID: fmt.Sprint(i), Receives: 1,
						Body:       fmt.Appendf(nil, `{"specversion":"1.0","id":"e%d","type":"com.akeneo.pim.v1.product.updated","data":{"product":{"uuid":"p%d"}}}`, i, i),
						Attributes: map[string]string{pimevent.AttributeAPI: pimevent.EventPlatform, pimevent.AttributePIM: "main"}})
				}
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				stay := f.worker.Handle(ctx, messages)
				if took := time.Since(begun); took >= timeout || len(stay) > 0 {
					t.Errorf("took %s of %s; %d stay", took, timeout, len(stay))
				}
				if shortest < 30*time.Second {
					t.Errorf("a run began with %s", shortest)
				}
				if sent := len(f.events.Messages()); sent != 50 || runs >= 50 {
					t.Errorf("%d of 50 go on after %d runs", sent, runs)
				}
			})
		})
	}
}
