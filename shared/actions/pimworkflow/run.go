package pimworkflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// state is what one run leaves to the next.
type state struct {
	Since time.Time `json:"since"`           // the intent to start was written then
	Looks int       `json:"looks,omitempty"` // at the products, since it is not known whether the workflow has begun
}

// looks are the times after which the products are looked at, where it is not known whether the workflow has begun.
var looks = []time.Duration{0, 20 * time.Second, 2 * time.Minute}

// Run takes one step: it has the intent written down, then starts the workflow. Where a start before may have been made, it
// looks for what has begun.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Signal != nil {
		return a.over(ctx, run)
	}
	if len(run.Items) == 0 {
		return engine.Result{}, engine.Permanent("there is no product to start the workflow on", nil)
	}
	s, err := stateOf(run)
	switch {
	case err != nil:
		return engine.Result{}, err
	case len(run.State) == 0:
		return a.intend(ctx, run, s)
	case s.Looks > 0:
		return a.look(ctx, run, s)
	case run.Interrupted:
		return unclear(s)
	}
	return a.start(ctx, run, s)
}

func stateOf(run engine.Run) (state, error) {
	if len(run.State) == 0 {
		return state{Since: run.Now.UTC()}, nil
	}
	var s state
	if err := json.Unmarshal(run.State, &s); err != nil {
		return s, engine.Permanent("it is not known whether the workflow has begun: look in the PIM before you start it again", err)
	}
	return s, nil
}

// later has the state written down, and goes on after a time.
func later(s state, after time.Duration) (engine.Result, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return engine.Result{}, engine.Permanent("an internal error", err)
	}
	reason := "the workflow is being started"
	if s.Looks > 0 {
		reason = "the PIM did not say whether the workflow has begun: its products are looked at"
	}
	return engine.Result{State: text}, &engine.LaterError{After: after, Reason: reason}
}

// unclear goes on by looking at the products.
func unclear(s state) (engine.Result, error) {
	s.Looks++
	return later(s, looks[s.Looks-1])
}

// start makes the call whose intent is written down.
func (a *action) start(ctx context.Context, run engine.Run, s state) (engine.Result, error) {
	subjects, at, result := subjectsOf(run)
	if len(subjects) == 0 {
		return result, nil
	}
	client, err := run.Client(ctx)
	if err != nil {
		return engine.Result{}, err
	}
	for from := 0; from < len(subjects); from += pim.MaxPage {
		refused, err := client.StartWorkflow(ctx, a.Workflow, subjects[from:min(from+pim.MaxPage, len(subjects))])
		if err != nil && (from > 0 || !pim.Unmade(err)) { // nothing of what has begun is started again
			return unclear(s)
		}
		if err != nil {
			return engine.Result{}, a.explained(err)
		}
		for index, reason := range refused {
			result.Failures = append(result.Failures, engine.Failure{Index: at[from+index], Reason: "the PIM refuses: " + reason})
		}
	}
	return a.asked(ctx, run, s, result)
}

// subjectsOf are the items that a workflow can be started on, the index of each, and the failures of the others.
func subjectsOf(run engine.Run) (subjects []pim.Subject, at []int, result engine.Result) {
	for i, item := range run.Items {
		switch item.Type {
		case jobs.Product:
			subjects, at = append(subjects, pim.Subject{Type: pim.TypeProduct, ID: item.ID}), append(at, i)
		case jobs.ProductModel:
			subjects, at = append(subjects, pim.Subject{Type: pim.TypeModel, ID: item.ID}), append(at, i)
		default:
			result.Failures = append(result.Failures, engine.Failure{Index: i, Reason: "a workflow runs on products and product models alone"})
		}
	}
	return subjects, at, result
}

// explained is a refusal with a sentence for PIMs that have no workflows.
func (a *action) explained(err error) error {
	if failed, ok := errors.AsType[*pim.Error](err); ok && failed.NotFound() && failed.Message == "" {
		return engine.Permanent("the PIM has no workflows, or hides them from its connection", err)
	}
	if failed, ok := errors.AsType[*pim.Error](err); ok && failed.Status == http.StatusForbidden {
		return engine.Permanent("the PIM does not let its connection start workflows: give its user that right", err)
	}
	return err
}

// look reads the products: one on which the workflow runs has begun. What has not begun after some looks fails, and is
// not started again.
func (a *action) look(ctx context.Context, run engine.Run, s state) (engine.Result, error) {
	subjects, at, result := subjectsOf(run)
	client, err := run.Client(ctx)
	if err != nil {
		return engine.Result{}, err
	}
	var begun []bool
	for from := 0; from < len(subjects); from += pim.MaxPage {
		some, err := client.WorkflowRuns(ctx, a.Workflow, subjects[from:min(from+pim.MaxPage, len(subjects))], s.Since)
		if err != nil {
			return engine.Result{}, fmt.Errorf("look for the workflow: %w", err)
		}
		begun = append(begun, some...)
	}
	missing := 0
	for i, runs := range begun {
		if !runs {
			missing++
			result.Failures = append(result.Failures, engine.Failure{Index: at[i],
				Reason: "the PIM gave no answer, and the workflow is not seen to run: look in the PIM before you start it again"})
		}
	}
	if missing > 0 && s.Looks < len(looks) {
		return unclear(s)
	}
	return a.asked(ctx, run, s, result)
}
