package local

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// TestAnExportCanBeImportedAgain exports products with cells of every shape that the PIM documents, by a button, the worker and the
// link, and reads the file as the PIM's import does (Akeneo help, "Import your data", "Product CSV"): the values are those of the
// catalogue.
func TestAnExportCanBeImportedAgain(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "export.json"))
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := pimtest.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		keys string
		form importer
	}{
		"as the PIM's profile writes it": {`uuid: true`, importer{';', ".", "2006-01-02"}},
		"with other separators":          {`uuid: true, delimiter: ",", decimal: ",", date_format: dd/MM/yyyy`, importer{',', ",", "02/01/2006"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "extensions.yaml")
			if err := os.WriteFile(file, []byte(`
pims: {main: {url: "${PIM_URL}", channel: ecommerce, locale: en_US}}
selections: {all: {of: products}}
actions: {write: {kind: export, format: csv, formulas: as_is, name: all.csv, `+row.keys+`}}
extensions: {export_to_erp: {pim: main, type: action, positions: [pim.product.index], label: {default: Export}, select: all, action: write}}
`), 0o600); err != nil {
				t.Fatal(err)
			}
			f := openWith(t, Options{ConfigFile: file, Catalogue: filepath.Join("testdata", "export.json")})
			job := f.job(f.started("export_to_erp", pim.Press{Position: "pim.product.index"}), jobs.Succeeded)
			if len(job.Files) != 1 {
				t.Fatalf("%+v", job)
			}
			response, err := http.Get(job.Files[0].URL)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			got := row.form.products(t, catalogue, csv.NewReader(response.Body))
			if len(got) != len(catalogue.Products) {
				t.Errorf("%d products, of %d", len(got), len(catalogue.Products))
			}
			for _, product := range catalogue.Products {
				read, want := got[product.UUID], stored(t, catalogue, product)
				for _, column := range slices.Sorted(maps.Keys(want)) {
					if !reflect.DeepEqual(read[column], want[column]) {
						t.Errorf("%s, %s: imported %#v, exported %#v", product.UUID, column, read[column], want[column])
					}
					delete(read, column)
				}
				if len(read) > 0 {
					t.Errorf("%s: imported %v besides", product.UUID, read)
				}
			}
		})
	}
}

// importer reads a file of products as an import profile with these settings does.
type importer struct {
	delimiter     rune
	decimal, date string
}

// products are the values by UUID, and by column without what only spreads a value over columns (currency, unit).
func (i importer) products(t *testing.T, c *pimtest.Catalogue, file *csv.Reader) map[string]map[string]any {
	t.Helper()
	file.Comma = i.delimiter
	rows, err := file.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, products := rows[0], map[string]map[string]any{}
	for _, row := range rows[1:] {
		product := map[string]any{}
		for n, cell := range row {
			if cell != "" {
				i.cell(t, c, product, head[n], cell, row[(n+1)%len(row)])
			}
		}
		uuid := product["uuid"].(string)
		delete(product, "uuid")
		products[uuid] = product
	}
	return products
}

// cell reads one cell. next is the one behind it: of an amount, the unit.
func (i importer) cell(t *testing.T, c *pimtest.Catalogue, product map[string]any, column, cell, next string) {
	t.Helper()
	code, rest, _ := strings.Cut(column, "-")
	at := slices.IndexFunc(c.Attributes, func(a pimtest.Attribute) bool { return a.Code == code })
	if at < 0 {
		switch code {
		case "categories", "groups":
			product[column] = sorted(strings.Split(cell, ","))
		case "enabled":
			product[column] = cell == "1"
		case "PACK", "BUNDLE":
			product[column] = strings.FieldsFunc(cell, func(r rune) bool { return r == ',' || r == '|' })
		default:
			product[column] = cell
		}
		return
	}
	switch kind := c.Attributes[at].Type; kind {
	case "pim_catalog_boolean":
		product[column] = cell == "1"
	case "pim_catalog_number":
		product[column] = i.number(t, cell)
	case "pim_catalog_date":
		day, err := time.Parse(i.date, cell)
		if err != nil {
			t.Errorf("%s: %v", column, err)
		}
		product[column] = day.Format(time.DateOnly)
	case "pim_catalog_price_collection":
		parts := strings.Split(column, "-")
		currency := parts[len(parts)-1]
		place := strings.TrimSuffix(column, "-"+currency)
		prices, _ := product[place].(map[string]string)
		if prices == nil {
			prices = map[string]string{}
		}
		prices[currency] = i.number(t, cell)
		product[place] = prices
	case "pim_catalog_metric":
		if rest != "unit" && !strings.HasSuffix(rest, "-unit") {
			product[column] = i.number(t, cell) + " " + next
		}
	case "pim_catalog_multiselect", "akeneo_reference_entity_collection", "pim_catalog_asset_collection":
		product[column] = sorted(strings.Split(cell, ","))
	case "pim_catalog_image", "pim_catalog_file":
		product[column] = path.Base(cell)
	case "pim_catalog_table":
		product[column] = decoded(t, []byte(cell))
	default:
		product[column] = cell
	}
}

