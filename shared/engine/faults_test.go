package engine_test

import (
	"fmt"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// TestAFaultAnywhereLosesNothingAndDoublesNothing lets every write, read, send, acknowledgement and outbound call go
// wrong in turn, in four ways. Whatever happens, a job that was confirmed to a user ends, its follow-up runs once,
// no key carries two contents, and a destination that honours keys has applied each item once.
func TestAFaultAnywhereLosesNothingAndDoublesNothing(t *testing.T) {
	for name, b := range backings(t) {
		for _, scenario := range []struct {
			name  string
			items int
			bad   bool // the destination reports one item as failed
		}{
			{"all succeed", 5, false},
			{"one item fails", 3, true},
			{"no items", 0, false},
		} {
			t.Run(name+"/"+scenario.name, func(t *testing.T) {
				t.Parallel()
				clean := faultScenario(t, b, scenario.items, scenario.bad, fault{})
				if clean.count < 8 {
					t.Fatalf("only %d operations: the scenario does not reach the system", clean.count)
				}
				for at := 1; at <= clean.count; at++ {
					for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
						t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at, clean.names[at-1], way.after, way.crash), func(t *testing.T) {
							faultScenario(t, b, scenario.items, scenario.bad, way)
						})
					}
				}
			})
		}
	}
}

func faultScenario(t *testing.T, b backing, items int, bad bool, plan fault) *faults {
	w := newFixture(t, b, plan)
	if bad {
		w.destination.answer = func(path string, _ int) (int, string) {
			if path == "/send" {
				return 200, `{"failures":[{"index":0,"reason":"no price"}]}`
			}
			return 200, "{}"
		}
	}
	confirmed := map[string]bool{}
	for range 3 { // a user presses again until told success
		id, ok := w.press("send", items)
		if ok {
			confirmed[id] = true
			break
		}
	}
	if len(confirmed) == 0 {
		t.Fatal("one fault, and three presses were refused")
	}
	w.drain()
	count := &faults{count: w.faults.count, names: w.faults.names}

	want := jobs.Succeeded
	switch {
	case bad:
		want = jobs.Partial
	}
	for id := range confirmed {
		job := w.job(id)
		if job.State != want || job.Done+job.Failed != job.Total || len(job.ThenDue) > 0 {
			t.Errorf("job ended as %s (%s), done %d, failed %d of %d, then %v", job.State, job.Reason, job.Done, job.Failed, job.Total, job.ThenDue)
		}
		follow := w.job(jobs.ID("report", []byte(id), []byte(want)))
		if follow.State != jobs.Succeeded {
			t.Errorf("follow-up is %s", follow.State)
		}
	}
	if n := w.dead(); n > 0 {
		t.Errorf("%d dead letters after one fault", n)
	}
	w.destination.mu.Lock()
	defer w.destination.mu.Unlock()
	if len(w.destination.clashes) > 0 {
		t.Errorf("keys with two contents: %q", w.destination.clashes)
	}
	// A press that was not confirmed may have become a job all the same; then its work is that job's, by its own keys.
	for what, times := range w.destination.applied {
		if times != 1 {
			t.Errorf("%s applied %d times", what, times)
		}
	}
	if sent := len(w.destination.applied); sent != max(items, 1)+1 {
		t.Errorf("%d effects, want %d: %v", sent, max(items, 1)+1, w.destination.applied)
	}
	return count
}

// sweep lets each operation of a scenario go wrong in turn: before it or after it, with or without the process. Without a
// fault the scenario, which returns what it counted, has at least so many operations.
func sweep(t *testing.T, least int, scenario func(*testing.T, fault) *faults) {
	t.Helper()
	sweepWays(t, least, []fault{{}, {after: true}, {crash: true}, {after: true, crash: true}}, scenario)
}

// sweepBackings is a sweep in memory and on the real records. There each scenario costs tables: the operations that go wrong
// are done.
func sweepBackings(t *testing.T, least int, scenario func(*testing.T, backing, fault) *faults) {
	for name, b := range backings(t) {
		if b.undelayed { // it is about records: its messages are in memory
			continue
		}
		t.Run(name, func(t *testing.T) {
			on := func(t *testing.T, plan fault) *faults { return scenario(t, b, plan) }
			if name == "memory" {
				sweep(t, least, on)
				return
			}
			sweepWays(t, least, []fault{{after: true}, {after: true, crash: true}}, on)
		})
	}
}

func sweepWays(t *testing.T, least int, ways []fault, scenario func(*testing.T, fault) *faults) {
	t.Helper()
	clean := scenario(t, fault{})
	if clean.count < least {
		t.Fatalf("%d operations: %q", clean.count, clean.names)
	}
	for at := 1; at <= clean.count; at++ {
		for _, way := range ways {
			way.at = at
			t.Run(fmt.Sprintf("%d %+v", at, way), func(t *testing.T) {
				t.Parallel()
				scenario(t, way)
			})
		}
	}
}
