package config

import (
	"encoding/json"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// Selection is products that nobody clicked: a search of the PIM's own.
type Selection struct {
	Name   string
	Of     string          // products, product_models
	Search json.RawMessage // the PIM's own search filters (Akeneo API, "Filters"); nil: all
	Since  time.Duration   // if set: only what changed within it
	Last   bool            // only what changed since the schedule or button that uses it ran last
}

var selectionTypes = []string{"products", "product_models"}

const maxSince = 365 * day

var selectionKeys = []key{
	{name: "of", form: formWord, words: selectionTypes, need: "add of: products or product_models", doc: "products or product_models."},
	{name: "search", form: formFilters, doc: "The PIM's search filters: a property with a list of {operator, value, locale, scope}."},
	{name: "changed_since", doc: "last (since it ran last) or a time such as 2d: only what changed since then."},
}

func (r *reader) selections(root table) map[string]Selection {
	selections := map[string]Selection{}
	for _, t := range root.named("selections", "selection") {
		t.takes(selectionKeys)
		s := Selection{Name: t.name(), Of: t.oneOf("of", selectionTypes...), Search: t.search()}
		switch since := t.written("changed_since"); since {
		case "last":
			s.Last = true
		default:
			s.Since = t.duration("changed_since", "use last, or 1m to 365d", time.Minute, maxSince)
		}
		selections[s.Name] = s
	}
	return selections
}

// operators are those of the PIM's filters (Akeneo API, "Filters"); what is not here is a warning, since they grow.
var operators = []string{
	"=", "!=", "<", "<=", ">", ">=", "IN", "NOT IN", "EMPTY", "NOT EMPTY", "CONTAINS", "DOES NOT CONTAIN", "STARTS WITH", "BETWEEN", "NOT BETWEEN",
	"SINCE LAST N DAYS", "IN OR UNCLASSIFIED", "IN CHILDREN", "NOT IN CHILDREN", "UNCLASSIFIED", "AT LEAST COMPLETE", "AT LEAST INCOMPLETE",
	"ALL COMPLETE", "ALL INCOMPLETE", "GREATER THAN ON ALL LOCALES", "GREATER OR EQUALS THAN ON ALL LOCALES", "LOWER THAN ON ALL LOCALES",
	"LOWER OR EQUALS THAN ON ALL LOCALES",
}

var filterKeys = []string{"operator", "value", "locale", "locales", "scope"}

// search reads the PIM's filters: their form is checked here, what they mean is the PIM's business.
func (t table) search() json.RawMessage {
	e, ok := t.find("search")
	if !ok {
		return nil
	}
	properties := t.table(e.key, e.value, "search of "+t.what)
	for _, property := range properties.entries {
		what := property.key.Value + " of " + properties.what
		if property.value.Kind != yaml.SequenceNode {
			t.errorf(property.value, `write [{operator: "=", value: …}]`, "%s is not a list of filters", what)
			continue
		}
		for _, node := range property.value.Content {
			t.filter(property.key, node, what)
		}
	}
	text, err := json.Marshal(plainJSON(e.value))
	if err != nil {
		t.errorf(e.value, "write values as the PIM's API takes them", "search of %s is no JSON", t.what)
	}
	return text
}

func (t table) filter(key, node *yaml.Node, what string) {
	filter := t.table(node, node, "a filter in "+what)
	if !filter.isMapping() {
		return
	}
	filter.at = key
	filter.only(filterKeys...)
	filter.need("operator", `add operator: "=", IN, …`)
	operator := filter.scalar("operator")
	if operator.text != "" && !slices.Contains(operators, operator.text) {
		t.warnf(operator.at, nearest(operator.text, set(operators)), "operator %q of %s is not known", operator.text, filter.what)
	}
	if _, ok := filter.find("locale"); ok {
		filter.locale("locale")
	}
}

// plainJSON is a tree as JSON has it: a day such as 2026-11-25 stays the text that it is.
func plainJSON(node *yaml.Node) any {
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			object[node.Content[i].Value] = plainJSON(node.Content[i+1])
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, child := range node.Content {
			list[i] = plainJSON(child)
		}
		return list
	}
	var value any
	if node.ShortTag() == "!!timestamp" || node.Decode(&value) != nil {
		return node.Value
	}
	return value
}

// selects reports actions over a selection whose then needs the items that succeeded (a selection keeps those that failed
// alone), and those that wait for an answer, which is for the items of one request.
func (t table) selects(known references, actions ...string) {
	e, ok := t.find("select")
	for _, action := range actions {
		if ok && known.dones[action] {
			t.errorf(e.key, "use then of succeeded, which gets no items there", "%s selects products, and then of its action %q is for those that are done, which a selection does not keep", t.what, action)
		}
		if ok && known.asking[action] {
			t.errorf(e.key, "remove it, or what the action waits for", "%s selects products, and its action %q waits for an answer, which is for the items of one request", t.what, action)
		}
	}
}
