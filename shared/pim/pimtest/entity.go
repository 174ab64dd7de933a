package pimtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// kind is one of the two sorts of entity.
type kind struct {
	path string
	all  func(*state) map[string]*Entity
}

var (
	products = kind{"products-uuid", func(s *state) map[string]*Entity { return s.products }}
	models   = kind{"product-models", func(s *state) map[string]*Entity { return s.models }}
)

// merged are an entity's values and those that it inherits.
func (s *state) merged(e *Entity) map[string][]Value {
	values := map[string][]Value{}
	for _, model := range s.ancestors(e) {
		maps.Copy(values, model.Values)
	}
	maps.Copy(values, e.Values)
	return values
}

// inCategories are an entity's categories and those that it inherits, sorted.
func (s *state) inCategories(e *Entity) []string {
	found := slices.Clone(e.Categories)
	for _, model := range s.ancestors(e) {
		found = append(found, model.Categories...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if found == nil {
		found = []string{}
	}
	return found
}

// family is an entity's family; "" if it has none.
func (e *Entity) family() string {
	if e.Family == nil {
		return ""
	}
	return *e.Family
}

// show is an entity as the REST API writes it.
func (p *PIM) show(k kind, e *Entity, query url.Values) map[string]any {
	s := p.catalogue
	values := map[string]any{}
	wanted, held := strings.Split(query.Get("attributes"), ","), query.Has("attributes")
	for code, entries := range s.merged(e) {
		if held && !slices.Contains(wanted, code) {
			continue
		}
		if shown := p.showValues(code, entries, query); len(shown) > 0 {
			values[code] = shown
		}
	}
	out := map[string]any{
		"_links": map[string]any{"self": map[string]string{"href": p.link("/api/rest/v1/" + k.path + "/" + url.PathEscape(e.id()))}},
		"family": e.Family, "parent": e.Parent, "categories": s.inCategories(e), "values": p.emptyMap(values),
		"created": stamp(e.Created), "updated": stamp(e.Updated), "metadata": map[string]string{"workflow_status": p.workflow(e)},
		"associations": p.rawMap(e.Associations), "quantified_associations": p.rawMap(e.Quantified),
	}
	if e.UUID != "" {
		out["uuid"], out["enabled"], out["groups"] = e.UUID, e.Enabled == nil || *e.Enabled, slices.Concat([]string{}, e.Groups)
	} else {
		out["code"], out["family_variant"] = e.Code, e.FamilyVariant
	}
	if query.Get("with_completenesses") == "true" && e.UUID != "" {
		out["completenesses"] = s.completenesses(e)
	}
	if query.Get("with_workflow_execution_statuses") == "true" {
		out["workflow_execution_statuses"] = p.workflowRuns(e)
	}
	return out
}

// showValues are an attribute's entries as a read shows them.
func (p *PIM) showValues(code string, entries []Value, query url.Values) []map[string]any {
	attribute := p.catalogue.attributes[code]
	scope, locales := query.Get("scope"), query.Get("locales")
	var shown []map[string]any
	for _, entry := range entries {
		if (scope != "" && entry.Scope != nil && *entry.Scope != scope) ||
			(locales != "" && entry.Locale != nil && !slices.Contains(strings.Split(locales, ","), *entry.Locale)) {
			continue
		}
		value := map[string]any{"locale": entry.Locale, "scope": entry.Scope, "data": entry.Data, "attribute_type": attribute.Type}
		if query.Get("with_attribute_options") == "true" {
			if linked := p.catalogue.linked(code, entry.Data); linked != nil {
				value["linked_data"] = linked
			}
		}
		var media string
		if (attribute.Type == "pim_catalog_image" || attribute.Type == "pim_catalog_file") && json.Unmarshal(entry.Data, &media) == nil {
			value["_links"] = map[string]any{"download": map[string]string{"href": p.link("/api/rest/v1/media-files/" + media + "/download")}}
		}
		shown = append(shown, value)
	}
	return shown
}

// linked are the labels of the options that a value names; nil if the attribute has no options.
func (s *state) linked(attribute string, data json.RawMessage) any {
	options := s.options[attribute]
	if options == nil {
		return nil
	}
	one := func(code string) map[string]any {
		return map[string]any{"attribute": attribute, "code": code, "labels": options[code].Labels}
	}
	var code string
	if json.Unmarshal(data, &code) == nil {
		return one(code)
	}
	var codes []string
	if json.Unmarshal(data, &codes) != nil {
		return nil
	}
	several := map[string]any{}
	for _, code := range codes {
		if _, there := options[code]; there {
			several[code] = one(code)
		}
	}
	return several
}

// completenesses are the shares of required attributes that have a value, by channel and locale.
func (s *state) completenesses(e *Entity) []map[string]any {
	found := []map[string]any{}
	for _, channel := range s.Channels {
		for _, locale := range channel.Locales {
			if share, ok := s.completeness(e, channel.Code, locale); ok {
				found = append(found, map[string]any{"scope": channel.Code, "locale": locale, "data": share})
			}
		}
	}
	return found
}

func (s *state) completeness(e *Entity, channel, locale string) (int, bool) {
	required := s.families[e.family()].Requirements[channel]
	if len(required) == 0 {
		return 100, e.Family != nil
	}
	values, there := s.merged(e), 0
	for _, code := range required {
		for _, entry := range values[code] {
			if (entry.Locale == nil || *entry.Locale == locale) && (entry.Scope == nil || *entry.Scope == channel) && !empty(entry.Data) {
				there++
				break
			}
		}
	}
	return there * 100 / len(required), true
}

func empty(data json.RawMessage) bool {
	text := string(data)
	return text == "" || text == "null" || text == `""` || text == "[]"
}

// getEntity reads one product or model: with everything that the connection may see, whatever search knows.
func (p *PIM) getEntity(k kind) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		id := r.PathValue("id")
		e := k.all(p.catalogue)[id]
		if e == nil || p.faults.hidden[id] {
			what := "Product"
			if k.path == models.path {
				what = "Product model"
			}
			return nil, &refusal{status: http.StatusNotFound, Message: what + ` "` + id + `" does not exist or you do not have permission to access it.`}
		}
		query := url.Values{}
		for _, name := range []string{"with_attribute_options", "with_completenesses", "with_workflow_execution_statuses"} {
			if r.URL.Query().Has(name) {
				query.Set(name, r.URL.Query().Get(name))
			}
		}
		return p.show(k, e, query), nil
	}
}

// link is an absolute address of this PIM.
func (p *PIM) link(path string) string {
	if p.faults.foreign {
		return "http://pim.internal.example" + path
	}
	return "https://pim.example" + path
}

// emptyMap is a map, or [] for an empty one where PHP writes so.
func (p *PIM) emptyMap(m map[string]any) any {
	if len(m) == 0 && p.faults.emptyLists {
		return []any{}
	}
	return m
}

func (p *PIM) rawMap(text json.RawMessage) any {
	if len(text) == 0 {
		return p.emptyMap(map[string]any{})
	}
	return text
}

// stamp is a time as the PIM writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }
