package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// asker is a kind of action that asks the fixture's destination for something and waits for what comes. What comes is sent
// on as an effect: one for each job.
type asker struct {
	script
	w        *fixture
	waits    engine.Waits
	asked    int    // calls
	early    bool   // the answer comes before the destination's own
	meets    bool   // and its message while the job is leased
	fails    []int  // items that the destination refuses at once
	refuses  bool   // the destination refuses it all
	previous []byte // body of the call before
	job      string // that it works for
}

func (a *asker) Waits() *engine.Waits { return &a.waits }

func newAsker(t testing.TB, plan fault, batch int) *asker { return newAskerOn(t, memory, plan, batch) }

func newAskerOn(t testing.TB, b backing, plan fault, batch int) *asker {
	a := &asker{waits: engine.Waits{Within: 72 * time.Hour, For: jobs.WaitCallback, Callback: true, AsDone: true}}
	a.batch = batch
	a.run = func(ctx context.Context, run engine.Run) (engine.Result, error) { return a.do(ctx, run) }
	b.kinds = map[string]engine.Kind{"script": waitingScript{a}}
	a.w = newFixture(t, b, plan)
	folder, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a.w.engine.Files = faultyFiles{folder, a.w.faults}
	links := 0
	a.w.engine.Callback = func(_ context.Context, job, wait string, _ time.Time) (string, error) {
		links++ // as if the secret were another one each time
		return fmt.Sprintf("https://functions.example.com/callbacks/%s/%s?%d", job, wait, links), nil
	}
	return a
}

// waitingScript opens the asker itself, so that it is a Waiter.
type waitingScript struct{ *asker }

func (s waitingScript) Open(_ config.Section, _ engine.Secrets) (engine.Action, error) {
	return s.asker, nil
}

func (a *asker) do(ctx context.Context, run engine.Run) (engine.Result, error) {
	a.job = run.Job
	if run.Signal != nil {
		return engine.Result{Message: string(run.Signal.Body)}, a.post(ctx, "/apply", run.Key+"/apply", run.Signal.Body)
	}
	body, err := run.Keep(ctx, func() ([]byte, error) { // what a try makes differs from the one before
		return fmt.Appendf(nil, `{"text":"ask %s by %d"}`, run.Wait.URL, a.asked), nil
	})
	if err != nil {
		return engine.Result{}, err
	}
	if a.asked++; a.previous != nil && !bytes.Equal(body, a.previous) {
		a.w.Errorf("sent %s after %s", body, a.previous)
	}
	a.previous = body
	if a.refuses {
		return engine.Result{}, engine.Permanent("no such language", nil)
	}
	if err := a.post(ctx, "/ask", run.Key, body); err != nil {
		return engine.Result{}, err
	}
	if a.early {
		a.send(jobs.SignalCallback, `"early"`)
	}
	for a.meets && a.w.deliver() {
	}
	result := engine.Result{Wait: true, State: json.RawMessage(`{"asked":true}`)}
	for _, index := range a.fails {
		result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: "no such product there"})
	}
	return result, nil
}

func (a *asker) post(ctx context.Context, path, key string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.w.destination.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	return nil
}

// send plays functions/callback: record, send, answer. ok says that success was told.
func (a *asker) send(kind, body string) (there jobs.Signal, ok bool) {
	job := a.open()
	there, err := a.w.store.PutSignal(context.Background(), jobs.Signal{Job: job.ID, Wait: job.Awaits.Name, Kind: kind, At: a.w.clock.Now(), Body: json.RawMessage(body)})
	if err != nil {
		return there, false
	}
	return there, a.w.queue.Send(context.Background(), jobs.Message(job.ID, 0)) == nil
}

// open is the job that waits, as it is recorded.
func (a *asker) open() jobs.Job {
	job, err := a.w.store.(faultyStore).Store.Get(context.Background(), a.job)
	if err != nil || job.Awaits == nil {
		a.w.Fatalf("the job has no wait: %+v, %v", job, err)
	}
	return job
}

// settle delivers until the job waits, or has ended.
func (a *asker) settle(id string) jobs.Job {
	for range 200 {
		if job, err := a.w.store.(faultyStore).Store.Get(a.w.Context(), id); err != nil || job.State.Ended() || job.AtRest() {
			return job
		}
		switch got := a.w.deliver(); {
		case a.w.undelayed && got: // as drain does
			a.w.clock.advance(20 * time.Second)
		case a.w.undelayed:
			time.Sleep(50 * time.Millisecond)
		case !got:
			a.w.clock.advance(time.Minute)
		}
	}
	a.w.Fatal("the job does not come to rest")
	return jobs.Job{}
}

