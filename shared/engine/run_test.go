package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Items that are through stay so, whatever happens to the rest of their batch.
func TestPartOfABatchIsKept(t *testing.T) {
	var w *fixture
	var first []int
	failed := false
	s := &script{batch: 10, run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		first = append(first, run.First)
		switch {
		case run.First == 0: // stops in time, with three
			return engine.Result{Done: 3, Failures: []engine.Failure{{Index: 1, Reason: "no price"}, {Index: 5, Reason: "not through"}}}, nil
		case !failed: // a passing error, behind two more
			failed = true
			return engine.Result{Done: 2}, errors.New("down")
		}
		return engine.Result{}, nil
	}}
	w = newFixture(t, s.backing(), fault{})
	id, _ := w.press("alone", 10)
	w.drain()
	job := w.job(id)
	if job.State != jobs.Partial || job.Done != 9 || job.Failed != 1 || !slices.Equal(first, []int{0, 3, 5}) {
		t.Errorf("%s, %d done, %d failed, runs from %v", job.State, job.Done, job.Failed, first)
	}
}

func TestCancelIsHeardAtEachStep(t *testing.T) {
	for name, step := range map[string]func(int) (engine.Result, error){
		"after a batch":                 func(int) (engine.Result, error) { return engine.Result{}, nil },
		"when a batch fails in passing": func(int) (engine.Result, error) { return engine.Result{}, errors.New("down") },
		"when a batch is refused":       func(int) (engine.Result, error) { return engine.Result{}, engine.Permanent("no", nil) },
		"when a pause is asked for": func(int) (engine.Result, error) {
			return engine.Result{}, &engine.ThrottledError{Until: time.Now().AddDate(10, 0, 0)}
		},
		"when a state is written down": func(int) (engine.Result, error) {
			return engine.Result{State: json.RawMessage(`1`)}, &engine.LaterError{}
		},
		"when the kind goes on later":    func(int) (engine.Result, error) { return engine.Result{}, &engine.LaterError{After: time.Hour} },
		"when a part of a batch is done": func(int) (engine.Result, error) { return engine.Result{Done: 1}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var w *fixture
			runs := 0
			s := &script{batch: 2, run: func(ctx context.Context, run engine.Run) (engine.Result, error) {
				if _, err := jobs.Cancel(ctx, w.store, run.Job, w.clock.Now); err != nil {
					t.Error(err)
				}
				runs++
				return step(runs)
			}}
			w = newFixture(t, s.backing(), fault{})
			id, _ := w.press("alone", 6)
			w.deliver()
			if job := w.job(id); job.State != jobs.Cancelled || runs != 1 {
				t.Errorf("%s after %d runs", job.State, runs)
			}
			w.drain()
		})
	}
	for name, before := range map[string]func(*fixture, string){
		"while it is queued": func(*fixture, string) {},
		"while it waits":     func(w *fixture, _ string) { w.deliver() },
		"after a crash": func(w *fixture, _ string) {
			w.faults.plan, w.faults.count = fault{at: 3, crash: true}, 0
			w.deliver()
			w.faults.plan = fault{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
				runs++
				return engine.Result{}, errors.New("down")
			}}
			w := newFixture(t, s.backing(), fault{})
			id, _ := w.press("alone", 2)
			before(w, id)
			ran := runs
			if _, err := jobs.Cancel(t.Context(), w.store, id, w.clock.Now); err != nil {
				t.Fatal(err)
			}
			w.drain()
			if job := w.job(id); job.State != jobs.Cancelled || runs != ran {
				t.Errorf("%s, %d runs after it was cancelled", job.State, runs-ran)
			}
		})
	}
}

