package iframe_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// start is the body of a start on products.
func start(request, action string, uuids ...string) string {
	list, _ := json.Marshal(append([]string{}, uuids...))
	return fmt.Sprintf(`{"request":"%s","action":"%s","data":{"productUuids":%s},"context":{"locale":"en_US","channel":"ecommerce"},"language":"fr_FR"}`, request, action, list)
}

func TestAStart(t *testing.T) {
	d := newDesk()
	body := `{"request":"` + strings.ToUpper(press1) + `","action":"send","data":{"productUuids":["` + strings.ToUpper(uuidA) + `","` + uuidA + `"],"productModelCodes":["armor"],"categoryCodes":["men"]},` +
		`"context":{"locale":"en_US","channel":"ecommerce"},"language":"fr_FR"}`
	got := d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), body)
	answer := decoded[one](t, got)
	if got.status != 200 || answer.Verdict != "started" || answer.Job == nil || answer.Job.State != "queued" || answer.Job.Label != "Exporter vers l'ERP" || !answer.Job.Cancellable {
		t.Fatalf("%d %s", got.status, got.body)
	}
	kept, err := d.store.Load(t.Context(), answer.Job.ID)
	if err != nil {
		t.Fatal(err)
	}
	items := []jobs.Item{{Type: jobs.Product, ID: uuidA}, {Type: jobs.ProductModel, ID: "armor"}, {Type: jobs.Category, ID: "men"}}
	if !slices.Equal(kept.Items, items) || string(kept.Context) != `{"locale":"en_US","channel":"ecommerce"}` || kept.Trigger != jobs.TriggerPanel ||
		kept.Extension != "panel" || kept.PIM != "main" || kept.User.UUID != julia || kept.Once == "" || kept.Correlation == "" {
		t.Errorf("kept %+v", kept)
	}
	if kept.ID != jobs.ID("panel", []byte(julia), []byte(press1)) || d.depth(t) != 1 || got.line["job"] != kept.ID || got.line["outcome"] != "started" {
		t.Errorf("%s, %d messages, %v", kept.ID, d.depth(t), got.line)
	}
}

func TestTheSamePressIsTheSameJob(t *testing.T) {
	d := newDesk()
	first := decoded[one](t, d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), start(press1, "send", uuidA)))
	again := decoded[one](t, d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), start(press1, "send", uuidA)))
	if again.Verdict != "repeated" || again.Job.ID != first.Job.ID || d.depth(t) != 1 {
		t.Errorf("%+v, %d messages", again, d.depth(t))
	}
	other := decoded[one](t, d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", peter), start(press1, "send", uuidB)))
	if other.Verdict != "started" || other.Job.ID == first.Job.ID {
		t.Errorf("another user's press of the same name: %+v", other)
	}
}

// Two tabs, the same action on the same selection: one job, and both see it.
func TestTwoTabs(t *testing.T) {
	d := newDesk()
	first := decoded[one](t, d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), start(press1, "send", uuidA, uuidB)))
	second := decoded[one](t, d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), start(press2, "send", uuidB, uuidA)))
	if second.Verdict != "already_running" || second.Job == nil || second.Job.ID != first.Job.ID || d.depth(t) != 1 {
		t.Errorf("%+v, %d messages", second, d.depth(t))
	}
	// Of another user's job one learns that it runs, and nothing else.
	theirs := d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", peter), start(press2, "send", uuidA, uuidB))
	if answer := decoded[one](t, theirs); answer.Verdict != "already_running" || answer.Job != nil || !answer.Since.Equal(now) || strings.Contains(theirs.body, first.Job.ID) {
		t.Errorf("%s", theirs.body)
	}
}

func TestRefusedStarts(t *testing.T) {
	many := make([]string, 501)
	for i := range many {
		many[i] = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
	}
	with := func(data string) string { return `{"request":"` + press1 + `","action":"send","data":{` + data + `}}` }
	for _, row := range []struct {
		name, body string
		status     int
		reason     string
	}{
		{"an empty body", "", 400, "body_shape"},
		{"no JSON", "hello", 400, "body_shape"},
		{"a list", "[]", 400, "body_shape"},
		{"more after the end", start(press1, "send", uuidA) + "{}", 400, "body_shape"},
		{"a field that we do not know", `{"request":"` + press1 + `","user":"admin"}`, 400, "body_shape"},
		{"a selection of another shape", with(`"productUuids":"` + uuidA + `"`), 400, "body_shape"},
		{"no request", start("", "send", uuidA), 400, "request_invalid"},
		{"a request that is no UUID", start("1", "send", uuidA), 400, "request_invalid"},
		{"a locale with a line end", strings.Replace(start(press1, "send", uuidA), "en_US", `en\nUS`, 1), 400, "context_invalid"},
		{"an endless channel", strings.Replace(start(press1, "send", uuidA), "ecommerce", strings.Repeat("a", 256), 1), 400, "context_invalid"},
		{"an action that the page does not offer", start(press1, "relay", uuidA), 403, "action_not_offered"},
		{"an action that does not exist", start(press1, "", uuidA), 403, "action_not_offered"},
		{"nothing selected", start(press1, "send"), 400, "selection_empty"},
		{"501 items", start(press1, "send", many...), 400, "too_many_items"},
		{"a UUID that is none", start(press1, "send", "1"), 400, "item_invalid"},
		{"a UUID with markup", start(press1, "send", "<script>"), 400, "item_invalid"},
		{"a UUID with a line end", start(press1, "send", uuidA+`\n`), 400, "item_invalid"},
		{"an empty code", with(`"productModelCodes":[""]`), 400, "item_invalid"},
		{"a code with a control character", with(`"productModelCodes":["a\u0000"]`), 400, "item_invalid"},
		{"a code of 256 bytes", with(`"categoryCodes":["` + strings.Repeat("a", 256) + `"]`), 400, "item_invalid"},
		{"a body over the cap", strings.Repeat(" ", 256<<10+1), 413, "body_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			got := d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), row.body)
			if got.status != row.status || got.line["reason"] != row.reason || d.depth(t) != 0 {
				t.Errorf("%d %v, want %d %s: %s", got.status, got.line["reason"], row.status, row.reason, got.body)
			}
		})
	}
	t.Run("500 items", func(t *testing.T) {
		d := newDesk()
		if got := d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), start(press1, "send", many[1:]...)); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

