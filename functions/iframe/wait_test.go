package iframe_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// A user ends the wait of an own job: by giving up, or as done where the action allows it. The page says what it allows.
func TestAWaitIsEndedFromThePage(t *testing.T) {
	f := newFixture()
	until := now.Add(72 * time.Hour)
	record := func(id, user string, state jobs.State, asDone, begun bool) {
		f.Record(t, jobs.Job{ID: id, PIM: "main", User: jobs.User{UUID: user}, Action: "send", State: state, NextTry: until, NotBefore: until,
			Awaits: &jobs.Wait{Name: "0-0", For: jobs.WaitCallback, Until: until, URL: "https://x.example.com/callbacks/secret", AsDone: asDone, Begun: begun}})
	}
	record("waits", julia, jobs.Waiting, true, true)
	record("writes", julia, jobs.Waiting, false, true)
	record("asks", julia, jobs.Running, true, false)
	record("others", peter, jobs.Waiting, true, true)
	f.Record(t, jobs.Job{ID: "ended", PIM: "main", User: jobs.User{UUID: julia}, Action: "send", State: jobs.Succeeded})
	for _, c := range []struct {
		id, how, user string
		status        int
		kind          string // of the signal
	}{
		{"waits", "give-up", "", 401, ""},
		{"others", "give-up", julia, 404, ""}, {"nobody", "give-up", julia, 404, ""},
		{"asks", "give-up", julia, 409, ""}, {"ended", "give-up", julia, 409, ""}, {"writes", "as-done", julia, 409, ""},
		{"writes", "give-up", julia, 200, jobs.SignalGiveUp},
		{"waits", "as-done", julia, 200, jobs.SignalAsDone},
		{"waits", "give-up", julia, 200, jobs.SignalAsDone}, // who comes second obeys
	} {
		token := ""
		if c.user != "" {
			token = f.token("panel", c.user)
			if seen := f.call(t, "GET", "/iframe/panel/jobs/"+c.id, token, ""); seen.Status == 200 {
				got := decoded[one](t, seen).Job
				if got.Waits != (c.id == "waits" || c.id == "writes") || got.AsDone != (c.id == "waits") {
					t.Errorf("%s: the page is told %+v", c.id, got)
				}
			}
		}
		answer := f.call(t, "POST", "/iframe/panel/jobs/"+c.id+"/"+c.how, token, "")
		if answer.Status != c.status {
			t.Errorf("%s %s by %q: %d %s, want %d", c.how, c.id, c.user, answer.Status, answer.Body, c.status)
		}
		signal, err := f.Store.Signal(t.Context(), c.id, "0-0")
		if c.kind == "" && errors.Is(err, jobs.ErrNoSignal) {
			continue
		}
		if signal.Kind != c.kind || signal.User.UUID != julia {
			t.Errorf("%s %s: %+v, %v", c.how, c.id, signal, err)
		}
	}
	if n := len(f.Queue.Messages()); n != 3 {
		t.Errorf("%d messages", n)
	}
	f.NoLeaks(t, "callbacks/secret")
}
