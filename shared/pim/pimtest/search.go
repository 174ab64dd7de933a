package pimtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// criterion is one condition of a search (Akeneo: "Filters").
type criterion struct {
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value"`
	Scope    string          `json:"scope"`
	Locale   string          `json:"locale"`
}

// match says whether an entity fulfils a condition.
type match func(*Entity) bool

// search reads the query parameter search and the restriction of the parameter scope.
func (s *state) search(k kind, query url.Values) (match, error) {
	conditions := []match{}
	text := query.Get("search")
	var properties map[string]json.RawMessage
	if text != "" {
		if err := json.Unmarshal([]byte(text), &properties); err != nil {
			status := http.StatusBadRequest
			if k.path == models.path {
				status = http.StatusUnprocessableEntity
			}
			return nil, &refusal{status: status, Message: "Search query parameter should be valid JSON."}
		}
	}
	for property, list := range properties {
		var criteria []criterion
		if json.Unmarshal(list, &criteria) != nil {
			return nil, &refusal{status: http.StatusUnprocessableEntity,
				Message: fmt.Sprintf(`Structure of filter %q should respect this structure: {"%s":[{"operator": "my_operator", "value": "my_value"}]}`, property, property)}
		}
		for _, c := range criteria {
			if c.Operator == "" {
				return nil, &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Operator is missing for the property %q.", property)}
			}
			condition, err := s.condition(k, property, c)
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, condition)
		}
	}
	if _, own := properties["categories"]; query.Get("scope") != "" && !own {
		conditions = append(conditions, s.inTree(query.Get("scope")))
	}
	return func(e *Entity) bool {
		return !slices.ContainsFunc(conditions, func(m match) bool { return !m(e) })
	}, nil
}

// condition is one criterion of a property, or of an attribute.
func (s *state) condition(k kind, property string, c criterion) (match, error) {
	unsupported := &refusal{status: http.StatusUnprocessableEntity,
		Message: fmt.Sprintf("Filter on property %q is not supported or does not support operator %q", property, c.Operator)}
	switch property {
	case "uuid", "identifier":
		if (property == "uuid") != (k.path == products.path) {
			return nil, unsupported
		}
		ids, err := texts(property, c)
		if err != nil {
			return nil, err
		}
		if property == "identifier" && len(ids) > maxPage {
			return nil, &refusal{status: http.StatusBadRequest, Message: "You cannot filter on more than 100 identifiers."}
		}
		return in(c, unsupported, func(e *Entity) []string { return []string{e.id()} }, ids)
	case "family":
		return s.codes(property, c, unsupported, func(e *Entity) []string { return one(e.Family) })
	case "groups":
		return s.codes(property, c, unsupported, func(e *Entity) []string { return e.Groups })
	case "parent":
		if c.Operator == "=" && k.path == products.path {
			ids, err := texts(property, c)
			return func(e *Entity) bool {
				return slices.ContainsFunc(s.ancestors(e), func(m *Entity) bool { return slices.Contains(ids, m.Code) })
			}, err
		}
		return s.codes(property, c, unsupported, func(e *Entity) []string { return one(e.Parent) })
	case "categories":
		return s.inCategory(c, unsupported)
	case "enabled":
		var want bool
		if json.Unmarshal(c.Value, &want) != nil || (c.Operator != "=" && c.Operator != "!=") || k.path != products.path {
			return nil, unsupported
		}
		return func(e *Entity) bool { return (e.Enabled == nil || *e.Enabled) == (want == (c.Operator == "=")) }, nil
	case "completeness":
		var want int
		if json.Unmarshal(c.Value, &want) != nil || c.Scope == "" {
			return nil, unsupported
		}
		return s.complete(c, want, unsupported)
	case "created":
		return moment(c, unsupported, func(e *Entity) time.Time { return e.Created })
	case "updated":
		return moment(c, unsupported, s.updated)
	}
	attribute, known := s.attributes[property]
	if !known {
		return nil, unsupported
	}
	return s.attributeCondition(attribute, c, unsupported)
}

