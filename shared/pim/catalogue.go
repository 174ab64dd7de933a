package pim

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
)

// Family says which attributes its products have (Akeneo: "Families").
type Family struct {
	Code       string
	Attributes []string
	Label      string // code of the attribute whose value is the product's label
	Labels     map[string]string
}

// AssociationType is a kind of link between products (Akeneo: "Associations").
type AssociationType struct {
	Code       string
	Quantified bool
	Labels     map[string]string
}

// Families reads families by code. What the PIM does not have, or hides, is missing from the result.
func (c *Client) Families(ctx context.Context, codes ...string) (map[string]Family, error) {
	found := make(map[string]Family, len(codes))
	for _, part := range parts(codes) {
		filter, err := json.Marshal(map[string]any{"code": []map[string]any{{"operator": "IN", "value": part}}})
		if err != nil {
			return nil, err
		}
		var wire []struct {
			Code       string          `json:"code"`
			Attributes []string        `json:"attributes"`
			Label      string          `json:"attribute_as_label"`
			Labels     json.RawMessage `json:"labels"`
		}
		if err := c.all(ctx, "/api/rest/v1/families", url.Values{"search": {string(filter)}}, &wire); err != nil {
			return nil, err
		}
		for _, w := range wire {
			if slices.Contains(part, w.Code) {
				found[w.Code] = Family{Code: w.Code, Attributes: w.Attributes, Label: w.Label, Labels: labels(w.Labels)}
			}
		}
	}
	return found, nil
}

// AssociationTypes reads all of them, in the PIM's order.
func (c *Client) AssociationTypes(ctx context.Context) ([]AssociationType, error) {
	var wire []struct {
		Code       string          `json:"code"`
		Quantified loose           `json:"is_quantified"`
		Labels     json.RawMessage `json:"labels"`
	}
	if err := c.all(ctx, "/api/rest/v1/association-types", url.Values{}, &wire); err != nil {
		return nil, err
	}
	found := make([]AssociationType, len(wire))
	for i, w := range wire {
		found[i] = AssociationType{Code: w.Code, Quantified: bool(w.Quantified), Labels: labels(w.Labels)}
	}
	return found, nil
}

// CategoryLabels are the labels of categories, by the category's code and the locale.
func (c *Client) CategoryLabels(ctx context.Context, codes ...string) (map[string]map[string]string, error) {
	found := make(map[string]map[string]string, len(codes))
	for _, part := range parts(codes) {
		filter, err := json.Marshal(map[string]any{"code": []map[string]any{{"operator": "IN", "value": part}}})
		if err != nil {
			return nil, err
		}
		var wire []struct {
			Code   string          `json:"code"`
			Labels json.RawMessage `json:"labels"`
		}
		if err := c.all(ctx, "/api/rest/v1/categories", url.Values{"search": {string(filter)}}, &wire); err != nil {
			return nil, err
		}
		for _, w := range wire {
			found[w.Code] = labels(w.Labels)
		}
	}
	return found, nil
}

// LevelAttributes are the attributes that a family variant's models hold: the first list is the root model's, each
// further one that of the models a level below. The products' own attributes are the last.
func (c *Client) LevelAttributes(ctx context.Context, family, variant string) ([][]string, error) {
	found, err := c.familyVariant(ctx, family, variant)
	if err != nil {
		return nil, err
	}
	return append([][]string{found.Common}, found.Sets...), nil
}

// MediaName is the name that a media file had when it was uploaded.
func (c *Client) MediaName(ctx context.Context, code string) (string, error) {
	var wire struct {
		Name string `json:"original_filename"`
	}
	err := c.getJSON(ctx, request{path: mediaPath(code)}, &wire)
	return wire.Name, err
}
