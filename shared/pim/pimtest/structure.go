package pimtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// resource is a part of the catalogue's structure that is listed by page number.
type resource struct {
	path string // of the list
	one  string // of a single one; "" if it has no call of its own
	all  func(*state, *http.Request) ([]any, error)
}

var resources = map[string]resource{
	"attributes": {"attributes", "attributes/{code}", func(s *state, r *http.Request) ([]any, error) {
		var filter struct {
			Code []struct {
				Value []string `json:"value"`
			} `json:"code"`
			Main []struct {
				Value bool `json:"value"`
			} `json:"is_main_identifier"`
		}
		if search := r.URL.Query().Get("search"); search != "" && json.Unmarshal([]byte(search), &filter) != nil {
			return nil, &refusal{status: http.StatusBadRequest, Message: "The search query parameter must be a valid JSON."}
		}
		found := slices.DeleteFunc(slices.Clone(s.Attributes), func(a Attribute) bool {
			return (len(filter.Code) > 0 && !slices.Contains(filter.Code[0].Value, a.Code)) || (len(filter.Main) > 0 && a.Main != filter.Main[0].Value)
		})
		return anys(found), nil
	}},
	"options": {"attributes/{code}/options", "", func(s *state, r *http.Request) ([]any, error) {
		code := r.PathValue("code")
		found := []any{}
		for _, option := range s.AttributeOptions {
			if option.Attribute == code {
				found = append(found, option)
			}
		}
		if len(found) == 0 {
			return nil, &refusal{status: http.StatusNotFound, Message: fmt.Sprintf("Attribute %q does not support options. Only attributes of type \"pim_catalog_simpleselect\", \"pim_catalog_multiselect\" support options.", code)}
		}
		return found, nil
	}},
	"channels": {"channels", "channels/{code}", func(s *state, _ *http.Request) ([]any, error) { return anys(s.Channels), nil }},
	"locales":  {"locales", "", func(s *state, _ *http.Request) ([]any, error) { return anys(s.Locales), nil }},
	"currencies": {"currencies", "", func(s *state, _ *http.Request) ([]any, error) {
		return anys(s.Currencies), nil
	}},
	"families": {"families", "families/{code}", func(s *state, _ *http.Request) ([]any, error) { return anys(s.Families), nil }},
	"variants": {"families/{family}/variants", "families/{family}/variants/{code}", func(s *state, r *http.Request) ([]any, error) {
		found := []any{}
		for _, variant := range s.FamilyVariants {
			if variant.Family == r.PathValue("family") {
				found = append(found, s.variantShape(variant))
			}
		}
		return found, nil
	}},
	"categories": {"categories", "categories/{code}", func(s *state, _ *http.Request) ([]any, error) { return anys(s.Categories), nil }},
	"workflows":  {"workflows", "workflows/{uuid}", func(s *state, _ *http.Request) ([]any, error) { return anys(s.Workflows), nil }},
	"association-types": {"association-types", "", func(s *state, _ *http.Request) ([]any, error) {
		return anys(s.AssociationTypes), nil
	}},
}

// variantShape is a family variant with its common attributes, as the PIM shows it.
func (s *state) variantShape(v FamilyVariant) map[string]any {
	root := s.owned(&Entity{FamilyVariant: v.Code})
	common := []string{}
	for _, code := range s.families[v.Family].Attributes {
		if root[code] {
			common = append(common, code)
		}
	}
	return map[string]any{"code": v.Code, "labels": v.Labels, "common_attributes": common, "variant_attribute_sets": v.Sets}
}

// listResource lists a resource by page number.
func (p *PIM) listResource(name string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		limit, err := number(r, "limit", defaultPage)
		if err != nil {
			return nil, err
		}
		if limit > maxPage {
			return nil, &refusal{status: http.StatusUnprocessableEntity, Message: "You cannot request more than 100 items."}
		}
		page, err := number(r, "page", 1)
		if err != nil {
			return nil, err
		}
		all, err := resources[name].all(p.catalogue, r)
		if err != nil {
			return nil, err
		}
		from := min((page-1)*limit, len(all))
		items := all[from:min(from+limit, len(all))]
		links := map[string]any{"self": map[string]string{"href": p.link(r.URL.RequestURI())}}
		if len(items) == limit {
			next := r.URL.Query()
			next.Set("page", strconv.Itoa(page+1))
			links["next"] = map[string]string{"href": p.link(r.URL.Path + "?" + next.Encode())}
		}
		return map[string]any{"_links": links, "current_page": page, "_embedded": map[string]any{"items": items}}, nil
	}
}

// getResource reads one by its code.
func (p *PIM) getResource(name string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		all, err := resources[name].all(p.catalogue, r)
		if err != nil {
			return nil, err
		}
		code := r.PathValue("code")
		for _, item := range all {
			text, err := json.Marshal(item)
			if err != nil {
				return nil, err
			}
			var key struct {
				Code string `json:"code"`
			}
			if json.Unmarshal(text, &key) == nil && key.Code == code {
				return json.RawMessage(text), nil
			}
		}
		return nil, &refusal{status: http.StatusNotFound, Message: fmt.Sprintf("Resource %q does not exist.", code)}
	}
}

func anys[T any](list []T) []any {
	found := make([]any, len(list))
	for i, item := range list {
		found[i] = item
	}
	return found
}
