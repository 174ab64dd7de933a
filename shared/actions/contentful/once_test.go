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
			f := newFixture(t, section)
			f.install("notify", contentfultest.Script{Takes: 1, Result: map[string]int{"sent": 1}})
			f.install("second", contentfultest.Script{})
			id := f.press(2)
			f.faults.arm(plan)
			f.drain()
			names := slices.Clone(f.faults.names)
			job := f.job(id)
			if !job.State.Ended() {
				t.Fatalf("the job is %s", job.State)
			}
			made := map[string]int{}
			for _, call := range f.Calls() {
				made[call.Action]++
			}
			report := f.report(job)
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
		f := newFixture(t, one)
		f.install("notify", contentfultest.Script{Takes: 3})
		f.event("e1", "product.updated")
		f.faults.arm(plan)
		f.drain()
		entry, err := f.ledger.Get(t.Context(), "event-platform/main/e1")
		if err != nil || !entry.Ended() {
			t.Fatalf("%+v, %v", entry, err)
		}
		calls := len(f.Calls())
		if calls > 1 || calls == 0 && entry.Outcome != ledger.Failed {
			t.Errorf("%d calls, and the event is %s (%s)", calls, entry.Outcome, entry.Reasons)
		}
		if plan.at == 0 && entry.Outcome != ledger.Applied {
			t.Errorf("the event is %s without a fault: %s", entry.Outcome, entry.Reasons)
		}
		return f.faults.names
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
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{})
	id := f.press(1)
	ctx, stop := context.WithCancel(t.Context())
	f.API.Break(stopAt(stop, "POST"))
	f.deliver(ctx)
	f.API.Break(f.faults.request)
	f.drain()
	f.server.Close() // waits for the request that nobody waited for
	if job := f.job(id); len(f.Calls()) != 1 || job.State != jobs.Failed || !strings.Contains(job.Message, "outcome unknown") {
		t.Errorf("%d calls, and the job is %s: %q", len(f.Calls()), job.State, job.Message)
	}
}

func TestAJobThatIsCancelledIsNotCalledAnyMore(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls int
		at    func(*fixture, string) // when
	}{
		{"before it starts", 0, func(f *fixture, id string) { f.cancel(id) }},
		{"while the first call is made", 1, func(f *fixture, id string) { f.API.Break(onRequest("POST", func() { f.cancel(id) })) }},
		{"while its end is waited for", 2, func(f *fixture, id string) { f.pause = func(context.Context) { f.cancel(id) } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, all)
			f.install("notify", contentfultest.Script{Takes: -1})
			f.install("second", contentfultest.Script{Takes: -1})
			id := f.press(1)
			c.at(f, id)
			f.drain()
			if job := f.job(id); len(f.Calls()) != c.calls || job.State != jobs.Cancelled {
				t.Errorf("%d calls, want %d; the job is %s", len(f.Calls()), c.calls, job.State)
			}
		})
	}
}

func TestTwoJobsCallTwice(t *testing.T) {
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{Takes: 40})
	first, second := f.press(1), f.press(1)
	f.drain()
	calls := f.Calls()
	if len(calls) != 2 || f.job(first).State != jobs.Succeeded || f.job(second).State != jobs.Succeeded {
		t.Fatalf("%d calls", len(calls))
	}
	if a, b := f.report(f.job(first)).Actions[0].Call, f.report(f.job(second)).Actions[0].Call; a == b || a == "" {
		t.Errorf("calls %q and %q", a, b)
	}
}

// The turn is used up between the intent and the call: another makes it.
func TestAnIntentThatNobodyActedOnIsCalled(t *testing.T) {
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{})
	id := f.press(1)
	// The clock leaps at the write of the intent: the turn is over before the call.
	f.faults.arm(fault{})
	f.faults.leap(3, func() { f.advance(62 * time.Second) })
	f.deliver(t.Context())
	if n := len(f.Calls()); n != 0 {
		t.Fatalf("%d calls in the first turn", n)
	}
	f.drain()
	if job := f.job(id); len(f.Calls()) != 1 || job.State != jobs.Succeeded {
		t.Errorf("%d calls, and the job is %s: %q", len(f.Calls()), job.State, job.Message)
	}
}

// A queue that is behind is no reason to call an outcome unknown: nobody has acted on the intent.
func TestAnIntentBehindABacklogIsStillCalled(t *testing.T) {
	for name, wait := range map[string]time.Duration{"three minutes": 3 * time.Minute, "twenty minutes": 20 * time.Minute} {
		t.Run("event, "+name, func(t *testing.T) {
			f := newFixture(t, one)
			f.install("notify", contentfultest.Script{})
			f.event("e1", "product.updated")
			f.deliverEvent() // the intent is written at the latest here
			f.advance(wait)
			f.drain()
			entry, err := f.ledger.Get(t.Context(), "event-platform/main/e1")
			if err != nil || entry.Outcome != ledger.Applied || len(f.Calls()) != 1 {
				t.Errorf("%d calls, event %s: %v (%v)", len(f.Calls()), entry.Outcome, entry.Reasons, err)
			}
		})
		t.Run("job, "+name, func(t *testing.T) {
			f := newFixture(t, one)
			f.install("notify", contentfultest.Script{})
			id := f.press(1)
			f.faults.arm(fault{})
			f.faults.leap(3, func() { f.advance(62 * time.Second) })
			f.deliver(t.Context())
			f.advance(wait)
			f.drain()
			if job := f.job(id); len(f.Calls()) != 1 || job.State != jobs.Succeeded {
				t.Errorf("%d calls, and the job is %s: %q", len(f.Calls()), job.State, job.Message)
			}
		})
	}
}

// A bulk edit: many events, and a worker that is far behind them.
func TestABulkOfEventsIsCalledOnceEach(t *testing.T) {
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{})
	const n = 200
	for i := range n {
		f.event(fmt.Sprint("e", i), "product.updated")
	}
	for {
		before := len(f.Calls())
		if !f.deliverEvent() {
			depth, err := f.events.Depth(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if depth.Visible+depth.InFlight+depth.Delayed == 0 {
				break
			}
			f.advance(time.Second)
			continue
		}
		if len(f.Calls()) > before {
			f.advance(2 * time.Second)
		}
	}
	outcomes := map[string]int{}
	for i := range n {
		entry, err := f.ledger.Get(t.Context(), fmt.Sprint("event-platform/main/e", i))
		if err != nil {
			t.Fatal(err)
		}
		outcomes[string(entry.Outcome)]++
	}
	if len(f.Calls()) != n || outcomes[string(ledger.Applied)] != n {
		t.Errorf("%d calls of %d; %v", len(f.Calls()), n, outcomes)
	}
}
