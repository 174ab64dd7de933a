package table

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// cells makes the cells of products.
type cells struct {
	Form
	Structure
	Linked
	families bool // a product of the batch has a family, see familyLabel
}

// cell is one column of one row.
type cell struct {
	column Column
	text   string
}

// row is one product's cells: those that it has.
func (c cells) row(p pim.Product) (row []cell, linked bool) {
	fixed := func(name, text string) { row = append(row, cell{Column{Name: name}, text}) }
	if c.Form.Models {
		fixed("code", p.ID)
		fixed("family_variant", c.variant(p.FamilyVariant))
		fixed("parent", c.parent(p.Parent))
		fixed("categories", c.categories(p.Categories))
	} else {
		if c.UUID {
			fixed("uuid", p.ID)
		}
		fixed(c.Main, pim.NewView(p, c.Main, "", "").Identifier())
		fixed("categories", c.categories(p.Categories))
		fixed("enabled", c.enabled(p.Enabled))
		fixed("family", c.family(p.Family))
		if p.Parent != "" {
			fixed("parent", c.parent(p.Parent))
		}
		fixed("groups", c.groups(p.Groups))
	}
	for code, values := range orderedValues(p) {
		if code == c.Main || !c.wanted(code) {
			continue
		}
		for _, value := range values {
			row = append(row, c.value(p, c.attribute(code, value), value)...)
		}
	}
	associations, linked := c.associations(p)
	return append(append(row, associations...), c.complete(p)...), linked
}

// attribute is what is known of a value's attribute. Of one that the PIM hides or has deleted meanwhile the value itself
// tells what it can.
func (c cells) attribute(code string, value pim.Value) pim.Attribute {
	if a, known := c.Structure.Attributes[code]; known {
		return a
	}
	decimals := bytes.ContainsAny(value.Data, `".`)
	return pim.Attribute{Code: code, Type: value.AttributeType, Localizable: value.Locale != "", Scopable: value.Scope != "", Decimals: decimals}
}

// value is what the table shows of a value.
func (c cells) value(p pim.Product, a pim.Attribute, v pim.Value) []cell {
	if !c.locale(v.Locale) || v.Scope != "" && v.Scope != c.Structure.Channel.Code || !c.shows(a) || len(v.Data) == 0 || string(v.Data) == "null" {
		return nil
	}
	at := column(a, v.Locale, v.Scope)
	switch a.Type {
	case "pim_catalog_price_collection":
		return c.prices(at, a, v.Data)
	case "pim_catalog_metric":
		return c.measurement(at, a, v.Data)
	}
	return []cell{{at, c.single(p, a, v)}}
}

// single is the cell of a value that has one column.
func (c cells) single(p pim.Product, a pim.Attribute, v pim.Value) string {
	data, err := decode(v.Data)
	if err != nil {
		return string(v.Data)
	}
	switch data := data.(type) {
	case bool:
		return c.boolean(data)
	case json.Number:
		return c.number(data.String(), a.Decimals)
	case string:
		return c.text(p, a, v, data)
	case []any:
		if codes, ok := texts(data); ok {
			return c.several(a, v, codes)
		}
	}
	var compact bytes.Buffer // a table, or what a newer PIM has
	if json.Compact(&compact, v.Data) != nil {
		return string(v.Data)
	}
	return compact.String()
}

func (c cells) text(p pim.Product, a pim.Attribute, v pim.Value, text string) string {
	switch a.Type {
	case "pim_catalog_number":
		return c.number(text, a.Decimals)
	case "pim_catalog_date":
		return c.date(text)
	case "pim_catalog_image", "pim_catalog_file":
		return c.media(p, v, a.Code, text)
	case "pim_catalog_simpleselect":
		if c.Labels.Values {
			return optionLabels(v.LinkedData, []string{text}, c.Labels.Locale)[0]
		}
	}
	return text
}

// several are the options of a multi-select, or what else a value has many of.
func (c cells) several(a pim.Attribute, v pim.Value, codes []string) string {
	if a.Type != "pim_catalog_multiselect" {
		return strings.Join(codes, ",")
	}
	codes = sorted(codes)
	if c.Labels.Values {
		codes = optionLabels(v.LinkedData, codes, c.Labels.Locale)
	}
	return strings.Join(codes, ",")
}

func (c cells) date(text string) string {
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if instant, err = time.Parse(time.DateOnly, text); err != nil {
			return text
		}
		return instant.Format(c.Date)
	}
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	return instant.In(zone).Format(c.Date)
}

