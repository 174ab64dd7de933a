package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// fixture is a Submitter with its store and queue, at a time that the test moves.
type fixture struct {
	*jobs.Submitter
	store *jobs.Memory
	queue *queue.Memory
	now   time.Time
	fail  error // of the next sends
}

func newFixture() *fixture {
	d := &fixture{now: noon}
	clock := func() time.Time { return d.now }
	d.store = jobs.NewMemory(jobs.MemoryConfig{Now: clock})
	d.queue = queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: clock})
	d.Submitter = jobs.NewSubmitter(jobs.SubmitConfig{Store: d.store, Queue: failing{d.queue, d}, Now: clock})
	return d
}

type failing struct {
	queue.Queue
	fixture *fixture
}

func (f failing) Send(ctx context.Context, messages ...queue.Message) error {
	if f.fixture.fail != nil {
		return f.fixture.fail
	}
	return f.Queue.Send(ctx, messages...)
}

func (d *fixture) sent(t *testing.T) int {
	depth, err := d.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return depth.Visible
}

func request(id string) jobs.Job {
	return jobs.Job{ID: id, Action: "send", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Once: "once", Items: []jobs.Item{{Type: jobs.Product, ID: "p"}}}
}

func TestSubmitRecordsSendsMarks(t *testing.T) {
	d := newFixture()
	submitted, err := d.Submit(t.Context(), request("a"))
	if err != nil || submitted.Verdict != jobs.Started || submitted.Job.State != jobs.Queued || d.sent(t) != 1 {
		t.Errorf("%+v, %v, %d messages", submitted, err, d.sent(t))
	}
}

func TestTheSameRequestIsTheSameJob(t *testing.T) {
	d := newFixture()
	for i, want := range []jobs.Verdict{jobs.Started, jobs.Repeated, jobs.Repeated} {
		submitted, err := d.Submit(t.Context(), request("a"))
		if err != nil || submitted.Verdict != want || submitted.Job.ID != "a" {
			t.Errorf("delivery %d: %+v, %v", i, submitted, err)
		}
	}
	if d.sent(t) != 1 {
		t.Errorf("%d messages", d.sent(t))
	}
}

func TestASecondPressMeetsTheRunningJob(t *testing.T) {
	d := newFixture()
	mustSubmit(t, d, "a")
	submitted, err := d.Submit(t.Context(), request("b"))
	if err != nil || submitted.Verdict != jobs.AlreadyRunning || submitted.Job.ID != "a" || d.sent(t) != 1 {
		t.Errorf("%+v, %v, %d messages", submitted, err, d.sent(t))
	}
	job, _ := d.store.Load(t.Context(), "a")
	job, _ = job.Start(jobs.Claim{Turn: 1, Now: d.now, Until: d.now.Add(time.Minute)})
	job, _ = d.store.Save(t.Context(), job)
	if _, err := d.store.Save(t.Context(), job.Advance(1, 0).Finish("", "")); err != nil {
		t.Fatal(err)
	}
	if submitted := mustSubmit(t, d, "c"); submitted.Verdict != jobs.Started {
		t.Errorf("after the end: %+v", submitted)
	}
}

func TestAFailedSendAsksToPressAgain(t *testing.T) {
	d := newFixture()
	d.fail = errors.New("SQS is away")
	if _, err := d.Submit(t.Context(), request("a")); !isNotStarted(err) {
		t.Errorf("error %v", err)
	}
	if job, _ := d.store.Get(t.Context(), "a"); job.State != jobs.Failed || job.Reason != jobs.ReasonNotQueued {
		t.Errorf("%s (%s)", job.State, job.Reason)
	}
	d.fail = nil
	if _, err := d.Submit(t.Context(), request("a")); !isNotStarted(err) {
		t.Errorf("the same bytes got another answer: %v", err)
	}
	if submitted := mustSubmit(t, d, "b"); submitted.Verdict != jobs.Started {
		t.Errorf("a new press: %+v", submitted)
	}
}