func (i importer) number(t *testing.T, cell string) string {
	return exact(t, strings.Replace(cell, i.decimal, ".", 1))
}

// stored are a product's values in the form in which importer reads them: its own and its models', of the channel.
func stored(t *testing.T, c *pimtest.Catalogue, product *pimtest.Entity) map[string]any {
	t.Helper()
	all := map[string]any{"enabled": product.Enabled == nil || *product.Enabled}
	if product.Family != nil {
		all["family"] = *product.Family
	}
	if len(product.Groups) > 0 {
		all["groups"] = sorted(product.Groups)
	}
	links(t, c, all, product)
	var categories []string
	for level := product; level != nil; level = above(c, level) {
		categories = append(categories, level.Categories...)
		for _, attribute := range c.Attributes {
			for _, value := range level.Values[attribute.Code] {
				if value.Scope != nil && *value.Scope != "ecommerce" || value.Locale != nil && !slices.Contains([]string{"en_US", "fr_FR"}, *value.Locale) {
					continue
				}
				column := attribute.Code
				for _, part := range []*string{value.Locale, value.Scope} {
					if part != nil {
						column += "-" + *part
					}
				}
				all[column] = plain(t, c, attribute.Type, value.Data)
			}
		}
	}
	if product.Parent != nil {
		all["parent"] = *product.Parent
	}
	if len(categories) > 0 {
		all["categories"] = sorted(categories)
	}
	return all
}

// above is the model of a product or model.
func above(c *pimtest.Catalogue, e *pimtest.Entity) *pimtest.Entity {
	if e.Parent == nil {
		return nil
	}
	return c.ProductModels[slices.IndexFunc(c.ProductModels, func(m *pimtest.Entity) bool { return m.Code == *e.Parent })]
}

// links are a product's associations. With UUIDs in the file, what is linked has them too; but quantities stand beside identifiers.
func links(t *testing.T, c *pimtest.Catalogue, all map[string]any, product *pimtest.Entity) {
	t.Helper()
	var pack map[string]struct {
		Products []string `json:"products"`
		Models   []string `json:"product_models"`
		Groups   []string `json:"groups"`
	}
	var bundle map[string]struct {
		Products []struct {
			UUID     string `json:"uuid"`
			Quantity int64  `json:"quantity"`
		} `json:"products"`
	}
	for text, into := range map[*json.RawMessage]any{&product.Associations: &pack, &product.Quantified: &bundle} {
		if len(*text) > 0 {
			if err := json.Unmarshal(*text, into); err != nil {
				t.Fatal(err)
			}
		}
	}
	for kind, linked := range pack {
		for column, ids := range map[string][]string{"-product_uuids": linked.Products, "-product_models": linked.Models, "-groups": linked.Groups} {
			if len(ids) > 0 {
				all[kind+column] = ids
			}
		}
	}
	for kind, linked := range bundle {
		var identifiers, quantities []string
		for _, one := range linked.Products {
			at := slices.IndexFunc(c.Products, func(p *pimtest.Entity) bool { return p.UUID == one.UUID })
			identifiers = append(identifiers, decoded(t, c.Products[at].Values["sku"][0].Data).(string))
			quantities = append(quantities, big.NewInt(one.Quantity).String())
		}
		all[kind+"-products"], all[kind+"-products-quantity"] = identifiers, quantities
	}
}

// plain is a value as importer reads it.
func plain(t *testing.T, c *pimtest.Catalogue, kind string, data json.RawMessage) any {
	t.Helper()
	value := decoded(t, data)
	switch kind {
	case "pim_catalog_number":
		return exact(t, strings.Trim(string(data), `"`))
	case "pim_catalog_date":
		return value.(string)[:len("2026-11-25")]
	case "pim_catalog_price_collection":
		prices := map[string]string{}
		for _, one := range value.([]any) {
			price := one.(map[string]any)
			prices[price["currency"].(string)] = exact(t, price["amount"].(string))
		}
		return prices
	case "pim_catalog_metric":
		amount := value.(map[string]any)
		return exact(t, amount["amount"].(string)) + " " + amount["unit"].(string)
	case "pim_catalog_multiselect", "akeneo_reference_entity_collection", "pim_catalog_asset_collection":
		var codes []string
		for _, code := range value.([]any) {
			codes = append(codes, code.(string))
		}
		return sorted(codes)
	case "pim_catalog_image", "pim_catalog_file":
		return cmp.Or(c.MediaFiles[value.(string)], value.(string))
	}
	return value
}

func decoded(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// exact is a decimal number in one form: 7.5 and 7.5000 are equal.
func exact(t *testing.T, text string) string {
	t.Helper()
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Errorf("%q is no number", text)
		return text
	}
	return number.RatString()
}

func sorted(codes []string) []string {
	codes = slices.Clone(codes)
	slices.Sort(codes)
	return slices.Compact(codes)
}
