package actions_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
)

const heardFile = `
environments: {production: {}}
pims:
  main: {url: "https://pim.example.com"%s}
  outlet: {url: "https://outlet.example.com", technical_email: it@example.com}
actions:
  run: {kind: pim-job, export: csv_product_export}
  load: {kind: pim-job, import: csv_product_import}
  idle: {kind: pim-job, export: csv_product_export}
  send: {kind: forward, url: "https://erp.example.com/items", then: {succeeded: load}}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Run}, action: run}
  page: {pim: outlet, type: iframe, positions: [pim.product.tab], label: {default: Page}, actions: [send]}
%s`

func TestWhichEventsTellActionsHowTheyEnded(t *testing.T) {
	const export, load = "com.akeneo.pim.v1.job.export.status-changed", "com.akeneo.pim.v1.job.import.status-changed"
	c := loadHeard(t, "", "")
	want := map[string]map[string]string{"main": {export: "run"}, "outlet": {load: "load"}}
	if heard := actions.Heard(c); !maps.EqualFunc(heard, want, maps.Equal[map[string]string]) {
		t.Errorf("%v", heard)
	}
	for _, row := range []struct {
		name, pim, more string
		want            []string
	}{
		{"nobody asks, and the platform cannot be asked", "", "", []string{`action "run" waits for ` + export + " of pim main, and no subscription brings it", "add technical_email to pim main"}},
		{"the platform can be asked", ", technical_email: it@example.com", "", nil},
		{"a subscription asks", "", "subscriptions:\n  all: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.job.*], action: send}", nil},
		{"a subscription of another PIM asks", "", "subscriptions:\n  all: {pim: outlet, api: event-platform, events: [" + export + "], action: run}", []string{"of pim main, and no subscription"}},
		{"a filter keeps it back", ", technical_email: it@example.com", "subscriptions:\n  all: {pim: main, api: event-platform, events: [" + export + "], filter: 'user=\"julia\"', action: idle}", []string{`the filter of subscription "all"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := actions.Unheard(loadHeard(t, row.pim, row.more))
			if (len(found) > 0) != (len(row.want) > 0) {
				t.Errorf("%v", found)
			}
			for _, want := range row.want {
				if !slices.ContainsFunc(found, func(p *config.Problem) bool { return p.Odd && p.Line > 0 && strings.Contains(p.Error(), want) }) {
					t.Errorf("no %q in %v", want, found)
				}
			}
		})
	}
}

func loadHeard(t *testing.T, pim, more string) *config.Config {
	t.Helper()
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: fmt.Appendf(nil, heardFile, pim, more), Stage: "production", Lookup: func(string) (string, bool) { return "", false }, Kinds: actions.Checks()})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}
