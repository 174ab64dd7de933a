package pimtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// goods are what the built-in catalogue is made of: names by locale, a price in euros, a weight in grams.
var goods = []struct {
	code, family            string
	english, french, german string
	price, weight           int
}{
	{"shirt", "clothing", "Linen shirt", "Chemise en lin", "Leinenhemd", 49, 220},
	{"jacket", "clothing", "Rain jacket", "Veste de pluie", "Regenjacke", 129, 640},
	{"boots", "shoes", "Hiking boots", "Chaussures de marche", "Wanderstiefel", 159, 1180},
	{"sandals", "shoes", "Leather sandals", "Sandales en cuir", "Ledersandalen", 69, 480},
	{"bag", "accessories", "Canvas bag", "Sac en toile", "Stofftasche", 39, 310},
	{"belt", "accessories", "Woven belt", "Ceinture tressée", "Flechtgürtel", 29, 160},
	{"lamp", "furniture", "Reading lamp", "Lampe de lecture", "Leselampe", 89, 2100},
	{"chair", "furniture", "Folding chair", "Chaise pliante", "Klappstuhl", 59, 3900},
}

var colours = []struct{ code, english, french, german string }{
	{"blue", "Blue", "Bleu", "Blau"}, {"red", "Red", "Rouge", "Rot"}, {"green", "Green", "Vert", "Grün"},
	{"sand", "Sand", "Sable", "Sand"}, {"black", "Black", "Noir", "Schwarz"},
}

var sizes = []string{"s", "m", "l"}

// goodsCount is how many products the built-in catalogue has.
const goodsCount = 200

