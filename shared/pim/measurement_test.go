package pim_test

import (
	"encoding/json"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
)

func TestMeasurementsInAnotherUnit(t *testing.T) {
	f := newFixture(t)
	product, err := f.Get(t.Context(), pim.TypeProduct, simples(1)[0], pim.Read{})
	if err != nil {
		t.Fatal(err)
	}
	view := pim.NewView(product, "sku", "en_US", "ecommerce").WithUnits(f.Units(t.Context()))
	for range 2 {
		if got, err := view.Metric("weight", "kilogram"); err != nil || got != json.Number("0.22") {
			t.Errorf("220 g are %v kg, %v", got, err)
		}
	}
	if got, err := view.Metric("weight", "METER"); err == nil {
		t.Errorf("a weight in metres: %v", got)
	}
	if calls := len(f.pim.Calls("/api/rest/v1/measurement-families")); calls != 1 {
		t.Errorf("%d calls for measurement families, want 1", calls)
	}
}

// The values are those of the units themselves: 0 °C are 273.15 K and 32 °F.
func TestConversions(t *testing.T) {
	families := `[{"code":"Temperature","standard_unit_code":"KELVIN","units":{
		"KELVIN":{"convert_from_standard":[{"operator":"mul","value":"1"}]},
		"CELSIUS":{"convert_from_standard":[{"operator":"add","value":"273.15"}]},
		"FAHRENHEIT":{"convert_from_standard":[{"operator":"sub","value":"32"},{"operator":"div","value":"1.8"},{"operator":"add","value":"273.15"}]},
		"NEWER":{"convert_from_standard":[{"operator":"pow","value":"2"}]},
		"BROKEN":{"convert_from_standard":[{"operator":"div","value":"0"}]}}}]`
	for _, c := range []struct{ amount, from, to, want string }{
		{"0", "CELSIUS", "KELVIN", "273.15"},
		{"0", "CELSIUS", "FAHRENHEIT", "32"},
		{"32", "fahrenheit", "Celsius", "0"},
		{"100.5000", "FAHRENHEIT", "KELVIN", "311.205555555555"},
		{"-40", "FAHRENHEIT", "CELSIUS", "-40"},
		{"1", "CELSIUS", "GRAM", ""},
		{"1", "NEWER", "KELVIN", ""},
		{"1", "KELVIN", "NEWER", ""},
		{"1", "BROKEN", "KELVIN", ""},
		{"warm", "CELSIUS", "KELVIN", ""},
	} {
		got, err := pim.Convert([]byte(families), c.amount, c.from, c.to)
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %s in %s: %s, %v, want %q", c.amount, c.from, c.to, got, err, c.want)
		}
	}
}