// updated is when an entity changed: a variant also changes with its models.
func (s *state) updated(e *Entity) time.Time {
	latest := e.Updated
	for _, model := range s.ancestors(e) {
		if model.Updated.After(latest) {
			latest = model.Updated
		}
	}
	return latest
}

// codes is a condition on codes that an entity has.
func (s *state) codes(property string, c criterion, unsupported error, of func(*Entity) []string) (match, error) {
	switch c.Operator {
	case "EMPTY":
		return func(e *Entity) bool { return len(of(e)) == 0 }, nil
	case "NOT EMPTY":
		return func(e *Entity) bool { return len(of(e)) > 0 }, nil
	}
	want, err := texts(property, c)
	if err != nil {
		return nil, err
	}
	return in(c, unsupported, of, want)
}

// in is IN and NOT IN.
func in(c criterion, unsupported error, of func(*Entity) []string, want []string) (match, error) {
	switch c.Operator {
	case "IN":
		return func(e *Entity) bool { return intersect(of(e), want) }, nil
	case "NOT IN":
		return func(e *Entity) bool { return !intersect(of(e), want) }, nil
	}
	return nil, unsupported
}

// inCategory is a condition on an entity's categories.
func (s *state) inCategory(c criterion, unsupported error) (match, error) {
	of := s.inCategories
	if c.Operator == "UNCLASSIFIED" {
		return func(e *Entity) bool { return len(of(e)) == 0 }, nil
	}
	want, err := texts("categories", c)
	if err != nil {
		return nil, err
	}
	for _, code := range want {
		if _, known := s.categories[code]; !known {
			return nil, &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Category %q does not exist.", code)}
		}
	}
	if strings.HasSuffix(c.Operator, "CHILDREN") {
		for code := range s.categories {
			if slices.ContainsFunc(want, func(root string) bool { return s.below(code, root) }) {
				want = append(want, code)
			}
		}
	}
	switch c.Operator {
	case "IN", "IN CHILDREN":
		return func(e *Entity) bool { return intersect(of(e), want) }, nil
	case "NOT IN", "NOT IN CHILDREN":
		return func(e *Entity) bool { return !intersect(of(e), want) }, nil
	case "IN OR UNCLASSIFIED":
		return func(e *Entity) bool { return len(of(e)) == 0 || intersect(of(e), want) }, nil
	}
	return nil, unsupported
}

// inTree holds for entities in a channel's category tree.
func (s *state) inTree(channel string) match {
	i := slices.IndexFunc(s.Channels, func(c Channel) bool { return c.Code == channel })
	return func(e *Entity) bool {
		return i >= 0 && slices.ContainsFunc(s.inCategories(e), func(code string) bool { return s.below(code, s.Channels[i].CategoryTree) })
	}
}

// below says whether a category is a root or lies under it.
func (s *state) below(code, root string) bool {
	for range 20 {
		if code == root {
			return true
		}
		category, known := s.categories[code]
		if !known || category.Parent == nil {
			return false
		}
		code = *category.Parent
	}
	return false
}

// complete compares completeness of a channel, in a locale or in any.
func (s *state) complete(c criterion, want int, unsupported error) (match, error) {
	holds, known := comparisons[c.Operator]
	if !known {
		return nil, unsupported
	}
	return func(e *Entity) bool {
		for _, channel := range s.Channels {
			for _, locale := range channel.Locales {
				if channel.Code != c.Scope || (c.Locale != "" && locale != c.Locale) {
					continue
				}
				if share, ok := s.completeness(e, channel.Code, locale); ok && holds(float64(share), float64(want)) {
					return true
				}
			}
		}
		return false
	}, nil
}

var comparisons = map[string]func(a, b float64) bool{
	"=": func(a, b float64) bool { return a == b }, "!=": func(a, b float64) bool { return a != b },
	"<": func(a, b float64) bool { return a < b }, "<=": func(a, b float64) bool { return a <= b },
	">": func(a, b float64) bool { return a > b }, ">=": func(a, b float64) bool { return a >= b },
}

