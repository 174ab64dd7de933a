package local

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// demoPatience is how long the demo waits for its job.
const demoPatience = 10 * time.Second

// preferred is the button of the project's own extensions.yaml that shows the most.
const preferred = "export_to_erp"

// Demo presses one button and prints the job's way, a line for each step. The log shows only warnings meanwhile.
func (s *System) Demo(ctx context.Context, out io.Writer) {
	s.terminal.Quiet(true)
	defer s.terminal.Quiet(false)
	extension, ok := s.demoButton()
	if !ok {
		fmt.Fprintln(out, "There is no button to press: extensions.yaml has no extension of type action.")
		return
	}
	step := func(name, format string, args ...any) {
		fmt.Fprintf(out, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	position := extension.Positions[0]
	for _, candidate := range extension.Positions {
		if strings.HasPrefix(candidate, "pim.product-grid.") {
			position = candidate
		}
	}
	fmt.Fprintf(out, "Pressing %q (%s, at %s):\n", extension.Label.In("en_US"), extension.Name, position)
	pressed, err := s.pim.Press(ctx, extension, pim.Press{Position: position, Items: 3})
	if err != nil {
		step("not sent", "%v", err)
		return
	}
	step("signed", "%d bytes by HMAC-SHA512, posted to /actions/%s", pressed.Bytes, extension.Name)
	if pressed.Status >= 400 {
		step("refused", "%d: %s (the page shows why)", pressed.Status, pressed.Message())
		return
	}
	step("verified", "%s", s.verified())
	step("answered", "%d in %.0f ms: %s", pressed.Status, pressed.Milliseconds, pressed.Message())
	job, ok := s.newestJob(ctx, extension.Name)
	if !ok {
		return
	}
	step("recorded", "job %s: %d items for %s, asked by %s", job.ID, job.Total, job.Action, job.User.Username)
	job, err = jobs.Watch(ctx, s.cloud.Store, job.ID, time.Now().Add(demoPatience), time.Now)
	if err != nil {
		step("lost", "%v", err)
		return
	}
	for _, call := range s.callsOf(job.ID) {
		step("delivered", "%s %s: %d, %d items, Idempotency-Key %s", call.Method, call.URL, call.Status, call.Items, call.IdempotencyKey)
	}
	took := job.UpdatedAt.Sub(job.CreatedAt).Round(time.Millisecond)
	if !job.State.Ended() {
		step(string(job.State), "%d of %d so far; %s", job.Done, job.Total, job.Message)
		return
	}
	step(string(job.State), "%d of %d, %s after it was recorded", job.Done, job.Total, took)
}

// demoButton is the button to press.
func (s *System) demoButton() (config.Extension, bool) {
	if extension, ok := s.config.Extensions[preferred]; ok && extension.Type == "action" && len(extension.Positions) > 0 {
		return extension, true
	}
	for _, extension := range pim.ByTypeAndName(s.config) {
		if extension.Type == "action" && len(extension.Positions) > 0 {
			return extension, true
		}
	}
	return config.Extension{}, false
}

// verified names the proof of the newest request, which its log line has.
func (s *System) verified() string {
	for _, line := range s.recorder.Lines() {
		if header, ok := line.Attrs["header"]; ok {
			return fmt.Sprintf("by header %v with secret %v, within the time window", header, line.Attrs["secret"])
		}
	}
	return "by the proof that is configured"
}

func (s *System) newestJob(ctx context.Context, extension string) (jobs.Job, bool) {
	all, err := s.cloud.AllJobs(ctx)
	if err != nil {
		return jobs.Job{}, false
	}
	for _, job := range all {
		if job.Extension == extension {
			return job, true
		}
	}
	return jobs.Job{}, false
}

// callsOf returns the calls that a job made: their keys begin with its ID.
func (s *System) callsOf(job string) []inspector.Call {
	var found []inspector.Call
	for _, call := range s.recorder.Calls() {
		if strings.HasPrefix(call.IdempotencyKey, job+"/") {
			found = append(found, call)
		}
	}
	return found
}