func TestAJobLeftRecordedIsSentByWhoeverFindsItYoung(t *testing.T) {
	for _, c := range []struct {
		name, id string
		verdict  jobs.Verdict
	}{
		{"by the same bytes", "a", jobs.Repeated},
		{"through the once key", "b", jobs.AlreadyRunning},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFixture()
			leaveRecorded(t, d)
			d.now = d.now.Add(4 * time.Minute)
			submitted := mustSubmit(t, d, c.id)
			if submitted.Verdict != c.verdict || submitted.Job.ID != "a" || submitted.Job.State != jobs.Queued || d.sent(t) != 1 {
				t.Errorf("%+v, %d messages", submitted, d.sent(t))
			}
		})
	}
}

func TestAJobLeftRecordedForFiveMinutesIsOver(t *testing.T) {
	d := newFixture()
	leaveRecorded(t, d)
	d.now = d.now.Add(5 * time.Minute)
	if _, err := d.Submit(t.Context(), request("a")); !isNotStarted(err) {
		t.Errorf("the same bytes: %v", err)
	}
	if submitted := mustSubmit(t, d, "b"); submitted.Verdict != jobs.Started || submitted.Job.ID != "b" {
		t.Errorf("a new press: %+v", submitted)
	}
	if old, _ := d.store.Get(t.Context(), "a"); old.State != jobs.Failed || old.Reason != jobs.ReasonNotStarted {
		t.Errorf("the old one is %s (%s): a late mark could still start it", old.State, old.Reason)
	}
}

func TestADeadLetterNoLongerKeepsOthersOut(t *testing.T) {
	d := newFixture()
	mustSubmit(t, d, "a")
	job, _ := d.store.Load(t.Context(), "a")
	job, _ = job.Start(jobs.Claim{Turn: 1, Last: true, Now: d.now, Until: d.now.Add(time.Minute)})
	if _, err := d.store.Save(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(2 * time.Minute)
	if submitted := mustSubmit(t, d, "b"); submitted.Verdict != jobs.Started {
		t.Errorf("%+v", submitted)
	}
	old, _ := d.store.Get(t.Context(), "a")
	if _, decision := old.Start(jobs.Claim{Turn: 1, Now: d.now, Until: d.now.Add(time.Minute)}); decision != jobs.Granted {
		t.Error("a redrive cannot start it any more")
	}
}

func TestTooLargeIsSaidAsSuch(t *testing.T) {
	d := newFixture()
	job := request("a")
	job.Items = make([]jobs.Item, jobs.MaxItems+1)
	for i := range job.Items {
		job.Items[i] = jobs.Item{Type: jobs.Product, ID: "p"}
	}
	if _, err := d.Submit(t.Context(), job); !errors.Is(err, jobs.ErrTooLarge) || d.sent(t) != 0 {
		t.Errorf("%v, %d messages", err, d.sent(t))
	}
}

func TestWatchReturnsAtTheEndOrAtItsTime(t *testing.T) {
	d := newFixture()
	mustSubmit(t, d, "a")
	if job, err := jobs.Watch(t.Context(), d.store, "a", d.now, func() time.Time { return d.now }); err != nil || job.State != jobs.Queued {
		t.Errorf("time over: %s, %v", job.State, err)
	}
	job, _ := d.store.Load(t.Context(), "a")
	if _, err := d.store.Save(t.Context(), job.Cancel(d.now)); err != nil {
		t.Fatal(err)
	}
	if job, err := jobs.Watch(t.Context(), d.store, "a", d.now.Add(time.Hour), func() time.Time { return d.now }); err != nil || job.State != jobs.Cancelled {
		t.Errorf("ended: %s, %v", job.State, err)
	}
	if _, err := jobs.Watch(t.Context(), d.store, "nobody", d.now.Add(time.Hour), time.Now); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func mustSubmit(t *testing.T, d *fixture, id string) jobs.Submitted {
	t.Helper()
	submitted, err := d.Submit(t.Context(), request(id))
	if err != nil {
		t.Fatal(err)
	}
	return submitted
}

// leaveRecorded plays a process that dies between record and send.
func leaveRecorded(t *testing.T, d *fixture) {
	t.Helper()
	job := request("a")
	job.State, job.CreatedAt, job.Total = jobs.Recorded, d.now, 1
	if _, err := d.store.Create(t.Context(), job, nil); err != nil {
		t.Fatal(err)
	}
}

func isNotStarted(err error) bool {
	_, ok := errors.AsType[*jobs.NotStartedError](err)
	return ok
}
