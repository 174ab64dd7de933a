package pimevent

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Execution is what an event of the Event Platform says of a run of one of the PIM's job profiles (Akeneo: "Event Platform",
// "Available events", job.export.status-changed and job.import.status-changed).
type Execution struct {
	ID        string // a number, as text
	Direction string // export or import
	Code      string // of the profile
	Label     string
	Status    string // starting, in_progress, completed, failed, stopped, abandoned, …, in small letters: open
	Rows      int
	Skipped   int // of an import
	Warnings  int // of an import
	Started   time.Time
	Ended     bool
}

// ends are the statuses after which no other comes.
var ends = []string{"completed", "failed", "stopped", "abandoned"}

// Execution is the run of an export's or import's profile that the event is about. ok is false for any other event.
func (e Event) Execution() (x Execution, ok bool) {
	rest, isJob := strings.CutPrefix(e.Type, "com.akeneo.pim.v1.job.")
	if x.Direction, ok = strings.CutSuffix(rest, ".status-changed"); !ok || !isJob || e.API != EventPlatform || x.Direction != "export" && x.Direction != "import" {
		return Execution{}, false
	}
	job := object(object(object(e.Raw)["data"])["job"])
	x.ID, x.Code, x.Label = job.name("execution_id"), job.text("code"), job.text("label")
	if x.ID == "" || x.Code == "" {
		return Execution{}, false
	}
	x.Status = strings.ToLower(job.text("status"))
	x.Rows, x.Skipped, x.Warnings = job.count("total_rows"), job.count("total_rows_skipped"), job.count("total_warnings")
	x.Started = parseTime(job.text("start_time"))
	x.Ended = slices.Contains(ends, x.Status) || !parseTime(job.text("end_time")).IsZero()
	return x, true
}

// WorkflowEnd is the workflow of the PIM, and the product or product model, whose run the event says has ended (Akeneo: "Event
// Platform", workflow.execution.completed). ok is false for any other event.
func (e Event) WorkflowEnd() (workflow, kind, id string, ok bool) {
	if e.API != EventPlatform || e.Type != "com.akeneo.pim.v1.workflow.execution.completed" {
		return "", "", "", false
	}
	data := object(object(e.Raw)["data"])
	workflow = object(data["workflow"]).text("uuid")
	kind, id = "product", object(data["product"]).text("uuid")
	if id == "" {
		kind, id = "product_model", object(data["product_model"]).name("code")
	}
	return workflow, kind, id, workflow != "" && id != ""
}

// count is a number of things; 0 where there is none.
func (f fields) count(name string) int {
	var n int
	if json.Unmarshal(f[name], &n) != nil {
		return 0
	}
	return max(n, 0)
}