// Goods returns the built-in catalogue: two hundred products, some of them variants of models, with every type of
// attribute, three locales and two channels. Everything in it was last changed thirty days before now.
func Goods(now time.Time) *Catalogue {
	c := &Catalogue{
		Channels: []Channel{
			{Code: "ecommerce", Labels: labels("E-commerce", "E-commerce", "Onlineshop"), Locales: []string{"en_US", "fr_FR", "de_DE"}, Currencies: []string{"EUR", "USD"}, CategoryTree: "master"},
			{Code: "print", Labels: labels("Print", "Papier", "Druck"), Locales: []string{"en_US", "fr_FR"}, Currencies: []string{"EUR"}, CategoryTree: "master"},
		},
		Categories: []Category{{Code: "master", Labels: labels("Master catalog", "Catalogue principal", "Hauptkatalog")}},
		MediaFiles: map[string]string{},
		Attributes: attributes(),
		Currencies: raws(`{"code":"EUR","enabled":true}`, `{"code":"USD","enabled":true}`),
		Locales:    raws(`{"code":"en_US","enabled":true}`, `{"code":"fr_FR","enabled":true}`, `{"code":"de_DE","enabled":true}`),
		Groups:     raws(`{"code":"gifts"}`, `{"code":"to_review"}`),
		FamilyVariants: []FamilyVariant{
			{Code: "clothing_color_size", Family: "clothing", Labels: labels("By colour and size", "Par couleur et taille", "Nach Farbe und Größe"), Sets: []VariantSet{
				{Level: 1, Axes: []string{"color"}, Attributes: []string{"color", "image", "materials"}},
				{Level: 2, Axes: []string{"size"}, Attributes: []string{"size", "sku", "ean", "weight", "price"}},
			}},
			{Code: "shoes_color_size", Family: "shoes", Labels: labels("By colour and size", "Par couleur et taille", "Nach Farbe und Größe"), Sets: []VariantSet{
				{Level: 1, Axes: []string{"color", "size"}, Attributes: []string{"color", "size", "sku", "ean", "weight", "price"}},
			}},
		},
		AssociationTypes: raws(`{"code":"X_SELL","labels":{"en_US":"Cross sell"},"is_quantified":false,"is_two_way":false}`),
		JobProfiles: []Profile{
			{Code: "csv_product_export", Direction: "export", Label: "CSV product export"}, {Code: "xlsx_product_export", Direction: "export", Label: "XLSX product export"},
			{Code: "csv_product_import", Direction: "import", Label: "CSV product import"},
		},
		Workflows: []Workflow{{UUID: "78e72192-8989-4a10-a121-09fc8cf921ff", Code: "review", Labels: labels("Review", "Relecture", "Prüfung"), Enabled: true}},
		MeasurementFamilies: raws(`{"code":"Weight","labels":{"en_US":"Weight"},"standard_unit_code":"KILOGRAM","units":{` +
			`"GRAM":{"code":"GRAM","labels":{"en_US":"Gram"},"convert_from_standard":[{"operator":"mul","value":"0.001"}],"symbol":"g"},` +
			`"KILOGRAM":{"code":"KILOGRAM","labels":{"en_US":"Kilogram"},"convert_from_standard":[{"operator":"mul","value":"1"}],"symbol":"kg"}}}`),
	}
	for _, family := range []struct{ code, english, french, german string }{
		{"clothing", "Clothing", "Vêtements", "Kleidung"}, {"shoes", "Shoes", "Chaussures", "Schuhe"},
		{"accessories", "Accessories", "Accessoires", "Zubehör"}, {"furniture", "Furniture", "Meubles", "Möbel"},
	} {
		parent := "master"
		all := labels(family.english, family.french, family.german)
		c.Categories = append(c.Categories, Category{Code: family.code, Parent: &parent, Labels: all})
		image := "image"
		f := Family{Code: family.code, Label: "name", Image: &image, Labels: all, Requirements: map[string][]string{
			"ecommerce": {"sku", "name", "description", "price", "image"}, "print": {"sku", "name", "price"},
		}}
		for _, a := range c.Attributes {
			f.Attributes = append(f.Attributes, a.Code)
		}
		c.Families = append(c.Families, f)
	}
	for _, code := range []string{"new_in", "reviewed"} {
		parent := "master"
		c.Categories = append(c.Categories, Category{Code: code, Parent: &parent, Labels: labels(code, code, code)})
	}
	c.AttributeOptions = options()
	changed := now.UTC().Add(-30 * 24 * time.Hour).Truncate(time.Second)
	c.variants(changed)
	for i := 0; len(c.Products) < goodsCount; i++ {
		c.simple(i, changed)
	}
	for i, p := range c.Products {
		p.UUID = fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
		p.set("ean", "", "", strconv.Itoa(3700000000000+i))
	}
	c.everyType()
	// A name with markup: whoever shows it must not be fooled.
	last := c.Products[99]
	last.Values["name"] = nil
	last.set("name", "en_US", "", `<b onclick="alert(1)">Chair & lamp</b>`)
	return c
}

// simple adds a product without a model.
func (c *Catalogue) simple(i int, changed time.Time) {
	good, colour := goods[i%len(goods)], colours[i/len(goods)%len(colours)]
	enabled := i%9 != 8
	p := &Entity{Enabled: &enabled, Family: &good.family, Categories: []string{good.family}, Values: map[string][]Value{}, Created: changed, Updated: changed}
	p.set("sku", "", "", fmt.Sprintf("%s-%s-%02d", good.code, colour.code, i+1))
	p.set("name", "en_US", "", good.english+" "+colour.code)
	p.set("name", "fr_FR", "", good.french+" "+colour.french)
	p.set("name", "de_DE", "", good.german+" "+colour.german)
	p.set("color", "", "", colour.code)
	p.describe(good.english, good.french, good.price+i%40, good.weight)
	c.picture(p, good.code, colour.code)
	if i%4 == 0 {
		delete(p.Values, "description") // not complete
	}
	c.Products = append(c.Products, p)
}

