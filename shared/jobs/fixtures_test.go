package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// bench is an empty store on a clock that the test moves.
type bench struct {
	jobs.Store
	*clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fullJob has something in every field that a caller sets.
func fullJob() jobs.Job {
	paris := time.FixedZone("", 2*60*60)
	return jobs.Job{
		ID: "full", Action: "send", Trigger: jobs.TriggerThen, Extension: "button", PIM: "main", Label: "Exporter vers l'ERP",
		Items:   []jobs.Item{{Type: jobs.Product, ID: "p<1>&\u2028\"é"}, {Type: jobs.ProductModel, ID: "m"}},
		Context: json.RawMessage(`{"locale":"en_US","categories":[]}`),
		Params:  json.RawMessage(`{"html":"<b>&amp;</b>","n":1e400,"n":12345678901234567890}`),
		User:    jobs.User{UUID: "u", Username: "julia", Groups: []string{"Manager", "IT support"}},
		State:   jobs.Running, Done: 1, Failed: 2, Next: 3, Total: 4, Batch: 5, Broken: true,
		Result: json.RawMessage(`["<"]`), Message: "waits", Reason: jobs.ReasonPermanent, KindState: json.RawMessage(`{"call":1}`),
		Attempt: 6, Tries: 7, Lease: jobs.Lease{Token: 8, Until: noon.Add(9 * time.Nanosecond).In(paris)}, Interrupted: true, LastReceive: true, Stop: true,
		Parent: "before", Ended: &jobs.Ended{Job: "before", Action: "check", Outcome: jobs.Partial, Done: 1, Total: 2, Message: "m"},
		Files:   []jobs.File{{Name: "é.csv", Key: "export/7d/full/é.csv", Bytes: 11, Until: noon.Add(7 * 24 * time.Hour).In(paris)}},
		Changed: 2, Undo: []string{"0-1.1", "100-2.2"}, ThenDue: jobs.Follows{"partial": "tell", jobs.ThenDone: "go-on"}, DownSince: noon.Add(-time.Nanosecond), Correlation: "c", Once: "once",
		Cause: jobs.CauseDestinationBusy, NextTry: noon.Add(time.Hour).In(paris), GivesUpAt: noon.Add(2 * time.Hour).In(paris),
		NotBefore: noon.Add(time.Hour).In(paris), Asked: time.Hour, Format: jobs.Format, Turn: 10,
		Awaits:    &jobs.Wait{Name: "0-1", For: jobs.WaitCallback, Until: noon.Add(72 * time.Hour).In(paris), URL: "https://x.example/?a=1&b=<", AsDone: true, Begun: true, Failed: []jobs.EarlyFailure{{Index: 1, Reason: "é"}}},
		CreatedAt: noon.Add(123456789 * time.Nanosecond).In(paris),
	}
}

func ids(found []jobs.Job) []string {
	var names []string
	for _, job := range found {
		names = append(names, job.ID)
	}
	return names
}

func create(t *testing.T, store jobs.Store, job jobs.Job) jobs.Job {
	t.Helper()
	created, err := store.Create(t.Context(), job, nil)
	if err != nil {
		t.Fatalf("create %s: %v", job.ID, err)
	}
	return created
}

func mustSave(t *testing.T, store jobs.Store, job jobs.Job, failures ...jobs.Failure) jobs.Job {
	t.Helper()
	saved, err := store.Save(t.Context(), job, failures...)
	if err != nil {
		t.Fatalf("save %s: %v", job.ID, err)
	}
	return saved
}

func get(t *testing.T, store jobs.Store, id string) jobs.Job {
	t.Helper()
	job, err := store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("get %s: %v", id, err)
	}
	return job
}

func load(t *testing.T, store jobs.Store, id string) jobs.Job {
	t.Helper()
	job, err := store.Load(t.Context(), id)
	if err != nil {
		t.Fatalf("load %s: %v", id, err)
	}
	return job
}

// gone fails unless there is no such job.
func gone(t *testing.T, store jobs.Store, id string) {
	t.Helper()
	if _, err := store.Get(t.Context(), id); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("get %.20s: %v", id, err)
	}
	if _, err := store.Load(t.Context(), id); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("load %.20s: %v", id, err)
	}
}

func refused(t *testing.T, store jobs.Store, job jobs.Job, takeover *jobs.Job, want error) {
	t.Helper()
	if _, err := store.Create(t.Context(), job, takeover); !errors.Is(err, want) {
		t.Errorf("create %s: %v, expected %v", job.ID, err, want)
	}
}

// heldBy fails unless job cannot be created because holder has its once key.
func heldBy(t *testing.T, store jobs.Store, job jobs.Job, holder string) {
	t.Helper()
	_, err := store.Create(t.Context(), job, nil)
	if held, ok := errors.AsType[*jobs.OnceError](err); !ok || held.Holder != holder {
		t.Errorf("create %s: %v, expected that %s holds the key", job.ID, err, holder)
	}
}

// same fails unless got and want are equal to the last nanosecond and zone.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%+.2000v\nexpected\n%+.2000v", what, got, want)
	}
}

func bare(job jobs.Job) jobs.Job {
	job.Items, job.Context, job.Params = nil, nil, nil
	return job
}

// together calls f with 0 to n-1, all at once.
func together(n int, f func(int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}

func manyItems(n, size int) []jobs.Item {
	items := make([]jobs.Item, n)
	for i := range items {
		items[i] = jobs.Item{Type: jobs.Product, ID: fmt.Sprintf("%0*d", size, i)}
	}
	return items
}

func sameItems(n int, id string) []jobs.Item {
	return slices.Repeat([]jobs.Item{{Type: jobs.Product, ID: id}}, n)
}

// jsonText is a JSON object of size bytes.
func jsonText(of string, size int) json.RawMessage {
	frame := `{"text":""}`
	return json.RawMessage(frame[:len(frame)-2] + strings.Repeat(of, size-len(frame)) + frame[len(frame)-2:])
}
