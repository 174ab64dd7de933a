package engine_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// A hundred calls, one for each product, in a process that is killed at each of its operations in turn: every item is
// called, none with two keys, and progress never goes back. Once a run has time for all of them; once the calls are slow,
// so that every run has time for one and a turn for a few.
func TestEachItemIsCalledWhereverTheProcessIsKilled(t *testing.T) {
	for name, c := range map[string]struct {
		slow bool
		step int // every operation of one run; of many turns, which take long to play, some
	}{"in one run": {false, 1}, "in many turns": {true, 40}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clean := eachScenario(t, c.slow, fault{})
			if clean.count < 100 {
				t.Fatalf("only %d operations", clean.count)
			}
			for at := 1; at <= clean.count; at += c.step {
				plan := fault{at: at, crash: true, after: at%2 == 0}
				t.Run(fmt.Sprintf("%d %s after=%v", at, clean.names[at-1], plan.after), func(t *testing.T) { eachScenario(t, c.slow, plan) })
			}
		})
	}
}

func eachScenario(t *testing.T, slow bool, plan fault) *faults {
	const items = 100
	w := newFixture(t, memory, fault{})
	w.playPIM(large(items, 0))
	if slow {
		w.turn = 11 * time.Second // less than the calls' ten seconds are left for a second one
		w.destination.answer = func(string, int) (int, string) {
			w.clock.advance(2 * time.Second)
			return 200, "{}"
		}
	}
	submitted, err := w.submitter.Submit(t.Context(), jobs.Job{
		ID: jobs.ID("button", []byte("each")), Action: "item", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: products(0, items),
		Context: json.RawMessage(`{}`), Params: json.RawMessage(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.faults.mu.Lock()
	w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
	w.faults.mu.Unlock()
	through, turns := 0, 0
	for range 1000 {
		if !w.deliver() {
			if depth, err := w.queue.Depth(t.Context()); err != nil || depth.Visible+depth.InFlight+depth.Delayed == 0 {
				break
			}
			w.clock.advance(time.Minute)
			continue
		}
		turns++
		job, err := w.store.(faultyStore).Store.Get(t.Context(), submitted.Job.ID)
		if err != nil {
			t.Fatal(err)
		}
		if now := job.Done + job.Failed; now < through {
			t.Errorf("progress went back from %d to %d", through, now)
		} else {
			through = now
		}
	}
	count := &faults{count: w.faults.count, names: w.faults.names}
	if job := w.job(submitted.Job.ID); job.State != jobs.Succeeded || job.Done != items {
		t.Errorf("%s, done %d: %s", job.State, job.Done, job.Message)
	}
	if slow && turns < 20 {
		t.Errorf("only %d turns", turns)
	}
	w.destination.mu.Lock()
	defer w.destination.mu.Unlock()
	if len(w.destination.clashes) > 0 || len(w.destination.contents) != items || len(w.destination.applied) != items {
		t.Errorf("%d keys for %d items, %d of them with two contents", len(w.destination.contents), len(w.destination.applied), len(w.destination.clashes))
	}
	for what, times := range w.destination.applied {
		if times != 1 {
			t.Errorf("%s came with %d keys", what, times)
		}
	}
	return count
}
