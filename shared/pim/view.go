package pim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// View is a product as one locale and channel show it: what templates see as .Product. A value that does not exist is
// nil, which prints as nothing.
type View struct {
	product Product
	locale  string
	channel string
	main    string
	link    func(code string) (string, error) // nil: no links
	units   Units                             // nil: nothing is converted
}

// NewView returns a View. main is the code of the main identifier's attribute; locale and channel say which values are
// meant where an attribute has several.
func NewView(product Product, main, locale, channel string) View {
	return View{product: product, locale: locale, channel: channel, main: main}
}

// WithLinks returns the View with links to its files: link makes the address of one, by its code.
func (v View) WithLinks(link func(code string) (string, error)) View {
	v.link = link
	return v
}

// WithUnits returns the View with measurements in whatever unit is asked for.
func (v View) WithUnits(units Units) View {
	v.units = units
	return v
}

// Product is what the View shows.
func (v View) Product() Product { return v.product }

// Type is "product" or "product_model".
func (v View) Type() string { return v.product.Type }

// ID is the product's UUID, or the model's code.
func (v View) ID() string { return v.product.ID }

// Identifier is what people know the product by: its main identifier, or the model's code; "" if it has none.
func (v View) Identifier() string {
	if v.product.Identifier != "" {
		return v.product.Identifier
	}
	for _, value := range v.product.Values[v.main] {
		var text string
		if json.Unmarshal(value.Data, &text) == nil {
			return text
		}
	}
	return ""
}

// Family is the family's code; "" if the product has none.
func (v View) Family() string { return v.product.Family }

// Parent is the code of the product's model; "" if it has none.
func (v View) Parent() string { return v.product.Parent }

// Enabled says whether the product is switched on.
func (v View) Enabled() bool { return v.product.Enabled }

// Categories are the codes of the product's categories, inherited ones included.
func (v View) Categories() []string { return v.product.Categories }

// Groups are the codes of the product's groups.
func (v View) Groups() []string { return v.product.Groups }

// Locale and Channel are those that the View shows.
func (v View) Locale() string  { return v.locale }
func (v View) Channel() string { return v.channel }

// Entry is an attribute's value as the PIM gives it, for a locale and channel as Value takes them; nil if there is none.
func (v View) Entry(attribute string, place ...string) (*Value, error) {
	return v.find(attribute, place)
}

// Value is an attribute's value: a string, a json.Number, a bool, or, as the PIM writes them, lists and objects. The
// View's locale and channel are used where place does not name others: a locale, then a channel. A number has no zeros
// at its end; a date without a time is YYYY-MM-DD.
func (v View) Value(attribute string, place ...string) (any, error) {
	value, err := v.find(attribute, place)
	if err != nil || value == nil {
		return nil, err
	}
	data, err := decodeData(value.Data)
	if err != nil {
		return nil, fmt.Errorf("value of %q: %w", attribute, err)
	}
	text, isText := data.(string)
	switch {
	case isText && value.AttributeType == "pim_catalog_number":
		number, err := amount(attribute, text)
		if err != nil {
			return nil, err
		}
		return plainNumber(number.(json.Number).String()), nil
	case isText && value.AttributeType == "pim_catalog_date":
		// The offset is the PIM server's: its date is the one that a user entered.
		if date, clock, _ := strings.Cut(text, "T"); strings.HasPrefix(clock, "00:00:00") {
			return date, nil
		}
	}
	return data, nil
}

// Price is an amount of a price collection as the PIM writes it; nil without a price in that currency.
func (v View) Price(attribute, currency string, place ...string) (any, error) {
	var prices []struct {
		Amount   any    `json:"amount"`
		Currency string `json:"currency"`
	}
	if there, err := v.read(attribute, place, &prices); !there || err != nil {
		return nil, err
	}
	for _, price := range prices {
		if price.Currency == currency {
			return amount(attribute, price.Amount)
		}
	}
	return nil, nil
}

