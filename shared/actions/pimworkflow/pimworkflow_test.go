package pimworkflow_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/pimworkflow"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	const uuid = "78e72192-8989-4a10-a121-09fc8cf921ff"
	for _, row := range []struct{ name, yaml, want string }{
		{"a workflow", "workflow: " + uuid, ""},
		{"none", "{}", `section:1: workflow "" is no UUID`},
		{"a code", "workflow: review", `section:1: workflow "review" is no UUID`},
		{"a template", "workflow: '{{.Params.workflow}}'", "workflow takes no template"},
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
