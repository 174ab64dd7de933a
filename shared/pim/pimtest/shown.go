package pimtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Shown is what the PIM's pages show of the catalogue as it is now: texts, not data.
type Shown struct {
	Products   []ShownProduct `json:"products"`
	Models     []ShownModel   `json:"models"`
	Categories []Category     `json:"categories"`
	Locales    []string       `json:"locales"`
	Channels   []string       `json:"channels"`
}

// ShownProduct is a product with its values, inherited ones included.
type ShownProduct struct {
	UUID       string                  `json:"uuid"`
	Identifier string                  `json:"identifier"`
	Family     string                  `json:"family"`
	Parent     string                  `json:"parent"` // code of its model; "" for a simple product
	Categories []string                `json:"categories"`
	Groups     []string                `json:"groups"`
	Enabled    bool                    `json:"enabled"`
	Values     map[string][]ShownValue `json:"values"`
}

// ShownModel is a product model; one with a parent is a sub-model.
type ShownModel struct {
	Code       string                  `json:"code"`
	Family     string                  `json:"family"`
	Parent     string                  `json:"parent"`
	Categories []string                `json:"categories"`
	Values     map[string][]ShownValue `json:"values"`
}

// ShownValue is a value as text. An empty locale or channel holds for all.
type ShownValue struct {
	Locale  string `json:"locale"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
}

// Shown returns the catalogue as pages show it, in the order of the catalogue.
func (p *PIM) Shown() Shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.catalogue
	shown := Shown{Categories: s.Categories}
	for _, e := range s.Products {
		e = s.products[e.UUID]
		shown.Products = append(shown.Products, ShownProduct{
			UUID: e.UUID, Identifier: s.identifier(e), Family: e.family(), Parent: text(e.Parent), Categories: s.inCategories(e),
			Groups: slices.Sorted(slices.Values(e.Groups)), Enabled: e.Enabled == nil || *e.Enabled, Values: s.showText(e),
		})
	}
	for _, e := range s.ProductModels {
		e = s.models[e.Code]
		shown.Models = append(shown.Models, ShownModel{Code: e.Code, Family: e.family(), Parent: text(e.Parent), Categories: s.inCategories(e), Values: s.showText(e)})
	}
	for _, channel := range s.Channels {
		shown.Channels = append(shown.Channels, channel.Code)
		for _, locale := range channel.Locales {
			if !slices.Contains(shown.Locales, locale) {
				shown.Locales = append(shown.Locales, locale)
			}
		}
	}
	return shown
}

// identifier is a product's main identifier.
func (s *state) identifier(e *Entity) string {
	for _, value := range s.merged(e)[s.main] {
		var text string
		if json.Unmarshal(value.Data, &text) == nil {
			return text
		}
	}
	return ""
}

// showText are an entity's values as a page prints them.
func (s *state) showText(e *Entity) map[string][]ShownValue {
	shown := map[string][]ShownValue{}
	for code, entries := range s.merged(e) {
		for _, entry := range entries {
			shown[code] = append(shown[code], ShownValue{Locale: text(entry.Locale), Channel: text(entry.Scope), Data: printed(entry.Data)})
		}
	}
	return shown
}

// printed is data as text: amounts with their unit or currency, lists with commas.
func printed(data json.RawMessage) string {
	var value any
	if json.Unmarshal(data, &value) != nil {
		return ""
	}
	return printValue(value)
}

func printValue(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case bool:
		return map[bool]string{true: "yes", false: "no"}[value]
	case []any:
		parts := make([]string, len(value))
		for i, part := range value {
			parts[i] = printValue(part)
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		if amount, there := value["amount"]; there {
			return strings.TrimSpace(printValue(amount) + " " + printValue(value["unit"]) + printValue(value["currency"]))
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, name+": "+printValue(value[name]))
		}
		return strings.Join(parts, "; ")
	}
	return fmt.Sprint(value)
}