// A message can die before any worker begins (a deployment that cannot start): nobody writes that into the record.
func TestAJobWhoseMessageDiedKeepsNobodyOut(t *testing.T) {
	w := newFixture(t, memory, fault{})
	id, _ := w.press("plain", 2)
	for range maxReceives + 1 { // received by functions that die before they run
		if _, err := w.queue.Receive(t.Context(), 1, 0); err != nil {
			t.Fatal(err)
		}
		w.clock.advance(3*time.Minute + time.Second)
	}
	if w.dead() != 1 {
		t.Fatalf("%d dead letters", w.dead())
	}
	w.clock.advance(time.Hour)
	if again, ok := w.press("plain", 2); !ok || again != id {
		t.Fatalf("pressed again: %q, %t", again, ok)
	}
	if depth, _ := w.queue.Depth(t.Context()); depth.Visible != 1 {
		t.Errorf("queue %+v: pressing again moves nothing", depth)
	}
	w.drain()
	if job := w.job(id); job.State != jobs.Succeeded {
		t.Errorf("after another press: %s", job.State)
	}

	id, _ = w.press("plain", 3)
	if messages, _ := w.queue.Receive(t.Context(), 1, 0); len(messages) == 1 {
		_ = w.queue.Delete(t.Context(), messages[0].Receipt)
	}
	w.clock.advance(24 * time.Hour)
	if job := w.job(id); job.State != jobs.Failed || job.Reason != jobs.ReasonDeadLetter {
		t.Errorf("a day later it reads %s (%s)", job.State, job.Reason)
	}
	if again, ok := w.press("plain", 3); !ok || again == id {
		t.Errorf("and keeps the button closed: %q, %t", again, ok)
	}
}

// Where a kind has begun something and does not come back, the next run learns that. Where the lease was given back in good order,
// nobody acted.
func TestARunLearnsWhetherTheOneBeforeCameBack(t *testing.T) {
	for name, crash := range map[string]bool{"given back": false, "crashed": true} {
		t.Run(name, func(t *testing.T) {
			var w *fixture
			var seen []bool
			s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
				switch {
				case len(run.State) == 0:
					w.clock.advance(61 * time.Second) // the turn is over: the lease is given back
					return engine.Result{State: json.RawMessage(`"intent"`)}, &engine.LaterError{}
				case crash && len(seen) == 0:
					seen = append(seen, run.Interrupted)
					w.faults.mu.Lock()
					w.faults.dead = true
					w.faults.mu.Unlock()
					return engine.Result{}, errDead
				}
				seen = append(seen, run.Interrupted)
				return engine.Result{}, nil
			}}
			want := []bool{false}
			if crash {
				want = []bool{false, true}
			}
			w = newFixture(t, s.backing(), fault{})
			w.press("alone", 1)
			w.deliver()
			w.clock.advance(3 * time.Hour) // a backlog
			w.drain()
			if !slices.Equal(seen, want) {
				t.Errorf("a job's runs saw %v, want %v", seen, want)
			}
			seen = nil
			w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
			w.one()
			w.clock.advance(3 * time.Hour)
			w.drainEvents()
			if !slices.Equal(seen, want) {
				t.Errorf("an event's runs saw %v, want %v", seen, want)
			}
		})
	}
}

// A state that cannot be kept fails the batch: without it the kind would do its work twice.
func TestAStateThatCannotBeKeptFailsTheRun(t *testing.T) {
	for name, state := range map[string]string{"too large": `"` + strings.Repeat("x", 8<<10) + `"`, "no JSON": `{`} {
		runs := 0
		s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
			runs++
			return engine.Result{State: json.RawMessage(state)}, &engine.LaterError{After: time.Minute}
		}}
		w := newFixture(t, s.backing(), fault{})
		id, _ := w.press("alone", 1)
		w.drain()
		if job := w.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "state") || runs != 1 {
			t.Errorf("%s: a job is %s %q after %d runs", name, job.State, job.Message, runs)
		}
		w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
		w.drainEvents()
		if entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcome != ledger.Failed || !strings.Contains(entry.Reasons["every"], "state") || runs != 2 {
			t.Errorf("%s: an event is %s %v after %d runs", name, entry.Outcome, entry.Reasons, runs)
		}
	}
}

