package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// All messages of an invocation share its time: a run begins in its first minute and with 35 s left, or not at all. What does not fit
// goes on by another message, and no receive is spent.
func TestNoRunBeginsWithoutItsTime(t *testing.T) {
	for _, took := range []time.Duration{10 * time.Second, 30 * time.Second} {
		for _, turn := range []time.Duration{time.Minute, 2 * time.Minute, 15 * time.Minute} {
			t.Run(fmt.Sprint(took, " of ", turn), func(t *testing.T) {
				var w *fixture
				var begun time.Time
				var runs int
				s := &script{batch: 1, run: func(ctx context.Context, run engine.Run) (engine.Result, error) {
					runs++
					deadline, _ := ctx.Deadline()
					at := run.Now.Sub(begun)
					if first := at < time.Second; !first && (at > time.Minute+time.Second || turn-at < min(35*time.Second, turn/2)) {
						t.Errorf("a run began at %s of %s", at, turn)
					}
					if left := time.Until(deadline); left <= 0 || left > turn-5*time.Second {
						t.Errorf("a run has %s of %s", left, turn)
					}
					w.clock.advance(took)
					return engine.Result{}, nil
				}}
				w = newFixture(t, s.backing(), fault{})
				w.turn = turn
				for i := range 10 {
					w.receive(pimevent.EventPlatform, platform(fmt.Sprint("e", i), "product.deleted", product, w.clock.Now()))
				}
				invocations := 0
				for {
					messages, _ := w.events.Receive(t.Context(), 10, 0)
					if len(messages) == 0 {
						break
					}
					for _, message := range messages {
						if message.Receives != 1 {
							t.Errorf("a message was received %d times", message.Receives)
						}
					}
					begun = w.clock.Now()
					w.invoke(messages)
					if lasted := w.clock.Now().Sub(begun); lasted > turn {
						t.Errorf("an invocation of %s took %s", turn, lasted)
					}
					invocations++
				}
				if w.count("applied") != 10 || runs != 20 || invocations < 2 {
					t.Errorf("%d applied in %d runs and %d invocations", w.count("applied"), runs, invocations)
				}

				id, _ := w.press("alone", 12)
				for {
					begun = w.clock.Now()
					if !w.deliver() {
						break
					}
				}
				if job := w.job(id); job.State != jobs.Succeeded || job.Attempt < 2 {
					t.Errorf("job %s in %d attempts", job.State, job.Attempt)
				}
			})
		}
	}
}
