package config_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// several is a file of two PIMs, without a mistake. A row below replaces one of its parts.
const several = `pims: {main: {url: https://a.example.com}, outlet: {url: https://b.example.com, zone: Europe/Paris}}
actions: {send: {kind: k}, tell: {kind: k}}
schedules:
  nightly: {pim: [main, outlet], cron: "30 2 * * *", action: send}
extensions:
  button: {pim: [main, outlet], type: action, positions: [pim.product.header], label: {default: A}, action: send}
subscriptions:
  changes: {pim: [main, outlet], api: event-platform, events: [com.akeneo.pim.v1.product.updated], action: send}
notifications:
  all: {pim: [main, outlet], action: tell}
`

func TestOneDeclarationForSeveralPIMs(t *testing.T) {
	c, err := load(several)
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c)
	}
	at := map[string]string{} // name → PIM
	for name, one := range c.Extensions {
		at["extension "+name] = one.PIM
	}
	for name, one := range c.Subscriptions {
		if one.Name != name || !slices.Equal(one.Events, []string{"com.akeneo.pim.v1.product.updated"}) || one.Action != "send" {
			t.Errorf("%q: %+v", name, one)
		}
		at["subscription "+name] = one.PIM
	}
	for name, one := range c.Schedules {
		at["schedule "+name] = one.PIM
	}
	for name, one := range c.Notifications {
		if one.Action != "tell" {
			t.Errorf("%q: %+v", name, one)
		}
		at["notification "+name] = one.PIM
	}
	want := map[string]string{
		"extension button_main": "main", "extension button_outlet": "outlet", "subscription changes_main": "main", "subscription changes_outlet": "outlet",
		"schedule nightly_main": "main", "schedule nightly_outlet": "outlet", "notification main": "main", "notification outlet": "outlet",
	}
	if !maps.Equal(at, want) {
		t.Errorf("%v", at)
	}
	if c.Schedules["nightly_outlet"].Zone.String() != "Europe/Paris" || c.Schedules["nightly_main"].Zone.String() != "UTC" {
		t.Error("a schedule is not in its PIM's zone")
	}
}

// One PIM in a list is one PIM: the name stays.
func TestAListOfOnePIM(t *testing.T) {
	one, err := load(strings.ReplaceAll(several, "[main, outlet]", "main"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := load(strings.ReplaceAll(several, "[main, outlet]", "[main]"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, list) {
		t.Errorf("%+v, %+v", one, list)
	}
}

func TestMistakesInSeveralPIMs(t *testing.T) {
	long := strings.Repeat("a", 35)
	for _, row := range []struct{ name, old, new, want string }{
		{"extension: another has the name", "subscriptions:", "  button_outlet: {pim: main, type: action, positions: [pim.product.header], label: {default: A}, action: send}\nsubscriptions:", `f.yaml:7: extension "button_outlet" is "button_outlet" in one of its PIMs, as another extension is; rename one`},
		{"extension: its name is too long", "button:", long + ":", `f.yaml:6: extension "` + long + `" is "` + long + `_outlet" in pim "outlet": not a name of at most 40 characters; shorten one of both`},
		{"subscription: another has the name", "notifications:", "  changes_main: {pim: outlet, api: events-api, events: [product.updated], action: send}\nnotifications:", `f.yaml:9: subscription "changes_main" is "changes_main" in one of its PIMs, as another subscription is; rename one`},
		{"subscription: its name is too long", "changes:", long + ":", `f.yaml:8: subscription "` + long + `" is "` + long + `_outlet" in pim "outlet": not a name of at most 40 characters; shorten one of both`},
		{"subscription: no such pim", "changes: {pim: [main, outlet]", "changes: {pim: [main, outlt]", `f.yaml:8: pim of subscription "changes": no pim "outlt"; did you mean "outlet"?`},
		{"subscription: no pim", "changes: {pim: [main, outlet]", "changes: {pim: []", `f.yaml:8: pim of subscription "changes" names none; add pim: with a name from pims`},
		{"subscription: one pim twice", "changes: {pim: [main, outlet]", "changes: {pim: [main, main]", `f.yaml:8: "main" stands twice in pim of subscription "changes"; remove one`},
		{"schedule: another has the name", "extensions:", "  nightly_main: {pim: main, every: 1h, action: send}\nextensions:", `f.yaml:5: schedule "nightly_main" is "nightly_main" in one of its PIMs, as another schedule is; rename one`},
		{"notification: no such pim", "all: {pim: [main, outlet]", "all: {pim: [main, outlt]", `f.yaml:10: pim of notification "all": no pim "outlt"; did you mean "outlet"?`},
		{"notification: neither pim nor a PIM's name", "all: {pim: [main, outlet], ", "all: {", `f.yaml:10: name of notification "all": no pim "all"; known are main, outlet`},
		{"notification: two for a PIM", "all: {pim: [main, outlet], action: tell}", "all: {pim: [main, outlet], action: tell}\n  outlet: {action: tell}", `f.yaml:11: notification "outlet" is for pim "outlet", as another notification is; keep one: there is one for each PIM`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Count(several, row.old) != 1 {
				t.Fatalf("%q stands %d times in the right file", row.old, strings.Count(several, row.old))
			}
			c, err := load(strings.Replace(several, row.old, row.new, 1))
			if err == nil || err.Error() != row.want {
				t.Errorf("got\n\t%v, %v\nwant\n\t%s", err, c, row.want)
			}
		})
	}
}