// variants adds two models with sub-models by colour and products by size, and one with products alone.
func (c *Catalogue) variants(changed time.Time) {
	for m, good := range goods[:3] {
		variant := "clothing_color_size"
		if m == 2 {
			variant = "shoes_color_size"
		}
		root := &Entity{Code: "model-" + good.code, FamilyVariant: variant, Family: &good.family, Categories: []string{good.family}, Values: map[string][]Value{}, Created: changed, Updated: changed}
		root.set("name", "en_US", "", good.english)
		root.set("name", "fr_FR", "", good.french)
		root.set("name", "de_DE", "", good.german)
		root.describe(good.english, good.french, 0, 0)
		c.ProductModels = append(c.ProductModels, root)
		for _, colour := range colours[:2] {
			parent := root.Code
			if m < 2 {
				sub := &Entity{Code: root.Code + "-" + colour.code, FamilyVariant: variant, Family: &good.family, Parent: &root.Code, Values: map[string][]Value{}, Created: changed, Updated: changed}
				sub.set("color", "", "", colour.code)
				c.picture(sub, good.code, colour.code)
				c.ProductModels, parent = append(c.ProductModels, sub), sub.Code
			}
			for _, size := range sizes {
				enabled := true
				p := &Entity{Enabled: &enabled, Family: &good.family, Parent: &parent, Values: map[string][]Value{}, Created: changed, Updated: changed}
				p.set("sku", "", "", good.code+"-"+colour.code+"-"+size)
				p.set("size", "", "", size)
				if m == 2 {
					p.set("color", "", "", colour.code)
				}
				p.set("price", "", "", prices(good.price))
				p.set("weight", "", "", weight(good.weight))
				c.Products = append(c.Products, p)
			}
		}
	}
}

// describe sets what most products have; a price of 0 sets neither price nor weight.
func (e *Entity) describe(english, french string, price, grams int) {
	e.set("description", "en_US", "ecommerce", "<p>"+english+", made to last.</p>")
	e.set("description", "fr_FR", "ecommerce", "<p>"+french+", conçu pour durer.</p>")
	e.set("description", "en_US", "print", english+", made to last.")
	if price > 0 {
		e.set("price", "", "", prices(price))
		e.set("net_price", "", "", []map[string]any{{"amount": fmt.Sprintf("%d.00", price*5/6), "currency": "EUR"}})
		e.set("weight", "", "", weight(grams))
	}
}

// everyType gives one product a value of every type.
func (c *Catalogue) everyType() {
	e := c.Products[len(c.Products)-1]
	e.set("release_date", "", "ecommerce", "2026-09-01T00:00:00+00:00")
	e.set("pockets", "", "", 4)
	e.set("rating", "", "", "7.2500")
	e.set("waterproof", "", "", true)
	e.set("size", "", "", "m")
	e.set("materials", "", "", []string{"cotton", "wool"})
	e.set("manual", "", "", "9/a/2/c/9a2cf5b0c1d24f6f8a3b7c9d0e1f2a3b4c5d6e7f_manual.pdf")
	c.MediaFiles["9/a/2/c/9a2cf5b0c1d24f6f8a3b7c9d0e1f2a3b4c5d6e7f_manual.pdf"] = "manual.pdf"
	e.set("packshots", "", "", []string{"front", "back"})
	e.set("brand", "", "", "northpeak")
	e.set("designers", "", "", []string{"a_rossi", "j_dupont"})
	e.set("lining", "", "", "fleece")
	e.set("certificates", "", "", []string{"oeko", "bluesign"})
	e.set("size_chart", "", "", []map[string]any{{"size_code": "m", "chest_cm": 102}, {"size_code": "l", "chest_cm": 108}})
	e.set("successor", "", "", map[string]string{"type": "product", "id": c.Products[20].UUID})
	e.Groups = []string{"gifts"}
}

// picture gives an entity an image.
func (c *Catalogue) picture(e *Entity, good, colour string) {
	code := fmt.Sprintf("4/f/0/1/%s_%s_front.png", good, colour)
	c.MediaFiles[code] = good + "_" + colour + "_front.png"
	e.set("image", "", "", code)
}

// set adds a value; "" for a locale or scope holds for all.
func (e *Entity) set(attribute, locale, scope string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // cannot happen: the data above
	}
	value := Value{Data: text}
	if locale != "" {
		value.Locale = &locale
	}
	if scope != "" {
		value.Scope = &scope
	}
	e.Values[attribute] = append(e.Values[attribute], value)
}

func prices(euros int) []map[string]any {
	return []map[string]any{{"amount": fmt.Sprintf("%d.00", euros), "currency": "EUR"}, {"amount": fmt.Sprintf("%d.00", euros*11/10), "currency": "USD"}}
}

