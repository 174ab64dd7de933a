// Package clock starts what is due: EventBridge calls it once a minute (locally it is called each second), it looks at the
// schedules of extensions.yaml, and records and queues a job for each that is due. The work is the worker's.
//
// A time that is due twice starts one job, since the job's ID is made of the schedule, the PIM and the time. What could not
// be recorded or sent is tried again at the next tick.
package clock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/schedule"
)

// Config is what a Clock needs. All but Metrics are required.
type Config struct {
	Schedules map[string]config.Schedule
	Ticks     jobs.Ticks
	Jobs      *jobs.Submitter
	Log       *slog.Logger
	Metrics   *metric.Sink
	Now       func() time.Time
}

// Clock starts schedules. It keeps nothing between ticks.
type Clock struct{ Config }

// New returns a Clock.
func New(config Config) *Clock { return &Clock{config} }

// Tick starts what is due now. Its error names each schedule that could not be looked at or started; the others are.
func (c *Clock) Tick(ctx context.Context) error {
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(c.Schedules)) {
		if err := c.tick(ctx, c.Schedules[name]); err != nil {
			c.Log.Error("schedule not started: trying again at the next tick", "schedule", name, "reason", "schedule_failed", "error", err.Error())
			failed = append(failed, fmt.Errorf("schedule %q: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

func (c *Clock) tick(ctx context.Context, s config.Schedule) error {
	now := c.Now()
	tick, err := c.Ticks.Tick(ctx, s.Declared+"/"+s.PIM)
	if err != nil {
		return err
	}
	if tick.Seen.IsZero() {
		tick.Seen = now
		return c.save(ctx, tick)
	}
	due, name := schedule.Due(s, tick.After(), now)
	if name == "" {
		return nil
	}
	submitted, err := c.Jobs.Submit(ctx, job(s, name))
	if err != nil {
		return err
	}
	tick.Due = due
	if submitted.Verdict == jobs.AlreadyRunning {
		tick.Skipped++
		c.Log.Warn("schedule skipped: its last run goes on", "schedule", s.Name, "reason", "schedule_overlap", "job", submitted.Job.ID, "due", due)
		c.Metrics.Count("SchedulesSkipped", 1)
	} else {
		c.Log.Info("schedule started", "schedule", s.Name, "job", submitted.Job.ID, "verdict", string(submitted.Verdict), "due", due)
	}
	return c.save(ctx, tick)
}

// job is what a schedule starts at a time.
func job(s config.Schedule, due string) jobs.Job {
	job := jobs.Job{
		ID:     jobs.ID(s.Name, []byte(jobs.TriggerSchedule), []byte(s.Declared), []byte(s.PIM), []byte(due)),
		Action: s.Action, Trigger: jobs.TriggerSchedule, PIM: s.PIM, Label: s.Name, User: jobs.User{Username: s.Name}, Context: []byte("{}"),
	}
	if s.Select != "" {
		job.Select = &jobs.Select{Name: s.Select, Mark: jobs.MarkKey("schedule", s.Declared, s.PIM, s.Select)}
	}
	if !s.Overlap {
		job.Once = jobs.OnceKeyOf("schedule/"+s.Declared, s.Action, s.PIM, "")
	}
	return job
}

// save keeps what is remembered. Another tick that was faster has kept the same.
func (c *Clock) save(ctx context.Context, tick jobs.Tick) error {
	if err := c.Ticks.SaveTick(ctx, tick); err != nil && !errors.Is(err, jobs.ErrConflict) {
		return err
	}
	return nil
}