func TestAJobWaitsForItsSignal(t *testing.T) {
	for _, row := range []struct {
		name   string
		kind   string // of the signal; "": none comes
		early  bool
		fails  []int
		want   jobs.State
		reason string // of the end
		says   string // in the message or the first failure
		calls  int    // of the destination: to ask, and to apply
	}{
		{"a callback", jobs.SignalCallback, false, nil, jobs.Succeeded, "", `"x"`, 2},
		{"a callback before the destination's own answer", "", true, nil, jobs.Succeeded, "", `"early"`, 2},
		{"an event", jobs.SignalEvent, false, nil, jobs.Succeeded, "", `"x"`, 2},
		{"a user says that it is done", jobs.SignalAsDone, false, nil, jobs.Succeeded, "", `"x"`, 2},
		{"what failed at once is kept", jobs.SignalCallback, false, []int{1}, jobs.Partial, "", "no such product there", 2},
		{"nothing comes in time", "", false, nil, jobs.Failed, jobs.ReasonNoSignal, "did not call back in time", 1},
		{"nothing comes in time, and one failed before", "", false, []int{0}, jobs.Failed, jobs.ReasonNoSignal, "no such product there", 1},
		{"a user gives up", jobs.SignalGiveUp, false, nil, jobs.Failed, jobs.ReasonStoppedWaiting, "a user stopped waiting", 1},
		{"a user stops the job", jobs.SignalCancel, false, nil, jobs.Cancelled, "", "", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAsker(t, fault{}, 0)
			a.early, a.meets, a.fails = row.early, row.early, row.fails
			id, _ := a.w.press("script", 3)
			job := a.settle(id)
			if want := a.w.clock.Now().Add(72 * time.Hour); !job.AtRest() || want.Sub(job.NextTry) > 10*time.Second || job.NextTry != job.Awaits.Until || job.Awaits.URL == "" {
				t.Errorf("%s until %s, awaits %+v", job.State, job.NextTry, job.Awaits)
			}
			a.w.clock.advance(5 * time.Minute)
			if row.kind != "" {
				a.send(row.kind, `"x"`)
			}
			a.w.drain()
			job = a.w.job(id)
			failures, err := a.w.store.Failures(t.Context(), id, 0)
			if err != nil {
				t.Fatal(err)
			}
			says := job.Message
			for _, failure := range failures {
				says += " " + failure.Reason
			}
			if job.State != row.want || job.Reason != row.reason || !strings.Contains(says, row.says) || job.Awaits != nil || job.Done+job.Failed != 3 && row.want != jobs.Cancelled {
				t.Errorf("%s (%s), %q, %d and %d of %d", job.State, job.Reason, says, job.Done, job.Failed, job.Total)
			}
			if a.w.destination.calls != row.calls+follows(job) || len(a.w.destination.clashes) > 0 {
				t.Errorf("%d calls", a.w.destination.calls)
			}
			if row.kind == "" && !row.early && job.UpdatedAt.Sub(job.CreatedAt) < 72*time.Hour {
				t.Errorf("given up after %s", job.UpdatedAt.Sub(job.CreatedAt))
			}
			if took := job.UpdatedAt.Sub(job.CreatedAt); row.early && took > 5*time.Minute+30*time.Second { // five are the test's own
				t.Errorf("what came early was found after %s", took)
			}
			if there, _ := a.w.store.PutSignal(t.Context(), jobs.Signal{Job: id, Wait: "0-2", Kind: jobs.SignalCallback, Body: json.RawMessage(`"late"`)}); string(there.Body) == `"late"` {
				t.Error("the wait is still open after the end")
			}
		})
	}
}

// follows is the one call of a follow-up, after every end but a stop.
func follows(job jobs.Job) int {
	if job.State == jobs.Cancelled {
		return 0
	}
	return 1
}

