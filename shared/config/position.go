package config

import "strings"

// positions is where the PIM shows an extension, and of which types (Akeneo help, "Extension positions"). The page
// changes several times a year, so what is not here is a warning and no error.
var positions = map[string][]string{
	"pim.product.header":              {"link", "action", "iframe", "data_component"},
	"pim.product-model.header":        {"link", "action", "iframe", "data_component"},
	"pim.sub-product-model.header":    {"link", "action", "iframe", "data_component"},
	"pim.product.tab":                 {"iframe", "data_component"},
	"pim.product-model.tab":           {"iframe", "data_component"},
	"pim.sub-product-model.tab":       {"iframe", "data_component"},
	"pim.category.tab":                {"iframe", "data_component"},
	"pim.product-grid.action-bar":     {"action", "iframe", "data_component"},
	"pim.product.index":               {"action"},
	"pim.activity.navigation.tab":     {"iframe", "data_component"},
	"pim.product.panel":               {"iframe", "data_component"},
	"pim.product-model.panel":         {"iframe", "data_component"},
	"pim.sub-product-model.panel":     {"iframe", "data_component"},
	"pim.performance.analytics.tab":   {"iframe", "data_component"},
	"pim.reference-entity-record.tab": {"iframe", "data_component"},
}

// Registration is an extension as the PIM stores it: one name, one position.
type Registration struct {
	Name     string // in the PIM: unique there
	Position string
}

// Registrations lists what to register: the extension's own name at its first position, and the name with the
// position's words behind it at every further one (export_to_erp_product_grid_action_bar). All lead to the same URL
// and share one secret.
func (e Extension) Registrations() []Registration {
	registrations := make([]Registration, len(e.Positions))
	for i, position := range e.Positions {
		registrations[i] = Registration{Name: e.Name, Position: position}
		if i > 0 {
			registrations[i].Name += "_" + strings.Map(word, strings.TrimPrefix(position, "pim."))
		}
	}
	return registrations
}

// word keeps what the PIM takes in a name.
func word(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}
