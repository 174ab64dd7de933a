package pimworkflow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/pimworkflow"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	const uuid = "78e72192-8989-4a10-a121-09fc8cf921ff"
	for _, row := range []struct{ name, yaml, want string }{
		{"a workflow", "workflow: " + uuid, ""},
		{"none", "{}", `section:1: workflow "" is no UUID`},
		{"a code", "workflow: review", `section:1: workflow "review" is no UUID`},
		{"a template", "workflow: '{{.Params.workflow}}'", "workflow takes no template"},
		{"waited for", "workflow: " + uuid + "\nwithin: 14d", ""},
		{"no time", "workflow: " + uuid + "\nwithin: 0s", "section:2: within 0s; use 1s to 14d"},
		{"longer than records live", "workflow: " + uuid + "\nwithin: 15d", "section:2: within 360h0m0s"},
		{"an unknown key", "workflows: " + uuid, `unknown key "workflows"; did you mean "workflow"?`},
	} {
		t.Run(row.name, func(t *testing.T) {
			section, err := config.ParseSection(row.yaml)
			if err != nil {
				t.Fatal(err)
			}
			err = pimworkflow.Kind{}.Check(section)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

// What we started must not start it again by the events that come of it.
func TestEventsThatComeOfItAreOurOwn(t *testing.T) {
	section, err := config.ParseSection("workflow: 78e72192-8989-4a10-a121-09fc8cf921ff")
	if err != nil {
		t.Fatal(err)
	}
	action, err := pimworkflow.Kind{}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if changer, ok := action.(engine.Changer); !ok || !changer.ChangesPIM() || action.Batch() != 100 {
		t.Errorf("%+v", action)
	}
}

func TestWhatItWaitsFor(t *testing.T) {
	for yaml, want := range map[string]*engine.Waits{"": nil, "within: 72h": {Within: 72 * time.Hour, For: jobs.WaitWorkflow, AsDone: true}} {
		section, err := config.ParseSection("workflow: 78e72192-8989-4a10-a121-09fc8cf921ff\n" + yaml)
		if err != nil {
			t.Fatal(err)
		}
		action, err := pimworkflow.Kind{}.Open(section, engine.Secrets{})
		if err != nil {
			t.Fatal(err)
		}
		waits, types := action.(engine.Waiter).Waits(), pimworkflow.Kind{}.Listens(section)
		if (waits == nil) != (want == nil) || waits != nil && *waits != *want || (len(types) == 1) != (want != nil) || (action.Batch() == 0) != (want != nil) {
			t.Errorf("%q: %+v, %q, batch %d", yaml, waits, types, action.Batch())
		}
	}
}
