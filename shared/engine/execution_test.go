package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// rest delivers until a job waits for its signal, or has ended.
func (w *fixture) rest(id string) jobs.Job {
	w.Helper()
	for range 400 {
		if job, err := w.store.(faultyStore).Store.Get(w.Context(), id); err != nil || job.State.Ended() || job.AtRest() {
			return job
		}
		if !w.deliver() {
			w.clock.advance(time.Minute)
		}
	}
	w.Fatal("the job does not come to rest")
	return jobs.Job{}
}

// tell sends the event of an execution's status, as the PIM does, and plays what follows.
func (v *written) tell(x pimtest.Execution, status pimtest.Status) {
	v.Helper()
	v.told++
	v.bring(string(x.Event(fmt.Sprintf("status-%d", v.told), status, v.clock.Now())))
	v.drainEvents()
}

// completed is the status of a PIM's job that went well.
func (v *written) completed() pimtest.Status {
	return pimtest.Status{Name: "completed", Rows: 1240, End: v.clock.Now()}
}

func TestAJobEndsAsThePIMsJobDid(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		action string
		status pimtest.Status
		state  jobs.State
		want   string // in the message
	}{
		{"completed", "run", pimtest.Status{Name: "completed", Rows: 1240}, jobs.Succeeded, `the PIM's export "CSV product export" has ended: 1240 rows: http`},
		{"in capitals", "run", pimtest.Status{Name: "COMPLETED", Rows: 1}, jobs.Succeeded, "1 row: "},
		{"nothing found", "run", pimtest.Status{Name: "completed"}, jobs.Succeeded, "it found nothing"},
		{"an import with warnings", "load", pimtest.Status{Name: "completed", Rows: 300, Skipped: 5, Warnings: 1}, jobs.Succeeded, "300 rows, 5 skipped, 1 warning: "},
		{"failed", "run", pimtest.Status{Name: "failed"}, jobs.Failed, `"CSV product export" failed: http`},
		{"stopped", "run", pimtest.Status{Name: "stopped"}, jobs.Failed, "was stopped"},
		{"abandoned", "run", pimtest.Status{Name: "ABANDONED"}, jobs.Failed, "was abandoned"},
		{"an end of a status that is new", "run", pimtest.Status{Name: "vanished", End: time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)}, jobs.Failed, "does not say that it succeeded"},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
			id := v.pressed(row.action)
			if job := v.rest(id); !job.AtRest() || job.Awaits.For != jobs.WaitPIMJob || len(v.Executions()) != 1 {
				t.Fatalf("%s, %d launched: %s", job.State, len(v.Executions()), job.Message)
			}
			x := v.Executions()[0]
			v.tell(x, pimtest.Status{Name: "starting"})
			other := x
			other.ID += 1000
			v.tell(other, v.completed())
			if job := v.rest(id); !job.AtRest() {
				t.Fatalf("an end of another run, or no end, ended it: %s", job.State)
			}
			v.tell(x, row.status)
			v.tell(x, pimtest.Status{Name: "in_progress"}) // events come out of order
			v.drain()
			job := v.job(id)
			if job.State != row.state || !strings.Contains(job.Message, row.want) || !strings.Contains(string(job.Result), fmt.Sprintf(`/#/job/show/%d"`, x.ID)) {
				t.Errorf("%s, %q, %s", job.State, job.Message, job.Result)
			}
		})
	}
}

// Whatever the PIM answers to the launch, and whichever comes first, its answer or the event.
func TestALaunchFindsItsEnd(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]pimtest.LaunchForm{"a number": pimtest.LaunchNumber, "a text": pimtest.LaunchText, "a UUID": pimtest.LaunchUUID, "nothing": pimtest.LaunchSilent} {
		for _, first := range []string{"the answer", "the event"} {
			for _, lost := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s first, lost: %v", name, first, lost), func(t *testing.T) {
					v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
					v.AnswerLaunches(form)
					if lost {
						v.Lose("/api/rest/v1/jobs", 1)
					}
					foreign, err := v.Run("csv_product_export") // somebody else's, that began before
					if err != nil {
						t.Fatal(err)
					}
					v.clock.advance(time.Minute)
					if first == "the event" {
						v.OnLaunch(func(x pimtest.Execution) { v.tell(foreign, v.completed()); v.tell(x, v.completed()) })
					}
					id := v.pressed("run", products(0, 1)...)
					job := v.rest(id)
					if first == "the answer" {
						if !job.AtRest() {
							t.Fatalf("%s: %s", job.State, job.Message)
						}
						v.tell(foreign, v.completed())
						if job := v.rest(id); !job.AtRest() {
							t.Fatalf("a run that began before ended it: %s", job.Message)
						}
						v.tell(v.Executions()[1], v.completed())
					}
					v.drain()
					if job = v.job(id); job.State != jobs.Succeeded || job.Done != 1 || len(v.Executions()) != 2 || !strings.Contains(job.Message, "/4712") {
						t.Errorf("%s, %d launched: %s", job.State, len(v.Executions()), job.Message)
					}
				})
			}
		}
	}
}

