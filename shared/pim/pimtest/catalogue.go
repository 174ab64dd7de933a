// Package pimtest is a PIM in memory: a small believable catalogue for the local system and for tests. It is the same
// each time it is made.
package pimtest

import (
	"fmt"
	"slices"
)

// The catalogue's locales and channels.
var (
	Locales  = []string{"en_US", "fr_FR"}
	Channels = []string{"ecommerce", "print"}
)

// Value of an attribute. An empty locale or channel holds for all.
type Value struct {
	Locale  string `json:"locale"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
}

// Product is a product or a variant of a model.
type Product struct {
	UUID       string             `json:"uuid"`
	Identifier string             `json:"identifier"`
	Family     string             `json:"family"`
	Parent     string             `json:"parent"` // code of its model; "" for a simple product
	Categories []string           `json:"categories"`
	Enabled    bool               `json:"enabled"`
	Values     map[string][]Value `json:"values"`
}

// Model is a product model; one with a parent is a sub-model.
type Model struct {
	Code       string             `json:"code"`
	Family     string             `json:"family"`
	Parent     string             `json:"parent"`
	Categories []string           `json:"categories"`
	Values     map[string][]Value `json:"values"`
}

// Category of the catalogue's tree.
type Category struct {
	Code   string            `json:"code"`
	Parent string            `json:"parent"`
	Labels map[string]string `json:"labels"`
}

// Catalogue is all that the PIM holds: a hundred products, some of them variants of models.
type Catalogue struct {
	Products   []Product  `json:"products"`
	Models     []Model    `json:"models"`
	Categories []Category `json:"categories"`
}

// goods are what the catalogue is made of: names in English and French, and a price in euros.
var goods = []struct {
	code, family, english, french string
	price                         int
}{
	{"shirt", "clothing", "Linen shirt", "Chemise en lin", 49},
	{"jacket", "clothing", "Rain jacket", "Veste de pluie", 129},
	{"boots", "shoes", "Hiking boots", "Chaussures de marche", 159},
	{"sandals", "shoes", "Leather sandals", "Sandales en cuir", 69},
	{"bag", "accessories", "Canvas bag", "Sac en toile", 39},
	{"belt", "accessories", "Woven belt", "Ceinture tressée", 29},
	{"lamp", "furniture", "Reading lamp", "Lampe de lecture", 89},
	{"chair", "furniture", "Folding chair", "Chaise pliante", 59},
}

var colours = []struct{ code, english, french string }{
	{"blue", "blue", "bleu"}, {"red", "red", "rouge"}, {"green", "green", "vert"},
	{"sand", "sand", "sable"}, {"black", "black", "noir"},
}

var sizes = []string{"s", "m", "l"}

// New returns the catalogue.
func New() *Catalogue {
	c := &Catalogue{Categories: []Category{
		{Code: "master", Labels: map[string]string{"en_US": "Master catalog", "fr_FR": "Catalogue principal"}},
		{Code: "clothing", Parent: "master", Labels: map[string]string{"en_US": "Clothing", "fr_FR": "Vêtements"}},
		{Code: "shoes", Parent: "master", Labels: map[string]string{"en_US": "Shoes", "fr_FR": "Chaussures"}},
		{Code: "accessories", Parent: "master", Labels: map[string]string{"en_US": "Accessories", "fr_FR": "Accessoires"}},
		{Code: "furniture", Parent: "master", Labels: map[string]string{"en_US": "Furniture", "fr_FR": "Meubles"}},
	}}
	c.variants()
	for i := 0; len(c.Products) < 100; i++ {
		good, colour := goods[i%len(goods)], colours[i/len(goods)%len(colours)]
		c.Products = append(c.Products, Product{
			Identifier: fmt.Sprintf("%s-%s-%02d", good.code, colour.code, i+1), Family: good.family,
			Categories: []string{good.family}, Enabled: i%9 != 8, Values: values(good.english+" "+colour.english, good.french+" "+colour.french, good.price+i),
		})
	}
	for i := range c.Products {
		p := &c.Products[i]
		p.UUID = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
		p.Values["sku"] = []Value{{Data: p.Identifier}}
	}
	// A name with markup, and one that asks to be encoded: whoever shows them must not be fooled.
	c.Products[len(c.Products)-1].Values["name"] = []Value{{Locale: "en_US", Data: `<b onclick="alert(1)">Chair & lamp</b>`}}
	return c
}

// variants adds two models with sub-models by colour and products by size, and one with products alone.
func (c *Catalogue) variants() {
	for m, good := range goods[:3] {
		root := Model{Code: "model-" + good.code, Family: good.family, Categories: []string{good.family}, Values: values(good.english, good.french, good.price)}
		c.Models = append(c.Models, root)
		for _, colour := range colours[:2] {
			parent := root.Code
			if m < 2 {
				sub := Model{Code: root.Code + "-" + colour.code, Parent: root.Code, Family: root.Family, Categories: root.Categories,
					Values: values(good.english+" "+colour.english, good.french+" "+colour.french, good.price)}
				c.Models, parent = append(c.Models, sub), sub.Code
			}
			for _, size := range sizes {
				c.Products = append(c.Products, Product{
					Identifier: good.code + "-" + colour.code + "-" + size, Family: good.family, Parent: parent, Categories: root.Categories, Enabled: true,
					Values: values(good.english+" "+colour.english+" "+size, good.french+" "+colour.french+" "+size, good.price),
				})
			}
		}
	}
}

func values(english, french string, price int) map[string][]Value {
	return map[string][]Value{
		"name": {{Locale: "en_US", Data: english}, {Locale: "fr_FR", Data: french}},
		"price": {
			{Channel: "ecommerce", Data: fmt.Sprintf("%d.00 EUR", price)},
			{Channel: "print", Data: fmt.Sprintf("%d.00 EUR", price+1)},
		},
	}
}

// Product returns a product by UUID.
func (c *Catalogue) Product(uuid string) (Product, bool) {
	i := slices.IndexFunc(c.Products, func(p Product) bool { return p.UUID == uuid })
	if i < 0 {
		return Product{}, false
	}
	return c.Products[i], true
}

// Model returns a model by code.
func (c *Catalogue) Model(code string) (Model, bool) {
	i := slices.IndexFunc(c.Models, func(m Model) bool { return m.Code == code })
	if i < 0 {
		return Model{}, false
	}
	return c.Models[i], true
}

// In is the value of an attribute in a locale and a channel, "" if there is none.
func In(values []Value, locale, channel string) string {
	for _, value := range values {
		if (value.Locale == "" || value.Locale == locale) && (value.Channel == "" || value.Channel == channel) {
			return value.Data
		}
	}
	return ""
}
