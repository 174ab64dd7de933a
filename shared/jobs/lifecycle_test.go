package jobs_test

import (
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestStartDecides(t *testing.T) {
	until := noon.Add(2 * time.Minute)
	lease := func(end time.Time) jobs.Lease { return jobs.Lease{Token: 4, Until: end} }
	for _, c := range []struct {
		name string
		job  jobs.Job
		want jobs.Start
	}{
		{"queued", jobs.Job{State: jobs.Queued, CreatedAt: noon.Add(-time.Hour)}, jobs.Granted},
		{"waiting", jobs.Job{State: jobs.Waiting, CreatedAt: noon.Add(-time.Hour)}, jobs.Granted},
		{"recorded just now: its message was faster than its mark", jobs.Job{State: jobs.Recorded, CreatedAt: noon.Add(-time.Second)}, jobs.Granted},
		{"recorded a moment less than five minutes ago", jobs.Job{State: jobs.Recorded, CreatedAt: noon.Add(-5*time.Minute + time.Nanosecond)}, jobs.Granted},
		{"recorded five minutes ago: the user was told to press again", jobs.Job{State: jobs.Recorded, CreatedAt: noon.Add(-5 * time.Minute)}, jobs.Abandoned},
		{"a follow-up recorded a day ago: nobody could press again", jobs.Job{State: jobs.Recorded, Trigger: jobs.TriggerThen, CreatedAt: noon.Add(-24 * time.Hour)}, jobs.Granted},
		{"running under a live lease", jobs.Job{State: jobs.Running, Lease: lease(noon.Add(time.Nanosecond))}, jobs.Leased},
		{"running under a lease that ends now: its worker is dead", jobs.Job{State: jobs.Running, Lease: lease(noon)}, jobs.Granted},
		{"dead letter, redriven", jobs.Job{State: jobs.Running, Lease: lease(noon.Add(-time.Hour)), LastReceive: true}, jobs.Granted},
		{"succeeded", jobs.Job{State: jobs.Succeeded}, jobs.Over},
		{"partial", jobs.Job{State: jobs.Partial}, jobs.Over},
		{"failed", jobs.Job{State: jobs.Failed}, jobs.Over},
		{"cancelled", jobs.Job{State: jobs.Cancelled}, jobs.Over},
	} {
		t.Run(c.name, func(t *testing.T) {
			started, got := c.job.Start(jobs.Claim{Now: noon, Until: until, Last: true})
			if got != c.want {
				t.Fatalf("decision %v, want %v", got, c.want)
			}
			switch got {
			case jobs.Granted:
				if started.State != jobs.Running || started.Lease.Token != c.job.Lease.Token+1 || !started.Lease.Until.Equal(until) || !started.LastReceive || started.Attempt != 1 {
					t.Errorf("started as %+v", started)
				}
			case jobs.Abandoned:
				if started.State != jobs.Failed || started.Reason != jobs.ReasonNotStarted {
					t.Errorf("abandoned as %s, %s", started.State, started.Reason)
				}
			}
		})
	}
}

// A message goes on with its job only if no later one does. One without a turn never waits: another message is there.
func TestStartObeysTurns(t *testing.T) {
	until := noon.Add(time.Minute)
	leased := jobs.Job{State: jobs.Running, Turn: 5, Lease: jobs.Lease{Token: 1, Until: until}}
	paused := jobs.Job{State: jobs.Waiting, Turn: 5, CreatedAt: noon, NotBefore: until}
	free := jobs.Job{State: jobs.Waiting, Turn: 5, CreatedAt: noon}
	first := func(job jobs.Job) jobs.Job { job.Turn = 0; return job } // of the first version, whose messages have none
	for _, c := range []struct {
		name string
		job  jobs.Job
		turn int64
		want jobs.Start
		then int64 // the job's turn after it
	}{
		{"its own turn", free, 5, jobs.Granted, 5},
		{"a turn that the record does not have yet", free, 6, jobs.Granted, 6},
		{"a turn of the past", free, 4, jobs.Superseded, 5},
		{"no turn", free, 0, jobs.Granted, 5},
		{"its own turn, under another's lease", leased, 5, jobs.Leased, 5},
		{"no turn, under another's lease", leased, 0, jobs.Superseded, 5},
		{"no turn on either side, under another's lease", first(leased), 0, jobs.Leased, 0},
		{"its own turn, in a pause", paused, 5, jobs.Early, 5},
		{"no turn, in a pause", paused, 0, jobs.Superseded, 5},
		{"no turn on either side, in a pause", first(paused), 0, jobs.Early, 0},
	} {
		if got, decision := c.job.Start(jobs.Claim{Turn: c.turn, Now: noon, Until: until}); decision != c.want || got.Turn != c.then {
			t.Errorf("%s: %v at turn %d, want %v at %d", c.name, decision, got.Turn, c.want, c.then)
		}
	}
}

func TestAStartRemembersWhatStillHolds(t *testing.T) {
	for _, c := range []struct {
		name        string
		job         jobs.Job
		interrupted bool
		cause       string
	}{
		{"a run that was given back", jobs.Job{State: jobs.Waiting, CreatedAt: noon, Cause: jobs.CauseDestinationDown}, false, ""},
		{"a run that did not come back", jobs.Job{State: jobs.Running, CreatedAt: noon, Lease: jobs.Lease{Until: noon}}, true, ""},
		{"one before it did not", jobs.Job{State: jobs.Waiting, CreatedAt: noon, Interrupted: true}, true, ""},
		{"items that failed for good", jobs.Job{State: jobs.Waiting, CreatedAt: noon, Reason: jobs.ReasonPermanent, Cause: jobs.CauseConfiguration}, false, jobs.CauseConfiguration},
	} {
		if got, decision := c.job.Start(jobs.Claim{Now: noon, Until: noon.Add(time.Minute)}); decision != jobs.Granted || got.Interrupted != c.interrupted || got.Cause != c.cause {
			t.Errorf("%s: %v, interrupted %t, cause %q", c.name, decision, got.Interrupted, got.Cause)
		}
	}
}

func TestAJobCountsWhatIsThrough(t *testing.T) {
	got := (jobs.Job{Next: 10, Done: 8, Failed: 2, Tries: 3, DownSince: noon, Interrupted: true}).Advance(5, 2)
	if got.Next != 15 || got.Done != 11 || got.Failed != 4 || got.Tries != 0 || !got.DownSince.IsZero() || got.Interrupted {
		t.Errorf("%+v", got)
	}
}

// A job of which nothing failed has neither a reason nor a cause of failure, whatever it waited for on its way.
func TestASuccessHasNoCauseOfFailure(t *testing.T) {
	waited := jobs.Job{State: jobs.Running, Done: 1, Cause: jobs.CauseDestinationDown}
	if got := waited.Finish(jobs.ReasonPermanent, ""); got.State != jobs.Succeeded || got.Reason != "" || got.Cause != "" {
		t.Errorf("%+v", got)
	}
	waited.Failed = 1
	if got := waited.Finish(jobs.ReasonPermanent, ""); got.State != jobs.Partial || got.Reason != jobs.ReasonPermanent || got.Cause != jobs.CauseDestinationDown {
		t.Errorf("%+v", got)
	}
}

// A cancel waits for a worker that is on the job, not for one that is dead.
func TestACancelWaitsForALiveWorkerAlone(t *testing.T) {
	lease := func(state jobs.State, until time.Time) jobs.Job {
		return jobs.Job{State: state, CreatedAt: noon, Lease: jobs.Lease{Token: 1, Until: until}}
	}
	if got := lease(jobs.Running, noon.Add(time.Nanosecond)).Cancel(noon); got.State != jobs.Running || !got.Stop {
		t.Errorf("under a live lease: %+v", got)
	}
	for name, job := range map[string]jobs.Job{"its worker is dead": lease(jobs.Running, noon), "queued": lease(jobs.Queued, time.Time{}), "a worker had it": lease(jobs.Waiting, noon.Add(time.Minute))} {
		if got := job.Cancel(noon); got.State != jobs.Cancelled || got.Stop {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTheNextBatch(t *testing.T) {
	for _, c := range []struct{ next, total, batch, first, last int }{
		{0, 10, 4, 0, 4}, {4, 10, 4, 4, 8}, {8, 10, 4, 8, 10}, {3, 10, 1, 3, 4}, {10, 10, 4, 10, 10}, {0, 0, 4, 0, 0},
		{0, 10, 0, 0, 10}, {4, 10, 0, 4, 10}, // not fixed yet: all that is left
	} {
		if first, last := (jobs.Job{Next: c.next, Total: c.total, Batch: c.batch}).NextBatch(); first != c.first || last != c.last {
			t.Errorf("%+v: %d to %d", c, first, last)
		}
	}
}

func TestReadersSeeTheEndsThatNobodyWrites(t *testing.T) {
	for _, c := range []struct {
		name   string
		job    jobs.Job
		state  jobs.State
		reason string
	}{
		{"recorded, young", jobs.Job{State: jobs.Recorded, CreatedAt: noon.Add(-time.Minute)}, jobs.Recorded, ""},
		{"recorded, old", jobs.Job{State: jobs.Recorded, CreatedAt: noon.Add(-time.Hour)}, jobs.Failed, jobs.ReasonNotStarted},
		{"queued for less than a day: a backlog", jobs.Job{State: jobs.Queued, CreatedAt: noon.Add(-24*time.Hour + time.Nanosecond)}, jobs.Queued, ""},
		{"queued for a day: its message died before a worker began", jobs.Job{State: jobs.Queued, CreatedAt: noon.Add(-24 * time.Hour)}, jobs.Failed, jobs.ReasonDeadLetter},
		{"queued for a day, and written since", jobs.Job{State: jobs.Queued, CreatedAt: noon.Add(-24 * time.Hour), UpdatedAt: noon.Add(-time.Hour)}, jobs.Queued, ""},
		{"waiting for its next try", jobs.Job{State: jobs.Waiting, CreatedAt: noon.Add(-240 * time.Hour), NextTry: noon.Add(time.Hour)}, jobs.Waiting, ""},
		{"a day after its next try: its message died", jobs.Job{State: jobs.Waiting, CreatedAt: noon.Add(-240 * time.Hour), NextTry: noon.Add(-24 * time.Hour)}, jobs.Failed, jobs.ReasonDeadLetter},
		{"interrupted, its message comes again", jobs.Job{State: jobs.Running, Lease: jobs.Lease{Until: noon.Add(-time.Minute)}}, jobs.Running, ""},
		{"interrupted on the last receive", jobs.Job{State: jobs.Running, LastReceive: true, Lease: jobs.Lease{Until: noon.Add(-time.Minute)}}, jobs.Failed, jobs.ReasonDeadLetter},
		{"running on the last receive", jobs.Job{State: jobs.Running, LastReceive: true, Lease: jobs.Lease{Until: noon.Add(time.Minute)}}, jobs.Running, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if read := c.job.AsOf(noon); read.State != c.state || read.Reason != c.reason {
				t.Errorf("reads as %s, %q; want %s, %q", read.State, read.Reason, c.state, c.reason)
			}
		})
	}
}

func TestFinishCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		job  jobs.Job
		want jobs.State
	}{
		{"all done", jobs.Job{Done: 3, Total: 3}, jobs.Succeeded},
		{"nothing to do", jobs.Job{}, jobs.Succeeded},
		{"nothing to do, and that failed", jobs.Job{Broken: true}, jobs.Failed},
		{"some", jobs.Job{Done: 1, Failed: 2, Total: 3}, jobs.Partial},
		{"none", jobs.Job{Failed: 3, Total: 3}, jobs.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.job.Finish("", "").State; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestCancelStopsAtOnceOrAfterTheBatch(t *testing.T) {
	running := jobs.Job{State: jobs.Running, Lease: jobs.Lease{Until: noon.Add(time.Minute)}}
	if got := running.Cancel(noon); got.State != jobs.Running || !got.Stop {
		t.Errorf("running: %s, stop %v; want it to go on to its checkpoint", got.State, got.Stop)
	}
	for _, state := range []jobs.State{jobs.Recorded, jobs.Queued, jobs.Waiting} {
		if got := (jobs.Job{State: state, CreatedAt: noon}).Cancel(noon); got.State != jobs.Cancelled {
			t.Errorf("%s: became %s", state, got.State)
		}
	}
	if got := (jobs.Job{State: jobs.Partial}).Cancel(noon); got.State != jobs.Partial {
		t.Errorf("an end was overwritten: %s", got.State)
	}
}

func TestIDsAreOfTheirRequestAlone(t *testing.T) {
	id := jobs.ID("export_to_erp", []byte("body"))
	if len(id) != len("export_to_erp-")+22 || id != jobs.ID("export_to_erp", []byte("body")) {
		t.Errorf("ID %q", id)
	}
	if id == jobs.ID("export_to_erp", []byte("body ")) || jobs.Digest([]byte("ab"), []byte("c")) == jobs.Digest([]byte("a"), []byte("bc")) {
		t.Error("two requests share an ID")
	}
	if jobs.Digest([]byte("a"), []byte("b")) == jobs.Digest([]byte("a\x00\x00\x00\x00\x00\x00\x00\x00b")) {
		t.Error("two lists of parts have one digest")
	}
	a, b := jobs.Item{Type: jobs.Product, ID: "1"}, jobs.Item{Type: jobs.ProductModel, ID: "1"}
	same := jobs.OnceKey("x", "y", []jobs.Item{a, b}, "en_US", "web")
	if same != jobs.OnceKey("x", "y", []jobs.Item{b, a}, "en_US", "web") {
		t.Error("the order of a selection changes its once key")
	}
	for name, other := range map[string]string{
		"channel": jobs.OnceKey("x", "y", []jobs.Item{a, b}, "en_US", "print"),
		"items":   jobs.OnceKey("x", "y", []jobs.Item{a}, "en_US", "web"),
		"action":  jobs.OnceKey("x", "z", []jobs.Item{a, b}, "en_US", "web"),
	} {
		if other == same {
			t.Errorf("another %s has the same once key", name)
		}
	}
}

func TestARedriveBeginsAnew(t *testing.T) {
	dead := jobs.Job{State: jobs.Running, LastReceive: true, Lease: jobs.Lease{Until: noon.Add(-time.Hour)}, Turn: 5,
		Tries: 7, DownSince: noon.Add(-time.Hour), Asked: time.Hour, NotBefore: noon.Add(time.Hour)}
	started, decision := dead.Start(jobs.Claim{Turn: 2, Now: noon, Until: noon.Add(time.Minute)})
	if decision != jobs.Granted || started.Tries != 0 || !started.DownSince.IsZero() || started.Asked != 0 || !started.NotBefore.IsZero() || started.Turn != 5 {
		t.Errorf("%v: %+v", decision, started)
	}
}
