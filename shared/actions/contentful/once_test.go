package contentful_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
)

// ways are how an operation can go wrong.
func ways(at int) []fault {
	return []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}}
}

// TestAFaultAnywhereCallsNothingTwice lets every write, read, send and request go wrong in turn. Whatever happens, no
// App Action is called twice for a job, the job ends, and it says of no action that it succeeded that was not called.
func TestAFaultAnywhereCallsNothingTwice(t *testing.T) {
	for name, section := range map[string]string{"one action": one, "a category": all} {
		scenario := func(t *testing.T, plan fault) []string {
			w := newWorld(t, section)
			w.install("notify", contentfultest.Script{Takes: 1, Result: map[string]int{"sent": 1}})
			w.install("second", contentfultest.Script{})
			id := w.press(2)
			w.faults.arm(plan)
			w.drain()
			names := slices.Clone(w.faults.names)
			job := w.job(id)
			if !job.State.Ended() {
				t.Fatalf("the job is %s", job.State)
			}
			made := map[string]int{}
			for _, call := range w.Calls() {
				made[call.Action]++
			}
			report := w.report(job)
			for _, action := range report.Actions {
				switch n := made[action.Action]; {
				case n > 1:
					t.Errorf("%s was called %d times", action.Action, n)
				case n == 0 && action.Outcome != "unknown":
					t.Errorf("%s was not called, and is %s", action.Action, action.Outcome)
				case plan.at == 0 && action.Outcome != "succeeded":
					t.Errorf("%s is %s without a fault: %s", action.Action, action.Outcome, action.Reason)
				}
				if action.Outcome == "unknown" && (job.State != jobs.Failed || !strings.Contains(job.Message, "outcome unknown")) {
					t.Errorf("an outcome is unknown, and the job %s: %q", job.State, job.Message)
				}
			}
			if want := map[string]int{"one action": 1, "a category": 2}[name]; len(report.Actions) != want {
				t.Errorf("%d outcomes, want %d", len(report.Actions), want)
			}
			return names
		}
		t.Run(name, func(t *testing.T) {
			clean := scenario(t, fault{})
			if len(clean) < 7 {
				t.Fatalf("only %q: the scenario does not reach the system", clean)
			}
			for at := range clean {
				for _, way := range ways(at + 1) {
					t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at+1, clean[at], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
				}
			}
		})
	}
}

func TestAFaultAnywhereCallsNothingTwiceForAnEvent(t *testing.T) {
	scenario := func(t *testing.T, plan fault) []string {
		w := newWorld(t, one)
		w.install("notify", contentfultest.Script{Takes: 3})
		w.event("e1", "product.updated")
		w.faults.arm(plan)
		w.drain()
		entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1")
		if err != nil || !entry.Ended() {
			t.Fatalf("%+v, %v", entry, err)
		}
		calls := len(w.Calls())
		if calls > 1 || calls == 0 && entry.Outcome != ledger.Failed {
			t.Errorf("%d calls, and the event is %s (%s)", calls, entry.Outcome, entry.Reasons)
		}
		if plan.at == 0 && entry.Outcome != ledger.Applied {
			t.Errorf("the event is %s without a fault: %s", entry.Outcome, entry.Reasons)
		}
		return w.faults.names
	}
	clean := scenario(t, fault{})
	if len(clean) < 7 {
		t.Fatalf("only %q: the scenario does not reach the system", clean)
	}
	for at := range clean {
		for _, way := range ways(at + 1) {
			t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at+1, clean[at], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
		}
	}
}

// TestAProcessThatStopsInTheMiddleOfACall gives its job to another at once: that one must not take the intent for fresh.
func TestAProcessThatStopsInTheMiddleOfACallDoesNotCallTwice(t *testing.T) {
	w := newWorld(t, one)
	w.install("notify", contentfultest.Script{})
	id := w.press(1)
	ctx, stop := context.WithCancel(t.Context())
	w.API.Break(stopAt(stop, "POST"))
	w.deliver(ctx)
	w.API.Break(w.faults.request)
	w.drain()
	w.server.Close() // waits for the request that nobody waited for
	if job := w.job(id); len(w.Calls()) != 1 || job.State != jobs.Failed || !strings.Contains(job.Message, "outcome unknown") {
		t.Errorf("%d calls, and the job is %s: %q", len(w.Calls()), job.State, job.Message)
	}
}

func TestAJobThatIsCancelledIsNotCalledAnyMore(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls int
		at    func(*world, string) // when
	}{
		{"before it starts", 0, func(w *world, id string) { w.cancel(id) }},
		{"while the first call is made", 1, func(w *world, id string) { w.API.Break(onRequest("POST", func() { w.cancel(id) })) }},
		{"while its end is waited for", 2, func(w *world, id string) { w.pause = func(context.Context) { w.cancel(id) } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, all)
			w.install("notify", contentfultest.Script{Takes: -1})
			w.install("second", contentfultest.Script{Takes: -1})
			id := w.press(1)
			c.at(w, id)
			w.drain()
			if job := w.job(id); len(w.Calls()) != c.calls || job.State != jobs.Cancelled {
				t.Errorf("%d calls, want %d; the job is %s", len(w.Calls()), c.calls, job.State)
			}
		})
	}
}

func TestTwoJobsCallTwice(t *testing.T) {
	w := newWorld(t, one)
	w.install("notify", contentfultest.Script{Takes: 40})
	first, second := w.press(1), w.press(1)
	w.drain()
	calls := w.Calls()
	if len(calls) != 2 || w.job(first).State != jobs.Succeeded || w.job(second).State != jobs.Succeeded {
		t.Fatalf("%d calls", len(calls))
	}
	if a, b := w.report(w.job(first)).Actions[0].Call, w.report(w.job(second)).Actions[0].Call; a == b || a == "" {
		t.Errorf("calls %q and %q", a, b)
	}
}

// The turn is used up between the intent and the call: another makes it.
func TestAnIntentThatNobodyActedOnIsCalled(t *testing.T) {
	w := newWorld(t, one)
	w.install("notify", contentfultest.Script{})
	id := w.press(1)
	// The clock leaps at the write of the intent: the turn is over before the call.
	w.faults.arm(fault{})
	w.faults.leap(3, func() { w.advance(62 * time.Second) })
	w.deliver(t.Context())
	if n := len(w.Calls()); n != 0 {
		t.Fatalf("%d calls in the first turn", n)
	}
	w.drain()
	if job := w.job(id); len(w.Calls()) != 1 || job.State != jobs.Succeeded {
		t.Errorf("%d calls, and the job is %s: %q", len(w.Calls()), job.State, job.Message)
	}
}
