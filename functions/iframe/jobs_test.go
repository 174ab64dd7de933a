package iframe_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func TestThePanelListsTheJobsOfItsPIMAndUser(t *testing.T) {
	d := newDesk()
	for i, j := range []jobs.Job{
		{ID: "by-button", PIM: "main", User: jobs.User{UUID: julia}, Extension: "button", Trigger: jobs.TriggerAction},
		{ID: "by-panel", PIM: "main", User: jobs.User{UUID: julia}, Extension: "panel", Trigger: jobs.TriggerPanel},
		{ID: "by-second", PIM: "main", User: jobs.User{UUID: julia}, Extension: "second", Trigger: jobs.TriggerPanel},
		{ID: "of-peter", PIM: "main", User: jobs.User{UUID: peter}},
		{ID: "of-julia-elsewhere", PIM: "other", User: jobs.User{UUID: julia}},
	} {
		d.clock = now.Add(time.Duration(i) * time.Second)
		j.Action, j.State = "send", jobs.Queued
		d.record(t, j)
	}
	for _, row := range []struct{ panel, user, want string }{
		{"panel", julia, "by-second by-panel by-button"},
		{"second", julia, "by-second by-panel by-button"},
		{"panel", peter, "of-peter"},
		{"other_pim", julia, "of-julia-elsewhere"},
		{"other_pim", peter, ""},
	} {
		got := d.call(t, "GET", "/iframe/"+row.panel+"/jobs", d.token(row.panel, row.user), "")
		var ids []string
		for _, j := range decoded[list](t, got).Jobs {
			ids = append(ids, j.ID)
		}
		if strings.Join(ids, " ") != row.want || !strings.Contains(got.body, `"jobs":[`) {
			t.Errorf("%s of %s: %q, want %q", row.panel, row.user, ids, row.want)
		}
	}
}

// Each job against each panel and user: not there, but for whom it is.
func TestAJobIsItsUsersAlone(t *testing.T) {
	for _, row := range []struct {
		panel, user, pim, of string
		mine                 bool
	}{
		{"panel", julia, "main", julia, true},
		{"second", julia, "main", julia, true},
		{"other_pim", julia, "other", julia, true},
		{"panel", julia, "main", peter, false},
		{"panel", julia, "other", julia, false},
		{"other_pim", julia, "main", julia, false},
		{"panel", julia, "main", "", false},
		{"panel", julia, "", julia, false},
	} {
		for _, c := range calls[3:] {
			d := newDesk()
			d.record(t, jobs.Job{ID: "job", PIM: row.pim, User: jobs.User{UUID: row.of}, Action: "send", State: jobs.Failed, Items: []jobs.Item{{Type: jobs.ProductModel, ID: "a"}}})
			path := "/iframe/" + row.panel + strings.Replace(c.path, "ID", "job", 1)
			got := d.call(t, c.method, path, d.token(row.panel, row.user), `{"request":"`+press1+`"}`)
			if want := map[bool]int{true: 200, false: 404}[row.mine]; got.status != want {
				t.Errorf("%s %s by %s, of %s in %q: %d %s", c.method, path, row.user, row.of, row.pim, got.status, got.body)
			}
			none := d.call(t, c.method, strings.Replace(path, "/jobs/job", "/jobs/nobody", 1), d.token(row.panel, row.user), `{"request":"`+press1+`"}`)
			if !row.mine && none.body != got.body {
				t.Errorf("a job of somebody else reads %s, none %s", got.body, none.body)
			}
		}
	}
}

func TestIDsThatCannotBe(t *testing.T) {
	d := newDesk()
	for _, id := range []string{"", "%2e%2e", strings.Repeat("a", 5000), "<b>", "a%00b", "%ff"} {
		if got := d.call(t, "GET", "/iframe/panel/jobs/"+id, d.token("panel", julia), ""); got.status != 404 {
			t.Errorf("%q: %d %s", id, got.status, got.body)
		}
	}
}

func TestOneJobWithItsFailures(t *testing.T) {
	d := newDesk()
	item := jobs.Item{Type: jobs.Product, ID: uuidA}
	d.record(t, jobs.Job{ID: "job", PIM: "main", User: jobs.User{UUID: julia, Username: "julia@example.com"}, Action: "send", Label: "Export", State: jobs.Partial,
		Next: 2, Done: 1, Failed: 1, Items: []jobs.Item{{Type: jobs.Product, ID: uuidB}, item}, Message: "one <b>refused</b>"},
		jobs.Failure{Index: 1, Item: item, Reason: "no price"})
	got := d.call(t, "GET", "/iframe/panel/jobs/job", d.token("panel", julia), "")
	answer := decoded[one](t, got)
	want := job{ID: "job", Action: "send", Label: "Export", State: "partial", Message: "one <b>refused</b>", Done: 1, Failed: 1, Total: 2, Retryable: true}
	if got.status != 200 || *answer.Job != want || len(answer.Failures) != 1 || answer.Failures[0] != (jobs.Failure{Index: 1, Item: item, Reason: "no price"}) {
		t.Errorf("%s", got.body)
	}
	if strings.Contains(got.body, "julia@") || strings.Contains(got.body, "lease") {
		t.Errorf("more than the page needs: %s", got.body)
	}
}