// moment compares times, which a search writes YYYY-MM-DD hh:mm:ss.
func moment(c criterion, unsupported error, of func(*Entity) time.Time) (match, error) {
	if c.Operator == "SINCE LAST N DAYS" {
		return nil, unsupported // depends on the clock of the real PIM
	}
	times, err := texts("updated", c)
	if err != nil {
		return nil, err
	}
	var at []time.Time
	for _, text := range times {
		t, err := time.Parse(time.DateTime, text)
		if err != nil {
			return nil, &refusal{status: http.StatusUnprocessableEntity,
				Message: fmt.Sprintf(`Property "updated" expects a string with the format "yyyy-mm-dd H:i:s", %q given.`, text)}
		}
		at = append(at, t)
	}
	switch {
	case c.Operator == ">" && len(at) == 1:
		return func(e *Entity) bool { return of(e).After(at[0]) }, nil
	case c.Operator == "<" && len(at) == 1:
		return func(e *Entity) bool { return of(e).Before(at[0]) }, nil
	case c.Operator == "BETWEEN" && len(at) == 2:
		return func(e *Entity) bool { return !of(e).Before(at[0]) && !of(e).After(at[1]) }, nil
	}
	return nil, unsupported
}

// attributeCondition compares an attribute's value. != and NOT IN hold only for what has a value.
func (s *state) attributeCondition(a Attribute, c criterion, unsupported error) (match, error) {
	if a.Localizable && c.Locale == "" {
		return nil, &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Attribute %q expects a locale, none given.", a.Code)}
	}
	if a.Scopable && c.Scope == "" {
		return nil, &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Attribute %q expects a scope, none given.", a.Code)}
	}
	value := func(e *Entity) json.RawMessage {
		for _, entry := range s.merged(e)[a.Code] {
			if (entry.Locale == nil || *entry.Locale == c.Locale) && (entry.Scope == nil || *entry.Scope == c.Scope) && !empty(entry.Data) {
				return entry.Data
			}
		}
		return nil
	}
	switch c.Operator {
	case "EMPTY":
		return func(e *Entity) bool {
			return slices.Contains(s.families[e.family()].Attributes, a.Code) && value(e) == nil
		}, nil
	case "NOT EMPTY":
		return func(e *Entity) bool { return value(e) != nil }, nil
	}
	var number float64
	if holds, known := comparisons[c.Operator]; known && json.Unmarshal(c.Value, &number) == nil {
		return func(e *Entity) bool {
			n, ok := numeric(value(e))
			return ok && holds(n, number)
		}, nil
	}
	want, err := texts(a.Code, c)
	if err != nil {
		return nil, unsupported
	}
	held := func(e *Entity) []string {
		found, _ := texts(a.Code, criterion{Value: value(e)})
		return found
	}
	switch c.Operator {
	case "IN", "=":
		return func(e *Entity) bool { return intersect(held(e), want) }, nil
	case "NOT IN", "!=":
		return func(e *Entity) bool { return value(e) != nil && !intersect(held(e), want) }, nil
	case "CONTAINS", "STARTS WITH":
		return func(e *Entity) bool {
			return slices.ContainsFunc(held(e), func(text string) bool {
				if c.Operator == "CONTAINS" {
					return strings.Contains(strings.ToLower(text), strings.ToLower(want[0]))
				}
				return strings.HasPrefix(strings.ToLower(text), strings.ToLower(want[0]))
			})
		}, nil
	}
	return nil, unsupported
}

// numeric is a number that the PIM may write as a text.
func numeric(data json.RawMessage) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	return n, err == nil
}

// texts reads a criterion's value, one text or several.
func texts(property string, c criterion) ([]string, error) {
	var several []string
	if json.Unmarshal(c.Value, &several) == nil && several != nil {
		return several, nil
	}
	var single string
	if json.Unmarshal(c.Value, &single) == nil && len(c.Value) > 0 {
		return []string{single}, nil
	}
	return nil, &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Property %q expects an array with valid data.", property)}
}

func one(code *string) []string {
	if code == nil || *code == "" {
		return nil
	}
	return []string{*code}
}

func intersect(a, b []string) bool {
	return slices.ContainsFunc(a, func(code string) bool { return slices.Contains(b, code) })
}
