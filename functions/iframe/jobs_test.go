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
	f := newFixture()
	for i, j := range []jobs.Job{
		{ID: "by-button", PIM: "main", User: jobs.User{UUID: julia}, Extension: "button", Trigger: jobs.TriggerAction},
		{ID: "by-panel", PIM: "main", User: jobs.User{UUID: julia}, Extension: "panel", Trigger: jobs.TriggerPanel},
		{ID: "by-second", PIM: "main", User: jobs.User{UUID: julia}, Extension: "second", Trigger: jobs.TriggerPanel},
		{ID: "of-peter", PIM: "main", User: jobs.User{UUID: peter}},
		{ID: "of-julia-elsewhere", PIM: "other", User: jobs.User{UUID: julia}},
	} {
		f.clock = now.Add(time.Duration(i) * time.Second)
		j.Action, j.State = "send", jobs.Queued
		f.Record(t, j)
	}
	for _, row := range []struct{ panel, user, want string }{
		{"panel", julia, "by-second by-panel by-button"},
		{"second", julia, "by-second by-panel by-button"},
		{"panel", peter, "of-peter"},
		{"other_pim", julia, "of-julia-elsewhere"},
		{"other_pim", peter, ""},
	} {
		got := f.call(t, "GET", "/iframe/"+row.panel+"/jobs", f.token(row.panel, row.user), "")
		var ids []string
		for _, j := range decoded[list](t, got).Jobs {
			ids = append(ids, j.ID)
		}
		if strings.Join(ids, " ") != row.want || !strings.Contains(got.Body, `"jobs":[`) {
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
			f := newFixture()
			f.Record(t, jobs.Job{ID: "job", PIM: row.pim, User: jobs.User{UUID: row.of}, Action: "send", State: jobs.Failed, Items: []jobs.Item{{Type: jobs.ProductModel, ID: "a"}}})
			path := "/iframe/" + row.panel + strings.Replace(c.path, "ID", "job", 1)
			got := f.call(t, c.method, path, f.token(row.panel, row.user), `{"request":"`+press1+`"}`)
			if want := map[bool]int{true: 200, false: 404}[row.mine]; got.Status != want {
				t.Errorf("%s %s by %s, of %s in %q: %d %s", c.method, path, row.user, row.of, row.pim, got.Status, got.Body)
			}
			none := f.call(t, c.method, strings.Replace(path, "/jobs/job", "/jobs/nobody", 1), f.token(row.panel, row.user), `{"request":"`+press1+`"}`)
			if !row.mine && none.Body != got.Body {
				t.Errorf("a job of somebody else reads %s, none %s", got.Body, none.Body)
			}
		}
	}
}

func TestIDsThatCannotBe(t *testing.T) {
	f := newFixture()
	for _, id := range []string{"", "%2e%2e", strings.Repeat("a", 5000), "<b>", "a%00b", "%ff"} {
		if got := f.call(t, "GET", "/iframe/panel/jobs/"+id, f.token("panel", julia), ""); got.Status != 404 {
			t.Errorf("%q: %d %s", id, got.Status, got.Body)
		}
	}
}

func TestFilesOfAJob(t *testing.T) {
	f := newFixture()
	f.Record(t, jobs.Job{ID: "job", PIM: "main", User: jobs.User{UUID: julia}, Action: "send", State: jobs.Succeeded, Files: []jobs.File{
		{Name: "all.csv", Key: "export/7d/job/all.csv", Bytes: 12, Until: now.Add(time.Hour), Link: "https://functions.example.com/files/job/all.csv?proof=x"},
		{Name: "old.csv", Key: "export/1d/job/old.csv", Bytes: 12, Until: now.Add(-time.Hour), Link: "https://functions.example.com/files/job/old.csv?proof=x"},
		{Name: "unlinked.csv", Key: "export/7d/job/unlinked.csv", Bytes: 12, Until: now.Add(time.Hour)},
	}})
	got := f.call(t, "GET", "/iframe/panel/jobs/job/files", f.token("panel", julia), "")
	answer := decoded[struct {
		Files []struct {
			Name, URL string
			Bytes     int64
		}
	}](t, got)
	if got.Status != 200 || len(answer.Files) != 1 || answer.Files[0].Name != "all.csv" || answer.Files[0].Bytes != 12 || !strings.HasSuffix(answer.Files[0].URL, "?proof=x") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if strings.Contains(got.Body, "export/7d") {
		t.Errorf("where it is stored is told: %s", got.Body)
	}
	if listed := f.call(t, "GET", "/iframe/panel/jobs/job", f.token("panel", julia), ""); !strings.Contains(listed.Body, `"files":1`) || strings.Contains(listed.Body, "proof") {
		t.Errorf("the job: %s", listed.Body)
	}
}

