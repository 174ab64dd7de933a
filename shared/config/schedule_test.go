package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// scheduled is a file with schedules and without a mistake. A row below replaces one of its parts.
const scheduled = `pims:
  main: {url: https://a.example.com, zone: Europe/Paris}
  outlet: {url: https://b.example.com}
actions:
  send: {kind: forward, url: https://erp.example.com}
  then: {kind: forward, url: https://erp.example.com, then: {done: send}}
selections: {changed: {of: products, changed_since: last}}
schedules:
  nightly: {pim: [main, outlet], cron: "30  2 * * *", select: changed, action: send}
  hourly: {pim: main, every: 1h, action: send, overlap: true}
  early: {pim: main, cron: "0 5 * * 1", zone: America/New_York, action: send}
`

func TestSchedules(t *testing.T) {
	c, err := load(scheduled)
	if err != nil {
		t.Fatal(err)
	}
	zone := func(name string) *time.Location {
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return location
	}
	want := map[string]config.Schedule{
		"nightly_main":   {Name: "nightly_main", Declared: "nightly", PIM: "main", Cron: "30 2 * * *", Zone: zone("Europe/Paris"), Select: "changed", Action: "send"},
		"nightly_outlet": {Name: "nightly_outlet", Declared: "nightly", PIM: "outlet", Cron: "30 2 * * *", Zone: time.UTC, Select: "changed", Action: "send"},
		"hourly":         {Name: "hourly", Declared: "hourly", PIM: "main", Every: time.Hour, Zone: zone("Europe/Paris"), Action: "send", Overlap: true},
		"early":          {Name: "early", Declared: "early", PIM: "main", Cron: "0 5 * * 1", Zone: zone("America/New_York"), Action: "send"},
	}
	if !reflect.DeepEqual(c.Schedules, want) {
		t.Errorf("%+v", c.Schedules)
	}
	_, err = config.Load(config.Source{File: "f.yaml", Text: []byte(scheduled), Stage: "local", Cron: func(text string) error {
		if text != "0 5 * * 1" {
			return nil
		}
		return errors.New("no such day")
	}})
	if err == nil || err.Error() != `f.yaml:11: cron of schedule "early" is "0 5 * * 1": no such day; write minute, hour, day, month, weekday: "30 2 * * *"` {
		t.Errorf("%v", err)
	}
}

func TestMistakesInSchedules(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		{"neither cron nor every", ", every: 1h", "", `f.yaml:10: schedule "hourly" has neither cron nor every; add cron: "30 2 * * *" or every: 1h`},
		{"both", "every: 1h", `every: 1h, cron: "0 * * * *"`, `f.yaml:10: schedule "hourly" has cron and every; keep one`},
		{"four fields", `"30  2 * * *"`, `"30 2 * *"`, `f.yaml:9: cron of schedule "nightly" has 4 fields; write minute, hour, day, month, weekday: "30 2 * * *"`},
		{"too often", "every: 1h", "every: 30s", `f.yaml:10: every of schedule "hourly" is "30s"; use 1m to 31d`},
		{"a zone without cron", "every: 1h", "every: 1h, zone: UTC", `f.yaml:10: zone of schedule "hourly" does nothing; remove it: it is for cron`},
		{"no such zone", "America/New_York", "America/NewYork", `f.yaml:11: zone of schedule "early": no time zone "America/NewYork"; use a name such as Europe/Paris or UTC`},
		{"no such selection", "select: changed", "select: chnged", `f.yaml:9: select of schedule "nightly": no selection "chnged"; did you mean "changed"?`},
		{"no such action", "every: 1h, action: send", "every: 1h, action: sent", `f.yaml:10: action of schedule "hourly": no action "sent"; did you mean "send"?`},
		{"no action", "every: 1h, action: send", "every: 1h", `f.yaml:10: schedule "hourly" has no action; add action: with a name from actions`},
		{"no such pim", "pim: [main, outlet], cron", "pim: [main, outlt], cron", `f.yaml:9: pim of schedule "nightly": no pim "outlt"; did you mean "outlet"?`},
		{"a name that another has", "  hourly:", "  nightly_main:", `f.yaml:10: schedule "nightly_main" is "nightly_main" in one of its PIMs, as another schedule is; rename one`},
		{"a then of what is done", "select: changed, action: send", "select: changed, action: then", `f.yaml:9: schedule "nightly" selects products, and then of its action "then" is for those that are done, which a selection does not keep; use then of succeeded, which gets no items there`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Count(scheduled, row.old) != 1 {
				t.Fatalf("%q stands %d times in the right file", row.old, strings.Count(scheduled, row.old))
			}
			_, err := load(strings.Replace(scheduled, row.old, row.new, 1))
			if err == nil || err.Error() != row.want {
				t.Errorf("got\n\t%v\nwant\n\t%s", err, row.want)
			}
		})
	}
}