// Metric is the amount of a measurement, in the unit that it is kept in or in the one that is named. A unit of another kind
// of measurement is an error.
func (v View) Metric(attribute string, unit ...string) (any, error) {
	var metric struct {
		Amount any    `json:"amount"`
		Unit   string `json:"unit"`
	}
	if there, err := v.read(attribute, nil, &metric); !there || err != nil {
		return nil, err
	}
	number, err := amount(attribute, metric.Amount)
	text, ok := number.(json.Number)
	switch {
	case err != nil || !ok:
		return nil, err
	case len(unit) == 0 || strings.EqualFold(unit[0], metric.Unit):
		return plainNumber(text.String()), nil
	case v.units == nil:
		return nil, fmt.Errorf("%q is kept in %s, not in %s", attribute, metric.Unit, unit[0])
	}
	return v.units(attribute, text.String(), metric.Unit, unit[0])
}

// Label is the label of a select's option in the View's locale, or [code] where it has none; several are a list. Labels
// come along if `read` asks for them.
func (v View) Label(attribute string, place ...string) (any, error) {
	value, err := v.find(attribute, place)
	if err != nil || value == nil {
		return nil, err
	}
	locale := v.locale
	if len(place) > 0 && place[0] != "" {
		locale = place[0]
	}
	type linked struct {
		Labels map[string]*string `json:"labels"`
	}
	label := func(l linked, code string) string {
		if text := l.Labels[locale]; text != nil && *text != "" {
			return *text
		}
		return "[" + code + "]"
	}
	var code string
	if json.Unmarshal(value.Data, &code) == nil {
		var one linked
		_ = json.Unmarshal(value.LinkedData, &one) // not asked for, or of another form: the code
		return label(one, code), nil
	}
	var codes []string
	if json.Unmarshal(value.Data, &codes) != nil {
		return nil, fmt.Errorf("%q has no options", attribute)
	}
	var several map[string]linked
	_ = json.Unmarshal(value.LinkedData, &several)
	found := make([]any, len(codes))
	for i, code := range codes {
		found[i] = label(several[code], code)
	}
	return found, nil
}

// read decodes a value's data; there says whether it has one.
func (v View) read(attribute string, place []string, into any) (there bool, err error) {
	value, err := v.find(attribute, place)
	if err != nil || value == nil {
		return false, err
	}
	decoder := json.NewDecoder(bytes.NewReader(value.Data))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return false, fmt.Errorf("%q holds values of another type", attribute)
	}
	return true, nil
}

// find is the value of an attribute for a locale and channel; nil if there is none. What a user may read of a product is
// never that of another locale.
func (v View) find(attribute string, place []string) (*Value, error) {
	locale, channel := v.locale, v.channel
	switch {
	case len(place) > 2:
		return nil, fmt.Errorf("%q: a locale and a channel at the most", attribute)
	case len(place) == 2 && place[1] != "":
		channel = place[1]
	}
	if len(place) > 0 && place[0] != "" {
		locale = place[0]
	}
	for i := range v.product.Values[attribute] {
		value := &v.product.Values[attribute][i]
		if (value.Locale == "" || value.Locale == locale) && (value.Scope == "" || value.Scope == channel) && !isNull(value.Data) {
			return value, nil
		}
	}
	return nil, nil
}

// decodeData reads any JSON; numbers stay as they are written.
func decodeData(text json.RawMessage) (data any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&data)
	return data, err
}

func isNull(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }

// amount is a number that the PIM writes as text where decimals are allowed; nil for null.
func amount(attribute string, data any) (any, error) {
	var number json.Number
	switch data := data.(type) {
	case nil:
		return nil, nil
	case string:
		number = json.Number(data)
	case json.Number:
		number = data
	}
	if _, err := number.Float64(); err != nil || !json.Valid([]byte(number)) {
		return nil, fmt.Errorf("%q holds an amount that is no number", attribute)
	}
	return number, nil
}

// plainNumber leaves out zeros that say nothing: 7.2500 is 7.25.
func plainNumber(text string) json.Number {
	if strings.Contains(text, ".") && !strings.ContainsAny(text, "eE") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return json.Number(text)
}