// Several batches wait one after the other, each with a wait of its own. A stop is obeyed between them.
func TestEachBatchHasItsOwnWait(t *testing.T) {
	for _, stop := range []bool{false, true} {
		a := newAsker(t, fault{}, 2)
		id, _ := a.w.press("script", 5)
		var waits []string
		for range 3 {
			job := a.settle(id)
			if !job.AtRest() {
				break
			}
			waits = append(waits, job.Awaits.Name)
			a.previous = nil
			a.send(jobs.SignalCallback, `"x"`)
			if stop {
				if _, err := jobs.Cancel(t.Context(), a.w.store, id, a.w.clock.Now); err != nil {
					t.Fatal(err)
				}
			}
			for a.w.deliver() {
			}
		}
		a.w.drain()
		job := a.w.job(id)
		want, state, done := []string{"0-1", "2-3", "4-4"}, jobs.Succeeded, 5
		if stop {
			want, state, done = want[:1], jobs.Cancelled, 2
		}
		if !slices.Equal(waits, want) || job.State != state || job.Done != done {
			t.Errorf("waits %v; %s with %d of %d", waits, job.State, job.Done, job.Total)
		}
	}
}

// A stop and a callback race for the one row: who comes second obeys it.
func TestAStopAndACallback(t *testing.T) {
	a := newAsker(t, fault{}, 0)
	id, _ := a.w.press("script", 1)
	a.settle(id)
	if job, err := jobs.Cancel(t.Context(), a.w.store, id, a.w.clock.Now); err != nil || job.State != jobs.Cancelled {
		t.Fatalf("%+v, %v", job, err)
	}
	if there, _ := a.w.store.PutSignal(t.Context(), jobs.Signal{Job: id, Wait: "0-0", Kind: jobs.SignalCallback}); there.Kind != jobs.SignalCancel {
		t.Errorf("a callback after the stop: %+v", there)
	}

	b := newAsker(t, fault{}, 0)
	id, _ = b.w.press("script", 1)
	b.settle(id)
	b.send(jobs.SignalCallback, `"x"`)
	if _, err := jobs.Cancel(t.Context(), b.w.store, id, b.w.clock.Now); err != nil {
		t.Fatal(err)
	}
	b.w.drain()
	if job := b.w.job(id); job.State != jobs.Succeeded || job.Done != 1 {
		t.Errorf("a stop after the callback: %s", job.State)
	}
}

// A refusal at once is no wait; but where the callback came before it, that is how it went.
func TestARefusalAtOnce(t *testing.T) {
	for _, called := range []bool{false, true} {
		a := newAsker(t, fault{}, 0)
		a.refuses = true
		if called {
			inner := a.script.run
			a.script.run = func(ctx context.Context, run engine.Run) (engine.Result, error) {
				if a.job = run.Job; run.Signal == nil {
					a.send(jobs.SignalCallback, `"x"`)
				}
				return inner(ctx, run)
			}
		}
		id, _ := a.w.press("script", 2)
		a.w.drain()
		job := a.w.job(id)
		there, err := a.w.store.Signal(t.Context(), id, "0-1")
		if err != nil {
			t.Fatal(err)
		}
		if want, kind := map[bool]jobs.State{false: jobs.Failed, true: jobs.Succeeded}[called], map[bool]string{false: jobs.SignalEnded, true: jobs.SignalCallback}[called]; job.State != want || there.Kind != kind {
			t.Errorf("%s, %s; %q", job.State, there.Kind, job.Message)
		}
	}
}

// A wait is ended by hand only while there is one, and as done only where the action allows it.
func TestAWaitIsEndedByHand(t *testing.T) {
	for _, row := range []struct {
		kind   string
		asDone bool
		want   error
		state  jobs.State
	}{
		{jobs.SignalGiveUp, false, nil, jobs.Failed},
		{jobs.SignalAsDone, true, nil, jobs.Succeeded},
		{jobs.SignalAsDone, false, jobs.ErrNotAsDone, jobs.Waiting},
	} {
		a := newAsker(t, fault{}, 0)
		a.waits.AsDone = row.asDone
		id, _ := a.w.press("script", 1)
		if _, err := a.w.submitter.EndWait(t.Context(), id, row.kind, jobs.User{}); err != jobs.ErrNotWaiting {
			t.Errorf("before it waits: %v", err)
		}
		a.settle(id)
		if _, err := a.w.submitter.EndWait(t.Context(), id, row.kind, jobs.User{UUID: "u"}); err != row.want {
			t.Errorf("%s: %v", row.kind, err)
		}
		for a.w.deliver() {
		}
		if job := a.w.job(id); job.State != row.state {
			t.Errorf("%s: %s", row.kind, job.State)
		}
		if _, err := a.w.submitter.EndWait(t.Context(), "nobody", row.kind, jobs.User{}); err != jobs.ErrNotFound {
			t.Errorf("nobody: %v", err)
		}
	}
}