func TestRetry(t *testing.T) {
	item := func(id string) jobs.Item { return jobs.Item{Type: jobs.ProductModel, ID: id} }
	four := []jobs.Item{item("a"), item("b"), item("c"), item("d")}
	mine := jobs.User{UUID: julia}
	for _, row := range []struct {
		name     string
		job      jobs.Job
		failures []jobs.Failure
		status   int
		want     []jobs.Item
	}{
		{"only what failed", jobs.Job{Action: "send", State: jobs.Partial, Next: 4, Done: 2, Failed: 2}, []jobs.Failure{{Index: 1, Item: item("b")}, {Index: 3, Item: item("d")}}, 200, []jobs.Item{item("b"), item("d")}},
		{"what the worker never came to, too", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonDeadLetter, Next: 2, Done: 1, Failed: 1}, []jobs.Failure{{Index: 0, Item: item("a")}}, 200, []jobs.Item{item("a"), item("c"), item("d")}},
		{"a job that was never started", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonNotQueued}, nil, 200, four},
		{"whatever button it came from", jobs.Job{Action: "send", Extension: "button", Trigger: jobs.TriggerAction, State: jobs.Failed, Next: 4, Failed: 1}, []jobs.Failure{{Index: 2, Item: item("c")}}, 200, []jobs.Item{item("c")}},
		{"an action that the page does not offer", jobs.Job{Action: "relay", State: jobs.Failed}, nil, 403, nil},
		{"a success", jobs.Job{Action: "send", State: jobs.Succeeded, Next: 4, Done: 4}, nil, 422, nil},
		{"one that runs", jobs.Job{Action: "send", State: jobs.Running, Next: 1, Failed: 1}, []jobs.Failure{{Index: 0, Item: item("a")}}, 422, nil},
		{"one that was cancelled", jobs.Job{Action: "send", State: jobs.Cancelled}, nil, 422, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			row.job.ID, row.job.PIM, row.job.User, row.job.Items, row.job.Label = "old", "main", mine, four, "Export"
			row.job.Context, row.job.Params = []byte(`{"locale":"en_US","categories":["men"]}`), []byte(`{"x":1}`)
			d.record(t, row.job, row.failures...)
			got := d.call(t, "POST", "/iframe/panel/jobs/old/retry", d.token("panel", julia), `{"request":"`+press1+`"}`)
			if got.status != row.status {
				t.Fatalf("%d %s, want %d", got.status, got.body, row.status)
			}
			if row.status != 200 {
				return
			}
			answer := decoded[one](t, got)
			again, err := d.store.Load(t.Context(), answer.Job.ID)
			if err != nil || !slices.Equal(again.Items, row.want) || again.Parent != "old" || again.Label != "Export" || again.Trigger != jobs.TriggerPanel ||
				string(again.Context) != string(row.job.Context) || string(again.Params) != `{"x":1}` || again.Extension != "panel" {
				t.Errorf("%v, again %+v", err, again)
			}
			second := d.call(t, "POST", "/iframe/panel/jobs/old/retry", d.token("panel", julia), `{"request":"`+press2+`"}`)
			if answer := decoded[one](t, second); answer.Verdict != "already_running" || answer.Job.ID != again.ID {
				t.Errorf("a second press: %s", second.body)
			}
		})
	}
}

func TestAStartThatCannotBeRecorded(t *testing.T) {
	d := newDesk()
	d.store.err = errDown
	got := d.call(t, "POST", "/iframe/panel/jobs", d.token("panel", julia), start(press1, "send", uuidA))
	if got.status != 503 || got.line["reason"] != "job_not_started" || strings.Contains(got.body, "down") {
		t.Errorf("%d %v %s", got.status, got.line, got.body)
	}
}
