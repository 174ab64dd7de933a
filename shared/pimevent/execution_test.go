package pimevent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func TestAnExecutionOfAJobProfile(t *testing.T) {
	start := time.Date(2026, 6, 3, 10, 16, 41, 0, time.UTC)
	const kind = "com.akeneo.pim.v1.job.export.status-changed"
	for _, row := range []struct {
		name, api, kind, job string
		want                 pimevent.Execution
		ok                   bool
	}{
		{"starting", "event-platform", kind, `{"execution_id":4711,"code":"csv","label":"For the shop","status":"starting","total_rows":0,"start_time":"2026-06-03T10:16:41+00:00","end_time":null}`,
			pimevent.Execution{ID: "4711", Direction: "export", Code: "csv", Label: "For the shop", Status: "starting", Started: start}, true},
		{"completed", "event-platform", kind, `{"execution_id":4711,"code":"csv","status":"completed","total_rows":1240,"start_time":"2026-06-03T12:16:41+02:00","end_time":"2026-06-03T10:18:20+00:00"}`,
			pimevent.Execution{ID: "4711", Direction: "export", Code: "csv", Status: "completed", Rows: 1240, Started: start, Ended: true}, true},
		{"in capitals, and a text for a number", "event-platform", kind, `{"execution_id":"4711","code":"csv","status":"FAILED"}`,
			pimevent.Execution{ID: "4711", Direction: "export", Code: "csv", Status: "failed", Ended: true}, true},
		{"an unknown status with an end", "event-platform", kind, `{"execution_id":1,"code":"csv","status":"unknown","end_time":"2026-06-03T10:18:20+00:00"}`,
			pimevent.Execution{ID: "1", Direction: "export", Code: "csv", Status: "unknown", Ended: true}, true},
		{"an import", "event-platform", "com.akeneo.pim.v1.job.import.status-changed", `{"execution_id":1,"code":"csv","status":"completed","total_rows":300,"total_rows_processed":295,"total_rows_skipped":5,"total_warnings":2}`,
			pimevent.Execution{ID: "1", Direction: "import", Code: "csv", Status: "completed", Rows: 300, Skipped: 5, Warnings: 2, Ended: true}, true},
		{"odd counts", "event-platform", kind, `{"execution_id":1,"code":"csv","status":"completed","total_rows":"many","total_warnings":-1}`,
			pimevent.Execution{ID: "1", Direction: "export", Code: "csv", Status: "completed", Ended: true}, true},
		{"a mass edit", "event-platform", "com.akeneo.pim.v1.job.mass-edit.status-changed", `{"execution_id":1,"code":"csv","status":"completed"}`, pimevent.Execution{}, false},
		{"without an ID", "event-platform", kind, `{"code":"csv","status":"completed"}`, pimevent.Execution{}, false},
		{"without a profile", "event-platform", kind, `{"execution_id":1,"status":"completed"}`, pimevent.Execution{}, false},
		{"of the other API", "events-api", kind, `{"execution_id":1,"code":"csv","status":"completed"}`, pimevent.Execution{}, false},
		{"no object", "event-platform", kind, `7`, pimevent.Execution{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			event := pimevent.Decode(row.api, "main", fmt.Appendf(nil, `{"id":"e1","type":%q,"data":{"job":%s}}`, row.kind, row.job))
			event.Type = row.kind
			if got, ok := event.Execution(); ok != row.ok || got != row.want {
				t.Errorf("%+v, %v\nwant %+v, %v", got, ok, row.want, row.ok)
			}
		})
	}
	for name, wanted := range map[string]bool{"job-export-status-changed": true, "job-import-status-changed": true, "job-mass-edit-status-changed": false, "product-updated": false} {
		text, err := events.FS.ReadFile("event-platform/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if x, ok := pimevent.Decode(pimevent.EventPlatform, "main", text).Execution(); ok != wanted || x.Ended {
			t.Errorf("%s: %+v, %v", name, x, ok)
		}
	}
}

func TestTheEndOfAWorkflow(t *testing.T) {
	const completed = "com.akeneo.pim.v1.workflow.execution.completed"
	for _, row := range []struct{ name, api, kind, data, want string }{
		{"of a product", "event-platform", completed, `{"workflow":{"uuid":"w"},"product":{"uuid":"p"}}`, "w product p true"},
		{"of a model", "event-platform", completed, `{"workflow":{"uuid":"w"},"product_model":{"code":"m"}}`, "w product_model m true"},
		{"of nothing", "event-platform", completed, `{"workflow":{"uuid":"w"}}`, "w product_model  false"},
		{"without a workflow", "event-platform", completed, `{"product":{"uuid":"p"}}`, " product p false"},
		{"a beginning", "event-platform", "com.akeneo.pim.v1.workflow.execution.started", `{"workflow":{"uuid":"w"},"product":{"uuid":"p"}}`, "   false"},
		{"of the other API", "events-api", completed, `{"workflow":{"uuid":"w"},"product":{"uuid":"p"}}`, "   false"},
	} {
		event := pimevent.Decode(row.api, "main", fmt.Appendf(nil, `{"id":"e1","type":%q,"data":%s}`, row.kind, row.data))
		event.Type = row.kind
		workflow, kind, id, ok := event.WorkflowEnd()
		if got := fmt.Sprintf("%s %s %s %v", workflow, kind, id, ok); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
