package pim

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Search is a search of the PIM's own, over products or models (Akeneo: "Filters").
type Search struct {
	Kind   string          // TypeProduct or TypeModel
	Filter json.RawMessage // the value of the query parameter search; nil: everything
	Read   Read
	After  string // a Page's Next: where to go on; "" begins
}

// Page is up to a hundred products of a search.
type Page struct {
	Products []Product
	Next     string // where the next page begins; "" after the last

	// Asked is the PIM's own time, by its clock, at which it was asked at the latest: what changed before is in the page, as
	// far as its search knew it. Where the PIM names no time it is ours.
	Asked time.Time
}

// Pages walks a search page by page, by the PIM's own cursor. It ends after an empty page and never reads a page twice.
// An error ends it; Search.After of the last Page goes on from there.
func (c *Client) Pages(ctx context.Context, search Search) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			page, err := c.Page(ctx, search)
			if err != nil {
				yield(Page{}, err)
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			search.After = page.Next
		}
	}
}

// Page reads one page of a search.
func (c *Client) Page(ctx context.Context, search Search) (Page, error) {
	if search.After == "" {
		return c.page(ctx, search.Kind, search.Filter, search.Read)
	}
	query, err := url.ParseQuery(search.After)
	if err != nil {
		return Page{}, &Error{Method: http.MethodGet, Path: lists[search.Kind].path, malformed: true}
	}
	return c.fetch(ctx, search.Kind, query)
}

// page reads the first page of a search.
func (c *Client) page(ctx context.Context, kind string, filter json.RawMessage, read Read) (Page, error) {
	query := read.query(kind)
	query.Set("pagination_type", "search_after")
	query.Set("limit", strconv.Itoa(MaxPage))
	if len(filter) > 0 {
		query.Set("search", string(filter))
	}
	return c.fetch(ctx, kind, query)
}

func (c *Client) fetch(ctx context.Context, kind string, query url.Values) (Page, error) {
	r := request{path: lists[kind].path, query: query}
	var wire struct {
		Links struct {
			Next struct {
				Href string `json:"href"`
			} `json:"next"`
		} `json:"_links"`
		Embedded *struct {
			Items []json.RawMessage `json:"items"`
		} `json:"_embedded"`
	}
	began := c.config.Outbound.Now()
	r.method = http.MethodGet
	answer, err := c.do(ctx, r)
	if err != nil {
		return Page{}, err
	}
	asked := began
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		asked = date.Add(-c.config.Outbound.Now().Sub(began))
	}
	broken := &Error{Method: http.MethodGet, Path: r.path, Status: answer.Status, malformed: true}
	if decode(answer.Body, &wire) != nil || wire.Embedded == nil {
		return Page{}, broken // an error object with a 200
	}
	page := Page{Products: make([]Product, 0, len(wire.Embedded.Items)), Next: next(wire.Links.Next.Href, query), Asked: asked.UTC()}
	for _, item := range wire.Embedded.Items {
		product, err := decodeProduct(kind, item)
		if err != nil {
			return Page{}, broken
		}
		page.Products = append(page.Products, product)
	}
	if len(page.Products) == 0 {
		page.Next = ""
	}
	return page, nil
}

// next is the query of the link to the next page. Its host and path are not taken over: a proxy may have written others.
// A link to the page at hand ends the walk.
func next(href string, current url.Values) string {
	if href == "" {
		return ""
	}
	target, err := url.Parse(href)
	if err != nil {
		return ""
	}
	query := target.Query()
	if query.Get("search_after") == "" || query.Get("search_after") == current.Get("search_after") {
		return ""
	}
	return query.Encode()
}
