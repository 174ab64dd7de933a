package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// A failure at any operation, before it or after it, with or without the process: one execution is started, with an address that
// holds, and the job ends as the state machine says.
func TestAFailureAtAnyOperationOfAStateMachine(t *testing.T) {
	t.Parallel()
	scenario := func(t *testing.T, plan fault) *faults {
		w := newFixture(t, memory, fault{})
		folder, err := files.NewFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		w.engine.Files = faultyFiles{folder, w.faults}
		links := 0
		w.engine.Callback = func(_ context.Context, job, wait string, _ time.Time) (string, error) {
			links++
			return fmt.Sprintf("https://functions.example.com/callbacks/%s/%s?%d", job, wait, links), nil
		}
		id := w.pressed("approve", products(0, 2)...)
		w.faults.plan, w.faults.count = plan, 0
		if job := w.rest(id); !job.AtRest() || len(w.executions) != 1 {
			t.Fatalf("%s, %d started: %s", job.State, len(w.executions), job.Message)
		}
		var input struct {
			Job      string `json:"job"`
			Callback struct{ URL string }
		}
		if err := json.Unmarshal(w.executions[0].Input, &input); err != nil || input.Job != id || input.Callback.URL == "" {
			t.Fatalf("input %s, %v", w.executions[0].Input, err)
		}
		answer := jobs.Signal{Job: id, Wait: "0-1", Kind: jobs.SignalCallback, At: w.clock.Now(), Body: json.RawMessage(`{"failures":[{"index":1,"reason":"refused"}]}`)}
		for try := 0; ; try++ { // a state machine tries again, too
			_, err := w.store.PutSignal(t.Context(), answer)
			if err == nil {
				err = w.queue.Send(t.Context(), jobs.Message(id, 0))
			}
			if err == nil {
				break
			}
			if w.faults.restart(); try > 3 {
				t.Fatal(err)
			}
		}
		w.faults.restart()
		w.drain()
		count := w.faults.count
		if job := w.job(id); job.State != jobs.Partial || job.Done != 1 || len(w.executions) != 1 {
			t.Errorf("%s, %d done, %d started: %s", job.State, job.Done, len(w.executions), job.Message)
		}
		w.faults.count = count
		return w.faults
	}
	sweep(t, 10, scenario)
}
