package pim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// shown is a sample as a PIM would answer with it.
func shown(t *testing.T, file string) pim.Product {
	t.Helper()
	f := newFixture(t)
	f.connect(t, played(http.StatusOK, string(sample(t, file))))
	product, err := f.Get(t.Context(), pim.TypeProduct, "5b1f0f5a-6f0d-4a55-9a7c-0d1c6f6a1b01", pim.Read{})
	if err != nil {
		t.Fatal(err)
	}
	return product
}

func TestValuesOfEveryType(t *testing.T) {
	english := pim.NewView(shown(t, "pim-product-all-attribute-types.json"), "sku", "en_US", "ecommerce")
	french := pim.NewView(shown(t, "pim-product-all-attribute-types.json"), "sku", "fr_FR", "mobile")
	for _, c := range []struct {
		name string
		got  func() (any, error)
		want any
	}{
		{"identifier", func() (any, error) { return english.Identifier(), nil }, "ALP-GEAR-01"},
		{"text in a locale", func() (any, error) { return english.Value("name") }, "Alpine jacket"},
		{"text in another", func() (any, error) { return french.Value("name") }, "Veste alpine"},
		{"text in a locale named in place", func() (any, error) { return english.Value("name", "fr_FR") }, "Veste alpine"},
		{"text by locale and channel", func() (any, error) { return english.Value("description") }, "<p>Three layers, taped seams.</p>"},
		{"a channel named in place", func() (any, error) { return english.Value("description", "", "mobile") }, "Three layers."},
		{"a locale that has none", func() (any, error) { return english.Value("name", "de_DE") }, nil},
		{"a channel that has none", func() (any, error) { return french.Value("release_date") }, nil},
		{"whole number", func() (any, error) { return english.Value("pocket_count") }, json.Number("4")},
		{"decimal number", func() (any, error) { return english.Value("warmth_index") }, json.Number("7.25")},
		{"measurement", func() (any, error) { return english.Metric("weight") }, json.Number("640")},
		{"measurement in its unit", func() (any, error) { return english.Metric("weight", "gram") }, json.Number("640")},
		{"price", func() (any, error) { return english.Price("price", "USD") }, json.Number("279.00")},
		{"a currency without a price", func() (any, error) { return english.Price("price", "CHF") }, nil},
		{"yes or no", func() (any, error) { return english.Value("insulated") }, true},
		{"a date", func() (any, error) { return english.Value("release_date") }, "2026-09-01"},
		{"a date with a time", func() (any, error) { return english.Value("launch_at") }, "2026-09-01T08:30:00+00:00"},
		{"select", func() (any, error) { return english.Value("color") }, "red"},
		{"multi select", func() (any, error) { return english.Value("materials") }, []any{"nylon", "wool"}},
		{"labels that were not asked for", func() (any, error) { return english.Label("materials") }, []any{"[nylon]", "[wool]"}},
		{"file", func() (any, error) { return english.Value("care_sheet") }, "9/a/2/c/9a2cf5b0c1d24f6f8a3b7c9d0e1f2a3b4c5d6e7f_care_sheet.pdf"},
		{"assets", func() (any, error) { return english.Value("packshots") }, []any{"alp_front", "alp_back"}},
		{"record", func() (any, error) { return english.Value("brand") }, "northpeak"},
		{"table", func() (any, error) { return english.Value("size_chart") }, []any{
			map[string]any{"size_code": "m", "chest_cm": json.Number("102"), "fit": "regular", "stretch": false}, map[string]any{"size_code": "l", "chest_cm": json.Number("108"), "fit": "regular"}}},
		{"product link", func() (any, error) { return english.Value("successor") }, map[string]any{"type": "product", "id": "5b1f0f5a-6f0d-4a55-9a7c-0d1c6f6a1b04"}},
		{"nothing there", func() (any, error) { return english.Value("nobody") }, nil},
		{"no price there", func() (any, error) { return english.Price("nobody", "EUR") }, nil},
		{"no label there", func() (any, error) { return english.Label("nobody") }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.got()
			if err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", c.want) {
				t.Errorf("%#v, %v, want %#v", got, err, c.want)
			}
		})
	}
}

func TestValuesAskedForAsAnotherType(t *testing.T) {
	view := pim.NewView(shown(t, "pim-product-all-attribute-types.json"), "sku", "en_US", "ecommerce")
	for name, ask := range map[string]func() (any, error){
		"price of a text":    func() (any, error) { return view.Price("name", "EUR") },
		"metric of a list":   func() (any, error) { return view.Metric("materials") },
		"label of a table":   func() (any, error) { return view.Label("size_chart") },
		"another unit":       func() (any, error) { return view.Metric("weight", "KILOGRAM") },
		"three places":       func() (any, error) { return view.Value("name", "en_US", "ecommerce", "x") },
		"price of a boolean": func() (any, error) { return view.Price("insulated", "EUR") },
	} {
		if got, err := ask(); err == nil {
			t.Errorf("%s: %v, want an error", name, got)
		}
	}
}