// media is where the PIM's archive has the file; the key where the file is not known.
func (c cells) media(p pim.Product, v pim.Value, attribute, key string) string {
	name, known := c.Files[key]
	if !known {
		return key
	}
	identifier := pim.NewView(p, c.Main, "", "").Identifier()
	if identifier == "" {
		identifier = p.ID
	}
	place := []string{"files", strings.ReplaceAll(identifier, "/", "_"), attribute}
	for _, part := range []string{v.Locale, v.Scope} {
		if part != "" {
			place = append(place, part)
		}
	}
	return strings.Join(append(place, name), "/")
}

// MediaKeys are the keys of the files in a product's values that the table shows.
func (f Form) MediaKeys(s Structure, p pim.Product) (keys []string) {
	c := cells{Form: f, Structure: s}
	for code, values := range orderedValues(p) {
		for _, value := range values {
			a := c.attribute(code, value)
			var key string
			if c.wanted(code) && isMedia(a.Type) && len(c.value(p, a, value)) > 0 && json.Unmarshal(value.Data, &key) == nil && key != "" {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// NameInKey is the name that a file had when it was uploaded, as its key tells: the PIM writes an underscore for every
// character but letters, digits and dots, and cuts long names, so that sure is false for some.
func NameInKey(key string) (name string, sure bool) {
	_, name, found := strings.Cut(path.Base(key), "_")
	if !found {
		return path.Base(key), false
	}
	return name, !strings.Contains(name, "_") && len(name) < 100
}

func (c cells) prices(at Column, a pim.Attribute, data json.RawMessage) (row []cell) {
	var prices []struct {
		Amount   json.RawMessage `json:"amount"`
		Currency string          `json:"currency"`
	}
	if json.Unmarshal(data, &prices) != nil {
		return []cell{{at, string(data)}}
	}
	for _, price := range prices {
		row = append(row, cell{at.currency(price.Currency), c.amount(price.Amount, 2, a.Decimals)})
	}
	return row
}

func (c cells) measurement(at Column, a pim.Attribute, data json.RawMessage) []cell {
	var metric struct {
		Amount json.RawMessage `json:"amount"`
		Unit   string          `json:"unit"`
	}
	if json.Unmarshal(data, &metric) != nil {
		return []cell{{at, string(data)}, {at.unit(), ""}}
	}
	text, ok := amountText(metric.Amount)
	if !ok {
		return []cell{{at, ""}, {at.unit(), ""}}
	}
	amount, ok := rational(text)
	if !ok {
		return []cell{{at, text}, {at.unit(), c.unitLabel(a, metric.Unit)}}
	}
	if target := c.Structure.Channel.Units[a.Code]; target != "" && target != metric.Unit {
		if converted, err := c.measurementFamily(a).Convert(amount, metric.Unit, target); err == nil {
			amount, metric.Unit = converted, target
		}
	}
	return []cell{{at, c.fixed(amount, 4, a.Decimals)}, {at.unit(), c.unitLabel(a, metric.Unit)}}
}

// amount is a price's; empty where there is none.
func (c cells) amount(data json.RawMessage, places int, decimals bool) string {
	text, ok := amountText(data)
	if !ok {
		return ""
	}
	amount, ok := rational(text)
	if !ok {
		return text
	}
	return c.fixed(amount, places, decimals)
}

// amountText is an amount as it is written, whether as a text or as a number.
func amountText(data json.RawMessage) (string, bool) {
	decoded, err := decode(data)
	if err != nil {
		return "", false
	}
	switch decoded := decoded.(type) {
	case string:
		return decoded, decoded != ""
	case json.Number:
		return decoded.String(), true
	}
	return "", false
}

func (c cells) boolean(set bool) string {
	if c.Labels.Values {
		return c.Labels.yesNo(set)
	}
	if set {
		return "1"
	}
	return "0"
}

func (c cells) enabled(set bool) string { return c.boolean(set) }

func decode(data json.RawMessage) (decoded any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err = decoder.Decode(&decoded)
	return decoded, err
}

// texts are a list's members, if each is a text or a number.
func texts(list []any) ([]string, bool) {
	found := make([]string, len(list))
	for i, member := range list {
		switch member := member.(type) {
		case string:
			found[i] = member
		case json.Number:
			found[i] = member.String()
		default:
			return nil, false
		}
	}
	return found, true
}
