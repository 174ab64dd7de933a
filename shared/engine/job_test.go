package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

func TestAJobOfSixInvocationsEndsWell(t *testing.T) {
	var w *fixture
	s := &script{batch: 1}
	turns, keys := map[int]int{}, map[string]bool{}
	s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
		w.clock.advance(20 * time.Second) // a slow destination
		job, _ := w.store.Get(t.Context(), run.Job)
		turns[job.Attempt]++
		keys[run.Key] = true
		return engine.Result{}, nil
	}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 18)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || job.Done != 18 || job.Attempt != 6 {
		t.Errorf("%s, done %d in %d invocations (%v)", job.State, job.Done, job.Attempt, turns)
	}
	if len(keys) != 18 || w.dead() != 0 {
		t.Errorf("%d keys for 18 batches, %d dead letters", len(keys), w.dead())
	}
}

func TestADestinationThatIsDownForAWhileIsWaitedFor(t *testing.T) {
	w := newFixture(t, memory, fault{})
	up := w.clock.Now().Add(40 * time.Minute)
	w.destination.answer = func(string, int) (int, string) {
		if w.clock.Now().Before(up) {
			return 503, ""
		}
		return 200, "{}"
	}
	id, _ := w.press("plain", 3)
	w.deliver()
	if job := w.job(id); job.State != jobs.Waiting || !strings.Contains(job.Message, "the destination has a problem") {
		t.Errorf("meanwhile: %s, %q", job.State, job.Message)
	}
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || job.Done != 3 || w.dead() != 0 || job.Message != "" {
		t.Errorf("%s, done %d, message %q, %d dead letters", job.State, job.Done, job.Message, w.dead())
	}
	if len(w.destination.clashes) > 0 {
		t.Errorf("keys with two contents: %v", w.destination.clashes)
	}
}

func TestADestinationThatStaysDownFailsTheJobAfterItsTime(t *testing.T) {
	w := newFixture(t, memory, fault{})
	w.destination.answer = func(path string, call int) (int, string) {
		if path == "/plain" && call > 1 { // the first batch gets through
			return 503, ""
		}
		return 200, "{}"
	}
	begun := w.clock.Now()
	id, _ := w.press("plain", 5)
	w.drain()
	job := w.job(id)
	if job.State != jobs.Partial || job.Reason != jobs.ReasonGaveUp || job.Done != 2 || job.Failed != 3 {
		t.Errorf("%s (%s), done %d, failed %d", job.State, job.Reason, job.Done, job.Failed)
	}
	if waited := job.UpdatedAt.Sub(begun); waited < 2*time.Hour || waited > 2*time.Hour+20*time.Minute {
		t.Errorf("gave up after %s, retry.for is 2h", waited)
	}
	failures, _ := w.store.Failures(t.Context(), id, 0)
	if len(failures) != 3 || failures[0].Item.ID != "p2" || !strings.Contains(failures[0].Reason, "the destination has a problem") {
		t.Errorf("failures %v", failures)
	}
}

func TestADuplicateThatMeetsALiveLeaseWritesNothingAndComesLater(t *testing.T) {
	var w *fixture
	s := &script{batch: 1}
	s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
		if run.First == 0 { // in the middle of the work, another worker gets a duplicate
			if err := w.queue.Send(t.Context(), jobs.Message(run.Job, 1)); err != nil {
				t.Fatal(err)
			}
			before, _ := w.store.Get(t.Context(), run.Job)
			if !w.deliver() {
				t.Error("the duplicate was not delivered")
			}
			after, _ := w.store.Get(t.Context(), run.Job)
			if after.Version != before.Version {
				t.Error("the duplicate wrote to the record")
			}
			if depth, _ := w.queue.Depth(t.Context()); depth.Delayed != 1 {
				t.Errorf("queue %+v, want the duplicate delayed", depth)
			}
		}
		return engine.Result{}, nil
	}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 3)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || job.Done != 3 || w.dead() != 0 {
		t.Errorf("%s, done %d, %d dead letters", job.State, job.Done, w.dead())
	}
}

func TestAWorkerThatLostItsLeaseWritesNothingMore(t *testing.T) {
	var w *fixture
	s := &script{batch: 1}
	outer := true
	s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
		if outer { // it hangs so long that its lease ends, and another worker does all the work meanwhile
			outer = false
			w.clock.advance(5 * time.Minute)
			if err := w.queue.Send(t.Context(), jobs.Message(run.Job, 1)); err != nil {
				t.Fatal(err)
			}
			if w.drain(); w.job(run.Job).State != jobs.Succeeded {
				t.Errorf("the other worker left it %s", w.job(run.Job).State)
			}
		}
		return engine.Result{}, nil
	}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 3)
	w.deliver()
	ended := w.job(id)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || job.Done != 3 || job.Version != ended.Version || job.Attempt != 2 {
		t.Errorf("%s, done %d, version %d after %d, %d attempts", job.State, job.Done, job.Version, ended.Version, job.Attempt)
	}
}