// Fifty subscriptions with a state of eight kilobytes each do not fit one record: those that do not fail, and none runs twice.
func TestStatesThatDoNotFitTogetherFailOnlyTheirRuns(t *testing.T) {
	text := "actions: {work: {kind: script}}\nsubscriptions:\n"
	for i := range 50 {
		text += fmt.Sprintf("  s%02d: {pim: main, api: event-platform, events: [\"*\"], action: work}\n", i)
	}
	begun := map[string]int{}
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		if len(run.State) > 0 {
			return engine.Result{}, nil
		}
		begun[run.Subscription]++
		return engine.Result{State: json.RawMessage(`"` + strings.Repeat("x", 8<<10-2) + `"`)}, &engine.LaterError{After: time.Minute}
	}}
	w := newFixture(t, s.backing(), fault{})
	w.loads(text)
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	w.drainEvents()
	entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1")
	if err != nil || entry.Outcome != ledger.Applied || len(begun) != 50 {
		t.Fatalf("%s, %v, %d begun", entry.Outcome, err, len(begun))
	}
	failed := 0
	for name, outcome := range entry.Outcomes {
		if outcome == ledger.Failed {
			failed++
		}
		if begun[name] != 1 {
			t.Errorf("%s was begun %d times", name, begun[name])
		}
	}
	if failed == 0 || failed > 15 {
		t.Errorf("%d failed", failed)
	}
}

// unauthorized is the error of a client whose credentials were not accepted.
type unauthorized struct{ error }

func (unauthorized) Unauthorized() bool { return true }
func (unauthorized) Permanent() bool    { return true }
func (unauthorized) Reason() string     { return "the destination did not accept our credentials" }

// A key that was changed on one side is looked for within the turn.
func TestRefusedCredentialsAreRefreshedOnce(t *testing.T) {
	for _, c := range []struct {
		name             string
		secret           string // that a refresh brings
		looked           int    // how many refreshes come too soon after another look
		state            jobs.State
		refreshes, calls int
	}{
		{"there are new ones", "NEW", 0, jobs.Succeeded, 1, 2},
		{"there are none", "OLD", 0, jobs.Failed, 1, 1},
		{"the new ones are wrong too", "WRONG", 0, jobs.Failed, 1, 2},
		{"somebody looked just before: there may be new ones", "NEW", 1, jobs.Waiting, 1, 1},
		{"later there are", "NEW", 1, jobs.Succeeded, 2, 3},
		{"later there are none", "OLD", 1, jobs.Failed, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			secret, refreshes, calls := "OLD", 0, 0
			kind := &keyed{run: func(key string) error {
				if calls++; key != "NEW" {
					return unauthorized{errors.New("401")}
				}
				return nil
			}}
			b := memory
			b.kinds = map[string]engine.Kind{"script": kind}
			w := newFixture(t, b, fault{})
			w.engine.Config.Secrets = func(context.Context) (engine.Secrets, error) {
				return engine.Secrets{Values: map[string]string{"key": secret}}, nil
			}
			w.engine.Config.Refresh = func(_ context.Context, since time.Time) (fresh, known bool, err error) {
				if ago := w.clock.Now().Sub(since); ago < 0 || ago > time.Second {
					t.Errorf("asked for what was there %s ago", ago)
				}
				if refreshes++; refreshes <= c.looked {
					return false, false, nil
				}
				before := secret
				secret = c.secret
				return secret != before, true, nil
			}
			id, _ := w.press("alone", 1)
			w.deliver()
			if job := w.job(id); c.looked > 0 && c.state != jobs.Waiting {
				if job.State != jobs.Waiting || job.Cause != jobs.CauseCredentials {
					t.Errorf("meanwhile: %s (%s)", job.State, job.Cause)
				}
				w.clock.advance(15 * time.Second)
				w.deliver()
			}
			if job := w.job(id); job.State != c.state || refreshes != c.refreshes || calls != c.calls {
				t.Errorf("%s %q after %d refreshes and %d calls", job.State, job.Message, refreshes, calls)
			}
		})
	}
}

// keyed is a kind whose runs see the secret that it was opened with.
type keyed struct{ run func(key string) error }

