package jobs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// pressed records a job of a user at a time after noon.
func pressed(t *testing.T, b bench, id, pim, user string, after time.Duration, items ...string) jobs.Job {
	t.Helper()
	job := jobs.Job{ID: id, PIM: pim, User: jobs.User{UUID: user}, CreatedAt: noon.Add(after)}
	for _, item := range items {
		job.Items = append(job.Items, jobs.Item{Type: jobs.Product, ID: item})
	}
	return create(t, b, job)
}

func listOrder(t *testing.T, b bench) {
	owner := jobs.Owner("main", "julia")
	listed(t, b, jobs.Query{Owner: owner})
	pressed(t, b, "second", "main", "julia", time.Nanosecond)
	pressed(t, b, "fourth", "main", "julia", time.Hour)
	pressed(t, b, "first", "main", "julia", 0)
	pressed(t, b, "third", "main", "julia", time.Second)
	listed(t, b, jobs.Query{Owner: owner}, "fourth", "third", "second", "first")
	listed(t, b, jobs.Query{Owner: owner, Before: noon.Add(time.Second)}, "second", "first")
	listed(t, b, jobs.Query{Owner: owner, Before: noon})
	listed(t, b, jobs.Query{Owner: owner, Limit: 1}, "fourth")

	job := get(t, b, "first")
	job.State, job.Message = jobs.Running, "working"
	job = mustSave(t, b, job) // a write moves nothing
	listed(t, b, jobs.Query{Owner: owner}, "fourth", "third", "second", "first")
	found, _, err := b.List(t.Context(), jobs.Query{Owner: owner, Before: noon.Add(1)})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d jobs, %v", len(found), err)
	}
	same(t, "listed", found[0], bare(job))
}

func listPages(t *testing.T, b bench) {
	owner := jobs.Owner("main", "julia")
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("%02d", i)
		pressed(t, b, id, "main", "julia", time.Duration(i))
		want = append(want, id)
	}
	slices.Reverse(want)
	listed(t, b, jobs.Query{Owner: owner, Limit: 100}, want...)
	for _, limit := range []int{1, 4, 5, 24, 25, 26, 0} {
		size := limit
		if limit == 0 {
			size = 20
		}
		var got []string
		query := jobs.Query{Owner: owner, Limit: limit}
		for pages := 0; ; pages++ {
			found, more, err := b.List(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ids(found)...)
			if !more {
				if wanted := (len(want) - 1) / size; pages != wanted {
					t.Errorf("limit %d: %d further pages, expected %d", limit, pages, wanted)
				}
				break
			}
			if len(found) != size {
				t.Errorf("limit %d: a page of %d", limit, len(found))
			}
			query.Before = found[len(found)-1].CreatedAt
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
	pressed(t, b, "new", "main", "julia", time.Hour)
	listed(t, b, jobs.Query{Owner: owner, Before: noon.Add(5)}, want[20:]...) // what comes meanwhile shifts nothing
}

func listIndexes(t *testing.T, b bench) {
	pressed(t, b, "one", "main", "julia", 1, "p")
	pressed(t, b, "two", "main", "peter", 2, "p")
	pressed(t, b, "three", "main", "julia", 3, "p", "q")
	pressed(t, b, "four", "other", "julia", 4, "p")
	pressed(t, b, "five", "", "julia", 5, "p")
	pressed(t, b, "six", "main", "", 6, "q")
	pressed(t, b, "seven", "main", "julia", 7)
	p, q := jobs.Item{Type: jobs.Product, ID: "p"}, jobs.Item{Type: jobs.Product, ID: "q"}
	listed(t, b, jobs.Query{Owner: jobs.Owner("main", "julia")}, "seven", "three", "one")
	listed(t, b, jobs.Query{Owner: jobs.Owner("main", "peter")}, "two")
	listed(t, b, jobs.Query{Owner: jobs.Owner("other", "julia")}, "four")
	listed(t, b, jobs.Query{Entity: jobs.Entity("main", p)}, "two", "one")
	listed(t, b, jobs.Query{Entity: jobs.Entity("main", q)}, "six")
	listed(t, b, jobs.Query{Entity: jobs.Entity("other", p)}, "four")
	listed(t, b, jobs.Query{Entity: jobs.Entity("main", jobs.Item{Type: jobs.ProductModel, ID: "p"})})
}

func listRefused(t *testing.T, b bench) {
	pressed(t, b, "one", "main", "julia", 0, "p")
	for name, query := range map[string]jobs.Query{
		"neither owner nor entity": {},
		"both":                     {Owner: "o", Entity: "e"},
		"a negative limit":         {Owner: "o", Limit: -1},
		"a limit too high":         {Owner: "o", Limit: 101},
	} {
		if found, more, err := b.List(t.Context(), query); err == nil || len(found) != 0 || more {
			t.Errorf("%s: %v, %t, %v", name, found, more, err)
		}
	}
}

// listed fails unless the query finds these jobs. A list may lag behind, so it looks more than once.
func listed(t *testing.T, b bench, query jobs.Query, want ...string) {
	t.Helper()
	var got []string
	for range 30 {
		found, _, err := b.List(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if got = ids(found); slices.Equal(got, want) {
			return
		}
		if _, instant := b.Store.(*jobs.Memory); instant {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%+v: %v, expected %v", query, got, want)
}
