package table

import (
	"maps"
	"slices"
	"strings"
)

// words are the PIM's own names of an export's fixed columns, by language. What is not here stands in brackets, as the PIM
// writes a name that its interface has no words for; product_uuids is such a name.
var words = map[string]map[string]string{
	"en": {
		"uuid": "UUID", "categories": "Categories", "enabled": "Enabled", "family": "Family", "parent": "Parent", "groups": "Groups", "family_variant": "Family variant",
		"products": "Products", "product_models": "Product models", "quantity": "Quantity", "unit": "Unit", "completeness": "Completeness", "yes": "Yes", "no": "No",
	},
	"fr": {
		"uuid": "UUID", "categories": "Catégories", "enabled": "Activé", "family": "Famille", "parent": "Parent", "groups": "Groupes", "family_variant": "Variante de famille",
		"products": "Produits", "product_models": "Modèles de produits", "quantity": "Quantité", "unit": "Unité", "completeness": "Complétude", "yes": "Oui", "no": "Non",
	},
	"de": {
		"uuid": "UUID", "categories": "Kategorien", "enabled": "Aktiviert", "family": "Familie", "parent": "Übergeordnetes Produkt", "groups": "Gruppen", "family_variant": "Familienvariante",
		"products": "Produkte", "product_models": "Produktmodelle", "quantity": "Menge", "unit": "Einheit", "completeness": "Vollständigkeit", "yes": "Ja", "no": "Nein",
	},
}

// Words are the names that Labels.Words may replace.
func Words() []string { return append(slices.Sorted(maps.Keys(words["en"])), "product_uuids") }

// currencies are names of currencies, by language (Unicode CLDR). Others stand in brackets.
var currencies = map[string]map[string]string{
	"en": {
		"AUD": "Australian Dollar", "CAD": "Canadian Dollar", "CHF": "Swiss Franc", "CNY": "Chinese Yuan", "DKK": "Danish Krone", "EUR": "Euro", "GBP": "British Pound",
		"JPY": "Japanese Yen", "NOK": "Norwegian Krone", "PLN": "Polish Zloty", "SEK": "Swedish Krona", "USD": "US Dollar",
	},
	"fr": {
		"AUD": "dollar australien", "CAD": "dollar canadien", "CHF": "franc suisse", "CNY": "yuan renminbi chinois", "DKK": "couronne danoise", "EUR": "euro", "GBP": "livre sterling",
		"JPY": "yen japonais", "NOK": "couronne norvégienne", "PLN": "zloty polonais", "SEK": "couronne suédoise", "USD": "dollar des États-Unis",
	},
	"de": {
		"AUD": "Australischer Dollar", "CAD": "Kanadischer Dollar", "CHF": "Schweizer Franken", "CNY": "Renminbi Yuan", "DKK": "Dänische Krone", "EUR": "Euro", "GBP": "Britisches Pfund",
		"JPY": "Japanischer Yen", "NOK": "Norwegische Krone", "PLN": "Polnischer Złoty", "SEK": "Schwedische Krone", "USD": "US-Dollar",
	},
}

func (l Labels) word(name string) string {
	language, _, _ := strings.Cut(l.Locale, "_")
	if own := l.Words[name]; own != "" {
		return own
	}
	if word := words[language][name]; word != "" {
		return word
	}
	return "[" + name + "]"
}

func (l Labels) yesNo(set bool) string {
	if set {
		return l.word("yes")
	}
	return l.word("no")
}

func currencyName(code, locale string) string {
	language, _, _ := strings.Cut(locale, "_")
	if name := currencies[language][code]; name != "" {
		return name
	}
	return "[" + code + "]"
}