func TestOneJobWithItsFailures(t *testing.T) {
	f := newFixture()
	item := jobs.Item{Type: jobs.Product, ID: uuidA}
	f.Record(t, jobs.Job{ID: "job", PIM: "main", User: jobs.User{UUID: julia, Username: "julia@example.com"}, Action: "send", Label: "Export", State: jobs.Partial,
		Next: 2, Done: 1, Failed: 1, Items: []jobs.Item{{Type: jobs.Product, ID: uuidB}, item}, Message: "one <b>refused</b>"},
		jobs.Failure{Index: 1, Item: item, Reason: "no price"})
	got := f.call(t, "GET", "/iframe/panel/jobs/job", f.token("panel", julia), "")
	answer := decoded[one](t, got)
	want := job{ID: "job", Action: "send", Label: "Export", State: "partial", Message: "one <b>refused</b>", Done: 1, Failed: 1, Total: 2, Retryable: true}
	if got.Status != 200 || *answer.Job != want || len(answer.Failures) != 1 || answer.Failures[0] != (jobs.Failure{Index: 1, Item: item, Reason: "no price"}) {
		t.Errorf("%s", got.Body)
	}
	if strings.Contains(got.Body, "julia@") || strings.Contains(got.Body, "lease") {
		t.Errorf("more than the page needs: %s", got.Body)
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
		{"it changed products", jobs.Job{Action: "fill", State: jobs.Partial, Done: 1, Changed: 1}, "partial", false, true, true},
		{"an undo is not repeated as its action", jobs.Job{Action: "send", State: jobs.Failed, Trigger: jobs.TriggerUndo}, "failed", false, false, false},
		{"it changed nothing: all was so already", jobs.Job{Action: "fill", State: jobs.Succeeded, Done: 1}, "succeeded", false, false, false},
		{"its kind changes products, it did not", jobs.Job{Action: "fill", State: jobs.Failed}, "failed", false, true, false},
		{"it changed products, and still does", jobs.Job{Action: "fill", State: jobs.Waiting, Done: 1, Changed: 1}, "waiting", true, false, false},
		{"its destination says so", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":true}`)}, "succeeded", false, false, true},
		{"its destination counts", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":3}`)}, "succeeded", false, false, true},
		{"its destination counts none", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":0}`)}, "succeeded", false, false, false},
		{"its destination says no", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`{"changed":false}`)}, "succeeded", false, false, false},
		{"its destination says something else", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 1, Result: []byte(`["changed"]`)}, "succeeded", false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			row.job.ID, row.job.PIM, row.job.User = "job", "main", jobs.User{UUID: julia}
			f.Record(t, row.job)
			got := decoded[one](t, f.call(t, "GET", "/iframe/panel/jobs/job", f.token("panel", julia), "")).Job
			if got.State != row.state || got.Cancellable != row.cancellable || got.Retryable != row.retryable || got.Changed != row.changed || got.Label != row.job.Action {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestUndo(t *testing.T) {
	f := newFixture()
	mine := jobs.User{UUID: julia}
	wrote := []string{"0-1.1"}
	f.Record(t, jobs.Job{ID: "changed", PIM: "main", User: mine, Action: "fill", State: jobs.Partial, Undo: wrote, Items: []jobs.Item{{Type: jobs.Product, ID: uuidA}}})
	f.Record(t, jobs.Job{ID: "selected", PIM: "main", User: mine, Action: "fill", State: jobs.Succeeded, Undo: wrote, Select: &jobs.Select{Name: "ready", Resolved: true, End: true}})
	f.Record(t, jobs.Job{ID: "running", PIM: "main", User: mine, Action: "fill", State: jobs.Running, Undo: wrote, Lease: jobs.Lease{Until: now.Add(time.Hour)}})
	f.Record(t, jobs.Job{ID: "nothing", PIM: "main", User: mine, Action: "fill", State: jobs.Succeeded})
	f.Record(t, jobs.Job{ID: "others", PIM: "main", User: jobs.User{UUID: peter}, Action: "fill", State: jobs.Succeeded, Undo: wrote})
	for _, c := range []struct {
		id, user string
		status   int
	}{
		{"changed", "", 401}, {"running", julia, 409}, {"nothing", julia, 409}, {"others", julia, 404}, {"nobody", julia, 404},
		{"changed", julia, 200}, {"selected", julia, 200},
	} {
		token := ""
		if c.user != "" {
			token = f.token("panel", c.user)
			seen := f.call(t, "GET", "/iframe/panel/jobs/"+c.id, token, "")
			if seen.Status == 200 && decoded[one](t, seen).Job.Undoable != (c.status == 200) {
				t.Errorf("%s: the page is told the opposite: %s", c.id, seen.Body)
			}
		}
		answer := f.call(t, "POST", "/iframe/panel/jobs/"+c.id+"/undo", token, "")
		if answer.Status != c.status {
			t.Errorf("%s by %q: %d %s, want %d", c.id, c.user, answer.Status, answer.Body, c.status)
		}
		if c.status != 200 {
			continue
		}
		total := map[string]int{"changed": 1}[c.id] // a selection's items come page by page
		if got := decoded[one](t, answer).Job; got.Trigger != jobs.TriggerUndo || got.Parent != c.id || got.Total != total || got.Open != (c.id == "selected") || got.State != "queued" {
			t.Errorf("%+v", got)
		}
	}
}

func TestCancel(t *testing.T) {
	f := newFixture()
	mine := jobs.User{UUID: julia}
	f.Record(t, jobs.Job{ID: "queued", PIM: "main", User: mine, Action: "send", State: jobs.Queued})
	f.Record(t, jobs.Job{ID: "running", PIM: "main", User: mine, Action: "send", State: jobs.Running, Lease: jobs.Lease{Until: now.Add(time.Hour)}})
	f.Record(t, jobs.Job{ID: "over", PIM: "main", User: mine, Action: "send", State: jobs.Succeeded})
	for id, want := range map[string]string{"queued": "cancelled", "running": "running", "over": "succeeded"} {
		got := decoded[one](t, f.call(t, "POST", "/iframe/panel/jobs/"+id+"/cancel", f.token("panel", julia), "{}"))
		if got.Job.State != want || got.Job.Cancellable || got.Job.Cancelling != (id == "running") {
			t.Errorf("%s: %+v", id, got.Job)
		}
	}
	if running, err := f.Store.Get(t.Context(), "running"); err != nil || !running.Stop {
		t.Errorf("the worker is not asked to stop: %+v %v", running, err)
	}
}

// How a job is, in the language that the page names, with the name of its destination and the PIM's time.
func TestAJobInOneSentence(t *testing.T) {
	waiting := jobs.Job{Action: "send", State: jobs.Waiting, Cause: jobs.CauseDestinationDown, Message: "127.0.0.1:8191 answered 503", NextTry: now.Add(time.Hour), GivesUpAt: now.Add(7 * time.Hour)}
	for _, row := range []struct {
		name, language string
		job            jobs.Job
		want           string
	}{
		{"waits", "en_US", waiting, "The ERP does not work at the moment. Next try 12:42, we stop at 18:42."},
		{"waits, in French", "fr_FR", waiting, "L'ERP ne fonctionne pas pour le moment. Prochain essai à 12:42, arrêt des essais à 18:42."},
		{"waits, in no language of ours", "it_IT", waiting, "The ERP does not work at the moment. Next try 12:42, we stop at 18:42."},
		{"is being cancelled", "en_US", jobs.Job{Action: "send", State: jobs.Running, Stop: true, Lease: jobs.Lease{Until: now.Add(time.Hour)}}, "It is being cancelled: what is in work is finished first."},
		{"gave up", "fr_FR", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonGaveUp, Message: "127.0.0.1:8191 answered 503"}, "L'ERP n'a pas répondu à temps et nous avons cessé d'essayer. Relancez quand cela fonctionne de nouveau."},
		{"succeeded", "en_US", jobs.Job{Action: "send", State: jobs.Succeeded, Done: 2, Items: make([]jobs.Item, 2)}, "All 2 done."},
		{"succeeded, in its own words", "en_US", jobs.Job{Action: "send", State: jobs.Succeeded, Message: "2 sent"}, "2 sent"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			row.job.ID, row.job.PIM, row.job.User = "job", "main", jobs.User{UUID: julia, Username: "julia"}
			for i := range row.job.Items {
				row.job.Items[i] = jobs.Item{Type: jobs.ProductModel, ID: fmt.Sprint(i)}
			}
			f.Record(t, row.job)
			got := decoded[list](t, f.call(t, "GET", "/iframe/panel/jobs?language="+row.language, f.token("panel", julia), "")).Jobs
			if len(got) != 1 || got[0].Message != row.want || got[0].User != "julia" {
				t.Errorf("%+v, want %q", got, row.want)
			}
		})
	}
}

func TestTheListGoesOn(t *testing.T) {
	f := newFixture()
	for i := range 45 {
		f.clock = now.Add(time.Duration(i) * time.Second)
		f.Record(t, jobs.Job{ID: fmt.Sprintf("job-%d", i), PIM: "main", User: jobs.User{UUID: julia}, Action: "send", State: jobs.Succeeded})
	}
	path, seen := "/iframe/panel/jobs", []string{}
	for range 3 {
		got := decoded[list](t, f.call(t, "GET", path, f.token("panel", julia), ""))
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
		r := f.call(t, "GET", "/iframe/panel/jobs?"+query, f.token("panel", julia), "")
		if r.Status != 400 {
			t.Errorf("%q: %d %s", query, r.Status, r.Body)
		}
	}
}

func TestJobsThatCannotBeRead(t *testing.T) {
	for _, c := range calls[1:] {
		if c.method == "POST" && c.path == "/jobs" {
			continue
		}
		f := newFixture()
		f.Store.Err = errDown
		got := f.call(t, c.method, "/iframe/panel"+c.path, f.token("panel", julia), `{"request":"`+press1+`"}`)
		if got.Status != 503 || got.Line["reason"] != "jobs_unavailable" || strings.Contains(got.Body, "down") {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Status, got.Body)
		}
	}
}
