package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func failures(t *testing.T, b bench) {
	job := request("a")
	create(t, b, request("other"))
	job.Once = ""
	job = create(t, b, job)
	failure := func(i int) jobs.Failure {
		return jobs.Failure{Index: i, Item: jobs.Item{Type: jobs.Product, ID: fmt.Sprint(i)}, Reason: fmt.Sprintf("reason <%d>", i)}
	}
	var want []jobs.Failure
	for _, batch := range [][2]int{{0, 250}, {250, 251}, {300, 400}, {900, 1000}} {
		var some []jobs.Failure
		for i := batch[0]; i < batch[1]; i++ {
			some = append(some, failure(i))
		}
		want = append(want, some...)
		slices.Reverse(some) // an action names failures in any order
		job = mustSave(t, b, job, some...)
	}
	for _, limit := range []int{0, 1, 99, 100, 101, 251, len(want), len(want) + 1, 100_000} {
		found, err := b.Failures(t.Context(), "a", limit)
		if err != nil {
			t.Fatal(err)
		}
		expected := want
		if limit > 0 {
			expected = want[:min(limit, len(want))]
		}
		if !slices.Equal(found, expected) {
			t.Errorf("limit %d: %d failures, expected %d", limit, len(found), len(expected))
		}
	}
	if load(t, b, "a").Version != 5 {
		t.Error("a save with failures is not one version")
	}
	for _, id := range []string{"other", "nobody"} {
		if found, err := b.Failures(t.Context(), id, 0); len(found) != 0 || err != nil {
			t.Errorf("%s: %d failures, %v", id, len(found), err)
		}
	}
}

func longReasons(t *testing.T, b bench) {
	job := create(t, b, request("a"))
	mustSave(t, b, job,
		jobs.Failure{Index: 0, Reason: strings.Repeat("x", jobs.MaxReason)},
		jobs.Failure{Index: 1, Reason: strings.Repeat("x", jobs.MaxReason+1)},
		jobs.Failure{Index: 2, Reason: "x" + strings.Repeat("é", jobs.MaxReason)})
	found, err := b.Failures(t.Context(), "a", 0)
	if err != nil || len(found) != 3 {
		t.Fatalf("%d failures, %v", len(found), err)
	}
	for i, want := range []string{strings.Repeat("x", 300), strings.Repeat("x", 300), "x" + strings.Repeat("é", 149)} {
		if found[i].Reason != want {
			t.Errorf("reason %d: %d bytes, %q", i, len(found[i].Reason), found[i].Reason)
		}
	}
}

func wholeEnd(t *testing.T, b bench) {
	job := create(t, b, request("a"))
	stale := job
	job.Message = "working"
	job = mustSave(t, b, job)
	stale.State = jobs.Failed
	if _, err := b.Save(t.Context(), stale, jobs.Failure{Index: 0}); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("a stale end: %v", err)
	}
	heldBy(t, b, request("b"), "a")
	job.State = jobs.Partial
	mustSave(t, b, job, jobs.Failure{Index: 7, Reason: "r"})
	if found, err := b.Failures(t.Context(), "a", 0); len(found) != 1 || err != nil {
		t.Errorf("failures %v, %v", found, err)
	}
	create(t, b, request("b"))
}

// A reason may be any bytes: cutting it ends.
func TestAReasonThatIsNoTextIsCut(t *testing.T) {
	m := jobs.NewMemory(jobs.MemoryConfig{Now: func() time.Time { return noon }})
	job, err := m.Create(t.Context(), jobs.Job{ID: "a", State: jobs.Recorded, CreatedAt: noon}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Save(t.Context(), job, jobs.Failure{Reason: strings.Repeat("\x80", 2*jobs.MaxReason)}); err != nil {
		t.Fatal(err)
	}
	if found, err := m.Failures(t.Context(), "a", 0); err != nil || len(found) != 1 || len(found[0].Reason) > jobs.MaxReason {
		t.Errorf("%+v, %v", found, err)
	}
}

// Both parts of a record have their limit, and what fits it exactly is kept.
func TestARecordsLimits(t *testing.T) {
	m := jobs.NewMemory(jobs.MemoryConfig{Now: func() time.Time { return noon }})
	params := func(size int) json.RawMessage {
		const around = `{"items":null,"params":{"a":""}}`
		return json.RawMessage(`{"a":"` + strings.Repeat("x", size-len(around)) + `"}`)
	}
	if _, err := m.Create(t.Context(), jobs.Job{ID: "a", State: jobs.Recorded, CreatedAt: noon, Params: params(jobs.MaxRecord)}, nil); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := m.Create(t.Context(), jobs.Job{ID: "b", State: jobs.Recorded, CreatedAt: noon, Params: params(jobs.MaxRecord + 1)}, nil); !errors.Is(err, jobs.ErrTooLarge) {
		t.Errorf("one byte above it: %v", err)
	}

	job, err := m.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	job.Version++
	stored, err := json.Marshal(job) // as the next version will be
	if err != nil {
		t.Fatal(err)
	}
	job.Version--
	room := jobs.MaxRecord - len(stored) - len(`"message":"",`)
	job.Message = strings.Repeat("x", room+1)
	if _, err := m.Save(t.Context(), job); !errors.Is(err, jobs.ErrTooLarge) {
		t.Errorf("the rest of the record, one byte above the limit: %v", err)
	}
	job.Message = strings.Repeat("x", room)
	if _, err := m.Save(t.Context(), job); err != nil {
		t.Errorf("the rest of the record, at the limit: %v", err)
	}
}
