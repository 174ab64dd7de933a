package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// TestDeliveriesConverge sends 10 updates of each of 1,000 entities to two subscriptions, 30 % of them twice, in any
// order, to 8 workers that crash now and then. Under `latest` the destination ends in the state of the newest
// update; under `every` each update has its effect once per key.
func TestDeliveriesConverge(t *testing.T) {
	t.Parallel()
	const entities, updates, workers = 1000, 10, 8
	random := rand.New(rand.NewPCG(1, 2))

	var mu sync.Mutex
	newest := map[string]time.Time{} // by entity, as the destination of `latest` has it
	effects := map[string]int{}      // by key, as the destination of `every` has it
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if run.Subscription == "latest" {
			newest[run.Event.EntityID] = run.Event.Time // takes whatever comes: order is ours to keep
		} else if effects[run.Key] == 0 { // honours keys
			effects[run.Key] = 1
		}
		return engine.Result{}, nil
	}}
	w := newFixture(t, s.backing(), fault{})
	begun := w.clock.Now().Add(-time.Hour)
	var deliveries []string
	for entity := range entities {
		for update := range updates {
			at := begun.Add(time.Duration(update) * time.Minute)
			for _, eventType := range []string{"category.updated", "product.updated"} {
				body := platform(fmt.Sprintf("%s-%d-%d", eventType, entity, update), eventType, fmt.Sprintf(`"category":{"code":"c%d"},"product":{"uuid":"p%d"}`, entity, entity), at)
				deliveries = append(deliveries, body)
				if random.IntN(100) < 30 {
					deliveries = append(deliveries, body)
				}
			}
		}
	}
	random.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
	w.receive(pimevent.EventPlatform, deliveries...)

	var running sync.RWMutex // time passes between invocations only: within one, leases are shorter than time can be
	var group sync.WaitGroup
	crashes := 0
	for n := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(n)))
			for idle := 0; idle < 300; {
				own := &faults{}
				if random.IntN(10) == 0 { // this process dies in the middle
					own.plan = fault{at: 1 + random.IntN(60), crash: true, after: random.IntN(2) == 0}
				}
				running.RLock()
				got := w.process(own)
				running.RUnlock()
				if own.restart() {
					mu.Lock()
					crashes++
					mu.Unlock()
				}
				if got {
					idle = 0
					continue
				}
				if depth, _ := w.events.Depth(t.Context()); depth == (queue.Depth{}) {
					return
				}
				idle++
				running.Lock()
				w.clock.advance(20 * time.Second)
				running.Unlock()
			}
			t.Error("the queue does not drain")
		})
	}
	group.Wait()

	last := begun.Add((updates - 1) * time.Minute)
	for entity := range entities {
		if code := fmt.Sprintf("c%d", entity); !newest[code].Equal(last) {
			t.Errorf("%s ended in the state of %s, the newest is %s", code, newest[code], last)
		}
	}
	if len(effects) != entities*updates {
		t.Errorf("%d effects under every, want %d", len(effects), entities*updates)
	}
	if crashes < 10 {
		t.Errorf("only %d crashes: the test does not test them", crashes)
	}
	if letters := len(w.letters.Messages()); letters > 0 {
		t.Errorf("%d dead letters", letters)
	}
	ended := w.count("applied") + w.count("stale")
	// A process that dies between the write and its log line takes the count with it, and nothing else.
	if want := 2 * entities * updates; ended > want || ended < want-crashes {
		t.Errorf("%d ended (%d applied, %d stale), want %d less at most %d", ended, w.count("applied"), w.count("stale"), want, crashes)
	}
}

// process is one invocation by a process of its own, with its own faults.
func (w *fixture) process(own *faults) (got bool) {
	messages, err := w.events.Receive(w.Context(), 10, 0)
	if err != nil || len(messages) == 0 {
		return false
	}
	w.handleBy(own, messages)
	return true
}

// handleBy has a process of its own, with its own faults, work messages.
func (w *fixture) handleBy(own *faults, messages []queue.Received) {
	config := w.engine.Config
	config.Ledger = faultyLedger{w.ledger, own}
	config.Events = faultyQueue{w.events.(faultyQueue).Queue, own, false, w.noteDelay}
	ctx, cancel := context.WithTimeout(w.Context(), w.turn)
	defer cancel()
	failed := handle(ctx, engine.New(config), messages)
	for _, message := range messages {
		if !own.dead && !slices.Contains(failed, message.ID) {
			_ = w.events.Delete(w.Context(), message.Receipt)
		}
	}
}

// TestANewerNameHidesNoOlderPrice: with a subscription for each, the mark of one does not touch the other.
func TestANewerNameHidesNoOlderPrice(t *testing.T) {
	l := &listener{}
	w := newFixture(t, l.script().backing(), fault{})
	delta := func(id, attribute string, at time.Time) string {
		return platform(id, "product-model.updated.delta", fmt.Sprintf(`"product_model":{"code":"armor","changes":{"values":{%q:[{"previous":1,"new":2,"locale":null,"scope":null}]}}}`, attribute), at)
	}
	now := w.clock.Now()
	for _, body := range []string{delta("name-2", "name", now), delta("price-1", "price", now.Add(-time.Hour)), delta("name-0", "name", now.Add(-2*time.Hour))} {
		w.receive(pimevent.EventPlatform, body)
		w.drainEvents()
	}
	var ran []string
	for _, run := range l.runs {
		ran = append(ran, run.Subscription+" "+run.Event.ID)
	}
	if want := []string{"name name-2", "price price-1"}; !slices.Equal(ran, want) || w.count("stale") != 1 {
		t.Errorf("ran %q, want %q; %d stale", ran, want, w.count("stale"))
	}
}
