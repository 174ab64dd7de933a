package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// TestThePIMsOfAnExtensionChangeWhileItsJobsRun: what is only called otherwise goes on; what is gone is waited for, since it may
// be a deployment under way, and then ends with a reason that names it.
func TestThePIMsOfAnExtensionChangeWhileItsJobsRun(t *testing.T) {
	t.Parallel()
	button := func(name, pim string) config.Extension {
		return config.Extension{Name: name, Declared: "button", PIM: pim, Type: "action", Action: "plain"}
	}
	both, main := map[string]config.PIM{"main": {Name: "main"}, "outlet": {Name: "outlet"}}, map[string]config.PIM{"main": {Name: "main"}}
	list := map[string]config.Extension{"button_main": button("button_main", "main"), "button_outlet": button("button_outlet", "outlet")}
	one := map[string]config.Extension{"button": button("button", "main")}
	for _, row := range []struct {
		name, extension, pim string
		pims                 map[string]config.PIM
		extensions           map[string]config.Extension
		want                 string
	}{
		{"of the list", "button_outlet", "outlet", both, list, ""},
		{"a PIM was added: NAME is NAME_PIM", "button", "main", both, list, ""},
		{"all but one were removed: NAME_PIM is NAME", "button_main", "main", main, one, ""},
		{"its PIM was removed from the list", "button_outlet", "outlet", both, one, `this version does not know "button_outlet", which started it`},
		{"its PIM was removed from the file", "button_outlet", "outlet", main, one, `this version does not know the PIM "outlet"`},
		{"its PIM, and it was no extension's", "", "outlet", main, one, `this version does not know the PIM "outlet"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, memory, fault{})
			w.config.PIMs, w.config.Extensions = row.pims, row.extensions
			submitted, err := w.submitter.Submit(t.Context(), jobs.Job{
				ID: "button-1", Action: "plain", Trigger: jobs.TriggerAction, Extension: row.extension, PIM: row.pim, Items: []jobs.Item{{Type: jobs.Product, ID: "p"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			w.deliver()
			if row.want == "" {
				if job := w.job(submitted.Job.ID); job.State != jobs.Succeeded || w.destination.calls != 1 {
					t.Errorf("%s after %d calls: %s", job.State, w.destination.calls, job.Message)
				}
				return
			}
			if job := w.job(submitted.Job.ID); job.State != jobs.Waiting || job.Message != row.want || job.Cause != jobs.CauseUnknownAction {
				t.Errorf("%s, %s: %q", job.State, job.Cause, job.Message)
			}
			w.drain()
			job := w.job(submitted.Job.ID)
			if job.State != jobs.Failed || job.Reason != jobs.ReasonGaveUp || job.Message != row.want+", and the time for trying again is over" || w.destination.calls > 0 {
				t.Errorf("%s, %s after %d calls: %q", job.State, job.Reason, w.destination.calls, job.Message)
			}
			if took := job.UpdatedAt.Sub(job.CreatedAt); took < time.Hour || took > 2*time.Hour {
				t.Errorf("it ended after %s", took)
			}
		})
	}
}

// TestAThousandJobsOfOneExtensionKeepNoOtherWaiting: the press that comes last is worked second.
func TestAThousandJobsOfOneExtensionKeepNoOtherWaiting(t *testing.T) {
	t.Parallel()
	w := newFixture(t, memory, fault{})
	w.config.Extensions["check"] = config.Extension{Name: "check", Declared: "check", PIM: "main", Type: "action", Action: "plain"}
	press := func(extension string, n int) string {
		submitted, err := w.submitter.Submit(t.Context(), jobs.Job{
			ID: jobs.ID(extension, fmt.Append(nil, n)), Action: "plain", Trigger: jobs.TriggerAction, Extension: extension, PIM: "main", Items: products(n, 1),
		})
		if err != nil {
			t.Fatal(err)
		}
		return submitted.Job.ID
	}
	for n := range 1000 {
		press("button", n)
	}
	last := press("check", 0)
	w.deliver()
	w.deliver()
	if job := w.job(last); job.State != jobs.Succeeded {
		t.Errorf("%s after two invocations", job.State)
	}
}
