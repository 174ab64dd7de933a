package pimtest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 10
	maxPage     = 100
	deepest     = 10_000 // items that pages by number reach
)

// listEntities lists products or models by search, page by page.
func (p *PIM) listEntities(k kind) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		query := r.URL.Query()
		limit, err := number(r, "limit", defaultPage)
		if err != nil {
			return nil, err
		}
		if limit > maxPage {
			return nil, &refusal{status: http.StatusUnprocessableEntity, Message: "You cannot request more than 100 items."}
		}
		if err := p.checkQuery(query); err != nil {
			return nil, err
		}
		matches, err := p.catalogue.search(k, query)
		if err != nil {
			return nil, err
		}
		found := []*Entity{}
		for _, id := range p.catalogue.ids(k) {
			if e := k.all(p.catalogue)[id]; !p.faults.hidden[id] && matches(e) && !p.lags(id) {
				found = append(found, p.listed(e))
			}
		}
		return p.page(r, k, found, limit)
	}
}

// ids are the keys of all entities of a kind, sorted: once, since a walk asks for them with every page.
func (s *state) ids(k kind) []string {
	if s.sorted[k.path] == nil {
		s.sorted[k.path] = slices.Sorted(maps.Keys(k.all(s)))
	}
	return s.sorted[k.path]
}

// lags says whether search misses an entity that it has found, and lets it lag one time less.
func (p *PIM) lags(id string) bool {
	if p.faults.lagging[id] <= 0 {
		return false
	}
	p.faults.lagging[id]--
	return true
}

// checkQuery refuses what a list's parameters name and the catalogue does not have.
func (p *PIM) checkQuery(query url.Values) error {
	for _, code := range strings.Split(query.Get("attributes"), ",") {
		if _, known := p.catalogue.attributes[code]; code != "" && !known {
			return &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Attribute %q does not exist.", code)}
		}
	}
	scope := query.Get("scope")
	if scope != "" && !slices.ContainsFunc(p.catalogue.Channels, func(c Channel) bool { return c.Code == scope }) {
		return &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Scope %q does not exist.", scope)}
	}
	return nil
}

// page writes one page of entities, sorted by key, by either kind of pagination.
func (p *PIM) page(r *http.Request, k kind, found []*Entity, limit int) (any, error) {
	query := r.URL.Query()
	self := query.Encode()
	var from int
	next := maps.Clone(query)
	next.Del("search_after")
	switch query.Get("pagination_type") {
	case "search_after":
		if after := query.Get("search_after"); after != "" {
			key, err := base64.RawURLEncoding.DecodeString(after)
			if err != nil {
				return nil, &refusal{status: http.StatusUnprocessableEntity, Message: "The search_after parameter is not valid."}
			}
			from, _ = slices.BinarySearchFunc(found, string(key)+"\x00", func(e *Entity, key string) int { return strings.Compare(e.id(), key) })
		}
	case "", "page":
		number, err := number(r, "page", 1)
		if err != nil {
			return nil, err
		}
		if number*limit > deepest {
			return nil, &refusal{status: http.StatusUnprocessableEntity, documented: true,
				Message: "You have reached the maximum number of pages you can retrieve with the \"page\" pagination type. Please use the search after pagination type instead."}
		}
		from = (number - 1) * limit
		next.Set("page", strconv.Itoa(number+1))
	default:
		return nil, &refusal{status: http.StatusUnprocessableEntity, Message: "Pagination type does not exist."}
	}
	items := []any{}
	last := ""
	for _, e := range found[min(from, len(found)):min(from+limit, len(found))] {
		items, last = append(items, p.show(k, e, query)), e.id()
	}
	links := map[string]any{"self": map[string]string{"href": p.link(r.URL.Path + "?" + self)}}
	if len(items) == limit { // also of the very last page
		if query.Get("pagination_type") == "search_after" {
			next.Set("search_after", base64.RawURLEncoding.EncodeToString([]byte(last)))
		}
		links["next"] = map[string]string{"href": p.link(r.URL.Path + "?" + next.Encode())}
	}
	return map[string]any{"_links": links, "_embedded": map[string]any{"items": items}}, nil
}