func TestWaitingForAnAnswerIsNoDownTime(t *testing.T) {
	var w *fixture
	polls := 0
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
		if polls++; polls < 20 { // hours longer than a destination may be down
			return engine.Result{}, &engine.LaterError{After: 15 * time.Minute, Reason: "still in review"}
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 1)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || polls != 20 {
		t.Errorf("%s (%s) after %d polls", job.State, job.Reason, polls)
	}
}

func TestAWorkerThatCrashesEachTimeIsADeadLetterAndARedriveFinishesIt(t *testing.T) {
	t.Parallel() // a redrive looks for a second whether there is more
	var w *fixture
	crashing, runs := true, 0
	s := &script{batch: 2}
	s.run = func(context.Context, engine.Run) (engine.Result, error) {
		if runs++; crashing && runs > 1 { // the second batch kills it, again and again
			w.faults.mu.Lock()
			w.faults.dead = true
			w.faults.mu.Unlock()
		}
		return engine.Result{}, nil
	}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("script", 6)
	w.drain()
	job := w.job(id)
	if job.State != jobs.Failed || job.Reason != jobs.ReasonDeadLetter || w.dead() != 1 || job.Done != 2 {
		t.Fatalf("%s (%s), done %d, %d dead letters", job.State, job.Reason, job.Done, w.dead())
	}
	if again, ok := w.press("script", 6); !ok || again == id {
		t.Errorf("a dead letter keeps the button closed: %q, %v", again, ok)
	}
	crashing = false
	if n, err := (queue.Redrive{Letters: w.deadLetters, Work: w.queue, Now: w.clock.Now}).Run(t.Context()); n.Moved != 1 || err != nil {
		t.Fatalf("redrive: %d, %v", n, err)
	}
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || job.Done != 6 || w.dead() != 0 {
		t.Errorf("after the redrive: %s, done %d, %d dead letters", job.State, job.Done, w.dead())
	}
}

func TestWhatAnErrorDoes(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		state   jobs.State
		reason  string
		message string
	}{
		{"permanent", engine.Permanent("no such product", errors.New("internal detail")), jobs.Failed, jobs.ReasonPermanent, "no such product"},
		{"permanent, wrapped", fmt.Errorf("call: %w", engine.Permanent("no", nil)), jobs.Failed, jobs.ReasonPermanent, "no"},
		{"transient, unknown text", errors.New("internal detail"), jobs.Waiting, "", "a passing problem"},
		{"throttled", &engine.ThrottledError{Reason: "slow down"}, jobs.Waiting, "", "slow down"},
		{"later", &engine.LaterError{After: time.Minute, Reason: "waiting for the review"}, jobs.Waiting, "", "waiting for the review"},
		{"out of time", context.DeadlineExceeded, jobs.Waiting, "", "no answer in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, c.err }}
			w := newFixture(t, s.backing(), fault{})
			id, _ := w.press("alone", 2)
			w.deliver()
			if job := w.job(id); job.State != c.state || job.Reason != c.reason || job.Message != c.message {
				t.Errorf("%s (%s) %q", job.State, job.Reason, job.Message)
			}
		})
	}
}

func TestAPermanentErrorFailsItsBatchAlone(t *testing.T) {
	s := &script{batch: 2, run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		if run.First == 2 {
			return engine.Result{}, engine.Permanent("refused", nil)
		}
		return engine.Result{}, nil
	}}
	w := newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 6)
	w.drain()
	if job := w.job(id); job.State != jobs.Partial || job.Done != 4 || job.Failed != 2 || job.Message != "refused" {
		t.Errorf("%s, done %d, failed %d, %q", job.State, job.Done, job.Failed, job.Message)
	}
}

func TestAPanicFailsItsBatchAndShowsNobodyItsText(t *testing.T) {
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { panic("password is hunter2") }}
	w := newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 1)
	w.drain()
	if job := w.job(id); job.State != jobs.Failed || job.Message != "an internal error" || w.dead() != 0 {
		t.Errorf("%s, %q, %d dead letters", job.State, job.Message, w.dead())
	}
}

func TestAThrottledJobRestsAsLongAsItWasTold(t *testing.T) {
	var w *fixture
	var until time.Time
	s := &script{}
	early := false
	s.run = func(context.Context, engine.Run) (engine.Result, error) {
		switch {
		case until.IsZero():
			until = w.clock.Now().Add(10 * time.Minute)
			return engine.Result{}, &engine.ThrottledError{Until: until, Reason: "429"}
		case w.clock.Now().Before(until):
			early = true
		}
		return engine.Result{}, nil
	}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 1)
	w.drain()
	if job := w.job(id); early || job.State != jobs.Succeeded {
		t.Errorf("%s, tried too early: %v", job.State, early)
	}
}