// An event starts a job that waits.
func TestAnEventStartsAWait(t *testing.T) {
	a := newAsker(t, fault{}, 0)
	a.w.receive(pimevent.EventPlatform, platform("e1", "product.created", product, a.w.clock.Now()))
	a.w.drainEvents()
	for a.w.deliver() {
	}
	begun := a.w.started()
	if len(begun) != 1 || begun[0].State != jobs.Waiting || begun[0].Awaits == nil || !begun[0].Awaits.Begun || a.asked != 1 || a.w.outcome("e1") != ledger.Started {
		t.Errorf("%+v; asked %d times; %s", begun, a.asked, a.w.outcome("e1"))
	}
}

// TestAFaultInAWaitLosesNothing lets every read, write, send and call of a job that waits go wrong in turn, in four ways,
// with the callback before, at and after the destination's own answer, and without one.
func TestAFaultInAWaitLosesNothing(t *testing.T) {
	for name, b := range backings(t) {
		for _, scenario := range []string{"late", "early", "none", "stopped"} {
			if name == "memory" || scenario == "late" {
				t.Run(name+"/"+scenario, func(t *testing.T) { waitFaults(t, b, scenario) })
			}
		}
	}
}

func waitFaults(t *testing.T, b backing, scenario string) {
	t.Parallel()
	clean := waitScenario(t, b, scenario, fault{})
	if clean.count < 15 {
		t.Fatalf("only %d operations", clean.count)
	}
	for at := 1; at <= min(clean.count, 45); at++ {
		ways := []fault{{at: at, after: true}, {at: at, crash: true}, {at: at}, {at: at, after: true, crash: true}}
		if b.undelayed { // and takes its time
			ways = ways[:2]
		}
		for _, way := range ways {
			t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at, clean.names[at-1], way.after, way.crash), func(t *testing.T) {
				waitScenario(t, b, scenario, way)
			})
		}
	}
}

func waitScenario(t *testing.T, b backing, scenario string, plan fault) *faults {
	a := newAskerOn(t, b, plan, 0)
	a.waits.Within = 20 * time.Minute
	a.early = scenario == "early"
	var id string
	confirmed := false
	for range 3 {
		if id, confirmed = a.w.press("script", 2); confirmed {
			break
		}
	}
	if !confirmed {
		t.Fatal("three presses were refused")
	}
	if job := a.settle(id); scenario == "late" || scenario == "stopped" {
		told := false
		for range 3 { // whoever is not told success says it again
			if job.State.Ended() {
				break
			}
			if scenario == "late" {
				_, told = a.send(jobs.SignalCallback, `"x"`)
			} else {
				_, err := jobs.Cancel(t.Context(), a.w.store, id, a.w.clock.Now)
				told = err == nil
			}
			if a.w.faults.restart(); told {
				break
			}
		}
	}
	a.w.drain()
	count := &faults{count: a.w.faults.count, names: a.w.faults.names}
	job := a.w.job(id)
	want, effects := jobs.Succeeded, 1
	switch scenario {
	case "none":
		want, effects = jobs.Failed, 0
	case "stopped":
		want, effects = jobs.Cancelled, 0
	}
	a.w.destination.mu.Lock()
	defer a.w.destination.mu.Unlock()
	applied := 0
	for what, times := range a.w.destination.applied {
		if strings.HasPrefix(what, "/apply") {
			applied += times
		}
		if times != 1 && !strings.HasPrefix(what, "/ask") {
			t.Errorf("%s applied %d times", what, times)
		}
	}
	early := scenario == "early" && job.State == jobs.Failed && job.Reason == jobs.ReasonNoSignal // its sender was not told success, and did not come again
	if (job.State != want || applied != effects) && !early {
		t.Errorf("%s (%s): %q, %d effects", job.State, job.Reason, job.Message, applied)
	}
	if len(a.w.destination.clashes) > 0 || a.w.dead() > 0 {
		t.Errorf("clashes %q, %d dead letters", a.w.destination.clashes, a.w.dead())
	}
	return count
}
