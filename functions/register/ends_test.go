package register_test

import (
	"slices"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
)

const withEnds = `
environments: {production: {}}
pims:
  main:   {url: "https://acme.cloud.akeneo.com", technical_email: ops@example.com}
  outlet: {url: "https://outlet.cloud.akeneo.com", technical_email: ops@example.com}
actions:
  send: {kind: forward, url: "https://erp.example.com"}
  run: {kind: pim-job, export: csv_product_export}
  load: {kind: pim-job, import: csv_product_import}
extensions:
  export: {pim: [main, outlet], type: action, positions: [pim.product.header], label: {default: Export}, action: run}
  import: {pim: main, type: action, positions: [pim.product.header], label: {default: Import}, action: load}
subscriptions:
  exports: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.job.export.status-changed], action: send}
`

// TestEventsThatTellActionsHowTheyEnded: the Event Platform is asked for what no subscription declares and a pim-job waits for.
func TestEventsThatTellActionsHowTheyEnded(t *testing.T) {
	c := load(t, withEnds)
	filled, err := register.FillSigning(nil, c)
	if err != nil || !slices.Contains(filled.Made, "event-platform.outlet") {
		t.Fatalf("made %q, %v", filled.Made, err)
	}
	if lacks, err := register.FillConnections(nil, c); err != nil || len(lacks.Missing) != 2 {
		t.Errorf("connections lack %q, %v", lacks.Missing, err)
	}
	listeners, err := register.Listeners(c, "https://api.example.com", nil)
	if err != nil || len(listeners) != 2 {
		t.Fatalf("%d listeners, %v", len(listeners), err)
	}
	var got []string
	for _, l := range listeners {
		for _, s := range l.Subscriptions {
			for _, kind := range s.Events {
				got = append(got, l.PIM.Name+" "+s.Name+" "+kind)
			}
		}
	}
	want := []string{
		"main exports com.akeneo.pim.v1.job.export.status-changed", "main ends-of-actions com.akeneo.pim.v1.job.import.status-changed",
		"outlet ends-of-actions com.akeneo.pim.v1.job.export.status-changed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
