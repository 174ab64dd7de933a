package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
	fail  error  // of the next sends
	while func() // what another does while a message is sent; nil: nothing
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
	if f.fixture.while != nil {
		f.fixture.while()
	}
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

// unreadable is a store whose reads fail.
type unreadable struct{ *jobs.Memory }

func (unreadable) Get(context.Context, string) (jobs.Job, error) {
	return jobs.Job{}, errors.New("DynamoDB is away")
}

// Another may move the job while its message is sent, and the answer of a send may be lost: what the record says then
// counts, and success is answered only for a job that somebody works or has queued.
func TestWhatAnotherDoesWhileTheMessageIsSentCounts(t *testing.T) {
	down := errors.New("SQS is away")
	start := func(job jobs.Job) jobs.Job {
		job, _ = job.Start(jobs.Claim{Turn: 1, Now: noon, Until: noon.Add(time.Minute)})
		return job
	}
	for _, c := range []struct {
		name       string
		fail       error
		change     func(jobs.Job) jobs.Job
		unreadable bool
		want       jobs.State // "": not started
	}{
		{"a worker has it, since the message arrived", down, start, false, jobs.Running},
		{"a worker has it, and the send was answered", nil, start, false, jobs.Running},
		{"a worker has ended it", down, func(job jobs.Job) jobs.Job { return start(job).Advance(1, 0).Finish("", "") }, false, jobs.Succeeded},
		{"another delivery has queued it", down, jobs.Job.Queue, false, jobs.Queued},
		{"another delivery could not queue it either", down, jobs.Job.NotQueued, false, ""},
		{"another press has given it up", down, func(job jobs.Job) jobs.Job {
			job.State, job.Reason = jobs.Failed, jobs.ReasonNotStarted
			return job
		}, false, ""},
		{"it was changed and is recorded still", down, func(job jobs.Job) jobs.Job { return job }, false, ""},
		{"nobody can tell", down, start, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFixture()
			if c.unreadable {
				d.Store = unreadable{d.store}
			}
			d.fail = c.fail
			d.while = func() {
				job, err := d.store.Load(t.Context(), "a")
				if err == nil {
					_, err = d.store.Save(t.Context(), c.change(job))
				}
				if err != nil {
					t.Error(err)
				}
			}
			submitted, err := d.Submit(t.Context(), request("a"))
			if c.want == "" {
				if !isNotStarted(err) {
					t.Errorf("%+v, %v", submitted, err)
				}
				return
			}
			if err != nil || submitted.Job.State != c.want || submitted.Verdict != jobs.Started || len(submitted.Job.Items) != 1 {
				t.Errorf("%+v, %v", submitted, err)
			}
		})
	}
}

// A press that meets a job whose message should have gone on an hour ago sends another: the first may be a dead letter.
func TestAPressSendsAnotherMessageForAJobThatIsOverdue(t *testing.T) {
	for wait, want := range map[time.Duration]int{time.Hour - time.Nanosecond: 1, time.Hour: 2} {
		d := newFixture()
		mustSubmit(t, d, "a")
		d.now = d.now.Add(wait)
		if submitted := mustSubmit(t, d, "b"); submitted.Verdict != jobs.AlreadyRunning || d.sent(t) != want {
			t.Errorf("after %s: %+v, %d messages, want %d", wait, submitted, d.sent(t), want)
		}
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

// watched is a store that counts its reads.
type watched struct {
	*jobs.Memory
	reads atomic.Int64
}

func (w *watched) Get(ctx context.Context, id string) (jobs.Job, error) {
	w.reads.Add(1)
	return w.Memory.Get(ctx, id)
}

func TestWatchSeesTheEndSoonAndReadsSeldom(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   time.Duration // of the job; 0: it does not end
		leave time.Duration // of the caller; 0: it stays
		after time.Duration // when Watch returns, at the latest
		state jobs.State
	}{
		{"the job ends at once", time.Millisecond, 0, 25 * time.Millisecond, jobs.Cancelled},
		{"the job ends later", 1900 * time.Millisecond, 0, 2100 * time.Millisecond, jobs.Cancelled},
		{"the time ends first", 0, 0, 4 * time.Second, jobs.Queued},
		{"the caller leaves", 0, time.Second, time.Second, jobs.Queued},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &watched{Memory: jobs.NewMemory(jobs.MemoryConfig{Now: time.Now})}
				job, err := store.Create(t.Context(), jobs.Job{ID: "a", State: jobs.Queued, CreatedAt: time.Now()}, nil)
				if err != nil {
					t.Fatal(err)
				}
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				if c.end > 0 {
					time.AfterFunc(c.end, func() { _, _ = store.Save(t.Context(), job.Cancel(time.Now())) })
				}
				if c.leave > 0 {
					time.AfterFunc(c.leave, leave)
				}
				begun := time.Now()
				got, err := jobs.Watch(ctx, store, "a", begun.Add(4*time.Second), time.Now)
				if took := time.Since(begun); err != nil || got.State != c.state || took > c.after || c.end == 0 && took != c.after {
					t.Errorf("%s after %s, %v", got.State, took, err)
				}
				if n := store.reads.Load(); n > 26 {
					t.Errorf("%d reads", n)
				}
			})
		})
	}
}

// racing is a store whose job a worker starts between a read and the write after it, once.
type racing struct {
	*jobs.Memory
	started bool
}

func (r *racing) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (jobs.Job, error) {
	if !r.started {
		r.started = true
		stored, err := r.Memory.Get(ctx, job.ID)
		if err == nil {
			stored, _ = stored.Start(jobs.Claim{Now: noon, Until: noon.Add(time.Minute)})
			_, err = r.Memory.Save(ctx, stored)
		}
		if err != nil {
			return jobs.Job{}, err
		}
	}
	return r.Memory.Save(ctx, job, failures...)
}

func TestCancelIsOfTheJobAsItIs(t *testing.T) {
	clock := func() time.Time { return noon }
	store := &racing{Memory: jobs.NewMemory(jobs.MemoryConfig{Now: clock})}
	if _, err := jobs.Cancel(t.Context(), store, "nobody", clock); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("no job: %v", err)
	}
	if _, err := store.Create(t.Context(), jobs.Job{ID: "a", State: jobs.Queued, CreatedAt: noon}, nil); err != nil {
		t.Fatal(err)
	}
	asked, err := jobs.Cancel(t.Context(), store, "a", clock)
	if err != nil || asked.State != jobs.Running || !asked.Stop {
		t.Errorf("a worker was faster: %+v, %v", asked, err)
	}
	again, err := jobs.Cancel(t.Context(), store, "a", clock)
	if err != nil || again.Version != asked.Version {
		t.Errorf("asked twice, written twice: version %d after %d, %v", again.Version, asked.Version, err)
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
