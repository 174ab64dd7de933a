package engine_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// counting counts what jobs that wait write: the units that DynamoDB bills, one for each kilobyte of a row and of its copy
// in an index (DynamoDB, "Write capacity unit").
type counting struct {
	jobs.Store
	units float64
}

func (c *counting) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (jobs.Job, error) {
	saved, err := c.Store.Save(ctx, job, failures...)
	text, _ := json.Marshal(saved)
	c.units += 3 * float64((len(text)+1023)/1024) // its row, and both indexes
	return saved, err
}

func (c *counting) Rest(ctx context.Context, id string, turn int64) error {
	c.units++
	return c.Store.Rest(ctx, id, turn)
}

func (c *counting) PutSignal(ctx context.Context, signal jobs.Signal) (jobs.Signal, error) {
	c.units++
	return c.Store.PutSignal(ctx, signal)
}

// Jobs wait for three days, and nothing comes. Each costs at most one invocation and one write unit in 15 minutes.
func TestWhatAWaitCosts(t *testing.T) {
	t.Parallel()
	invocations, units := waitFor72Hours(t, 50)
	if invocations > 1 || invocations < 0.9 || units > 1 {
		t.Errorf("%.3f invocations and %.3f write units for each in 15 minutes", invocations, units)
	}
}

// The same for a thousand jobs: go test -bench 72Hours -benchtime 1x ./shared/engine
func BenchmarkAThousandJobsWait72Hours(b *testing.B) {
	for b.Loop() {
		invocations, units := waitFor72Hours(b, 1000)
		b.ReportMetric(invocations, "invocations/job/15min")
		b.ReportMetric(units, "writeunits/job/15min")
	}
}

func waitFor72Hours(t testing.TB, many int) (invocationsEach, unitsEach float64) {
	const days = 72 * time.Hour
	a := newAsker(t, fault{}, 0)
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store := &counting{Store: jobs.NewMemory(jobs.MemoryConfig{Now: clock})}
	messages := queue.NewMemory(queue.MemoryConfig{Visibility: 12 * time.Minute, MaxReceives: maxReceives, DeadLetters: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: clock}), Now: clock})
	config := a.w.engine.Config
	config.Store, config.Queue, config.Now = store, messages, clock
	config.Kinds["script"] = waitingScript{&asker{waits: a.waits, script: script{run: func(context.Context, engine.Run) (engine.Result, error) {
		return engine.Result{Wait: true}, nil
	}}}}
	works := engine.New(config)
	submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: messages, Now: clock})
	for n := range many {
		if _, err := submitter.Submit(t.Context(), jobs.Job{ID: jobs.ID("button", []byte{byte(n), byte(n >> 8)}), Action: "alone", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", User: jobs.User{UUID: "u"}, Items: []jobs.Item{{Type: jobs.Product, ID: "p"}}}); err != nil {
			t.Fatal(err)
		}
	}
	invocations, begun, until := 0, now, now.Add(days-time.Hour)
	for now.Before(until) {
		received, err := messages.Receive(t.Context(), 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(received) == 0 {
			if now.Equal(begun) { // all of them wait
				invocations, store.units = 0, 0
			}
			now = now.Add(time.Minute)
			continue
		}
		for _, message := range received { // each as if it came alone
			invocations++
			if stay := handle(t.Context(), works, []queue.Received{message}); len(stay) > 0 {
				t.Fatal(stay)
			}
			if err := messages.Delete(t.Context(), message.Receipt); err != nil {
				t.Fatal(err)
			}
		}
	}
	each := float64(many)
	quarters := until.Sub(begun).Minutes() / 15
	t.Logf("%d jobs wait for %s: %.0f invocations and %.0f write units each, %.3f and %.3f in 15 minutes", many, until.Sub(begun),
		float64(invocations)/each, store.units/each, float64(invocations)/each/quarters, store.units/each/quarters)
	invocationsEach, unitsEach = float64(invocations)/each/quarters, store.units/each/quarters
	now = now.Add(2 * time.Hour)
	for received := []queue.Received{{}}; len(received) > 0; {
		received, _ = messages.Receive(t.Context(), 10, 0)
		handle(t.Context(), works, received)
		for _, message := range received {
			_ = messages.Delete(t.Context(), message.Receipt)
		}
	}
	for _, job := range store.Store.(*jobs.Memory).All() {
		if job.State != jobs.Failed || job.Reason != jobs.ReasonNoSignal {
			t.Fatalf("%s ended as %s (%s)", job.ID, job.State, job.Reason)
		}
	}
	return invocationsEach, unitsEach
}
