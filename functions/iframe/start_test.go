package iframe_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// start is the body of a start on products.
func start(request, action string, uuids ...string) string {
	list, _ := json.Marshal(append([]string{}, uuids...))
	return fmt.Sprintf(`{"request":"%s","action":"%s","data":{"productUuids":%s},"context":{"locale":"en_US","channel":"ecommerce"},"language":"fr_FR"}`, request, action, list)
}

func TestAStart(t *testing.T) {
	f := newFixture()
	body := `{"request":"` + strings.ToUpper(press1) + `","action":"send","data":{"productUuids":["` + strings.ToUpper(uuidA) + `","` + uuidA + `"],"productModelCodes":["armor"],"categoryCodes":["men"]},` +
		`"context":{"locale":"en_US","channel":"ecommerce"},"language":"fr_FR"}`
	got := f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), body)
	answer := decoded[one](t, got)
	if got.Status != 200 || answer.Verdict != "started" || answer.Job == nil || answer.Job.State != "queued" || answer.Job.Label != "Exporter vers l'ERP" || !answer.Job.Cancellable {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	kept, err := f.Store.Load(t.Context(), answer.Job.ID)
	if err != nil {
		t.Fatal(err)
	}
	items := []jobs.Item{{Type: jobs.Product, ID: uuidA}, {Type: jobs.ProductModel, ID: "armor"}, {Type: jobs.Category, ID: "men"}}
	if !slices.Equal(kept.Items, items) || string(kept.Context) != `{"locale":"en_US","channel":"ecommerce"}` || kept.Trigger != jobs.TriggerPanel ||
		kept.Extension != "panel" || kept.PIM != "main" || kept.User.UUID != julia || kept.Once == "" || kept.Correlation == "" {
		t.Errorf("kept %+v", kept)
	}
	if kept.ID != jobs.ID("panel", []byte(julia), []byte(press1)) || f.Depth() != 1 || got.Line["job"] != kept.ID || got.Line["outcome"] != "started" {
		t.Errorf("%s, %d messages, %v", kept.ID, f.Depth(), got.Line)
	}
}

// Where nothing is selected, a page with a selection starts its actions over what that finds: each from its own mark, and not
// twice at once.
func TestAStartOverTheSelection(t *testing.T) {
	f := newFixture()
	press := func(panel, user, request, more string) fixture.Answer {
		return f.call(t, "POST", "/iframe/"+panel+"/jobs", f.token(panel, user), `{"request":"`+request+`","context":{"locale":"en_US"},`+more+`}`)
	}
	got := press("second", julia, press1, `"action":"send","select":"ready"`)
	answer := decoded[one](t, got)
	if got.Status != 200 || answer.Verdict != "started" || !answer.Job.Open || answer.Job.Total != 0 || f.Depth() != 1 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	kept, err := f.Store.Load(t.Context(), answer.Job.ID)
	if err != nil || len(kept.Items) != 0 || kept.Select == nil || kept.Select.Name != "ready" || kept.Select.Mark != "page/second/send/main/ready" || string(kept.Context) != `{"locale":"en_US"}` {
		t.Errorf("%+v, %v", kept, err)
	}
	if again := decoded[one](t, press("second", peter, press2, `"action":"send","select":"ready"`)); again.Verdict != "already_running" || again.Job != nil {
		t.Errorf("another user starts %+v", again)
	}
	if other := decoded[one](t, press("second", julia, press2, `"action":"fill","select":"ready"`)); other.Verdict != "started" {
		t.Errorf("another action: %+v", other)
	}
	for name, row := range map[string]struct {
		panel, more, reason string
		status              int
	}{
		"another selection":                {"second", `"action":"send","select":"redy"`, "action_not_offered", 403},
		"a page without one":               {"panel", `"action":"send","select":"ready"`, "action_not_offered", 403},
		"an action that it does not offer": {"second", `"action":"relay","select":"ready"`, "action_not_offered", 403},
		"with items":                       {"second", `"action":"send","select":"ready","data":{"productUuids":["` + uuidA + `"]}`, "selection_and_items", 400},
		"nothing":                          {"second", `"action":"send","select":""`, "selection_empty", 400},
		"no text":                          {"second", `"action":"send","select":true`, "body_shape", 400},
	} {
		if got := press(row.panel, julia, uuidB, row.more); got.Status != row.status || got.Line["reason"] != row.reason || f.Depth() != 2 {
			t.Errorf("%s: %d %s, %d messages", name, got.Status, got.Body, f.Depth())
		}
	}
}

