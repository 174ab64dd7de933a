package pimjob_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/pimjob"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

func section(t *testing.T, yaml string) config.Section {
	t.Helper()
	section, err := config.ParseSection(yaml)
	if err != nil {
		t.Fatal(err)
	}
	return section
}

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"an export", "export: csv_product_export", ""},
		{"an import", "import: csv_product_import\nwithin: 14d", ""},
		{"no profile", "within: 2h", "section:1: a pim-job action needs one job profile"},
		{"both", "export: a\nimport: b", "section:1: a pim-job action needs one job profile"},
		{"no code", "import: 'Products for the shop'", `section:1: import "Products for the shop" is no code`},
		{"a template", "export: '{{.Params.profile}}'", "export takes no template"},
		{"no time", "export: a\nwithin: 0s", "section:2: within 0s; use 1s to 14d"},
		{"longer than records live", "export: a\nwithin: 15d", "section:2: within 360h0m0s; use 1s to 14d"},
		{"an unknown key", "exports: a", `unknown key "exports"; did you mean "export"?`},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := pimjob.Kind{}.Check(section(t, row.yaml))
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

func TestWhatItWaitsFor(t *testing.T) {
	action, err := pimjob.Kind{}.Open(section(t, "import: csv"), engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if waits := action.(engine.Waiter).Waits(); *waits != (engine.Waits{Within: 2 * time.Hour, For: jobs.WaitPIMJob, AsDone: true}) || !action.(engine.Changer).ChangesPIM() || action.Batch() != 0 {
		t.Errorf("%+v", waits)
	}
	if types := (pimjob.Kind{}).Listens(section(t, "import: csv")); !slices.Equal(types, []string{"com.akeneo.pim.v1.job.import.status-changed"}) {
		t.Errorf("%q", types)
	}
	if types := (pimjob.Kind{}).Listens(section(t, "{}")); types != nil {
		t.Errorf("%q", types)
	}
}
