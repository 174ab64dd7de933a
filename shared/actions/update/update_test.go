package update_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/update"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// section is an update action's part of extensions.yaml.
func section(t testing.TB, yaml string) (config.Section, error) {
	t.Helper()
	text := "pims: {main: {url: \"https://pim.example.com\"}}\nactions:\n  act:\n    kind: update\n    " + strings.ReplaceAll(yaml, "\n", "\n    ") + "\n"
	loaded, err := config.Load(config.Source{
		File: "extensions.yaml", Text: []byte(text), Stage: "local", Lookup: func(string) (string, bool) { return "", false },
		Kinds: map[string]func(config.Section) error{"update": update.Kind{}.Check},
	})
	if err != nil {
		return config.Section{}, err
	}
	return loaded.Actions["act"].Section, nil
}

func run(t testing.TB, yaml string) (engine.Result, engine.Action) {
	t.Helper()
	found, err := section(t, yaml)
	if err != nil {
		t.Fatal(err)
	}
	action, err := update.Kind{}.Open(found, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	product := pim.Product{Type: pim.TypeProduct, ID: "p1", Values: pim.Values{
		"name": {{Locale: "en_US", Data: json.RawMessage(`"A \"shirt\""`)}}, "net_price": {{Data: json.RawMessage(`[{"amount":"19.90","currency":"EUR"}]`)}},
	}}
	result, err := action.Run(t.Context(), engine.Run{
		Items: []jobs.Item{{Type: jobs.Product, ID: "p1"}}, Products: []pim.View{pim.NewView(product, "sku", "en_US", "ecommerce")},
		User: jobs.User{Username: `ju"l\ia`}, Params: json.RawMessage(`{}`), Context: json.RawMessage(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return result, action
}

func TestWhatAnUpdateChanges(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"a value", `set: {reviewed: true}`, `map[reviewed:[{  true}]]`},
		{"null erases", `set: {name: null}`, `map[name:[{  null}]]`},
		{"a text", `set: {name: "x"}`, `map[name:[{  "x"}]]`},
		{"a name with a quote stays text", `set: {name: "by {{.User.Username}}"}`, `map[name:[{  "by ju\"l\\ia"}]]`},
		{"a product's value", `set: {name: '{{.Product.Value "name"}}!'}`, `map[name:[{  "A \"shirt\"!"}]]`},
		{"an item's id", `set: {name: '{{.Item.ID}}'}`, `map[name:[{  "p1"}]]`},
		{"a number", `set: {rating: {number: "7.25"}}`, `map[rating:[{  7.25}]]`},
		{"an entry", `set: {name: {data: x, locale: fr_FR, channel: ecommerce}}`, `map[name:[{fr_FR ecommerce "x"}]]`},
		{"several entries", `set: {name: [{data: x, locale: fr_FR}, {data: y, locale: de_DE}]}`, `map[name:[{fr_FR  "x"} {de_DE  "y"}]]`},
		{"options", `set: {materials: [wool, cotton]}`, `map[materials:[{  ["wool","cotton"]}]]`},
		{"prices", `set: {price: [{amount: 1, currency: EUR}]}`, `map[price:[{  [{"amount":1,"currency":"EUR"}]}]]`},
		{"a computed value", `set: {gross_price: {expr: '[{amount: price("net_price", "EUR") * 1.2, currency: "EUR"}]'}}`, `map[gross_price:[{  [{"amount":23.88,"currency":"EUR"}]}]]`},
		{"a computed value of a locale", `set: {name: {data: {expr: 'value("name") + "!"'}, locale: fr_FR}}`, `map[name:[{fr_FR  "A \"shirt\"!"}]]`},
		{"computed of nothing erases", `set: {rating: {expr: 'value("rating") * 2'}}`, `map[rating:[{  null}]]`},
		{"a measurement", `set: {weight: {amount: "{{.Count}}", unit: GRAM}}`, `map[weight:[{  {"amount":"1","unit":"GRAM"}}]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, _ := run(t, c.yaml)
			shown := map[string][]string{}
			if len(result.Updates) != 1 {
				t.Fatalf("%+v", result)
			}
			for code, entries := range result.Updates[0].Values {
				for _, e := range entries {
					shown[code] = append(shown[code], fmt.Sprintf("{%s %s %s}", e.Locale, e.Scope, e.Data))
				}
			}
			if got := fmt.Sprint(shown); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	t.Run("categories and groups", func(t *testing.T) {
		result, _ := run(t, "add: {categories: [a], groups: [g]}\nremove: {categories: [b], groups: [h]}\nenabled: false")
		u := result.Updates[0].Update
		if fmt.Sprint(u.AddCategories, u.RemoveCategories, u.AddGroups, u.RemoveGroups, *u.Enabled) != "[a] [b] [g] [h] false" {
			t.Errorf("%+v", u)
		}
	})
	t.Run("a template that fails, fails its item", func(t *testing.T) {
		result, _ := run(t, `set: {rating: {number: '{{.Product.Value "name"}}'}}`)
		if len(result.Updates) != 0 || len(result.Failures) != 1 || !strings.Contains(result.Failures[0].Reason, "nothing was changed") {
			t.Errorf("%+v", result)
		}
	})
}

func TestWhatAnUpdateReads(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{`set: {name: x}`, "[name]"},
		{`add: {categories: [a]}`, "[]"},
		{`set: {name: '{{.Product.Value "ean"}}'}`, "nil"},
		{`set: {gross_price: {expr: 'price("net_price", "EUR")'}, name: {expr: 'value("name")'}}`, "[gross_price name net_price]"},
	} {
		_, action := run(t, c.yaml)
		reads := action.(engine.Reader).Reads()
		got := fmt.Sprint(reads.Attributes)
		if reads.Attributes == nil {
			got = "nil"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.yaml, got, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"nothing", `dry_run: true`, "changes nothing"},
		{"an unknown key", `sets: {a: b}`, "sets"},
		{"models", "set: {a: b}\nmodels: all", "models"},
		{"added and removed", "add: {groups: [a]}\nremove: {groups: [a]}", "added and removed"},
		{"another key in an entry", `set: {name: {data: x, scope: e}}`, "not \"scope\""},
		{"a locale that is a number", `set: {name: {data: x, locale: 7}}`, "not \"locale\""},
		{"two entries for one place", `set: {name: [{data: x}, {data: y}]}`, "same locale and channel"},
		{"a template that is none", `set: {name: "{{.Nothing}}"}`, "Nothing"},
		{"an answer, where none is", `set: {name: "{{.Answer.text}}"}`, "Answer"},
		{"an expression that is none", `set: {name: {expr: 'price("net_price"'}}`, "name: expr:"},
		{"an expression of another type", `set: {name: {expr: 7}}`, "expr is a text"},
		{"an answer in an expression, where none is", `set: {name: {expr: 'answer.text'}}`, "answer"},
		{"a template elsewhere", "set: {a: b}\nadd: {categories: ['{{.Label}}']}", "add"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := section(t, c.yaml); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
