package config_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

const lookups = `pims:
  main: {url: https://a.example.com}
actions:
  send: {kind: forward, url: https://erp.example.com}
extensions:
  press: {pim: main, type: action, positions: [pim.product.header], label: {default: Send}, action: send}
  stock: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: Stock}, id: {attribute: sku}, lookup: {url: "https://erp.example.com/stock/{{.ID}}", auth: erp, cache: 60s}}
`

func TestALookup(t *testing.T) {
	c, err := load(lookups)
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	stock := c.Extensions["stock"]
	if want := (&config.Lookup{URL: "https://erp.example.com/stock/{{.ID}}", Auth: "erp", Cache: time.Minute}); !reflect.DeepEqual(stock.Lookup, want) || stock.Attribute != "sku" || stock.Placeholder() != "%sku%" {
		t.Errorf("%+v, %+v", stock, stock.Lookup)
	}
}

func TestTheAddressOfALookup(t *testing.T) {
	for _, c := range []struct{ url, id, want string }{
		{"https://erp.example.com/stock/{{.ID}}", `A/7 "b"?c=d#e%`, "https://erp.example.com/stock/A%2F7%20%22b%22%3Fc=d%23e%25"},
		{"https://erp.example.com/stock?sku={{ .ID }}&all=1", "a&all=0 ü", "https://erp.example.com/stock?sku=a%26all%3D0+%C3%BC&all=1"},
		{"https://erp.example.com/{{.ID}}/of/{{.ID}}", "a", "https://erp.example.com/a/of/a"},
		{"https://erp.example.com/all", "a", "https://erp.example.com/all"},
	} {
		if got, err := (config.Lookup{URL: c.url}).Address(c.id); got != c.want || err != nil {
			t.Errorf("%s with %q: %s, %v", c.url, c.id, got, err)
		}
	}
	for _, id := range []string{"", ".", ".."} {
		if got, err := (config.Lookup{URL: "https://erp.example.com/stock/{{.ID}}"}).Address(id); !errors.Is(err, config.ErrLookupID) {
			t.Errorf("%q: %s, %v", id, got, err)
		}
	}
}

func TestMistakesInALookup(t *testing.T) {
	const misplaced = `f.yaml:7: url of lookup of extension "stock" has another template, or one in another place; write {{.ID}} alone, in the path or in the query`
	for _, row := range []struct{ name, old, new, want string }{
		{"of a button", "action: send}\n", "action: send, lookup: {url: https://erp.example.com}}\n", `f.yaml:6: extension "press" is of type action and has the key "lookup"; remove it: it belongs to type data_component`},
		{"an attribute without lookup", `, lookup: {url: "https://erp.example.com/stock/{{.ID}}", auth: erp, cache: 60s}`, "", `f.yaml:7: extension "stock" shows what we did, which is known by uuid and code alone; add lookup, or use id: uuid or code`},
		{"what is no attribute", "{attribute: sku}", `{attribute: "s k u"}`, `f.yaml:7: attribute of id of extension "stock": "s k u" is not the code of an attribute; use letters, digits and _`},
		{"no attribute", "{attribute: sku}", `{}`, `f.yaml:7: id of extension "stock" has no attribute; add attribute: sku`},
		{"no url", `url: "https://erp.example.com/stock/{{.ID}}", `, "", `f.yaml:7: lookup of extension "stock" has no url; add url: "https://erp.example.com/stock/{{.ID}}"`},
		{"http", "https://erp.example.com/stock", "http://erp.example.com/stock", `f.yaml:7: url of lookup of extension "stock" is not encrypted; use https; http is for this machine alone`},
		{"a private network", "https://erp.example.com/stock", "https://10.0.0.5/stock", `f.yaml:7: url of lookup of extension "stock" is in a private network; use a public address`},
		{"a host of the caller's", "https://erp.example.com/stock", "https://{{.ID}}.example.com/stock", `f.yaml:7: url of lookup of extension "stock" has a template as its host; write the host out, or as ${NAME} of environments` + "\n" + misplaced},
		{"another template", "{{.ID}}", "{{.Item.ID}}", misplaced},
		{"half a template", "{{.ID}}", "{{.ID}", misplaced},
		{"a fragment", "{{.ID}}", "#{{.ID}}", misplaced},
		{"kept too long", "cache: 60s", "cache: 2h", `f.yaml:7: cache of lookup of extension "stock" is "2h"; use up to 1h`},
		{"private", "cache: 60s", "private: true", `f.yaml:7: unknown key "private" in lookup of extension "stock"; known are auth, cache, url`},
		{"a secret of actions", "auth: erp", "auth: secret:erp", "f.yaml:7: secret: stands where no secret is filled in; secrets are for the keys of an action's kind\n" +
			`f.yaml:7: auth of lookup of extension "stock": "secret:erp" is not a name; use 1 to 40 letters, digits, - and _`},
		{"a template beside it", "label: {default: Stock}", `label: {default: "{{.ID}}"}`, "f.yaml:7: a template stands where none is filled in; templates are for the keys of an action's kind"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Count(lookups, row.old) != 1 {
				t.Fatalf("%q stands %d times in the right file", row.old, strings.Count(lookups, row.old))
			}
			if _, err := load(strings.Replace(lookups, row.old, row.new, 1)); err == nil || err.Error() != row.want {
				t.Errorf("got\n\t%v\nwant\n\t%s", err, row.want)
			}
		})
	}
}
