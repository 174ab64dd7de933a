package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

const startsPath = "/api/rest/v1/workflows"

// pressed presses a button for an action.
func (w *fixture) pressed(action string, items ...jobs.Item) (id string) {
	w.Helper()
	submitted, err := w.submitter.Submit(w.Context(), jobs.Job{
		ID: jobs.ID("button", []byte(w.clock.Now().String())), Action: action, Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: items,
	})
	if err != nil {
		w.Fatal(err)
	}
	return submitted.Job.ID
}

// startWorkflow presses a button that starts a workflow on items, and plays it to its end.
func (v *written) startWorkflow(action string, items ...jobs.Item) (jobs.Job, []jobs.Failure) {
	v.Helper()
	id := v.pressed(action, items...)
	v.drain()
	return v.ended(id)
}

// calls are the starts that the PIM saw.
func (v *written) calls() int { return len(v.Calls(startsPath + "/executions")) }

func TestAWorkflowStartsByTheHundred(t *testing.T) {
	t.Parallel()
	v := newFixture(t, memory, fault{}).playWriting(large(151, 0))
	items := products(0, 151)
	v.Hide(true, uuid(120))
	job, failures := v.startWorkflow("review", items...)
	if job.State != jobs.Partial || job.Done != 150 || len(failures) != 1 || failures[0].Index != 120 || !strings.Contains(failures[0].Reason, "Product not found") || v.calls() != 2 {
		t.Errorf("%s, %d done, %v, %d calls", job.State, job.Done, failures, v.calls())
	}
	job, failures = v.startWorkflow("review-unknown", items[:3]...)
	if job.State != jobs.Failed || len(failures) != 3 || !strings.Contains(failures[0].Reason, "Workflow not found") {
		t.Errorf("a workflow that is not there: %s, %v", job.State, failures)
	}
	job, failures = v.startWorkflow("review", jobs.Item{Type: "category", ID: "shoes"}, items[0])
	if job.State != jobs.Partial || len(failures) != 1 || failures[0].Index != 0 || !strings.Contains(failures[0].Reason, "products and product models alone") {
		t.Errorf("a category: %s, %v", job.State, failures)
	}
	if job, _ := v.startWorkflow("review"); job.State != jobs.Failed || !strings.Contains(job.Message, "no product") {
		t.Errorf("no items: %s, %q", job.State, job.Message)
	}
}

func TestAPIMThatStartsNoWorkflows(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		spoil func(*written)
		state jobs.State
		want  string // in the message
		calls int
	}{
		{"not allowed", func(v *written) { v.Fail(startsPath, http.StatusForbidden, 9) }, jobs.Failed, "give its user that right", 1},
		{"no such feature", func(v *written) { v.Fail(startsPath, http.StatusNotFound, 9) }, jobs.Failed, "the PIM refuses: Not Found", 1},
		{"busy for an hour", func(v *written) { v.Throttle(1, "3600") }, jobs.Succeeded, "", 1},
		{"an answer that is lost", func(v *written) { v.Lose(startsPath, 1) }, jobs.Succeeded, "", 1},
		{"away", func(v *written) { v.Fail(startsPath, http.StatusBadGateway, 1) }, jobs.Failed, "look in the PIM before you start it again", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := newFixture(t, memory, fault{}).playWriting(goods())
			row.spoil(v)
			job, _ := v.startWorkflow("review", one(60), one(61))
			made := 0
			for _, call := range v.Calls(startsPath + "/executions") {
				if !call.Throttled {
					made++
				}
			}
			if job.State != row.state || !strings.Contains(job.Message, row.want) || made != row.calls {
				t.Errorf("%s, %q, %d calls", job.State, job.Message, made)
			}
		})
	}
}

// A failure at any operation, before it or after it, with or without the process: no workflow starts twice on a product, and
// the job tells of each whether it has started, or that nobody knows.
func TestAFailureAtAnyOperationOfAWorkflowsStart(t *testing.T) {
	t.Parallel()
	scenario := func(t *testing.T, plan fault) *written {
		v := newFixture(t, memory, fault{}).playWriting(large(2, 1))
		items := append(products(0, 2), jobs.Item{Type: jobs.ProductModel, ID: "model-0"})
		id := v.pressed("review", items...)
		v.faults.plan, v.faults.count = plan, 0
		v.drain()
		count := v.faults.count
		job, failures := v.ended(id)
		var began []string
		for _, one := range v.Started() {
			began = append(began, one.ID)
		}
		slices.Sort(began)
		if len(began) != len(slices.Compact(slices.Clone(began))) {
			t.Errorf("started %v", began)
		}
		for i, item := range items {
			failed := slices.ContainsFunc(failures, func(f jobs.Failure) bool { return f.Index == i })
			if started := slices.Contains(began, item.ID); !failed && !started || failed && started {
				t.Errorf("%v: started %v, failed %v: %s, %v", item, started, failed, job.State, failures)
			}
		}
		v.faults.count = count
		return v
	}
	clean := scenario(t, fault{})
	if clean.faults.count < 6 {
		t.Fatalf("%d operations: %v", clean.faults.count, clean.faults.names)
	}
	for at := 1; at <= clean.faults.count; at++ {
		for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
			t.Run(fmt.Sprintf("%d %+v", at, way), func(t *testing.T) { scenario(t, way) })
		}
	}
}
