package config_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// selecting is a file with selections and without a mistake. A row below replaces one of its parts.
const selecting = `pims: {main: {url: https://a.example.com}}
actions: {after: {kind: forward, url: https://b.example.com, then: {done: send}}, send: {kind: forward, url: https://erp.example.com}}
selections:
  ready: {of: products, search: {family: [{operator: IN, value: [shoes]}], completeness: [{operator: "=", value: 100, scope: ecommerce}]}}
  changed: {of: products, changed_since: last}
  recent: {of: product_models, changed_since: 2d, search: {updated: [{operator: ">", value: 2026-11-25}]}}
extensions:
  all: {pim: main, type: action, positions: [pim.product.index], label: {default: All}, select: ready, action: send, once: extension}
  page: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Page}, actions: [send]}
`

func TestSelections(t *testing.T) {
	c, err := load(selecting)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]config.Selection{
		"ready": {Name: "ready", Of: "products",
			Search: json.RawMessage(`{"completeness":[{"operator":"=","scope":"ecommerce","value":100}],"family":[{"operator":"IN","value":["shoes"]}]}`)},
		"changed": {Name: "changed", Of: "products", Last: true},
		"recent": {Name: "recent", Of: "product_models", Since: 48 * time.Hour, // and a day that stays one
			Search: json.RawMessage(`{"updated":[{"operator":"\u003e","value":"2026-11-25"}]}`)},
	}
	if !reflect.DeepEqual(c.Selections, want) {
		t.Errorf("%+v", c.Selections)
	}
	all := c.Extensions["all"]
	if all.Select != "ready" || !all.Once || !all.OnceForAll || c.Extensions["page"].OnceForAll || len(c.Warnings) != 0 {
		t.Errorf("%+v, %v", all, c.Warnings)
	}
	c, err = load(strings.Replace(selecting, "operator: IN", "operator: INN", 1))
	if err != nil || len(c.Warnings) != 1 || c.Warnings[0].Error() != `f.yaml:4: operator "INN" of a filter in family of search of selection "ready" is not known; did you mean "IN"?` {
		t.Errorf("%v, %v", c, err)
	}
}

func TestMistakesInSelections(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		{"no type", "of: products, changed_since: last", "changed_since: last", `f.yaml:5: selection "changed" has no of; add of: products or product_models`},
		{"another type", "of: product_models", "of: models", `f.yaml:6: of of selection "recent" is "models"; use products or product_models`},
		{"a time of no time", "changed_since: 2d", "changed_since: yesterday", `f.yaml:6: changed_since of selection "recent" is "yesterday"; use last, or 1m to 365d`},
		{"a filter that is no list", "[{operator: IN, value: [shoes]}]", "{operator: IN, value: [shoes]}", `f.yaml:4: family of search of selection "ready" is not a list of filters; write [{operator: "=", value: …}]`},
		{"a filter without operator", "{operator: IN, value: [shoes]}", "{value: [shoes]}", `f.yaml:4: a filter in family of search of selection "ready" has no operator; add operator: "=", IN, …`},
		{"an unknown key of a filter", "scope: ecommerce", "channel: ecommerce", `f.yaml:4: unknown key "channel" in a filter in completeness of search of selection "ready"; known are locale, locales, operator, scope, value`},
		{"search that is a list", `search: {updated: [{operator: ">", value: 2026-11-25}]}`, "search: [family]", `f.yaml:6: search of selection "recent" is not a mapping; write it as key: value`},
		{"an unknown key", "changed_since: last", "since: last", `f.yaml:5: unknown key "since" in selection "changed"; known are changed_since, of, search`},
		{"no such selection", "select: ready", "select: redy", `f.yaml:8: select of extension "all": no selection "redy"; did you mean "ready"?`},
		{"a then of what is done", "{kind: forward, url: https://erp.example.com}}", "{kind: forward, url: https://erp.example.com, then: {done: tell}}, tell: {kind: forward, url: https://erp.example.com}}", `f.yaml:8: extension "all" selects products, and then of its action "send" is for those that are done, which a selection does not keep; use then of succeeded, which gets no items there`},
		{"an action that waits for a callback", "{kind: forward, url: https://erp.example.com}}", "{kind: forward, url: https://erp.example.com, callback: {within: 72h}}, tell: {kind: forward, url: https://erp.example.com}}", `f.yaml:8: extension "all" selects products, and its action "send" waits for an answer, which is for the items of one request; remove it, or what the action waits for`},
		{"a job of the PIM", "{kind: forward, url: https://erp.example.com}}", "{kind: pim-job, export: csv}, tell: {kind: forward, url: https://erp.example.com}}", `f.yaml:8: extension "all" selects products, and its action "send" waits for an answer, which is for the items of one request; remove it, or what the action waits for`},
		{"a workflow that is waited for", "{kind: forward, url: https://erp.example.com}}", "{kind: pim-workflow, workflow: x, within: 72h}, tell: {kind: forward, url: https://erp.example.com}}", `f.yaml:8: extension "all" selects products, and its action "send" waits for an answer, which is for the items of one request; remove it, or what the action waits for`},
		{"a then of what is done, of a page's action", "actions: [send]", "actions: [send, after], select: ready", `f.yaml:9: extension "page" selects products, and then of its action "after" is for those that are done, which a selection does not keep; use then of succeeded, which gets no items there`},
		{"no such selection of a page", "actions: [send]", "actions: [send], select: redy", `f.yaml:9: select of extension "page": no selection "redy"; did you mean "ready"?`},
		{"select of a link", "type: iframe, positions: [pim.product.tab], label: {default: Page}, actions: [send]", "type: link, positions: [pim.product.header], label: {default: Page}, url: https://c.example.com, select: ready", `f.yaml:9: extension "page" is of type link and has the key "select"; remove it: it belongs to type action or iframe`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Count(selecting, row.old) != 1 {
				t.Fatalf("%q stands %d times in the right file", row.old, strings.Count(selecting, row.old))
			}
			_, err := load(strings.Replace(selecting, row.old, row.new, 1))
			if err == nil || err.Error() != row.want {
				t.Errorf("got\n\t%v\nwant\n\t%s", err, row.want)
			}
		})
	}
}
