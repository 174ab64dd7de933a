package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// In whatever order items of several jobs end, and however often they are told of: each job is told once all of its own have
// ended, and not before.
func TestWhoIsToldThatAWorkflowHasEnded(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3))
		var p jobs.Profile
		open := map[string]map[string]bool{} // items by job
		var items []string
		for j := range 3 {
			r := jobs.Runs{Job: fmt.Sprintf("job%d", j), Wait: "0-9", Since: noon, Until: noon.Add(time.Hour)}
			open[r.Job] = map[string]bool{}
			for range 1 + random.IntN(4) {
				item := fmt.Sprintf("product/%d", random.IntN(6))
				if !open[r.Job][item] {
					open[r.Job][item] = true
					r.Open, items = append(r.Open, item), append(items, item)
				}
			}
			if !p.Expect(r) || p.Asked(r, nil) != len(r.Open) {
				t.Fatal("does not fit")
			}
		}
		for _, at := range random.Perm(len(items)) {
			for range 1 + random.IntN(2) {
				for _, told := range p.Over(items[at], noon.Add(time.Minute)) {
					for item := range open[told.Job] {
						if item != items[at] && open[told.Job][item] {
							t.Fatalf("seed %d: %s is told, and %s is open", seed, told.Job, item)
						}
					}
					p.Told(told.Job, told.Wait)
					delete(open, told.Job)
				}
				for _, all := range open {
					all[items[at]] = false
				}
			}
		}
		if len(open) != 0 {
			t.Fatalf("seed %d: not told: %v", seed, open)
		}
	}
}

func TestRunsThatDidNotStart(t *testing.T) {
	var p jobs.Profile
	r := jobs.Runs{Job: "job", Wait: "0-1", Since: noon, Until: noon.Add(time.Hour), Open: []string{"product/1", "product/2"}}
	p.Expect(r)
	if told := p.Over("product/1", noon); len(told) != 0 {
		t.Errorf("told before it has asked: %+v", told)
	}
	if open := p.Asked(r, []string{"product/2"}); open != 0 {
		t.Errorf("%d open", open)
	}
	for range 2 {
		if failed := p.Told("job", "0-1"); len(failed) != 1 || failed[0] != "product/2" {
			t.Errorf("failed %q", failed)
		}
	}
	if told := p.Over("product/9", noon); len(told) != 0 {
		t.Errorf("told again: %+v", told)
	}
}
