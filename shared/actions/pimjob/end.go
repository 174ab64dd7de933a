package pimjob

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// maxName is how many bytes of a profile's name are shown.
const maxName = 80

// told is what becomes of the signal that ends the wait.
func (a *action) told(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Signal.Kind == jobs.SignalAsDone {
		// Others need not wait for what nobody waits for. If that fails they find out by the signal.
		_ = a.change(ctx, run, func(p *jobs.Profile) bool { p.Free(launching(run, run.Now)); return true })
		return engine.Result{Message: "a user treats the PIM's job as done"}, nil
	}
	var end jobs.End
	if err := json.Unmarshal(run.Signal.Body, &end); err != nil {
		return engine.Result{}, engine.Permanent("the end of the PIM's job cannot be read: look in the PIM", err)
	}
	return a.ended(ctx, run, end)
}

// report is the job's structured result.
type report struct {
	Profile   string `json:"profile"`
	Execution string `json:"execution"`
	Status    string `json:"status"`
	Rows      int    `json:"rows"`
	Skipped   int    `json:"skipped,omitempty"`
	Warnings  int    `json:"warnings,omitempty"`
	URL       string `json:"url,omitempty"` // of the execution's page in the PIM
}

// ended ends as the PIM's job did.
func (a *action) ended(ctx context.Context, run engine.Run, end jobs.End) (engine.Result, error) {
	r := report{Profile: a.code, Execution: end.Execution, Status: end.Status, Rows: end.Rows, Skipped: end.Skipped, Warnings: end.Warnings}
	if client, err := run.Client(ctx); err == nil { // a link is worth no failure
		r.URL = client.ExecutionPage(end.Execution)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return engine.Result{}, engine.Permanent("an internal error", err)
	}
	message := a.message(end, r.URL)
	if end.Status != "completed" {
		return engine.Result{Result: text}, engine.Permanent(message, nil)
	}
	return engine.Result{Result: text, Message: message}, nil
}

// message says how the PIM's job ended, with its counts and where to look.
func (a *action) message(end jobs.End, url string) string {
	name := outbound.Clean(end.Label, maxName)
	if name == "" {
		name = a.code
	}
	text := fmt.Sprintf("the PIM's %s %q ", a.direction, name)
	switch end.Status {
	case "completed":
		text += "has ended: " + counts(end)
	case "failed":
		text += "failed"
	case "stopped":
		text += "was stopped"
	case "abandoned":
		text += "was abandoned by the PIM"
	default:
		text += "ended, and the PIM does not say that it succeeded"
	}
	if url != "" {
		text += ": " + url
	}
	return text
}

func counts(end jobs.End) string {
	if end.Rows == 0 {
		return "it found nothing"
	}
	text := number(end.Rows, "row")
	if end.Skipped > 0 {
		text += ", " + strconv.Itoa(end.Skipped) + " skipped"
	}
	if end.Warnings > 0 {
		text += ", " + number(end.Warnings, "warning")
	}
	return text
}

func number(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}