func weight(grams int) map[string]string {
	return map[string]string{"amount": fmt.Sprintf("%d.0000", grams), "unit": "GRAM", "symbol": "g"}
}

func labels(english, french, german string) map[string]string {
	return map[string]string{"en_US": english, "fr_FR": french, "de_DE": german}
}

func raws(texts ...string) []json.RawMessage {
	found := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		found[i] = json.RawMessage(text)
	}
	return found
}

// attributes are one or more of every type (Akeneo: "Catalog structure").
func attributes() []Attribute {
	const localizable, scopable = `"localizable":true`, `"scopable":true`
	var found []Attribute
	add := func(code, kind, label string, more ...string) {
		text := fmt.Sprintf(`{"code":%q,"type":%q,"group":"other","labels":{"en_US":%q}`, code, kind, label)
		for _, extra := range more {
			text += "," + extra
		}
		var a Attribute
		if err := json.Unmarshal([]byte(text+"}"), &a); err != nil {
			panic(err) // cannot happen: the text above
		}
		found = append(found, a)
	}
	const decimals = `"decimals_allowed":true`
	add("sku", "pim_catalog_identifier", "SKU", `"is_main_identifier":true,"unique":true`)
	add("ean", "pim_catalog_text", "EAN", `"unique":true,"max_characters":13`)
	add("name", "pim_catalog_text", "Name", localizable)
	add("description", "pim_catalog_textarea", "Description", localizable, scopable, `"wysiwyg_enabled":true`)
	add("note", "pim_catalog_text", "Note", localizable, scopable)
	add("price", "pim_catalog_price_collection", "Price", decimals)
	add("net_price", "pim_catalog_price_collection", "Net price", decimals)
	add("gross_price", "pim_catalog_price_collection", "Gross price", decimals)
	add("weight", "pim_catalog_metric", "Weight", decimals, `"metric_family":"Weight","default_metric_unit":"GRAM"`)
	add("pockets", "pim_catalog_number", "Pockets", `"decimals_allowed":false`)
	add("rating", "pim_catalog_number", "Rating", decimals)
	add("waterproof", "pim_catalog_boolean", "Waterproof")
	add("reviewed", "pim_catalog_boolean", "Reviewed")
	add("release_date", "pim_catalog_date", "Release date", scopable)
	add("color", "pim_catalog_simpleselect", "Colour")
	add("size", "pim_catalog_simpleselect", "Size")
	add("materials", "pim_catalog_multiselect", "Materials")
	add("image", "pim_catalog_image", "Image")
	add("manual", "pim_catalog_file", "Manual")
	add("packshots", "pim_catalog_asset_collection", "Packshots", `"reference_data_name":"packshot"`)
	add("brand", "akeneo_reference_entity", "Brand", `"reference_data_name":"brands"`)
	add("designers", "akeneo_reference_entity_collection", "Designers", `"reference_data_name":"designers"`)
	add("lining", "pim_reference_data_simpleselect", "Lining", `"reference_data_name":"linings"`)
	add("certificates", "pim_reference_data_multiselect", "Certificates", `"reference_data_name":"certificates"`)
	add("size_chart", "pim_catalog_table", "Size chart", `"table_configuration":[{"code":"size_code","data_type":"select"},{"code":"chest_cm","data_type":"number"}]`)
	add("successor", "pim_catalog_product_link", "Successor")
	return found
}

func options() (found []Option) {
	add := func(attribute, code, english, french, german string) {
		found = append(found, Option{Code: code, Attribute: attribute, SortOrder: len(found), Labels: map[string]*string{"en_US": &english, "fr_FR": &french, "de_DE": &german}})
	}
	for _, c := range colours {
		add("color", c.code, c.english, c.french, c.german)
	}
	add("size", "s", "S", "P", "S")
	add("size", "m", "M", "M", "M")
	add("size", "l", "L", "G", "L")
	add("materials", "cotton", "Cotton", "Coton", "Baumwolle")
	add("materials", "wool", "Wool", "Laine", "Wolle")
	add("materials", "nylon", "Nylon", "Nylon", "Nylon")
	return found
}
