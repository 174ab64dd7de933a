package pim_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
)

func TestTheSameValueInTwoWaysOfWriting(t *testing.T) {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for _, c := range []struct {
		name, kind, a, b string
		same             bool
	}{
		{"decimals", "pim_catalog_number", `7.25`, `"7.2500"`, true},
		{"an exponent", "pim_catalog_number", `725e-2`, `"7.25"`, true},
		{"an exponent that would fill memory", "pim_catalog_number", `1e999999999`, `"1e999999998"`, false},
		{"another number", "pim_catalog_number", `7.25`, `"7.26"`, false},
		{"digits beyond a float", "pim_catalog_number", `"0.1000000000000000055"`, `"0.1"`, false},
		{"a zero", "pim_catalog_number", `0`, `"0.0000"`, true},
		{"a zero and nothing", "pim_catalog_number", `0`, `null`, false},
		{"a number in a text", "pim_catalog_text", `"7.25"`, `"7.2500"`, false},
		{"space at the end of a text", "pim_catalog_text", `"a "`, `"a"`, false},
		{"an empty text", "pim_catalog_text", `""`, ``, true},
		{"null", "pim_catalog_text", `null`, ``, true},
		{"false is something", "pim_catalog_boolean", `false`, `null`, false},
		{"prices in another order", "pim_catalog_price_collection", `[{"amount":"1.00","currency":"EUR"},{"amount":2,"currency":"USD"}]`, `[{"currency":"USD","amount":"2.00"},{"amount":1,"currency":"EUR"}]`, true},
		{"a price without an amount", "pim_catalog_price_collection", `[{"amount":null,"currency":"EUR"}]`, `[]`, true},
		{"another currency", "pim_catalog_price_collection", `[{"amount":1,"currency":"EUR"}]`, `[{"amount":1,"currency":"USD"}]`, false},
		{"a measurement with its symbol", "pim_catalog_metric", `{"amount":1.5,"unit":"GRAM"}`, `{"amount":"1.5000","unit":"GRAM","symbol":"g"}`, true},
		{"another unit", "pim_catalog_metric", `{"amount":1,"unit":"GRAM"}`, `{"amount":1,"unit":"KILOGRAM"}`, false},
		{"options in another order", "pim_catalog_multiselect", `["b","a","b"]`, `["a","b"]`, true},
		{"assets in another order", "pim_catalog_asset_collection", `["b","a"]`, `["a","b"]`, false},
		{"a date with a time", "pim_catalog_date", `"2026-09-01"`, `"2026-09-01T00:00:00+02:00"`, true},
		{"another day", "pim_catalog_date", `"2026-09-01"`, `"2026-09-02T00:00:00+02:00"`, false},
		{"a table", "pim_catalog_table", `[{"size":"m","width":1.0}]`, `[{"width":1,"size":"m"}]`, true},
		{"no type", "", `{"a":1}`, `{"a":1.0}`, true},
		{"nested without end", "pim_catalog_text", deep, `"a"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := json.RawMessage(c.a), json.RawMessage(c.b)
			if pim.Same(c.kind, a, b) != c.same || pim.Same(c.kind, b, a) != c.same || !pim.Same(c.kind, a, a) {
				t.Errorf("%s and %s: want %t", c.a[:min(len(c.a), 60)], c.b, c.same)
			}
		})
	}
	if !pim.Kept("pim_catalog_text", json.RawMessage(`" a "`), json.RawMessage(`"a"`)) {
		t.Error("what the PIM has trimmed was kept")
	}
}

func TestAnUpdateIsStrictAboutTypes(t *testing.T) {
	entry := func(text string) string { return `{"uuid":"u","values":{"name":[` + text + `]}}` }
	for _, c := range []struct{ name, text, want string }{ // want "": it is good
		{"whole", `{"uuid":"u","values":{"name":[{"locale":"fr_FR","scope":null,"data":"x"}]},"categories":["a"],"groups":[],"enabled":false}`, ""},
		{"a model", `{"code":"m","values":{}}`, ""},
		{"as the PIM shows it", entry(`{"locale":null,"scope":null,"data":"x","attribute_type":"pim_catalog_text"}`), ""},
		{"an erasure", entry(`{"locale":null,"scope":null,"data":null}`), ""},
		{"a text", `"u"`, "no object"},
		{"null", `null`, "no object"},
		{"a list", `[]`, "no object"},
		{"neither key", `{"values":{}}`, "neither uuid nor code"},
		{"both keys", `{"uuid":"u","code":"m"}`, "one of uuid and code"},
		{"a key that is a number", `{"uuid":7}`, "one of uuid and code"},
		{"an empty key", `{"uuid":""}`, "one of uuid and code"},
		{"a family", `{"uuid":"u","family":"shoes"}`, `"family" cannot be updated`},
		{"values a list", `{"uuid":"u","values":[]}`, "values is no object"},
		{"values null", `{"uuid":"u","values":null}`, "values is no object"},
		{"a value that is no list", `{"uuid":"u","values":{"name":"x"}}`, "no list of entries"},
		{"an entry that is no object", entry(`"x"`), "no object"},
		{"without locale", entry(`{"scope":null,"data":"x"}`), `lacks the key "locale"`},
		{"without scope", entry(`{"locale":null,"data":"x"}`), `lacks the key "scope"`},
		{"without data", entry(`{"locale":null,"scope":null}`), `lacks the key "data"`},
		{"a locale that is a number", entry(`{"locale":7,"scope":null,"data":"x"}`), "locale is neither"},
		{"another key", entry(`{"locale":null,"scope":null,"data":"x","value":"y"}`), `the key "value"`},
		{"twice", entry(`{"locale":null,"scope":null,"data":"x"},{"locale":null,"scope":null,"data":"y"}`), "two entries"},
		{"nested deeply", entry(`{"locale":null,"scope":null,"data":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`), "nested"},
		{"nested without end", entry(`{"locale":null,"scope":null,"data":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`), "no object"},
		{"enabled a text", `{"uuid":"u","enabled":"no"}`, "neither true nor false"},
		{"enabled null", `{"uuid":"u","enabled":null}`, "neither true nor false"},
		{"categories a text", `{"uuid":"u","categories":"a"}`, "no list of codes"},
		{"categories with null", `{"uuid":"u","categories":[null]}`, "no code"},
		{"groups null", `{"uuid":"u","groups":null}`, "no list of codes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, id, _, err := pim.ParseUpdate(json.RawMessage(c.text))
			if c.want == "" && (err != nil || id == "") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%q, %v; want %q", id, err, c.want)
			}
		})
	}
}

func FuzzUpdate(f *testing.F) {
	f.Add([]byte(`{"uuid":"u","values":{"name":[{"locale":"fr_FR","scope":null,"data":"x"}]},"categories":["a"],"groups":[],"enabled":false}`))
	f.Add([]byte(`{"code":"m","values":{"price":[{"locale":null,"scope":"e","data":[{"amount":"1","currency":"EUR"}]}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		kind, id, u, err := pim.ParseUpdate(text)
		if err != nil {
			return
		}
		if id == "" || kind == "" {
			t.Error("an update of nothing")
		}
		now := pim.Product{Type: kind, ID: id}
		edits := u.Edits(now, nil)
		if _, err := pim.Body(now, edits); err != nil {
			t.Error(err)
		}
		for _, edit := range edits {
			if _, needed, err := edit.Back(now); needed || err != nil {
				t.Errorf("%+v: nothing was done, and %t, %v", edit, needed, err)
			}
		}
	})
}