func TestWhatCanBeDoneWithAJob(t *testing.T) {
	for _, row := range []struct {
		name                            string
		job                             jobs.Job
		state                           string
		cancellable, retryable, changed bool
	}{
		{"queued", jobs.Job{Action: "send", State: jobs.Queued}, "queued", true, false, false},
		{"running", jobs.Job{Action: "send", State: jobs.Running, Lease: jobs.Lease{Until: now.Add(time.Hour)}}, "running", true, false, false},
		{"running, and asked to stop", jobs.Job{Action: "send", State: jobs.Running, Stop: true, Lease: jobs.Lease{Until: now.Add(time.Hour)}}, "running", false, false, false},
		{"waiting", jobs.Job{Action: "send", State: jobs.Waiting}, "waiting", true, false, false},
		{"crashed on its last delivery", jobs.Job{Action: "send", State: jobs.Running, LastReceive: true, Lease: jobs.Lease{Until: now.Add(-time.Hour)}}, "failed", false, true, false},
		{"failed", jobs.Job{Action: "send", State: jobs.Failed}, "failed", false, true, false},
		{"failed, and not offered here", jobs.Job{Action: "relay", State: jobs.Failed}, "failed", false, false, false},
		{"cancelled", jobs.Job{Action: "send", State: jobs.Cancelled}, "cancelled", false, false, false},
		{"succeeded", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1}, "succeeded", false, false, false},
		{"its kind changes products", jobs.Job{Action: "fill", State: jobs.Partial, Done: 1}, "partial", false, true, true},
		{"its kind changes products, it did not", jobs.Job{Action: "fill", State: jobs.Failed}, "failed", false, true, false},
		{"its kind changes products, it still does", jobs.Job{Action: "fill", State: jobs.Waiting, Done: 1}, "waiting", true, false, false},
		{"its destination says so", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":true}`)}, "succeeded", false, false, true},
		{"its destination counts", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":3}`)}, "succeeded", false, false, true},
		{"its destination counts none", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":0}`)}, "succeeded", false, false, false},
		{"its destination says no", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":false}`)}, "succeeded", false, false, false},
		{"its destination says something else", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`["changed"]`)}, "succeeded", false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			row.job.ID, row.job.PIM, row.job.User = "job", "main", jobs.User{UUID: julia}
			d.record(t, row.job)
			got := decoded[one](t, d.call(t, "GET", "/iframe/panel/jobs/job", d.token("panel", julia), "")).Job
			if got.State != row.state || got.Cancellable != row.cancellable || got.Retryable != row.retryable || got.Changed != row.changed || got.Label != row.job.Action {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	d := newDesk()
	mine := jobs.User{UUID: julia}
	d.record(t, jobs.Job{ID: "queued", PIM: "main", User: mine, Action: "send", State: jobs.Queued})
	d.record(t, jobs.Job{ID: "running", PIM: "main", User: mine, Action: "send", State: jobs.Running, Lease: jobs.Lease{Until: now.Add(time.Hour)}})
	d.record(t, jobs.Job{ID: "over", PIM: "main", User: mine, Action: "send", State: jobs.Succeeded})
	for id, want := range map[string]string{"queued": "cancelled", "running": "running", "over": "succeeded"} {
		got := decoded[one](t, d.call(t, "POST", "/iframe/panel/jobs/"+id+"/cancel", d.token("panel", julia), "{}"))
		if got.Job.State != want || got.Job.Cancellable {
			t.Errorf("%s: %+v", id, got.Job)
		}
	}
	if running, err := d.store.Get(t.Context(), "running"); err != nil || !running.Stop {
		t.Errorf("the worker is not asked to stop: %+v %v", running, err)
	}
}

func TestTheListGoesOn(t *testing.T) {
	d := newDesk()
	for i := range 45 {
		d.clock = now.Add(time.Duration(i) * time.Second)
		d.record(t, jobs.Job{ID: fmt.Sprintf("job-%d", i), PIM: "main", User: jobs.User{UUID: julia}, Action: "send", State: jobs.Succeeded})
	}
	path, seen := "/iframe/panel/jobs", []string{}
	for range 3 {
		got := decoded[list](t, d.call(t, "GET", path, d.token("panel", julia), ""))
		for _, j := range got.Jobs {
			seen = append(seen, j.ID)
		}
		path = "/iframe/panel/jobs?before=" + url.QueryEscape(got.Next)
		if got.Next == "" {
			break
		}
	}
	for i, id := range seen {
		if id != fmt.Sprintf("job-%d", 44-i) {
			t.Fatalf("at %d: %q", i, seen)
		}
	}
	if len(seen) != 45 || !strings.HasSuffix(path, "=") {
		t.Errorf("%d jobs, then %s", len(seen), path)
	}
	for _, query := range []string{"before=yesterday", "%zz", "before=0"} {
		r := d.call(t, "GET", "/iframe/panel/jobs?"+query, d.token("panel", julia), "")
		if r.status != 400 {
			t.Errorf("%q: %d %s", query, r.status, r.body)
		}
	}
}

func TestJobsThatCannotBeRead(t *testing.T) {
	for _, c := range calls[1:] {
		if c.method == "POST" && c.path == "/jobs" {
			continue
		}
		d := newDesk()
		d.store.err = errDown
		got := d.call(t, c.method, "/iframe/panel"+c.path, d.token("panel", julia), `{"request":"`+press1+`"}`)
		if got.status != 503 || got.line["reason"] != "jobs_unavailable" || strings.Contains(got.body, "down") {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.status, got.body)
		}
	}
}
