package table_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// TestColumnsAreInThePIMsOrder has names that other orders would put elsewhere.
func TestColumnsAreInThePIMsOrder(t *testing.T) {
	want := []string{"sku", "categories", "enabled", "family", "groups", "a1", "a_2", "a_9", "a_10", "an_image", "a_date", "B", "c007", "c7x", "PACK-products", "PACK-product_models", "x1", "x01x", "é"}
	var columns []table.Column
	for _, name := range want {
		columns = append(columns, table.Column{Name: name, Attribute: name})
	}
	slices.Reverse(columns)
	got := names(columns, table.Form{})
	if diff := positions(got, "a_9", "a_10"); !diff {
		t.Errorf("a_10 before a_9: %q", got)
	}
	for _, pair := range [][2]string{{"an_image", "a_date"}, {"PACK-products", "PACK-product_models"}, {"groups", "a1"}, {"a_date", "B"}, {"x1", "é"}} {
		if !positions(got, pair[0], pair[1]) {
			t.Errorf("%s is not before %s: %q", pair[0], pair[1], got)
		}
	}
}

func names(columns []table.Column, form table.Form) (found []string) {
	var u table.Union
	first := make([]string, len(columns))
	u.Add(table.Part{Columns: columns, First: first}, false)
	for _, column := range u.Columns(form, table.Structure{Main: "sku"}, nil) {
		found = append(found, column.Name)
	}
	return found
}

func positions(list []string, before, after string) bool {
	return slices.Index(list, before) >= 0 && slices.Index(list, before) < slices.Index(list, after)
}

func TestSelectedAttributesStayInTheirOrder(t *testing.T) {
	columns := []table.Column{{Name: "b", Attribute: "b"}, {Name: "a-fr_FR", Attribute: "a"}, {Name: "a-en_US", Attribute: "a"}, {Name: "PACK-products", Type: "PACK", Part: "products"}}
	got := strings.Join(names(columns, table.Form{Attributes: []string{"a", "b"}}), " ")
	if want := "sku categories enabled family groups PACK-products a-fr_FR a-en_US b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestCells has one value in each row, and the cells of its columns.
func TestCells(t *testing.T) {
	attribute := func(kind string, decimals bool) pim.Attribute {
		return pim.Attribute{Code: "a", Type: "pim_catalog_" + kind, Decimals: decimals, MetricFamily: "Temperature"}
	}
	for _, c := range []struct {
		attribute pim.Attribute
		data      string
		want      string // name=cell of the columns, by name
	}{
		{attribute("number", true), `"20.09"`, "a=20,0900"},
		{attribute("number", true), `"1.123456700"`, "a=1,1234567"},
		{attribute("number", true), `-3`, "a=-3,0000"},
		{attribute("number", true), `"no number"`, "a=no number"},
		{attribute("number", true), `"1e999999999"`, "a=1e999999999"},
		{attribute("number", false), `"100.9"`, "a=100"},
		{attribute("number", false), `"-0.5"`, "a=0"},
		{attribute("price_collection", true), `[{"amount":"10","currency":"EUR"},{"amount":null,"currency":"USD"}]`, "a-EUR=10,00 a-USD="},
		{attribute("price_collection", false), `[{"amount":"10.99","currency":"EUR"}]`, "a-EUR=10"},
		{attribute("metric", true), `{"amount":"20.5","unit":"CELSIUS"}`, "a=20,5000 a-unit=CELSIUS"},
		{attribute("metric", false), `{"amount":-10.7,"unit":"CELSIUS"}`, "a=-10 a-unit=CELSIUS"},
		{attribute("metric", true), `{"amount":null,"unit":"CELSIUS"}`, "a= a-unit="},
		{attribute("boolean", false), `true`, "a=1"},
		{attribute("boolean", false), `false`, "a=0"},
		{attribute("date", false), `"2026-01-31T00:00:00+00:00"`, "a=2026/01/31"},
		{attribute("date", false), `"soon"`, "a=soon"},
		{attribute("multiselect", false), `["10","9","b","B"]`, "a=9,10,B,b"},
		{attribute("multiselect", false), `[]`, "a="},
		{pim.Attribute{Code: "a", Type: "akeneo_reference_entity_collection"}, `["z","a"]`, "a=z,a"},
		{attribute("table", false), `[{"part": "flour", "grams": 1}]`, `a=[{"part":"flour","grams":1}]`},
		{attribute("text", false), `null`, ""},
		{attribute("image", false), `"1/2/unknown.png"`, "a=1/2/unknown.png"},
	} {
		form := table.Form{Decimal: ",", Date: "2006/01/02", Media: true}
		structure := table.Structure{Main: "sku", Attributes: map[string]pim.Attribute{"a": c.attribute}}
		p := pim.Product{Type: pim.TypeProduct, ID: "u", Identifier: "s", Values: pim.Values{"a": {{Data: json.RawMessage(c.data)}}}}
		var part bytes.Buffer
		if err := table.WritePart(&part, form, structure, table.Linked{}, []pim.Product{p}); err != nil {
			t.Fatal(err)
		}
		reader, err := table.ReadPart(&part)
		if err != nil {
			t.Fatal(err)
		}
		row, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, column := range reader.Columns {
			if column.Attribute == "a" {
				got = append(got, column.Name+"="+strings.Join(row.Cells[i:i+1], ""))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %q, want %q", c.attribute.Type, c.data, got, c.want)
		}
	}
}

func TestNamesInKeys(t *testing.T) {
	for key, want := range map[string]struct {
		name string
		sure bool
	}{
		"1/2/3/4/1234_front.png":      {"front.png", true},
		"1/2/3/4/1234_front_view.png": {"front_view.png", false},
		"front.png":                   {"front.png", false},
		"1/2/3/4/1234_" + strings.Repeat("x", 100) + ".png": {strings.Repeat("x", 100) + ".png", false},
	} {
		if name, sure := table.NameInKey(key); name != want.name || sure != want.sure {
			t.Errorf("%s: %s, %v", key, name, sure)
		}
	}
}
