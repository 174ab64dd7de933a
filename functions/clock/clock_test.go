package clock_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/clock"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// fixture is the clock over memory, with a time that the test moves and a queue that can be down.
type fixture struct {
	*jobs.Memory
	now  time.Time
	down bool
	sent int
	s    config.Schedule
}

func newFixture(s config.Schedule) *fixture {
	f := &fixture{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), s: s}
	f.Memory = jobs.NewMemory(jobs.MemoryConfig{Now: func() time.Time { return f.now }})
	return f
}

// Send implements queue.Sender.
func (f *fixture) Send(context.Context, ...queue.Message) error {
	if f.down {
		return errors.New("down")
	}
	f.sent++
	return nil
}

// tick is one of a new process.
func (f *fixture) tick() error {
	now := func() time.Time { return f.now }
	return clock.New(clock.Config{
		Schedules: map[string]config.Schedule{f.s.Name: f.s}, Ticks: f.Memory, Log: slog.New(slog.DiscardHandler), Now: now,
		Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: f.Memory, Queue: f, Now: now}),
	}).Tick(context.Background())
}

// end ends all jobs.
func (f *fixture) end(t *testing.T) {
	t.Helper()
	for _, job := range f.All() {
		if !job.State.Ended() {
			if _, err := f.Save(t.Context(), job.Finish("", "")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var hourly = config.Schedule{Name: "hourly", Declared: "hourly", PIM: "main", Every: time.Hour, Select: "changed", Action: "send", Zone: time.UTC}

func TestADueTimeStartsOneJob(t *testing.T) {
	f := newFixture(hourly)
	for range 3 {
		if err := f.tick(); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.All()) != 0 {
		t.Error("a time from before the schedule was seen was started")
	}
	f.now = f.now.Add(time.Hour + 10*time.Second)
	for range 3 {
		if err := f.tick(); err != nil {
			t.Fatal(err)
		}
	}
	all := f.All()
	if len(all) != 1 || f.sent != 1 {
		t.Fatalf("%d jobs, %d messages", len(all), f.sent)
	}
	job := all[0]
	if job.Trigger != jobs.TriggerSchedule || job.User.Username != "hourly" || job.User.UUID != "" || job.Action != "send" || job.PIM != "main" ||
		job.Select == nil || job.Select.Name != "changed" || job.Select.Mark != "schedule/hourly/main/changed" || job.State != jobs.Queued {
		t.Errorf("%+v", job)
	}
}

// A PIM that is added to a schedule's list gives it another name, and no other history: what was started is not started again,
// and the search goes on from where it was.
func TestAScheduleKeepsItsHistoryWhenAPIMIsAdded(t *testing.T) {
	f := newFixture(hourly)
	for range 2 {
		if err := f.tick(); err != nil {
			t.Fatal(err)
		}
		f.now = f.now.Add(time.Hour)
	}
	f.end(t)
	f.now = f.now.Add(-time.Hour)
	f.s.Name = "hourly_main"
	if err := f.tick(); err != nil || len(f.All()) != 1 {
		t.Fatalf("%d jobs, %v", len(f.All()), err)
	}
	f.now = f.now.Add(time.Hour)
	if err := f.tick(); err != nil || len(f.All()) != 2 {
		t.Fatalf("%d jobs, %v", len(f.All()), err)
	}
	for _, job := range f.All() {
		if job.Select.Mark != "schedule/hourly/main/changed" {
			t.Errorf("%s goes on from %q", job.User.Username, job.Select.Mark)
		}
	}
}

func TestOneThatMeetsARunningOneIsSkippedAndCounted(t *testing.T) {
	for _, overlap := range []bool{false, true} {
		s := hourly
		s.Overlap = overlap
		f := newFixture(s)
		for range 4 {
			if err := f.tick(); err != nil {
				t.Fatal(err)
			}
			f.now = f.now.Add(time.Hour)
		}
		want, skipped := 1, 2
		if overlap {
			want, skipped = 3, 0
		}
		tick, err := f.Tick(t.Context(), "hourly/main")
		if err != nil || len(f.All()) != want || tick.Skipped != skipped {
			t.Errorf("overlap %v: %d jobs, %d skipped, %v", overlap, len(f.All()), tick.Skipped, err)
		}
		f.end(t)
		f.now = f.now.Add(-time.Minute) // within the time that was skipped: it is not made up for
		if err := f.tick(); err != nil || len(f.All()) != want {
			t.Errorf("overlap %v: what was skipped is started later: %d jobs, %v", overlap, len(f.All()), err)
		}
	}
}

func TestWhatCouldNotBeSentIsSentAtEachTick(t *testing.T) {
	f := newFixture(hourly)
	_ = f.tick()
	f.now, f.down = f.now.Add(time.Hour), true
	for range 20 {
		if err := f.tick(); err == nil {
			t.Fatal("success while nothing was sent")
		}
		f.now = f.now.Add(time.Minute)
	}
	if all := f.All(); len(all) != 1 || all[0].State != jobs.Recorded || all[0].AsOf(f.now).State != jobs.Recorded {
		t.Fatalf("%+v", all)
	}
	f.down = false
	if err := f.tick(); err != nil {
		t.Fatal(err)
	}
	if all := f.All(); len(all) != 1 || all[0].State != jobs.Queued || f.sent != 1 {
		t.Errorf("%+v", all)
	}
}

func TestOfTheMissedTimesTheLatestOfADayIsStarted(t *testing.T) {
	f := newFixture(hourly)
	_ = f.tick()
	f.now = f.now.Add(10*24*time.Hour + time.Minute)
	for range 2 {
		if err := f.tick(); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.All()) != 1 {
		t.Errorf("%d jobs", len(f.All()))
	}
}
