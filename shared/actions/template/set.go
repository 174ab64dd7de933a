package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/expression"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// Set is values by attribute whose texts are templates (`set` in extensions.yaml). A value is any JSON value, with the
// markers of a Structure, or {expr: …}, which computes it (package expression); a mapping with data is an entry with a locale
// and a channel, and a list of those several entries. null erases. Under an answer, a text that comes out empty fails its item: what is missing there erases nothing.
type Set struct {
	answer bool
	values map[string][]setEntry
}

type setEntry struct {
	locale, channel string
	data            *Structure
	computed        *expression.Expression // in place of data
	fixed           bool                   // its data is no template
}

// ParseSet reads a Set that is made once per item. Its error is a Mistakes.
func (s Scope) ParseSet(values map[string]any) (*Set, error) {
	s.Each = true
	set := &Set{answer: s.Answer, values: map[string][]setEntry{}}
	var mistakes Mistakes
	for _, code := range slices.Sorted(maps.Keys(values)) {
		list := []any{values[code]}
		if several, ok := values[code].([]any); ok && len(several) > 0 && !slices.ContainsFunc(several, func(each any) bool { return !isEntry(each) }) {
			list = several
		}
		for _, each := range list {
			entry, err := s.parseEntry(code, each)
			mistakes = append(mistakes, err...)
			if slices.ContainsFunc(set.values[code], func(other setEntry) bool {
				return other.locale == entry.locale && other.channel == entry.channel
			}) {
				mistakes = append(mistakes, fmt.Sprintf("%s: two entries have the same locale and channel", code))
			}
			set.values[code] = append(set.values[code], entry)
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return set, nil
}

func isEntry(value any) bool {
	mapping, ok := value.(map[string]any)
	_, there := mapping["data"]
	return ok && there
}

func (s Scope) parseEntry(code string, value any) (entry setEntry, mistakes Mistakes) {
	if isEntry(value) {
		mapping := value.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(mapping)) {
			if key == "data" {
				continue
			}
			text, isText := mapping[key].(string)
			switch {
			case key == "locale" && isText:
				entry.locale = text
			case key == "channel" && isText:
				entry.channel = text
			default:
				mistakes = append(mistakes, fmt.Sprintf("%s: an entry has data, locale and channel, as texts: not %q", code, key))
			}
		}
		value = mapping["data"]
	}
	if mapping, ok := value.(map[string]any); ok && len(mapping) == 1 && mapping["expr"] != nil {
		text, isText := mapping["expr"].(string)
		if !isText {
			return entry, append(mistakes, code+": expr is a text")
		}
		computed, err := expression.Compile(text, expression.Form{Answer: s.Answer})
		if err != nil {
			return entry, append(mistakes, fmt.Sprintf("%s: expr: %v", code, err))
		}
		entry.computed = computed
		return entry, mistakes
	}
	text, isText := value.(string)
	entry.fixed = !isText || !bytes.Contains([]byte(text), []byte("{{"))
	data, err := s.ParseJSON(value)
	if err != nil {
		for _, mistake := range err.(Mistakes) {
			mistakes = append(mistakes, code+": "+mistake)
		}
	}
	entry.data = data
	return entry, mistakes
}

// Attributes are the codes that the Set changes, in order.
func (s *Set) Attributes() []string { return slices.Sorted(maps.Keys(s.values)) }

// Needs are the attributes that its expressions look at, and whether they want the labels of options.
func (s *Set) Needs() (attributes []string, labels bool) {
	for _, code := range s.Attributes() {
		for _, entry := range s.values[code] {
			if entry.computed != nil {
				attributes = append(attributes, entry.computed.Attributes()...)
				labels = labels || entry.computed.Labels()
			}
		}
	}
	slices.Sort(attributes)
	return slices.Compact(attributes), labels
}

// make is one entry's data.
func (e setEntry) make(run engine.Run) (json.RawMessage, error) {
	if e.computed == nil {
		return e.data.Execute(run)
	}
	scope := expression.Scope{Now: run.Began}
	if len(run.Products) > 0 {
		scope.Product = run.Products[0]
	}
	if len(run.Answer) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(run.Answer))
		decoder.UseNumber()
		if err := decoder.Decode(&scope.Answer); err != nil {
			return nil, engine.Permanent("the destination's answer is not JSON: nothing was changed", nil)
		}
	}
	value, err := e.computed.Value(scope)
	if err != nil {
		return nil, engine.Permanent(err.Error()+": nothing was changed", nil)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, engine.Permanent("the expression's value cannot be written: nothing was changed", nil)
	}
	return data, nil
}

// Execute makes the values of a run of one item.
func (s *Set) Execute(run engine.Run) (map[string][]pim.Entry, error) {
	values := make(map[string][]pim.Entry, len(s.values))
	for _, code := range s.Attributes() {
		for _, entry := range s.values[code] {
			data, err := entry.make(run)
			if err != nil {
				return nil, err
			}
			if s.answer && !entry.fixed && (string(data) == `""` || string(data) == "null") {
				return nil, engine.Permanent(fmt.Sprintf("the destination's answer holds nothing for %q: nothing was changed", code), nil)
			}
			values[code] = append(values[code], pim.Entry{Locale: entry.locale, Scope: entry.channel, Data: data})
		}
	}
	return values, nil
}
