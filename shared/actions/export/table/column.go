package table

import (
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// Column of the table. Its name is what the PIM writes into the header, and decides its place.
type Column struct {
	Name      string `json:"name"`
	Attribute string `json:"attribute,omitempty"` // code
	Type      string `json:"type,omitempty"`      // code of an association's type
	Part      string `json:"part,omitempty"`      // what of the association, "unit" of a measurement, or completeness
	Locale    string `json:"locale,omitempty"`
	Channel   string `json:"channel,omitempty"`
	Currency  string `json:"currency,omitempty"`
}

// head are the columns that come first, in this order, as far as they exist. The main identifier stands behind the UUID.
var (
	productHead = []string{"uuid", "", "categories", "enabled", "family", "parent", "groups"}
	modelHead   = []string{"code", "family_variant", "parent", "categories"}
)

func headOf(models bool, main string) []string {
	if models {
		return modelHead
	}
	head := slices.Clone(productHead)
	head[1] = main
	return head
}

// column is an attribute's column for a value's place.
func column(a pim.Attribute, locale, channel string) Column {
	name := a.Code
	if locale != "" {
		name += "-" + locale
	}
	if channel != "" {
		name += "-" + channel
	}
	return Column{Name: name, Attribute: a.Code, Locale: locale, Channel: channel}
}

func (c Column) unit() Column {
	c.Name, c.Part = c.Name+"-unit", "unit"
	return c
}

func (c Column) currency(code string) Column {
	c.Name, c.Currency = c.Name+"-"+code, code
	return c
}

// columnsOf are all columns that an attribute has in the table, whether or not a product has a value. allCurrencies are
// those of every channel: the PIM gives them to the prices of models that hold for all channels.
func (f Form) columnsOf(s Structure, code string) []Column {
	a, known := s.Attributes[code]
	if !known || !f.shows(a) {
		return nil
	}
	locales := []string{""}
	if a.Localizable {
		locales = nil
		for _, locale := range f.Locales {
			if len(a.Locales) == 0 || slices.Contains(a.Locales, locale) {
				locales = append(locales, locale)
			}
		}
	}
	channel := ""
	if a.Scopable {
		channel = s.Channel.Code
	}
	var found []Column
	for _, locale := range locales {
		of := column(a, locale, channel)
		switch a.Type {
		case "pim_catalog_price_collection":
			for _, currency := range f.currencies(s, a) {
				found = append(found, of.currency(currency))
			}
		case "pim_catalog_metric":
			found = append(found, of, of.unit())
		default:
			found = append(found, of)
		}
	}
	return found
}

func (f Form) currencies(s Structure, a pim.Attribute) []string {
	if !f.Models || a.Scopable {
		return s.Channel.Currencies
	}
	var all []string
	for _, channel := range s.Channels {
		for _, currency := range channel.Currencies {
			if !slices.Contains(all, currency) {
				all = append(all, currency)
			}
		}
	}
	return all
}

// order puts columns into the PIM's order: the head, then all others by name; with attributes selected, associations in
// the order of their types, then the attributes in the order of the selection, each one's columns as they came. Completeness
// is last.
func (f Form) order(s Structure, columns []Column) []Column {
	head := headOf(f.Models, s.Main)
	place := func(c Column) (group, within int) {
		if i := slices.Index(head, c.Name); i >= 0 {
			return 0, i
		}
		if c.Part == completeness {
			return 3, slices.Index(f.Locales, c.Locale)
		}
		if f.Attributes == nil {
			return 1, 0
		}
		if c.Type != "" {
			return 1, slices.IndexFunc(s.Associations, func(t pim.AssociationType) bool { return t.Code == c.Type })
		}
		return 2, slices.Index(f.Attributes, c.Attribute)
	}
	sorted := slices.Clone(columns)
	slices.SortStableFunc(sorted, func(a, b Column) int {
		groupA, withinA := place(a)
		groupB, withinB := place(b)
		if groupA != groupB {
			return groupA - groupB
		}
		if withinA != withinB {
			return withinA - withinB
		}
		if f.Attributes == nil {
			return compareNatural(a.Name, b.Name)
		}
		if a.Type != "" && b.Type != "" {
			return associationPart(a.Part) - associationPart(b.Part)
		}
		return 0
	})
	return sorted
}

// associationParts are what an association's columns hold, in the order that a selection of attributes leaves them in.
var associationParts = []string{"groups", "products", "product_uuids", "products-quantity", "product_models", "product_models-quantity"}

func associationPart(part string) int { return slices.Index(associationParts, part) }

// wanted says whether the table has an attribute's columns.
func (f Form) wanted(code string) bool {
	return f.Attributes == nil || slices.Contains(f.Attributes, code)
}

// compareNatural is the order of PHP's natcasesort, in which the PIM sorts columns: runs of digits by their number, letters
// as upper case, everything else by its bytes.
func compareNatural(a, b string) int {
	i, j := leadingZeros(a), leadingZeros(b)
	for {
		for i < len(a) && isSpace(a[i]) {
			i++
		}
		for j < len(b) && isSpace(b[j]) {
			j++
		}
		if i >= len(a) || j >= len(b) {
			return compareEnds(i >= len(a), j >= len(b))
		}
		if isDigit(a[i]) && isDigit(b[j]) {
			m, n := digits(a[i:]), digits(b[j:])
			x, y := a[i:i+m], b[j:j+n]
			if x[0] != '0' && y[0] != '0' && m != n { // a fraction compares from the left, a number by its length first
				return m - n
			}
			if order := strings.Compare(x, y); order != 0 {
				return order
			}
			i, j = i+m, j+n
			continue
		}
		if x, y := upper(a[i]), upper(b[j]); x != y {
			return int(x) - int(y)
		}
		i, j = i+1, j+1
	}
}

func compareEnds(a, b bool) int {
	switch {
	case a && b:
		return 0
	case a:
		return -1
	}
	return 1
}

func leadingZeros(text string) int {
	n := 0
	for n+1 < len(text) && text[n] == '0' && isDigit(text[n+1]) {
		n++
	}
	return n
}

func digits(text string) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