func TestAPIMsJobThatIsNotThereOrNeverEnds(t *testing.T) {
	t.Parallel()
	v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
	id := v.pressed("run-unknown")
	v.drain()
	if job := v.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "no_such_profile") {
		t.Errorf("%s: %s", job.State, job.Message)
	}
	v.Fail("/api/rest/v1/jobs", 403, 1)
	id = v.pressed("run")
	v.drain()
	if job := v.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "give its user that right") {
		t.Errorf("%s: %s", job.State, job.Message)
	}
	id = v.pressed("run")
	begun := v.clock.Now()
	v.drain()
	if job := v.job(id); job.State != jobs.Failed || job.Reason != jobs.ReasonNoSignal || job.UpdatedAt.Sub(begun) > 3*time.Hour || len(v.Executions()) != 1 {
		t.Errorf("%s, %s: %s", job.State, job.Reason, job.Message)
	}
	v.tell(v.Executions()[0], v.completed()) // too late
	v.drain()
	if job := v.job(id); job.State != jobs.Failed {
		t.Errorf("afterwards: %s", job.State)
	}
}

// Where only the profile tells which run is whose, one launch is under way at a time.
func TestLaunchesThatOnlyTheProfileTellsApartFollowEachOther(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		ends  func(v *written, first string) // how the first is over
		state jobs.State                     // of the first
	}{
		{"the first ends", func(v *written, _ string) { v.tell(v.Executions()[0], v.completed()) }, jobs.Succeeded},
		{"a user stops waiting for the first", func(v *written, first string) {
			job, err := v.store.Get(v.Context(), first)
			if err != nil {
				v.Fatal(err)
			}
			if _, err := v.store.PutSignal(v.Context(), jobs.Signal{Job: first, Wait: job.Awaits.Name, Kind: jobs.SignalGiveUp, At: v.clock.Now()}); err != nil {
				v.Fatal(err)
			}
			if err := v.queue.Send(v.Context(), jobs.Message(first, 0)); err != nil {
				v.Fatal(err)
			}
		}, jobs.Failed},
		{"the first's time is over", func(v *written, _ string) { v.clock.advance(time.Hour) }, jobs.Failed},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
			v.AnswerLaunches(pimtest.LaunchUUID)
			first := v.pressed("run")
			v.rest(first)
			v.clock.advance(time.Hour)
			second := v.pressed("run")
			for range 10 {
				v.deliver()
				v.clock.advance(20 * time.Second)
			}
			if job := v.job(second); len(v.Executions()) != 1 || job.State != jobs.Waiting || !strings.Contains(job.Message, "another launch") {
				t.Fatalf("%d launched; %s: %s", len(v.Executions()), job.State, job.Message)
			}
			row.ends(v, first)
			if v.rest(first); !v.rest(second).AtRest() || len(v.Executions()) != 2 {
				t.Fatalf("%d launched", len(v.Executions()))
			}
			v.tell(v.Executions()[1], v.completed())
			v.drain()
			if a, b := v.job(first), v.job(second); a.State != row.state || b.State != jobs.Succeeded {
				t.Errorf("first %s: %s; second %s: %s", a.State, a.Message, b.State, b.Message)
			}
		})
	}
	t.Run("a number tells them apart", func(t *testing.T) {
		v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
		first, second := v.pressed("run"), v.pressed("run")
		if !v.rest(first).AtRest() || !v.rest(second).AtRest() || len(v.Executions()) != 2 {
			t.Fatalf("%d launched", len(v.Executions()))
		}
		v.tell(v.Executions()[1], v.completed())
		v.tell(v.Executions()[0], pimtest.Status{Name: "failed"})
		v.drain()
		states := map[jobs.State]int{v.job(first).State: 1}
		states[v.job(second).State]++
		if states[jobs.Succeeded] != 1 || states[jobs.Failed] != 1 {
			t.Errorf("%v", states)
		}
	})
}

// The end of a launch that waits for its turn longer than it may is clear: nothing was launched.
func TestALaunchThatNeverHasItsTurn(t *testing.T) {
	t.Parallel()
	v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
	other := jobs.Launch{Job: "other", Wait: "0-0", Since: v.clock.Now(), Until: v.clock.Now().Add(24 * time.Hour), Made: true}
	if err := v.profiles.SaveProfile(t.Context(), jobs.Profile{Key: jobs.ProfileKey("main", "export", "csv_product_export"), Open: &other}); err != nil {
		t.Fatal(err)
	}
	id := v.pressed("run")
	v.drain()
	if job := v.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "nothing was launched") || len(v.Executions()) != 0 {
		t.Errorf("%s: %s", job.State, job.Message)
	}
}