func (*keyed) Check(config.Section) error { return nil }
func (k *keyed) Open(_ config.Section, secrets engine.Secrets) (engine.Action, error) {
	return &opened{k.run, secrets.Values["key"]}, nil
}

type opened struct {
	run func(string) error
	key string
}

func (*opened) Batch() int { return 0 }
func (o *opened) Run(context.Context, engine.Run) (engine.Result, error) {
	return engine.Result{}, o.run(o.key)
}

// A secret that is missing is a mistake that somebody has to mend: it is named at once, and logged as an error.
func TestAMistakeOfTheConfigurationIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ action, want string }{
		"a secret": {`{kind: notify, channel: slack, url: "secret:slack", text: x}`, "secret:slack is not in the connection secret"},
		"an auth":  {`{kind: forward, url: "https://erp.example.com", auth: erp}`, `auth "erp" is not in the connection secret`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newFixture(t, memory, fault{})
			w.loads("actions: {work: " + c.action + "}\nsubscriptions: {every: {pim: main, api: event-platform, events: [\"*\"], action: work}}\n" +
				"extensions: {button: {pim: main, type: action, positions: [pim.product.header], label: {default: B}, action: work}}")
			var log bytes.Buffer
			w.engine.Config.Log = slog.New(slog.NewJSONHandler(&log, nil))
			id, _ := w.press("work", 2)
			w.deliver()
			if job := w.job(id); job.State != jobs.Failed || job.Reason != jobs.ReasonPermanent || job.Cause != jobs.CauseConfiguration || !strings.Contains(job.Message, c.want) {
				t.Errorf("a job: %s (%s, %s) %q", job.State, job.Reason, job.Cause, job.Message)
			}
			w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
			w.drainEvents()
			if entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcome != ledger.Failed || !strings.Contains(entry.Reasons["every"], c.want) {
				t.Errorf("an event: %s %v", entry.Outcome, entry.Reasons)
			}
			if len(w.samples["ConfigurationMistakes"]) != 2 || strings.Count(log.String(), `"level":"ERROR"`) != 2 {
				t.Errorf("counted %v, logged %s", w.samples["ConfigurationMistakes"], log.String())
			}
		})
	}
}

// What a destination says is for the user who asked: the log has none of it, nor an e-mail address.
func TestTheLogHoldsNothingOfAnAnswer(t *testing.T) {
	const secret = "customer julia@example.com, token s3cr3t"
	for name, answer := range map[string]func() (engine.Result, error){
		"failures":  func() (engine.Result, error) { return engine.Result{Failures: []engine.Failure{{Reason: secret}}}, nil },
		"a message": func() (engine.Result, error) { return engine.Result{Message: secret}, nil },
		"a refusal": func() (engine.Result, error) { return engine.Result{}, engine.Permanent(secret, nil) },
		"a pause":   func() (engine.Result, error) { return engine.Result{}, &engine.ThrottledError{Reason: secret} },
		"later": func() (engine.Result, error) {
			return engine.Result{}, &engine.LaterError{After: time.Hour, Reason: secret}
		},
		"wrapped": func() (engine.Result, error) {
			return engine.Result{}, fmt.Errorf("call: %w", engine.Permanent(secret, nil))
		},
		"a panic": func() (engine.Result, error) { panic(secret) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { return answer() }}
			w := newFixture(t, s.backing(), fault{})
			var log bytes.Buffer
			w.engine.Config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			submitted, err := w.submitter.Submit(t.Context(), jobs.Job{ID: "button-1", Action: "alone", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main",
				Items: []jobs.Item{{Type: jobs.Product, ID: "p"}}, User: jobs.User{UUID: "u", Username: "julia@example.com"}})
			if err != nil {
				t.Fatal(err)
			}
			w.deliver()
			w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
			w.one()
			for _, word := range []string{"julia@example.com", "s3cr3t"} {
				if strings.Contains(log.String(), word) {
					t.Errorf("logged %s of job %s: %s", word, submitted.Job.ID, log.String())
				}
			}
		})
	}
}
