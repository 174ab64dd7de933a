package table

import (
	"encoding/json"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// labelled is a label, or [code] where there is none, as the PIM writes it.
func labelled(labels map[string]string, locale, code string) string {
	if label := labels[locale]; label != "" {
		return label
	}
	return "[" + code + "]"
}

// optionLabels are the labels of options, which the PIM sends beside a value.
func optionLabels(linked json.RawMessage, codes []string, locale string) []string {
	type option struct {
		Attribute string             `json:"attribute"`
		Code      string             `json:"code"`
		Labels    map[string]*string `json:"labels"`
	}
	var several map[string]option
	var one option
	if json.Unmarshal(linked, &one) == nil && one.Code != "" {
		several = map[string]option{one.Code: one}
	} else if json.Unmarshal(linked, &several) != nil {
		several = nil
	}
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = "[" + code + "]"
		if label := several[code].Labels[locale]; label != nil && *label != "" {
			names[i] = *label
		}
	}
	return names
}

func (c cells) categories(codes []string) string {
	codes = sorted(codes)
	return strings.Join(c.each(codes, func(code string) string { return labelled(c.Categories[code], c.Labels.Locale, code) }), ",")
}

// groups have no labels in the PIM's REST API.
func (c cells) groups(codes []string) string {
	return strings.Join(c.each(sorted(codes), c.groupLabel), ",")
}

func (c cells) groupLabel(code string) string { return "[" + code + "]" }

// family is a code or a label. The PIM writes [] for a product without one beside one that has.
func (c cells) family(code string) string {
	switch {
	case !c.Labels.Values:
		return code
	case code == "" && !c.families:
		return ""
	}
	return labelled(c.Families[code].Labels, c.Labels.Locale, code)
}

func (c cells) variant(code string) string {
	if !c.Labels.Values || code == "" {
		return code
	}
	return labelled(nil, "", code)
}

func (c cells) parent(code string) string {
	if !c.Labels.Values || code == "" {
		return code
	}
	return c.modelLabel(code)
}

func (c cells) modelLabel(code string) string {
	if label := c.Linked.Models[code]; label != "" {
		return label
	}
	return "[" + code + "]"
}

func (c cells) unitLabel(a pim.Attribute, unit string) string {
	if !c.Labels.Values || unit == "" {
		return unit
	}
	known, _ := c.measurementFamily(a).Unit(unit)
	return labelled(known.Labels, c.Labels.Locale, unit)
}

func (s Structure) measurementFamily(a pim.Attribute) pim.MeasurementFamily {
	for _, family := range s.Measurements {
		if strings.EqualFold(family.Code, a.MetricFamily) {
			return family
		}
	}
	return pim.MeasurementFamily{}
}

// LabelOf is what a product or model is called: the value of its family's label attribute, in the labels' locale and the
// table's channel; "" if it has none.
func (f Form) LabelOf(s Structure, p pim.Product) string {
	attribute := s.Families[p.Family].Label
	if attribute == s.Main && attribute != "" {
		return pim.NewView(p, s.Main, "", "").Identifier()
	}
	for _, value := range p.Values[attribute] {
		var text string
		if (value.Locale == "" || value.Locale == f.Labels.Locale) && (value.Scope == "" || value.Scope == s.Channel.Code) && json.Unmarshal(value.Data, &text) == nil {
			return text
		}
	}
	return ""
}

// Header is the first row: names, or labels where they are asked for.
func (f Form) Header(s Structure, columns []Column) []string {
	names := make([]string, len(columns))
	count := map[string]int{}
	for i, c := range columns {
		names[i] = c.Name
		if f.Labels.Header {
			names[i] = f.headerLabel(s, c)
			count[names[i]]++
		}
	}
	for i, c := range columns {
		if f.Labels.Header && count[names[i]] > 1 {
			names[i] += " - " + c.Name
		}
	}
	return names
}

func (f Form) headerLabel(s Structure, c Column) string {
	locale := f.Labels.Locale
	switch {
	case c.Type != "":
		label := "[" + c.Type + "]"
		for _, t := range s.Associations {
			if t.Code == c.Type {
				label = labelled(t.Labels, locale, c.Type)
			}
		}
		part, amount := strings.CutSuffix(c.Part, "-quantity")
		label += " " + f.Labels.word(part)
		if amount {
			label += " " + f.Labels.word("quantity")
		}
		return label
	case c.Attribute == "" && c.Name != s.Main && c.Part == "":
		return f.Labels.word(c.Name)
	case c.Currency != "" && !currencyInUse(s, c.Currency):
		return "[" + c.Name + "]"
	}
	code := c.Attribute
	if code == "" {
		code = c.Name
	}
	label := labelled(s.Attributes[code].Labels, locale, code)
	if c.Part == completeness {
		label = f.Labels.word(completeness)
	}
	var place []string
	if c.Locale != "" {
		place = append(place, localeName(c.Locale, locale))
	}
	if c.Channel != "" {
		channel := "[" + c.Channel + "]"
		for _, known := range s.Channels {
			if known.Code == c.Channel {
				channel = labelled(known.Labels, locale, c.Channel)
			}
		}
		place = append(place, channel)
	}
	if len(place) > 0 {
		label += " (" + strings.Join(place, ", ") + ")"
	}
	if c.Currency != "" {
		label += " (" + currencyName(c.Currency, locale) + ")"
	}
	if c.Part == "unit" {
		label += " (" + f.Labels.word("unit") + ")"
	}
	return label
}

func currencyInUse(s Structure, currency string) bool {
	for _, channel := range s.Channels {
		for _, code := range channel.Currencies {
			if code == currency {
				return true
			}
		}
	}
	return false
}

// localeName is a locale in the words of another: "English United States".
func localeName(code, in string) string {
	tag, err := language.Parse(strings.ReplaceAll(code, "_", "-"))
	words, errWords := language.Parse(strings.ReplaceAll(in, "_", "-"))
	if err != nil || errWords != nil {
		return "[" + code + "]"
	}
	base, _ := tag.Base()
	region, known := tag.Region()
	languages, regions := display.Languages(words), display.Regions(words)
	if languages == nil {
		return "[" + code + "]"
	}
	name := languages.Name(base)
	if known == language.Exact && regions != nil && regions.Name(region) != "" {
		name += " " + regions.Name(region)
	}
	if name == "" {
		return "[" + code + "]"
	}
	return name
}
