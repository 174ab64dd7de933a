package pim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
)

// FamilyVariant says which level of a family's models and variants owns an attribute's value (Akeneo: "Products",
// "Family variants"). Level 0 is the root model; the last level is the products.
type FamilyVariant struct {
	Code   string
	Common []string   // of the root model; nil from PIMs that do not say
	Sets   [][]string // of each level below, axes included
}

// Level is the level that owns an attribute. known is false for an attribute outside the family.
func (v FamilyVariant) Level(attribute string) (level int, known bool) {
	for n, set := range v.Sets {
		if slices.Contains(set, attribute) {
			return n + 1, true
		}
	}
	return 0, v.Common == nil || slices.Contains(v.Common, attribute)
}

// Lineage is where a product or model stands among models.
type Lineage struct {
	Variant FamilyVariant
	Level   int      // its own
	Models  []string // codes of the models above, the root first
}

// Owner is the code of the model above that owns an attribute; "" for its own level. lower: a level below owns it, in which
// several entities have values of their own. known is false for an attribute outside the family.
func (l Lineage) Owner(attribute string) (model string, lower, known bool) {
	level, known := l.Variant.Level(attribute)
	switch {
	case !known, level == l.Level:
		return "", false, known
	case level > l.Level:
		return "", true, true
	}
	return l.Models[level], false, true
}

// variants is what a Client has read of models and family variants. Neither a model's family variant nor its place ever
// changes the other way around (Akeneo: "Product models"), but a sub-model may move to another root: so places are kept
// for one question alone, and family variants as long as the Client.
type variants struct {
	mu    sync.Mutex
	known map[string]FamilyVariant // by family and code
}

// Lineages says where products and models stand. A simple product has none and is missing from the result, and so is one
// whose models, or whose family variant, are hidden from the connection.
func (c *Client) Lineages(ctx context.Context, products []Product) (map[string]Lineage, error) {
	models := map[string]Product{}
	for _, p := range products {
		if p.Type == TypeModel {
			models[p.ID] = p
		}
	}
	// The models above, level by level: a family variant has two levels of models at most.
	for level := products; ; {
		var missing []string
		for _, p := range level {
			if _, there := models[p.Parent]; p.Parent != "" && !there && !slices.Contains(missing, p.Parent) {
				missing = append(missing, p.Parent)
			}
		}
		if len(missing) == 0 {
			break
		}
		above, err := c.Several(ctx, TypeModel, missing, Read{})
		if err != nil {
			return nil, err
		}
		level = level[:0:0]
		for _, code := range missing {
			model, there := above[code]
			if !there { // hidden from the connection, or gone: what is below cannot be placed
				model = Product{Type: TypeModel, ID: code}
			}
			models[code] = model
			level = append(level, model)
		}
	}
	placed := map[string]Lineage{}
	for _, p := range products {
		if p.Type != TypeModel && p.Parent == "" {
			continue
		}
		var line Lineage
		for at, depth := p.Parent, 0; at != "" && depth < maxDepth; at, depth = models[at].Parent, depth+1 {
			line.Models = slices.Insert(line.Models, 0, at)
		}
		root := p
		if len(line.Models) > 0 {
			root = models[line.Models[0]]
		}
		if root.FamilyVariant == "" {
			continue
		}
		variant, err := c.familyVariant(ctx, root.Family, root.FamilyVariant)
		if failed, ok := errors.AsType[*Error](err); ok && (failed.NotFound() || failed.Status == http.StatusForbidden) {
			continue
		}
		if err != nil {
			return nil, err
		}
		line.Variant, line.Level = variant, len(line.Models)
		placed[p.ID] = line
	}
	return placed, nil
}

// Below are searches for what stands directly below models: sub-models (kind TypeModel), or variants (TypeProduct). Each is
// for as many models as fit into a query.
func Below(kind string, models []string, read Read) ([]Search, error) {
	var searches []Search
	for _, part := range parts(models) {
		filter, err := json.Marshal(map[string]any{"parent": []map[string]any{{"operator": "IN", "value": part}}})
		if err != nil {
			return nil, err
		}
		searches = append(searches, Search{Kind: kind, Filter: filter, Read: read})
	}
	return searches, nil
}

// SubModels are the codes of the models directly below others. read says what else is read of them on the way, which
// should be little.
func (c *Client) SubModels(ctx context.Context, models []string, read Read) (codes []string, err error) {
	searches, err := Below(TypeModel, models, read)
	if err != nil {
		return nil, err
	}
	for _, search := range searches {
		for page, err := range c.Pages(ctx, search) {
			if err != nil {
				return nil, err
			}
			for _, model := range page.Products {
				codes = append(codes, model.ID)
			}
		}
	}
	return codes, nil
}

const maxDepth = 3 // of models above each other, with one to spare

func (c *Client) familyVariant(ctx context.Context, family, code string) (FamilyVariant, error) {
	key := family + "\x00" + code
	c.variants.mu.Lock()
	found, there := c.variants.known[key]
	c.variants.mu.Unlock()
	if there {
		return found, nil
	}
	var wire struct {
		Code   string   `json:"code"`
		Common []string `json:"common_attributes"`
		Sets   []struct {
			Level      int      `json:"level"`
			Axes       []string `json:"axes"`
			Attributes []string `json:"attributes"`
		} `json:"variant_attribute_sets"`
	}
	if err := c.getJSON(ctx, request{path: "/api/rest/v1/families/" + escape(family) + "/variants/" + escape(code)}, &wire); err != nil {
		return FamilyVariant{}, err
	}
	found = FamilyVariant{Code: wire.Code, Common: wire.Common, Sets: make([][]string, len(wire.Sets))}
	for n, set := range wire.Sets {
		level := n
		if set.Level >= 1 && set.Level <= len(wire.Sets) {
			level = set.Level - 1
		}
		found.Sets[level] = slices.Concat(set.Axes, set.Attributes)
	}
	c.variants.mu.Lock()
	defer c.variants.mu.Unlock()
	if c.variants.known == nil {
		c.variants.known = map[string]FamilyVariant{}
	}
	c.variants.known[key] = found
	return found, nil
}

// Several reads products or models that may exist: one list call for a hundred, and a single call for each that the list
// lacks, since search lags behind writes. What does not exist, or is hidden from the connection, is missing from the result.
func (c *Client) Several(ctx context.Context, kind string, ids []string, read Read) (map[string]Product, error) {
	found, err := c.List(ctx, kind, ids, read)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, there := found[id]; there {
			continue
		}
		product, there, err := c.Find(ctx, kind, id, read)
		if err != nil {
			return nil, err
		}
		if there {
			found[id] = product
		}
	}
	return found, nil
}

// Find reads one product or model that may exist, by a single call, which sees what was written a moment ago.
func (c *Client) Find(ctx context.Context, kind, id string, read Read) (_ Product, there bool, err error) {
	product, err := c.Get(ctx, kind, id, read)
	if gone(err) {
		return Product{}, false, nil
	}
	return product, err == nil, err
}
