package pim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Read says what of products is wanted.
type Read struct {
	Attributes []string // codes; nil: all. One that the PIM does not know is an *Error with its sentence
	Labels     bool     // labels of options, in every value's linked_data
	Complete   bool     // how complete products are; models have no such thing
	Workflows  bool     // workflows that run on the very product or model, or have run
}

// query is what Read adds to a list's query, for a type of product. The channel never becomes the query's scope: that would hide products
// outside the channel's category tree.
func (r Read) query(kind string) url.Values {
	query := r.options(kind)
	if r.Attributes != nil {
		query.Set("attributes", strings.Join(r.Attributes, ","))
	}
	return query
}

// options is what Read adds to the query of a list and of a single read.
func (r Read) options(kind string) url.Values {
	query := url.Values{}
	if r.Labels {
		query.Set("with_attribute_options", "true")
	}
	if r.Workflows {
		query.Set("with_workflow_execution_statuses", "true")
	}
	if r.Complete && kind == TypeProduct {
		query.Set("with_completenesses", "true")
	}
	return query
}

// list is how a type of product is listed.
type list struct {
	path     string
	property string // that a search finds several by
}

var lists = map[string]list{
	TypeProduct: {"/api/rest/v1/products-uuid", "uuid"},
	TypeModel:   {"/api/rest/v1/product-models", "identifier"},
}

// List reads products (kind TypeProduct) by UUID, or models by code: one call for a hundred. What the connection cannot
// see, or search does not know yet, is missing from the result: Get tells.
//
// A list that the PIM finds too large is read in halves.
func (c *Client) List(ctx context.Context, kind string, ids []string, read Read) (map[string]Product, error) {
	found := make(map[string]Product, len(ids))
	for _, part := range parts(ids) {
		if err := c.listPart(ctx, kind, part, read, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *Client) listPart(ctx context.Context, kind string, ids []string, read Read, found map[string]Product) error {
	search, err := json.Marshal(map[string]any{lists[kind].property: []map[string]any{{"operator": "IN", "value": ids}}})
	if err != nil {
		return err
	}
	page, err := c.page(ctx, kind, search, read)
	if failed, ok := errors.AsType[*Error](err); ok && failed.TooLarge() && len(ids) > 1 {
		half := len(ids) / 2
		if err := c.listPart(ctx, kind, ids[:half], read, found); err != nil {
			return err
		}
		return c.listPart(ctx, kind, ids[half:], read, found)
	}
	if err != nil {
		return err
	}
	for _, product := range page.Products {
		found[product.ID] = product
	}
	return nil
}

// parts cuts ids into lists of at most MaxPage whose search fits into a query.
func parts(ids []string) (found [][]string) {
	for len(ids) > 0 {
		n, size := 0, 0
		for n < len(ids) && n < MaxPage {
			size += len(url.QueryEscape(ids[n])) + len(`%22%22%2C`)
			if n > 0 && size > maxQuery {
				break
			}
			n++
		}
		found, ids = append(found, ids[:n]), ids[n:]
	}
	return found
}

// Get reads one product or model by itself. It sees what was written a moment ago, which a list may not. An *Error that
// is NotFound: it does not exist, or is hidden from this connection.
//
// The PIM gives all attributes here; others than those asked for are left out.
func (c *Client) Get(ctx context.Context, kind, id string, read Read) (Product, error) {
	r := request{path: lists[kind].path + "/" + escape(id), query: read.options(kind)}
	var text json.RawMessage
	if err := c.getJSON(ctx, r, &text); err != nil {
		return Product{}, err
	}
	product, err := decodeProduct(kind, text)
	if err != nil {
		return Product{}, &Error{Method: http.MethodGet, Path: r.path, Status: http.StatusOK, malformed: true}
	}
	return product.held(read.Attributes)
}

// held is the product with the values of some attributes alone.
func (p Product) held(attributes []string) (Product, error) {
	if attributes == nil {
		return p, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(p.Raw, &fields); err != nil {
		return Product{}, err
	}
	var all map[string]json.RawMessage
	if err := decodeMap(fields["values"], &all); err != nil {
		return Product{}, err
	}
	values, raw := Values{}, map[string]json.RawMessage{}
	for _, code := range attributes {
		if value, there := p.Values[code]; there {
			values[code], raw[code] = value, all[code]
		}
	}
	held, err := json.Marshal(raw)
	if err != nil {
		return Product{}, err
	}
	fields["values"] = held
	p.Values = values
	p.Raw, err = json.Marshal(fields)
	return p, err
}
