package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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
	scenario := func(t *testing.T, plan fault) *faults {
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
		return v.faults
	}
	sweep(t, 6, scenario)
}

// completed brings the event that a workflow has ended on an item.
func (v *written) workflowCompleted(item jobs.Item, at time.Time) {
	v.Helper()
	v.told++
	subject := fmt.Sprintf(`"product":{"uuid":%q}`, item.ID)
	if item.Type == jobs.ProductModel {
		subject = fmt.Sprintf(`"product_model":{"code":%q}`, item.ID)
	}
	v.bring(platform(fmt.Sprintf("completed-%d", v.told), "workflow.execution.completed", `"workflow":{"uuid":"78e72192-8989-4a10-a121-09fc8cf921ff"},`+subject, at))
	v.drainEvents()
}

func TestAJobWaitsForTheEndOfAWorkflowOnAllItems(t *testing.T) {
	t.Parallel()
	v := newFixture(t, memory, fault{}).playWriting(large(120, 1))
	items := append(products(0, 120), jobs.Item{Type: jobs.ProductModel, ID: "model-0"})
	v.Hide(true, uuid(7))
	id := v.pressed("review-wait", items...)
	if job := v.rest(id); !job.AtRest() || job.Awaits.For != jobs.WaitWorkflow || v.calls() != 2 {
		t.Fatalf("%s, %d calls: %s", job.State, v.calls(), job.Message)
	}
	for i, item := range items[1:] {
		v.workflowCompleted(item, v.clock.Now())
		if i == 3 {
			v.workflowCompleted(item, v.clock.Now())
		}
	}
	v.workflowCompleted(items[0], v.clock.Now().Add(-time.Hour)) // of a run before ours
	if job := v.rest(id); !job.AtRest() {
		t.Fatalf("one has not ended: %s", job.State)
	}
	v.workflowCompleted(items[0], v.clock.Now())
	v.drain()
	job, failures := v.ended(id)
	if job.State != jobs.Partial || job.Done != 120 || len(failures) != 1 || failures[0].Index != 7 || !strings.Contains(failures[0].Reason, "Product not found") {
		t.Errorf("%s, %d done, %v", job.State, job.Done, failures)
	}
	id = v.pressed("review-wait", one(1))
	v.drain()
	if job := v.job(id); job.State != jobs.Failed || job.Reason != jobs.ReasonNoSignal {
		t.Errorf("one that never ends: %s, %s", job.State, job.Message)
	}
}

func TestTooManyWaitForAWorkflow(t *testing.T) {
	t.Parallel()
	v := newFixture(t, memory, fault{}).playWriting(large(1, 0))
	other := jobs.Runs{Job: "other", Wait: "0-4999", Since: v.clock.Now(), Until: v.clock.Now().Add(24 * time.Hour), Open: make([]string, 5000)}
	if err := v.profiles.SaveProfile(t.Context(), jobs.Profile{Key: jobs.WorkflowKey("main", "78e72192-8989-4a10-a121-09fc8cf921ff"), Runs: []jobs.Runs{other}}); err != nil {
		t.Fatal(err)
	}
	id := v.pressed("review-wait", one(0))
	v.drain()
	if job := v.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "nothing was started") || len(v.Started()) != 0 {
		t.Errorf("%s: %s", job.State, job.Message)
	}
}

// A failure at any operation: no workflow starts twice, and the job ends once all have ended, which may be before it knows that
// they have started.
func TestAFailureAtAnyOperationOfAWorkflowThatIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		scenario := func(t *testing.T, plan fault) *faults {
			v := newFixture(t, memory, fault{}).playWriting(large(2, 0))
			v.Hide(true, uuid(1))
			items := products(0, 2)
			id := v.pressed("review-wait", items...)
			v.faults.plan, v.faults.count = plan, 0
			ended := false
			if early {
				for range 30 {
					v.deliver()
					if len(v.Started()) == 1 && !ended {
						ended = true
						v.bringCompleted(items[0])
					}
					v.deliverEvents()
					v.clock.advance(20 * time.Second)
				}
			} else {
				v.rest(id)
				if len(v.Started()) == 1 {
					v.bringCompleted(items[0])
				}
			}
			v.drainEvents()
			v.drain()
			count := v.faults.count
			job, failures := v.ended(id)
			started := len(v.Started())
			if started > 1 || started == 1 && (job.State != jobs.Partial || job.Done != 1 || len(failures) != 1 || failures[0].Index != 1) || started == 0 && job.State != jobs.Failed {
				t.Errorf("%d started: %s, %d done, %v: %s", started, job.State, job.Done, failures, job.Message)
			}
			v.faults.count = count
			return v.faults
		}
		t.Run(fmt.Sprintf("the end at once: %v", early), func(t *testing.T) { sweep(t, 12, scenario) })
	}
}

// bringCompleted has the event that a workflow has ended on an item in the queue.
func (v *written) bringCompleted(item jobs.Item) {
	v.bring(platform("completed", "workflow.execution.completed", fmt.Sprintf(`"workflow":{"uuid":"78e72192-8989-4a10-a121-09fc8cf921ff"},"product":{"uuid":%q}`, item.ID), v.clock.Now()))
}