// What a selection found is not kept: its retry takes what failed, then what its search has not come to.
func TestRetryAfterASelection(t *testing.T) {
	item := func(id string) jobs.Item { return jobs.Item{Type: jobs.ProductModel, ID: id} }
	for name, row := range map[string]struct {
		job      jobs.Job
		status   int
		failed   string // whose failures come first
		page     string
		searches bool
	}{
		"some failed": {jobs.Job{State: jobs.Partial, Next: 2, Total: 2, Done: 1, Failed: 1, Select: &jobs.Select{Name: "ready", Resolved: true, Type: jobs.ProductModel, Mark: "m", Cursor: "c", End: true}}, 200, "old", "[]", false},
		"given up in the middle": {jobs.Job{State: jobs.Failed, Reason: jobs.ReasonGaveUp, Next: 1, Total: 2, Failed: 1,
			Select: &jobs.Select{Name: "ready", Resolved: true, Type: jobs.ProductModel, Mark: "m", Cursor: "c", Page: []jobs.Item{item("a"), item("b")}}}, 200, "old", "[{product_model b}]", true},
		"never begun":             {jobs.Job{State: jobs.Failed, Reason: jobs.ReasonNotQueued, Select: &jobs.Select{Name: "ready", Mark: "m"}}, 200, "", "[]", true},
		"nothing failed":          {jobs.Job{State: jobs.Succeeded, Next: 2, Total: 2, Done: 2, Select: &jobs.Select{Name: "ready", Resolved: true, End: true}}, 422, "", "", false},
		"cancelled between pages": {jobs.Job{State: jobs.Cancelled, Next: 2, Total: 2, Done: 2, Select: &jobs.Select{Name: "ready", Resolved: true, Type: jobs.ProductModel}}, 422, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			row.job.ID, row.job.PIM, row.job.User, row.job.Action, row.job.Label = "old", "main", jobs.User{UUID: julia}, "send", "Export"
			var failures []jobs.Failure
			if row.job.Failed > 0 {
				failures = append(failures, jobs.Failure{Item: item("a"), Reason: "no price"})
			}
			f.Record(t, row.job, failures...)
			if seen := decoded[one](t, f.call(t, "GET", "/iframe/panel/jobs/old", f.token("panel", julia), "")).Job; seen.Open != row.searches || seen.Retryable != (row.status == 200) {
				t.Errorf("%+v", seen)
			}
			got := f.call(t, "POST", "/iframe/panel/jobs/old/retry", f.token("panel", julia), `{"request":"`+press1+`"}`)
			if got.Status != row.status || row.status != 200 {
				if got.Status != row.status {
					t.Errorf("%d %s", got.Status, got.Body)
				}
				return
			}
			again, err := f.Store.Load(t.Context(), decoded[one](t, got).Job.ID)
			if err != nil || again.Select == nil || again.Select.Failed != row.failed || fmt.Sprint(again.Select.Page) != row.page || (again.Select.Type != "" || !again.Select.Resolved) != row.searches || again.Parent != "old" {
				t.Fatalf("%+v, %+v, %v", again, again.Select, err)
			}
			if second := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs/old/retry", f.token("panel", julia), `{"request":"`+press2+`"}`)); second.Verdict != "already_running" {
				t.Errorf("%+v", second)
			}
		})
	}
}

func TestTheSamePressIsTheSameJob(t *testing.T) {
	f := newFixture()
	first := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), start(press1, "send", uuidA)))
	again := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), start(press1, "send", uuidA)))
	if again.Verdict != "repeated" || again.Job.ID != first.Job.ID || f.Depth() != 1 {
		t.Errorf("%+v, %d messages", again, f.Depth())
	}
	other := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", peter), start(press1, "send", uuidB)))
	if other.Verdict != "started" || other.Job.ID == first.Job.ID {
		t.Errorf("another user's press of the same name: %+v", other)
	}
}

