package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/eventtype"
)

// maxFilter is the longest filter that the Event Platform takes (Akeneo: "Event Platform", "Available filters").
const maxFilter = 500 // characters

// filterFields are the fields of the platform's filters, and whether events that are no deltas of products have them.
var filterFields = map[string]bool{"user": true, "user_type": true, "attribute": false, "scope": false, "channel": false, "locale": false}

// filterField finds the fields of a filter whose texts are taken out.
var (
	filterText  = regexp.MustCompile(`"[^"]*"`)
	filterField = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*`)
	filterWords = []string{"and", "or", "not", "in"}
)

// filtered checks a subscription's filter, as far as its mistakes would otherwise show only in events that do not come. The
// rest is the platform's business, whose filters grow.
func (t table) filtered(s Subscription) {
	e, ok := t.find("filter")
	if !ok || s.Filter == "" {
		return
	}
	what := "filter of " + t.what
	switch n := utf8.RuneCountInString(s.Filter); {
	case s.API != "event-platform":
		t.errorf(e.key, "remove it, or use changed", "%s: the Events API knows no filters", what)
		return
	case n > maxFilter:
		t.errorf(e.value, "shorten it, or make two subscriptions", "%s has %d characters, and the Event Platform takes %d", what, n, maxFilter)
	case strings.Contains(filterText.ReplaceAllString(s.Filter, ""), "'"):
		t.errorf(e.value, `write them double: 'attribute="price"'`, "%s has single quotes around a value", what)
		return
	case strings.Count(s.Filter, `"`)%2 != 0:
		t.errorf(e.value, `write 'attribute="price"'`, "%s has a quote that does not end", what)
		return
	}
	var lacking []string // fields that not all of its events have
	for _, name := range filterField.FindAllString(filterText.ReplaceAllString(s.Filter, ""), -1) {
		everywhere, known := filterFields[name]
		switch {
		case slices.Contains(filterWords, strings.ToLower(name)):
		case !known:
			t.errorf(e.value, nearest(name, keys(filterFields)), "%s names %q, which events do not have", what, name)
		case !everywhere && !slices.Contains(lacking, name):
			lacking = append(lacking, name)
		}
	}
	if len(lacking) == 0 {
		return
	}
	var without []string
	for _, pattern := range s.Events {
		if !strings.HasPrefix(pattern, eventtype.Prefix+"product") || !strings.HasSuffix(pattern, ".updated.delta") {
			without = append(without, pattern)
		}
	}
	report := t.warnf
	if len(without) == len(s.Events) { // none of its events would come
		report = t.errorf
	}
	if len(without) > 0 {
		report(e.value, "put the others into a subscription of their own, without it", "%s names %s, which only deltas of products have: %s may not be sent", what, strings.Join(lacking, " and "), strings.Join(without, ", "))
	}
}

// apart reports a type of event that comes through a filter and that another subscription of the same PIM wants too: the
// platform sends it once for each, and whatever arrives reaches all that match. Beside one without a filter, all of its events
// come, and the filter holds for nobody; beside another filter, each would miss or get what the other's says.
func (r *reader) apart(subscriptions map[string]Subscription, at map[string]table) {
	for _, name := range slices.Sorted(maps.Keys(subscriptions)) {
		filtered := subscriptions[name]
		if filtered.Filter == "" || filtered.API != "event-platform" {
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(subscriptions)) {
			s := subscriptions[other]
			if other == name || s.PIM != filtered.PIM || s.API != filtered.API || s.Filter != "" && other < name {
				continue
			}
			if shared := sharedType(filtered.Events, s.Events); shared != "" {
				t := at[name]
				e, _ := t.find("filter")
				report := t.errorf
				if s.Filter == "" {
					report = t.warnf
				}
				report(e.key, "put what differs into changed, or the actions into one subscription", "%s has a filter, and %s is in subscription %q too: it would get events that the filter leaves out", t.what, shared, other)
			}
		}
	}
}

// sharedType is a type that both lists of patterns match; "": none.
func sharedType(a, b []string) string {
	in := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(pattern string) bool { return eventtype.Matches(pattern, name) })
	}
	for _, name := range slices.Concat(eventtype.Known(), a, b) {
		if in(a, name) && in(b, name) {
			return name
		}
	}
	return ""
}

// expand reads expand.
func (t table) expand() bool {
	if _, ok := t.find("expand"); !ok {
		return false
	}
	t.oneOf("expand", expansions...)
	return true
}

// expanded checks what expand and identifiers need.
func (t table) expanded(s Subscription) {
	if e, ok := t.find("identifiers"); ok && s.API != "event-platform" {
		t.warnf(e.key, "remove it", "identifiers of %s does nothing: the Events API always sends them", t.what)
	}
	e, ok := t.find("expand")
	if !ok {
		return
	}
	model := eventtype.Prefix + "product-model.updated"
	ofModels := []string{model, model + ".delta", eventtype.Prefix + "product-model.created"}
	if s.API == "events-api" {
		ofModels = []string{"product_model.updated", "product_model.created"}
		model = ofModels[0]
	}
	if s.Deliver != "latest" {
		t.errorf(e.key, "add deliver: latest", "expand of %s needs deliver: latest: a model's variants are delivered as they are then", t.what)
	}
	if sharedType(ofModels, s.Events) == "" {
		t.errorf(e.key, fmt.Sprintf("add %s to events", model), "expand of %s does nothing: none of its events is about product models", t.what)
	}
}
