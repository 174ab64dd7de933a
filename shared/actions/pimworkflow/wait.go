package pimworkflow

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// change changes what is known of the workflow.
func (a *action) change(ctx context.Context, run engine.Run, change func(*jobs.Profile) bool) error {
	return jobs.ChangeProfile(ctx, a.kind.Profiles, jobs.WorkflowKey(run.PIM, a.Workflow), run.Now.UTC(), change)
}

// runsOf are the runs that a run waits for.
func runsOf(run engine.Run, s state) jobs.Runs {
	runs := jobs.Runs{Job: run.Job, Wait: run.Wait.Name, Since: s.Since, Until: run.Wait.Until}
	for _, item := range run.Items {
		runs.Open = append(runs.Open, jobs.WorkflowItem(item))
	}
	return runs
}

// intend has the intent to start the workflow written down, once ends that come at once would be noted.
func (a *action) intend(ctx context.Context, run engine.Run, s state) (engine.Result, error) {
	if a.Within == 0 {
		return later(s, 0)
	}
	fits := true
	err := a.change(ctx, run, func(p *jobs.Profile) bool { fits = p.Expect(runsOf(run, s)); return fits })
	if err != nil {
		return engine.Result{}, err
	}
	if !fits {
		return engine.Result{}, engine.Permanent("nothing was started: too many products wait for the end of this workflow. Start it again once it has ended on some", nil)
	}
	return later(s, 0)
}

// asked is the result of a workflow that has started on all items but those that failed: the end, or the beginning of the wait.
func (a *action) asked(ctx context.Context, run engine.Run, s state, result engine.Result) (engine.Result, error) {
	if a.Within == 0 {
		return result, nil
	}
	var failed []string
	for _, failure := range result.Failures {
		failed = append(failed, jobs.WorkflowItem(run.Items[failure.Index]))
	}
	open := 0
	err := a.change(ctx, run, func(p *jobs.Profile) bool { open = p.Asked(runsOf(run, s), failed); return true })
	if err == nil && open == 0 {
		result, err = a.over(ctx, run, result.Failures...)
	}
	if err != nil && s.Looks == 0 { // it has started: what comes next looks where, and starts none
		return unclear(s)
	}
	if err != nil || open == 0 {
		return result, err
	}
	if result.State, err = json.Marshal(s); err != nil {
		return engine.Result{}, engine.Permanent("an internal error", err)
	}
	result.Wait = true
	return result, nil
}

// over is the end: the workflow has ended on all items but those that failed, or a user treats it so.
func (a *action) over(ctx context.Context, run engine.Run, failures ...engine.Failure) (engine.Result, error) {
	var failed []string
	err := a.change(ctx, run, func(p *jobs.Profile) bool { failed = p.Told(run.Job, run.Wait.Name); return true })
	if err != nil {
		return engine.Result{}, err
	}
	result := engine.Result{Failures: failures}
	for i, item := range run.Items { // those whose reason did not come this far
		if slices.Contains(failed, jobs.WorkflowItem(item)) && !slices.ContainsFunc(failures, func(f engine.Failure) bool { return f.Index == i }) {
			result.Failures = append(result.Failures, engine.Failure{Index: i, Reason: "the PIM did not start the workflow"})
		}
	}
	if run.Signal != nil && run.Signal.Kind == jobs.SignalAsDone {
		result.Message = "a user treats the PIM's workflow as done"
	}
	return result, nil
}