// Two tabs, the same action on the same selection: one job, and both see it.
func TestTwoTabs(t *testing.T) {
	f := newFixture()
	first := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), start(press1, "send", uuidA, uuidB)))
	second := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), start(press2, "send", uuidB, uuidA)))
	if second.Verdict != "already_running" || second.Job == nil || second.Job.ID != first.Job.ID || f.Depth() != 1 {
		t.Errorf("%+v, %d messages", second, f.Depth())
	}
	// Of another user's job one learns that it runs, and nothing else.
	theirs := f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", peter), start(press2, "send", uuidA, uuidB))
	if answer := decoded[one](t, theirs); answer.Verdict != "already_running" || answer.Job != nil || !answer.Since.Equal(now) || strings.Contains(theirs.Body, first.Job.ID) {
		t.Errorf("%s", theirs.Body)
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
		{"an empty body", "", 400, "body_empty"},
		{"no JSON", "hello", 400, "body_not_json"},
		{"a list", "[]", 400, "body_not_object"},
		{"more after the end", start(press1, "send", uuidA) + "{}", 400, "body_not_json"},
		{"a field that we do not know", `{"request":"` + press1 + `","user":"admin"}`, 400, "body_shape"},
		{"a field of the context that we do not know", `{"request":"` + press1 + `","context":{"user":"admin"}}`, 400, "body_shape"},
		{"a list that we do not know", with(`"assetCodes":["a"]`), 400, "body_shape"},
		{"a name twice", with(`"productUuids":["` + uuidA + `"],"productUuids":["` + uuidB + `"]`), 400, "duplicate_key"},
		{"a name in another case", with(`"PRODUCTUUIDS":["` + uuidA + `"]`), 400, "body_shape"},
		{"half a character", with(`"productModelCodes":["\ud83d"]`), 400, "body_not_json"},
		{"not UTF-8", with("\"productModelCodes\":[\"\xff\"]"), 400, "body_not_utf8"},
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
			f := newFixture()
			got := f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), row.body)
			if got.Status != row.status || got.Line["reason"] != row.reason || f.Depth() != 0 {
				t.Errorf("%d %v, want %d %s: %s", got.Status, got.Line["reason"], row.status, row.reason, got.Body)
			}
		})
	}
	t.Run("500 items", func(t *testing.T) {
		f := newFixture()
		if got := f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), start(press1, "send", many[1:]...)); got.Status != 200 {
			t.Errorf("%d %s", got.Status, got.Body)
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
			f := newFixture()
			row.job.ID, row.job.PIM, row.job.User, row.job.Items, row.job.Label = "old", "main", mine, four, "Export"
			row.job.Context, row.job.Params = []byte(`{"locale":"en_US","categories":["men"]}`), []byte(`{"x":1}`)
			f.Record(t, row.job, row.failures...)
			got := f.call(t, "POST", "/iframe/panel/jobs/old/retry", f.token("panel", julia), `{"request":"`+press1+`"}`)
			if got.Status != row.status {
				t.Fatalf("%d %s, want %d", got.Status, got.Body, row.status)
			}
			if row.status != 200 {
				return
			}
			answer := decoded[one](t, got)
			again, err := f.Store.Load(t.Context(), answer.Job.ID)
			if err != nil || !slices.Equal(again.Items, row.want) || again.Parent != "old" || again.Label != "Export" || again.Trigger != jobs.TriggerPanel ||
				string(again.Context) != string(row.job.Context) || string(again.Params) != `{"x":1}` || again.Extension != "panel" {
				t.Errorf("%v, again %+v", err, again)
			}
			second := f.call(t, "POST", "/iframe/panel/jobs/old/retry", f.token("panel", julia), `{"request":"`+press2+`"}`)
			if answer := decoded[one](t, second); answer.Verdict != "already_running" || answer.Job.ID != again.ID {
				t.Errorf("a second press: %s", second.Body)
			}
		})
	}
}

func TestAStartThatCannotBeRecorded(t *testing.T) {
	for name, breaks := range map[string]func(*fixtures){
		"the records refuse": func(f *fixtures) { f.Store.Err = errDown },
		"the records hang":   func(f *fixtures) { f.Store.Hangs = true },
		"the queue hangs":    func(f *fixtures) { f.Queue.Before = fixture.Hang },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			f.clock = time.Now() // synctest's
			breaks(f)
			begun := time.Now()
			got := f.call(t, "POST", "/iframe/panel/jobs", f.token("panel", julia), start(press1, "send", uuidA))
			if got.Status != 503 || got.Line["reason"] != "job_not_started" || strings.Contains(got.Body, "down") || time.Since(begun) > 4*time.Second {
				t.Errorf("%s: %d %v %s after %s", name, got.Status, got.Line, got.Body, time.Since(begun))
			}
		})
	}
}
