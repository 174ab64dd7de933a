package table

import (
	"bytes"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// links are a product's associations with one type.
type links struct {
	Products []json.RawMessage `json:"products"` // UUIDs, or of quantified ones with a quantity
	Models   []json.RawMessage `json:"product_models"`
	Groups   []string          `json:"groups"`
}

func (l links) empty() bool { return len(l.Products)+len(l.Models)+len(l.Groups) == 0 }

type quantity struct {
	UUID       string      `json:"uuid"`
	Identifier string      `json:"identifier"`
	Quantity   json.Number `json:"quantity"`
}

// associationsOf reads a product's associations; the PIM writes [] for none.
func associationsOf(p pim.Product) (plain, quantified map[string]links) {
	var fields struct {
		Plain      json.RawMessage `json:"associations"`
		Quantified json.RawMessage `json:"quantified_associations"`
	}
	_ = json.Unmarshal(p.Raw, &fields) // a Product's Raw is an object
	return linksByType(fields.Plain), linksByType(fields.Quantified)
}

func linksByType(text json.RawMessage) map[string]links {
	var raw map[string]json.RawMessage
	if json.Unmarshal(text, &raw) != nil {
		return nil
	}
	found := make(map[string]links, len(raw))
	for code, text := range raw {
		var l links
		if json.Unmarshal(text, &l) == nil && !l.empty() {
			found[code] = l
		}
	}
	return found
}

// associations are the cells of a product's links. linked says that it has some: then every type has its columns.
func (c cells) associations(p pim.Product) (row []cell, linked bool) {
	plain, quantified := associationsOf(p)
	for _, code := range slices.Sorted(maps.Keys(plain)) {
		l := plain[code]
		for _, column := range c.associationColumns(code, false) {
			text := ""
			switch column.Part {
			case "groups":
				text = strings.Join(c.each(l.Groups, c.groupLabel), ",")
			case "product_models":
				text = strings.Join(c.each(members(l.Models), c.modelLabel), ",")
			default:
				uuids := members(l.Products)
				slices.Sort(uuids)
				text = strings.Join(c.products(uuids, c.UUID), ",")
			}
			row = append(row, cell{column, text})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(quantified)) {
		l := quantified[code]
		products, productAmounts := c.quantities(l.Products, func(q quantity) string { return c.products([]string{q.UUID}, false)[0] })
		models, modelAmounts := c.quantities(l.Models, func(q quantity) string { return c.each([]string{q.Identifier}, c.modelLabel)[0] })
		for i, column := range c.associationColumns(code, true) {
			row = append(row, cell{column, []string{products, productAmounts, models, modelAmounts}[i]})
		}
	}
	return row, len(plain) > 0
}

func (c cells) quantities(list []json.RawMessage, name func(quantity) string) (names, amounts string) {
	var all, counts []string
	for _, text := range list {
		var q quantity
		if json.Unmarshal(text, &q) != nil {
			continue
		}
		all, counts = append(all, name(q)), append(counts, q.Quantity.String())
	}
	return strings.Join(all, ","), strings.Join(counts, "|")
}

// associationColumns are the columns of a type.
func (f Form) associationColumns(code string, quantified bool) []Column {
	products := "products"
	if f.UUID && !quantified {
		products = "product_uuids"
	}
	parts := []string{"groups", products, "product_models"}
	if quantified {
		parts = []string{products, "products-quantity", "product_models", "product_models-quantity"}
	}
	columns := make([]Column, len(parts))
	for i, part := range parts {
		columns[i] = Column{Name: code + "-" + part, Type: code, Part: part}
	}
	return columns
}

// products are what linked products are called: by their label, their UUID, or their identifier, which may be empty.
func (c cells) products(uuids []string, byUUID bool) []string {
	names := make([]string, len(uuids))
	for i, uuid := range uuids {
		name := c.Identifiers[uuid]
		if byUUID {
			name = uuid
		}
		if c.Labels.Values {
			if label := c.Linked.Products[uuid]; label != "" {
				name = label
			} else {
				name = "[" + name + "]"
			}
		}
		names[i] = name
	}
	return names
}

// each names codes by their labels where labels are asked for.
func (c cells) each(codes []string, label func(string) string) []string {
	if !c.Labels.Values {
		return codes
	}
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = label(code)
	}
	return names
}

// LinkedProducts are the UUIDs of the products, and the codes of the models, that a product's row names.
func (f Form) LinkedProducts(p pim.Product) (uuids, models []string) {
	plain, quantified := associationsOf(p)
	for _, l := range plain {
		if !f.UUID || f.Labels.Values {
			uuids = append(uuids, members(l.Products)...)
		}
		models = append(models, members(l.Models)...)
	}
	for _, l := range quantified {
		for _, text := range slices.Concat(l.Products, l.Models) {
			var q quantity
			if json.Unmarshal(text, &q) != nil {
				continue
			}
			if q.UUID != "" {
				uuids = append(uuids, q.UUID)
			} else if q.Identifier != "" {
				models = append(models, q.Identifier)
			}
		}
	}
	if p.Parent != "" {
		models = append(models, p.Parent)
	}
	return uuids, models
}

func members(list []json.RawMessage) []string {
	found := make([]string, 0, len(list))
	for _, text := range list {
		var member string
		if json.Unmarshal(text, &member) == nil {
			found = append(found, member)
		}
	}
	return found
}

// orderedValues walks a product's values by attribute, those of one in the order in which the PIM wrote them: with
// attributes selected, it is the order of an attribute's columns.
func orderedValues(p pim.Product) iter.Seq2[string, []pim.Value] {
	return func(yield func(string, []pim.Value) bool) {
		for _, code := range slices.Sorted(maps.Keys(p.Values)) {
			if !yield(code, p.Values[code]) {
				return
			}
		}
	}
}

// quantity amounts may be written as numbers or as texts.
func (q *quantity) UnmarshalJSON(text []byte) error {
	var wire struct {
		UUID       string          `json:"uuid"`
		Identifier string          `json:"identifier"`
		Quantity   json.RawMessage `json:"quantity"`
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return err
	}
	amount := string(bytes.Trim(wire.Quantity, `"`))
	if _, err := strconv.ParseFloat(amount, 64); err != nil {
		amount = ""
	}
	*q = quantity{UUID: wire.UUID, Identifier: wire.Identifier, Quantity: json.Number(amount)}
	return nil
}
