package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func failurePages(t *testing.T, b bench) {
	job := request("a")
	job.Once = ""
	job = create(t, b, job)
	var want []int
	for _, batch := range [][2]int{{0, 30}, {30, 130}, {99_950, 100_040}, {200_000_000, 200_000_250}} {
		var some []jobs.Failure
		for i := batch[0]; i < batch[1]; i++ {
			want = append(want, i)
			some = append(some, jobs.Failure{Index: i, Item: jobs.Item{Type: jobs.Product, ID: fmt.Sprint(i)}, Reason: "no"})
		}
		job = mustSave(t, b, job, some...)
	}
	var got []int
	for from := 0; ; from = got[len(got)-1] + 1 {
		page, err := b.FailuresFrom(t.Context(), "a", from)
		if err != nil || len(page) > jobs.MaxPage {
			t.Fatalf("from %d: %d, %v", from, len(page), err)
		}
		if len(page) == 0 {
			break
		}
		for _, failure := range page {
			got = append(got, failure.Index)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d failures in pages, want %d", len(got), len(want))
	}
	if all, err := b.Failures(t.Context(), "a", 0); err != nil || len(all) != len(want) || all[len(all)-1].Index != want[len(want)-1] {
		t.Errorf("%d failures at once, %v", len(all), err)
	}
	if found, err := b.FailuresFrom(t.Context(), "nobody", 0); len(found) != 0 || err != nil {
		t.Errorf("of no job: %v, %v", found, err)
	}
}

// selecting is a job at some place of its selection.
func selecting(id string) jobs.Job {
	return jobs.Job{ID: id, PIM: "main", State: jobs.Running, CreatedAt: noon, Select: &jobs.Select{
		Name: "changed", Mark: "button/all/main/changed", Resolved: true, Type: jobs.Product, Search: json.RawMessage(`{"a":[{"operator":">","value":"<1>"}]}`),
		Began: noon, After: "before", Failed: "earlier", From: 3, Cursor: "search_after=x", Page: []jobs.Item{{Type: jobs.Product, ID: "p"}}, First: 100, Kept: 2,
	}}
}

func selections(t *testing.T, b bench) {
	given := selecting("a")
	created := create(t, b, given)
	same(t, "created", *created.Select, *given.Select)
	same(t, "got", *get(t, b, "a").Select, *given.Select)

	next := created
	next.Select = &jobs.Select{Name: "changed", Kept: 2, New: []jobs.Seen{{jobs.Item{Type: jobs.Product, ID: "p"}, 1}, {jobs.Item{Type: jobs.ProductModel, ID: "<m>"}, 2}}}
	next = mustSave(t, b, next)
	if next.Select.New != nil {
		t.Error("what is kept would be kept again by the next save")
	}
	next.Select = &jobs.Select{Name: "changed", Kept: 3, New: []jobs.Seen{{jobs.Item{Type: jobs.Product, ID: "q"}, 3}}}
	mustSave(t, b, next)
	seen, err := b.Seen(t.Context(), "a")
	slices.SortFunc(seen, func(a, b jobs.Seen) int { return int(a.Updated - b.Updated) })
	want := []jobs.Seen{{jobs.Item{Type: jobs.Product, ID: "p"}, 1}, {jobs.Item{Type: jobs.ProductModel, ID: "<m>"}, 2}, {jobs.Item{Type: jobs.Product, ID: "q"}, 3}}
	if err != nil || !slices.Equal(seen, want) {
		t.Errorf("seen %v, %v", seen, err)
	}
	if seen, err := b.Seen(t.Context(), "nobody"); len(seen) != 0 || err != nil {
		t.Errorf("of no job: %v, %v", seen, err)
	}
	both := selecting("both")
	both.Items = []jobs.Item{{Type: jobs.Product, ID: "p"}}
	if _, err := b.Create(t.Context(), both, nil); err == nil {
		t.Error("a job with items and with a selection")
	}
}

func marks(t *testing.T, b bench) {
	const key = "button/all/main/changed"
	check := func(when string, want jobs.Mark) {
		t.Helper()
		if mark, err := b.Mark(t.Context(), key); err != nil || mark != want {
			t.Errorf("%s: %+v, %v", when, mark, err)
		}
	}
	check("before all", jobs.Mark{Key: key})
	end := func(id, once string, change func(*jobs.Job)) {
		t.Helper()
		job := selecting(id)
		job.Once = once
		job.State, job.Next, job.Total, job.Failed, job.Select.End = jobs.Partial, 101, 101, 7, true
		open := job
		open.State = jobs.Running
		job.Version = create(t, b, open).Version
		change(&job)
		mustSave(t, b, job)
	}
	for name, change := range map[string]func(*jobs.Job){
		"running":           func(j *jobs.Job) { j.State = jobs.Running },
		"cancelled":         func(j *jobs.Job) { j.State = jobs.Cancelled },
		"pages-follow":      func(j *jobs.Job) { j.Select.End = false },
		"items-are-left":    func(j *jobs.Job) { j.Next = 100 },
		"without-a-mark":    func(j *jobs.Job) { j.Select.Mark = "" },
		"never-began":       func(j *jobs.Job) { j.Select.Began = time.Time{} },
		"without-selection": func(j *jobs.Job) { j.Select = nil },
	} {
		end(name, "", change)
		check(name, jobs.Mark{Key: key})
	}
	end("first", "k", func(*jobs.Job) {})
	first := jobs.Mark{Key: key, Until: noon, Job: "first", Failed: 7}
	check("an end", first)
	end("older", "k", func(j *jobs.Job) { j.Select.Began = noon.Add(-time.Second) })
	check("an older one", first)
	if _, err := b.Create(t.Context(), jobs.Job{ID: "again", Once: "k"}, nil); err != nil {
		t.Errorf("the once key is not free after an end that moved no mark: %v", err)
	}
	end("same", "", func(*jobs.Job) {})
	check("one of the same time", first)
	end("later", "", func(j *jobs.Job) { j.Select.Began, j.Failed = noon.Add(time.Second), 0 })
	b.pass(10 * jobs.Life)
	check("a later one, long ago", jobs.Mark{Key: key, Until: noon.Add(time.Second), Job: "later"})
	if _, err := b.Get(t.Context(), "later"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("its job: %v", err)
	}
}