func TestWhatAKindStartedOutsideIsWrittenDownBeforeItIsWaitedFor(t *testing.T) {
	started := 0
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		switch string(run.State) {
		case "":
			started++
			return engine.Result{State: json.RawMessage(`{"call":"c1"}`)}, &engine.LaterError{}
		case `{"call":"c1"}`:
			return engine.Result{State: json.RawMessage(`{"call":"c1","seen":1}`)}, &engine.LaterError{After: time.Minute, Reason: "the call is processed"}
		}
		return engine.Result{Result: json.RawMessage(`{"answer":42}`)}, nil
	}}
	w := newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 1)
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded || started != 1 || string(job.Result) != `{"answer":42}` || job.KindState != nil {
		t.Errorf("%s, started %d times, result %s, state %s", job.State, started, job.Result, job.KindState)
	}
}

func TestAnActionThatTheWorkerDoesNotKnowYetIsWaitedForAnHour(t *testing.T) {
	w := newFixture(t, memory, fault{})
	id, _ := w.press("next-release", 2)
	w.deliver()
	if job := w.job(id); job.State != jobs.Waiting {
		t.Errorf("%s", job.State)
	}
	w.drain()
	job := w.job(id)
	if age := job.UpdatedAt.Sub(job.CreatedAt); job.State != jobs.Failed || job.Reason != jobs.ReasonGaveUp || age < time.Hour || age > 2*time.Hour {
		t.Errorf("%s (%s) after %s", job.State, job.Reason, age)
	}
}

func TestCancelStopsAfterTheBatchInWork(t *testing.T) {
	var w *fixture
	s := &script{batch: 1}
	s.run = func(_ context.Context, run engine.Run) (engine.Result, error) {
		if run.First == 1 {
			if _, err := jobs.Cancel(t.Context(), w.store, run.Job, w.clock.Now); err != nil {
				t.Fatal(err)
			}
		}
		return engine.Result{}, nil
	}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("script", 5)
	w.drain()
	if job := w.job(id); job.State != jobs.Cancelled || job.Done != 2 || len(w.destination.applied) != 0 {
		t.Errorf("%s, done %d, follow-ups %v", job.State, job.Done, w.destination.applied)
	}
	if again, ok := w.press("script", 5); !ok || again == id {
		t.Error("a cancelled job keeps its once key")
	}
}

func TestThenStartsTheFollowUpOnceWithTheFailedItems(t *testing.T) {
	for _, c := range []struct {
		name   string
		failed []int
		text   string
	}{
		{"succeeded", nil, "succeeded: 4 of 4"},
		{"partial", []int{1, 3}, "partial: 2 of 4"},
		{"failed", []int{0, 1, 2, 3}, "failed: 0 of 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
				var result engine.Result
				for _, index := range c.failed {
					result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: "no price"})
				}
				return result, nil
			}}
			w := newFixture(t, s.backing(), fault{})
			id, _ := w.press("script", 4)
			w.drain()
			job := w.job(id)
			follow, err := w.store.Load(t.Context(), jobs.ID("report", []byte(id), []byte(job.State)))
			if err != nil {
				t.Fatal(err)
			}
			want := len(c.failed)
			if c.name == "succeeded" {
				want = 4
			}
			if len(follow.Items) != want || follow.Parent != id || follow.State != jobs.Succeeded {
				t.Errorf("follow-up of %d items, parent %q, %s", len(follow.Items), follow.Parent, follow.State)
			}
			if w.destination.applied["/report "+c.text] != 1 || len(w.destination.applied) != 1 {
				t.Errorf("reported %v, want %q once", w.destination.applied, c.text)
			}
		})
	}
}

func TestOldRecordedJobsAreNotStartedByALateMessage(t *testing.T) {
	w := newFixture(t, memory, fault{})
	job, err := w.store.Create(t.Context(), jobs.Job{ID: "button-late", Action: "plain", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", State: jobs.Recorded, CreatedAt: w.clock.Now(), Items: []jobs.Item{{Type: jobs.Product, ID: "p0"}}, Total: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.advance(6 * time.Minute)
	if err := w.queue.Send(t.Context(), jobs.Message(job.ID, 0)); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if got := w.job(job.ID); got.State != jobs.Failed || got.Reason != jobs.ReasonNotStarted || w.destination.calls != 0 {
		t.Errorf("%s (%s), %d calls", got.State, got.Reason, w.destination.calls)
	}
}