func TestAmountsThatAreNoNumbers(t *testing.T) {
	product, err := pim.DecodeProduct(pim.TypeProduct, json.RawMessage(`{"uuid":"a","values":{
		"price":[{"data":[{"amount":"many","currency":"EUR"},{"amount":null,"currency":"USD"},{"amount":"0x10","currency":"CHF"}]}],
		"rating":[{"data":"NaN","attribute_type":"pim_catalog_number"}],"weight":[{"data":{"amount":[],"unit":"GRAM"}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	view := pim.NewView(product, "sku", "en_US", "ecommerce")
	for name, ask := range map[string]func() (any, error){
		"a word":              func() (any, error) { return view.Price("price", "EUR") },
		"a hexadecimal":       func() (any, error) { return view.Price("price", "CHF") },
		"not a number":        func() (any, error) { return view.Value("rating") },
		"a list for a weight": func() (any, error) { return view.Metric("weight") },
	} {
		if got, err := ask(); err == nil {
			t.Errorf("%s: %#v, want an error", name, got)
		}
	}
	if got, err := view.Price("price", "USD"); got != nil || err != nil {
		t.Errorf("no amount: %v, %v", got, err)
	}
}

func TestLabels(t *testing.T) {
	french := pim.NewView(shown(t, "pim-product-with-all-options.json"), "sku", "fr_FR", "ecommerce")
	for attribute, want := range map[string]any{"color": "Rouge", "size": "[m]", "materials": []any{"Nylon", "Laine"}} {
		if got, err := french.Label(attribute); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v, want %v", attribute, got, err, want)
		}
	}
	if got, err := french.Label("color", "en_US"); err != nil || got != "Red" {
		t.Errorf("in English: %v, %v", got, err)
	}
}

func TestAProductOfEmptyMaps(t *testing.T) {
	product := shown(t, "pim-products-uuid-empty-maps.json")
	view := pim.NewView(product, "sku", "en_US", "ecommerce")
	if view.Identifier() != "" || view.Family() != "" || view.Parent() != "" || !view.Enabled() || len(product.Values) != 0 {
		t.Errorf("%+v", product)
	}
}

func FuzzProduct(f *testing.F) {
	f.Add([]byte(`{"uuid":"a","values":{"name":[{"locale":null,"scope":null,"data":"x"}]}}`))
	f.Add([]byte(`{"uuid":"a","values":[]}`))
	f.Add([]byte(`{"uuid":"a","values":{"name":[{"data":[{"amount":"1","currency":"EUR"}],"attribute_type":"pim_catalog_number","linked_data":[]}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		product, err := pim.DecodeProduct(pim.TypeProduct, text)
		if err != nil {
			return
		}
		if product.ID == "" || !json.Valid(product.Raw) {
			t.Errorf("%+v", product)
		}
		view := pim.NewView(product, "sku", "en_US", "ecommerce")
		view.Identifier()
		for attribute := range product.Values {
			for _, ask := range []func() (any, error){
				func() (any, error) { return view.Value(attribute) }, func() (any, error) { return view.Price(attribute, "EUR") },
				func() (any, error) { return view.Metric(attribute) }, func() (any, error) { return view.Label(attribute) },
			} {
				if got, err := ask(); err == nil {
					if _, err := json.Marshal(got); err != nil {
						t.Errorf("%s: %#v has no JSON: %v", attribute, got, err)
					}
				}
			}
		}
	})
}

// Completeness comes with products that are asked for it, in lists and singly; the PIM has none for models.
func TestCompleteness(t *testing.T) {
	f := newFixture(t)
	listed, err := f.List(t.Context(), pim.TypeProduct, uuids(1), pim.Read{Complete: true})
	if err != nil || len(listed[uuids(1)[0]].Complete) == 0 {
		t.Fatalf("%+v, %v", listed, err)
	}
	single, err := f.Get(t.Context(), pim.TypeProduct, uuids(1)[0], pim.Read{Complete: true, Attributes: []string{"name"}})
	if err != nil || fmt.Sprint(single.Complete) != fmt.Sprint(listed[single.ID].Complete) {
		t.Errorf("%v, %v, want those of the list: %v", single.Complete, err, listed[single.ID].Complete)
	}
	if _, err := f.List(t.Context(), pim.TypeModel, []string{"model-shirt"}, pim.Read{Complete: true}); err != nil {
		t.Fatal(err)
	}
	if calls := f.pim.Calls("/api/rest/v1/product-models"); len(calls) != 1 || calls[0].Query["with_completenesses"] != nil {
		t.Errorf("%+v", calls)
	}
	if plain, err := f.Get(t.Context(), pim.TypeProduct, uuids(1)[0], pim.Read{}); err != nil || plain.Complete != nil {
		t.Errorf("%v, %v: nobody asked", plain.Complete, err)
	}
	want := []pim.Completeness{{Channel: "ecommerce", Locale: "en_US", Percent: 86}, {Channel: "ecommerce", Locale: "fr_FR", Percent: 57}, {Channel: "mobile", Locale: "en_US", Percent: 100}}
	if got := shown(t, "pim-product-with-all-options.json").Complete; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}
