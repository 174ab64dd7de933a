package texts

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// No locale lacks a text, and each says the same: it names the same values, all of which exist.
func TestEveryTextIsInEveryLocale(t *testing.T) {
	if len(table) < 25 {
		t.Fatalf("%d texts", len(table))
	}
	for name, text := range table {
		for _, locale := range append([]string{"default"}, Locales...) {
			if text[locale] == "" {
				t.Errorf("%s has no text in %s", name, locale)
			}
			named, want := placeholder.FindAllString(text[locale], -1), placeholder.FindAllString(text["default"], -1)
			slices.Sort(named)
			slices.Sort(want)
			if !slices.Equal(slices.Compact(named), slices.Compact(want)) {
				t.Errorf("%s in %s names %q, in English %q", name, locale, named, want)
			}
			for _, each := range placeholder.FindAllString(text[locale], -1) {
				if _, known := (Values{}).named(strings.Trim(each, "{}")); !known {
					t.Errorf("%s in %s names %s, which is nothing", name, locale, each)
				}
			}
		}
		if len(text) != len(Locales)+1 {
			t.Errorf("%s has %d locales", name, len(text))
		}
	}
}

// What the record can say has a sentence.
func TestEveryCauseAndEveryEndHasASentence(t *testing.T) {
	for _, cause := range []string{jobs.CauseDestinationDown, jobs.CauseDestinationBusy, jobs.CauseNoAnswer, jobs.CausePIMDown, jobs.CausePIMBusy, jobs.CauseConfiguration, "other"} {
		if table["cause_"+cause] == nil {
			t.Errorf("no sentence for the cause %s", cause)
		}
	}
	for _, reason := range []string{jobs.ReasonNotQueued, jobs.ReasonNotStarted, jobs.ReasonDeadLetter, jobs.ReasonGaveUp, jobs.ReasonNoSignal, jobs.ReasonStoppedWaiting} {
		if table["ended_"+reason] == nil {
			t.Errorf("no sentence for the end %s", reason)
		}
	}
	for _, what := range []string{jobs.WaitCallback, jobs.WaitPIMJob, jobs.WaitWorkflow, jobs.WaitExecution, "other"} {
		if table["waits_"+what] == nil {
			t.Errorf("no sentence for a wait for %s", what)
		}
	}
	for _, state := range []jobs.State{jobs.Succeeded, jobs.Partial, jobs.Failed, jobs.Cancelled} {
		if table[string(state)] == nil {
			t.Errorf("no answer for the end %s", state)
		}
	}
}

