package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func ticks(t *testing.T, b bench) {
	kept := b.Store.(jobs.Ticks)
	read := func() jobs.Tick {
		t.Helper()
		tick, err := kept.Tick(t.Context(), "schedule/nightly/main")
		if err != nil {
			t.Fatal(err)
		}
		return tick
	}
	if first := read(); first != (jobs.Tick{Key: "schedule/nightly/main"}) {
		t.Errorf("never seen: %+v", first)
	}
	first := read()
	first.Seen = noon
	if err := kept.SaveTick(t.Context(), first); err != nil && !errors.Is(err, jobs.ErrConflict) { // an answer that was lost
		t.Fatal(err)
	}
	if err := kept.SaveTick(t.Context(), first); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("seen first twice: %v", err)
	}
	next := read()
	if next.Seen != noon || next.After() != noon || next.Version == 0 {
		t.Errorf("%+v", next)
	}
	next.Due, next.Skipped = noon.Add(time.Hour), 3
	if err := kept.SaveTick(t.Context(), next); err != nil && !errors.Is(err, jobs.ErrConflict) {
		t.Fatal(err)
	}
	b.pass(10 * jobs.Life)
	if last := read(); last.Due != next.Due || last.Skipped != 3 || last.After() != next.Due {
		t.Errorf("long after: %+v", last)
	}
	if err := kept.SaveTick(t.Context(), next); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("a stale write: %v", err)
	}
}