// A failure at any operation, before it or after it, with or without the process: the profile is launched once at most, and
// if it was, the job ends as the PIM's job did.
func TestAFailureAtAnyOperationOfALaunch(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]pimtest.LaunchForm{"a number": pimtest.LaunchNumber, "a UUID": pimtest.LaunchUUID} {
		for _, early := range []bool{false, true}[:2-min(int(form), 1)] { // the event first for numbers alone: the sweep is long enough
			scenario := func(t *testing.T, b backing, plan fault) *faults {
				v := newFixture(t, b, fault{}).playWriting(large(1, 0))
				v.AnswerLaunches(form)
				if early {
					v.OnLaunch(func(x pimtest.Execution) {
						v.bring(string(x.Event("ended", v.completed(), v.clock.Now())))
					})
				}
				id := v.pressed("run")
				v.faults.plan, v.faults.count = plan, 0
				if early { // job and event are worked in turns
					for range 40 {
						v.deliver()
						v.deliverEvents()
						v.clock.advance(20 * time.Second)
					}
				} else {
					v.rest(id)
					for _, x := range v.Executions() {
						v.bring(string(x.Event("ended", v.completed(), v.clock.Now())))
					}
				}
				v.drainEvents()
				v.drain()
				count := v.faults.count
				job := v.job(id)
				launched := len(v.Executions())
				if launched > 1 || launched == 1 && job.State != jobs.Succeeded || launched == 0 && (job.State != jobs.Failed || job.Reason != jobs.ReasonNoSignal) {
					t.Errorf("%d launched: %s, %s: %s", launched, job.State, job.Reason, job.Message)
				}
				v.faults.count = count
				return v.faults
			}
			t.Run(fmt.Sprintf("%s, event first: %v", name, early), func(t *testing.T) { sweepBackings(t, 12, scenario) })
		}
	}
}

// deliverEvents is one invocation of the events queue, if there is something in it.
func (w *fixture) deliverEvents() {
	messages, err := w.events.Receive(w.Context(), 10, 0)
	if err != nil {
		w.Fatal(err)
	}
	if len(messages) > 0 {
		w.invoke(messages)
	}
}

// bring plays a webhook that does not fail.
func (w *fixture) bring(body string) {
	w.Helper()
	w.deliveries++
	if err := w.events.(faultyQueue).Queue.Send(w.Context(), queue.Message{Body: []byte(body), Attributes: map[string]string{
		pimevent.AttributeAPI: pimevent.EventPlatform, pimevent.AttributePIM: "main", pimevent.AttributeReceived: w.clock.Now().Format(time.RFC3339Nano),
		pimevent.AttributeCorrelation: "r", pimevent.AttributeDelivery: fmt.Sprint(w.deliveries),
	}}); err != nil {
		w.Fatal(err)
	}
}

// An event starts a job of the PIM's as a job of ours, once. An end that our own connection has caused ends the job that waits
// for it, and starts nothing: it would go round for ever.
func TestAnEventStartsAPIMsJob(t *testing.T) {
	t.Parallel()
	v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
	for range 2 {
		v.bring(platform("changed", "asset.updated", `"asset":{"code":"a1","asset_family":{"code":"images"}},"author":{"identifier":"julia","type":"user"}`, v.clock.Now()))
		v.drainEvents()
	}
	all := v.store.(faultyStore).Store.(*jobs.Memory).All()
	if len(all) != 1 || !v.rest(all[0].ID).AtRest() || len(v.Executions()) != 1 {
		t.Fatalf("%d jobs, %d launched", len(all), len(v.Executions()))
	}
	v.tell(v.Executions()[0], v.completed())
	v.drain()
	if job := v.job(all[0].ID); job.State != jobs.Succeeded {
		t.Errorf("%s: %s", job.State, job.Message)
	}

	id := v.pressed("load")
	v.rest(id)
	end := strings.Replace(string(v.Executions()[1].Event("own", v.completed(), v.clock.Now())), `{"identifier":"system","type":"system"}`, `{"identifier":"our-client","type":"api"}`, 1)
	v.bring(end)
	v.drainEvents()
	v.drain()
	if job := v.job(id); job.State != jobs.Succeeded || len(v.Executions()) != 2 || v.count("self") != 1 {
		t.Errorf("%s, %d launched, %d own: %s", job.State, len(v.Executions()), v.count("self"), job.Message)
	}
}

// The records that a launch and its end find each other by, on the real table too.
func TestALaunchOnTheRealRecords(t *testing.T) {
	for name, b := range backings(t) {
		if b.undelayed { // it is about records, not about messages
			continue
		}
		for _, form := range []pimtest.LaunchForm{pimtest.LaunchNumber, pimtest.LaunchUUID} {
			for _, early := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, form %d, event first: %v", name, form, early), func(t *testing.T) {
					v := newFixture(t, b, fault{}).playWriting(large(1, 0))
					v.AnswerLaunches(form)
					if early {
						v.OnLaunch(func(x pimtest.Execution) { v.tell(x, v.completed()) })
					}
					id := v.pressed("run")
					v.rest(id)
					if !early {
						v.tell(v.Executions()[0], v.completed())
					}
					v.drain()
					if job := v.job(id); job.State != jobs.Succeeded || len(v.Executions()) != 1 {
						t.Errorf("%s, %d launched: %s", job.State, len(v.Executions()), job.Message)
					}
				})
			}
		}
	}
}