func TestSay(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 42, 59, 0, time.UTC)
	own := map[string]config.Text{"started": {"default": "{label}, {{job}}: {unknown} {", "fr_FR": "Parti"}}
	paris := time.FixedZone("", 3600)
	for _, row := range []struct {
		name, text, locale string
		own                map[string]config.Text
		values             Values
		want               string
	}{
		{"ours", "started", "en_US", nil, Values{Label: "Export", Job: "x-1"}, "Export started. Job ID: x-1"},
		{"in French", "started", "fr_CA", nil, Values{Label: "Export", Job: "x-1"}, "Export : lancé. Job ID: x-1"},
		{"in German", "started", "de_AT", nil, Values{Label: "Export", Job: "x-1"}, "Export: gestartet. Job ID: x-1"},
		{"the extension's own, braces and all", "started", "en_US", own, Values{Label: "Export", Job: "x-1"}, "Export, {{job}}: {unknown} {"},
		{"the extension's own in French", "started", "fr_FR", own, Values{}, "Parti"},
		{"what a value holds stays", "started", "", nil, Values{Label: "{job}", Job: "x-1"}, "{job} started. Job ID: x-1"},
		{"without a user", "running", "", nil, Values{Since: at, Job: "x-1"}, "Already running since 08:42 UTC. Job ID: x-1"},
		{"with one, where the PIM is", "running", "", nil, Values{Since: at, Job: "x-1", User: "julia", Zone: paris, Now: at}, "Already running since 09:42 (julia). Job ID: x-1"},
		{"another day", "next", "", nil, Values{Next: at.Add(24 * time.Hour), Now: at}, "Next try 2026-03-03 08:42 UTC."},
		{"another day there, the same here", "next", "", nil, Values{Next: at.Add(15 * time.Hour), Now: at, Zone: paris}, "Next try 2026-03-03 00:42."},
		{"a destination begins a sentence", "cause_no_answer", "fr_FR", nil, Values{Destination: "écran"}, "Écran ne répond pas."},
	} {
		if got := Say(row.text, row.locale, row.own, row.values); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestWhyAJobWaitsOrHasFailed(t *testing.T) {
	now := time.Date(2026, 3, 2, 13, 2, 0, 0, time.UTC)
	c := &config.Config{
		PIMs: map[string]config.PIM{"main": {Zone: time.FixedZone("", 3600)}},
		Actions: map[string]config.Action{
			"send":  {Destination: config.Text{"default": "the ERP", "fr_FR": "l'ERP"}},
			"plain": {},
		},
	}
	const host = "127.0.0.1:8191 answered 503"
	for _, row := range []struct {
		name string
		job  jobs.Job
		want string // in English
	}{
		{"no answer", jobs.Job{Action: "send", State: jobs.Waiting, Cause: jobs.CauseNoAnswer, Message: host, NextTry: now, GivesUpAt: now.Add(6 * time.Hour)}, "The ERP does not answer. Next try 14:02, we stop at 20:02."},
		{"a pause, whose end nobody has set", jobs.Job{Action: "send", State: jobs.Waiting, Cause: jobs.CauseDestinationBusy, Message: host, NextTry: now}, "The ERP is busy and asks us to wait. Next try 14:02."},
		{"a destination without a name", jobs.Job{Action: "plain", State: jobs.Waiting, Cause: jobs.CauseDestinationDown, Message: host}, "The destination does not work at the moment."},
		{"a cause that is newer than we", jobs.Job{Action: "send", State: jobs.Waiting, Cause: "tide", Message: host, NextTry: now}, "It did not work this time. Next try 14:02."},
		{"a mistake of ours, by name", jobs.Job{Action: "send", State: jobs.Waiting, Cause: jobs.CauseConfiguration, Message: "the connection secret has no auth.erp"}, "This action is not set up correctly. Tell your administrator. (the connection secret has no auth.erp)"},
		{"a mistake of ours, which has ended it", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonPermanent, Cause: jobs.CauseConfiguration, Message: "no auth.erp"}, "This action is not set up correctly. Tell your administrator. (no auth.erp)"},
		{"it waits for itself", jobs.Job{Action: "send", State: jobs.Waiting, Message: "In progress there"}, "In progress there"},
		{"it waits for a callback", jobs.Job{Action: "send", State: jobs.Waiting, NextTry: now, NotBefore: now, Awaits: &jobs.Wait{For: jobs.WaitCallback, Until: now, Begun: true}}, "The ERP has it and will answer. We wait until 14:02."},
		{"it waits for what is newer than we", jobs.Job{Action: "send", State: jobs.Waiting, NextTry: now, NotBefore: now, Awaits: &jobs.Wait{For: "tide", Until: now, Begun: true}}, "We wait for an answer until 14:02."},
		{"nothing came", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonNoSignal, Message: host}, "The answer that we waited for did not come in time. Ask there whether it was done, and start it again if not."},
		{"it gave up", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonGaveUp, Message: host}, "The ERP did not answer in time, and we have stopped trying. Start it again once it works."},
		{"the destination's own words", jobs.Job{Action: "send", State: jobs.Failed, Reason: jobs.ReasonPermanent, Message: "Product not found"}, "Product not found"},
		{"all done", jobs.Job{Action: "send", State: jobs.Succeeded, Total: 3, Done: 3}, "All 3 done."},
		{"nothing to count", jobs.Job{Action: "send", State: jobs.Succeeded}, "Done."},
		{"some", jobs.Job{Action: "send", State: jobs.Partial, Total: 3, Done: 1, Failed: 2}, "1 of 3 done, 2 failed."},
		{"queued", jobs.Job{Action: "send", State: jobs.Queued, Total: 3}, ""},
		{"cancelling", jobs.Job{Action: "send", State: jobs.Waiting, Stop: true, Cause: jobs.CauseNoAnswer}, "It is being cancelled: what is in work is finished first."},
	} {
		row.job.PIM = "main"
		got := Status(row.job, "en_US", Of(c, row.job, "en_US", now))
		if got != row.want || strings.Contains(got, "127.0.0.1") {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if french := Status(row.job, "fr_FR", Of(c, row.job, "fr_FR", now)); row.want != "" && row.want != row.job.Message && french == got {
			t.Errorf("%s: %q in French too", row.name, got)
		}
	}
}

func TestWhoIsNamed(t *testing.T) {
	for _, row := range []struct {
		user            jobs.User
		username, shown string
	}{
		{jobs.User{UUID: "u", Username: "julia"}, "julia", "julia"},
		{jobs.User{UUID: "u", Username: "julia@example.com"}, "", "u"},
		{jobs.User{UUID: "u"}, "", "u"},
		{jobs.User{}, "", ""},
	} {
		if Username(row.user) != row.username || User(row.user) != row.shown {
			t.Errorf("%+v: %q, %q", row.user, Username(row.user), User(row.user))
		}
	}
}
