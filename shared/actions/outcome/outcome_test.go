package outcome_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// What a callback says of two items.
func TestCalled(t *testing.T) {
	const update = `{"updates":[{"uuid":"a","values":{"name":[{"locale":null,"scope":null,"data":"x"}]}}]}`
	for _, row := range []struct {
		name, body string
		writes     bool
		failures   []string // of a and b; "": it did not fail
		message    string
		updates    int
		refused    string // of all, as one
	}{
		{"nothing", `{}`, true, []string{"", ""}, "", 0, ""},
		{"a message", `{"message":"Done\nthere"}`, true, []string{"", ""}, "Done there", 0, ""},
		{"it failed", `{"status":"failed","message":"No translator"}`, true, []string{"No translator", "No translator"}, "No translator", 0, ""},
		{"it failed without a word", `{"status":"failed"}`, true, []string{"the destination called back that it failed", "the destination called back that it failed"}, "", 0, ""},
		{"it failed, and one has its own reason", `{"status":"failed","message":"No","failures":[{"id":"b","reason":"too long"}]}`, true, []string{"No", "too long"}, "No", 0, ""},
		{"it failed, and has updates", `{"status":"failed",` + update[1:], true, []string{"the destination called back that it failed", "the destination called back that it failed"}, "", 0, ""},
		{"a failure by index", `{"failures":[{"index":1,"reason":"too long"}]}`, true, []string{"", "too long"}, "", 0, ""},
		{"a failure of no item of ours", `{"failures":[{"id":"c","reason":"too long"}]}`, true, []string{"too long", "too long"}, "", 0, ""},
		{"an update", update, true, []string{"", ""}, "", 1, ""},
		{"an update of an item of another job", strings.Replace(update, `"a"`, `"c"`, 1), true, []string{"", ""}, "1 updates were of no item that was sent: they were left out", 0, ""},
		{"an update that cannot be used", `{"updates":[{"uuid":"a","values":{"name":[{"data":"x","also":1}]}}]}`, true, []string{"the destination's update cannot be used", ""}, "", 0, ""},
		{"an update where nothing may change", update, false, []string{"the action may change nothing in the PIM: it has no write", ""}, "", 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := engine.Run{Signal: &jobs.Signal{Kind: jobs.SignalCallback, Body: json.RawMessage(row.body)}, Items: []jobs.Item{{Type: jobs.Product, ID: "a"}, {Type: jobs.Product, ID: "b"}}}
			var writes *engine.Writes
			if row.writes {
				writes = &engine.Writes{Attributes: []string{"name"}}
			}
			result, err := outcome.Called(run, writes)
			if err != nil {
				t.Fatal(err)
			}
			for index, want := range row.failures {
				at := slices.IndexFunc(result.Failures, func(f engine.Failure) bool { return f.Index == index })
				if (want == "") != (at < 0) || at >= 0 && !strings.Contains(result.Failures[at].Reason, want) {
					t.Errorf("item %d: %+v, want %q", index, result.Failures, want)
				}
			}
			if result.Message != row.message || len(result.Updates) != row.updates {
				t.Errorf("%q, %d updates", result.Message, len(result.Updates))
			}
		})
	}
}

func TestCalledWithoutItems(t *testing.T) {
	for body, want := range map[string]string{`{}`: "", `{"status":"failed","message":"No"}`: "No", `{"status":"failed"}`: "the destination called back that it failed", `{"failures":[{"index":0,"reason":"No"}]}`: "the destination refused it: No", `{"of":"a later version"}`: "cannot be read"} {
		_, err := outcome.Called(engine.Run{Signal: &jobs.Signal{Kind: jobs.SignalCallback, Body: json.RawMessage(body)}}, nil)
		reason, refused := engine.Refused(err)
		if (want == "") != (err == nil) || err != nil && (!refused || !strings.Contains(reason, want)) {
			t.Errorf("%s: %q, %v", body, reason, err)
		}
	}
	if _, err := outcome.Called(engine.Run{Signal: &jobs.Signal{Kind: jobs.SignalAsDone}}, nil); err != nil {
		t.Errorf("a user says that it is done: %v", err)
	}
}

func TestWithin(t *testing.T) {
	section, err := config.ParseSection("callback: {within: 72h}")
	if err != nil {
		t.Fatal(err)
	}
	for within, good := range map[time.Duration]bool{0: false, time.Millisecond: false, time.Second: true, 72 * time.Hour: true, 14 * 24 * time.Hour: true, 14*24*time.Hour + 1: false, -time.Hour: false} {
		err := (&outcome.Callback{Within: within}).Check(section)
		if problem, ok := errors.AsType[*config.Problem](err); (err == nil) != good || err != nil && (!ok || problem.Remedy == "") {
			t.Errorf("%s: %v", within, err)
		}
	}
	var none *outcome.Callback
	if none.Check(section) != nil || none.Waits(jobs.WaitCallback, nil) != nil {
		t.Error("without the key there is no wait")
	}
}
