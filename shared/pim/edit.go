package pim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fields of a product that an Edit changes.
const (
	FieldValue      = "value"
	FieldCategories = "categories"
	FieldGroups     = "groups"
	FieldEnabled    = "enabled"
)

// Edit is one thing of a product or model that changes: a value, the switch, or what it is in.
type Edit struct {
	Field     string          `json:"field"`
	Attribute string          `json:"attribute,omitempty"`
	Kind      string          `json:"kind,omitempty"` // the attribute's type
	Locale    string          `json:"locale,omitempty"`
	Scope     string          `json:"scope,omitempty"`
	Previous  json.RawMessage `json:"previous,omitempty"` // of a value or the switch; none: it was not there
	New       json.RawMessage `json:"new,omitempty"`
	Added     []string        `json:"added,omitempty"` // of categories or groups
	Removed   []string        `json:"removed,omitempty"`
}

// Place names what an Edit changes, whatever to.
func (e Edit) Place() string {
	return strings.Join([]string{e.Field, e.Attribute, e.Locale, e.Scope}, "\x00")
}

// Name is what people call it: the attribute's code, or the field.
func (e Edit) Name() string {
	if e.Field != FieldValue {
		return e.Field
	}
	name := e.Attribute
	for _, part := range []string{e.Locale, e.Scope} {
		if part != "" {
			name += " " + part
		}
	}
	return name
}

// Edits are what an update changes of a product as it is now. types are the types of attributes that are known. What is
// as it should be is left out.
func (u Update) Edits(now Product, types map[string]Attribute) (edits []Edit) {
	for _, code := range slices.Sorted(maps.Keys(u.Values)) {
		for _, entry := range u.Values[code] {
			edit := Edit{Field: FieldValue, Attribute: code, Kind: types[code].Type, Locale: entry.Locale, Scope: entry.Scope, New: entry.Data}
			value, there := now.value(edit)
			if edit.Kind == "" {
				edit.Kind = value.AttributeType
			}
			if there {
				edit.Previous = value.Data
			}
			if !Same(edit.Kind, edit.Previous, edit.New) {
				edits = append(edits, edit)
			}
		}
	}
	for _, in := range []struct {
		field       string
		now         []string
		exactly     *[]string
		add, remove []string
	}{
		{FieldCategories, now.Categories, u.Categories, u.AddCategories, u.RemoveCategories},
		{FieldGroups, now.Groups, u.Groups, u.AddGroups, u.RemoveGroups},
	} {
		if in.exactly != nil {
			in.add = *in.exactly
			in.remove = except(in.now, *in.exactly)
		}
		edit := Edit{Field: in.field, Added: except(in.add, in.now), Removed: except(in.now, except(in.now, except(in.remove, in.add)))}
		if len(edit.Added)+len(edit.Removed) > 0 {
			edits = append(edits, edit)
		}
	}
	if u.Enabled != nil && *u.Enabled != now.Enabled && now.Type == TypeProduct {
		edits = append(edits, Edit{Field: FieldEnabled, Previous: flag(now.Enabled), New: flag(*u.Enabled)})
	}
	return edits
}

func flag(on bool) json.RawMessage { return fmt.Append(nil, on) }

// except are those of a that are not in b, each once.
func except(a, b []string) (found []string) {
	for _, each := range a {
		if !slices.Contains(b, each) && !slices.Contains(found, each) {
			found = append(found, each)
		}
	}
	return found
}

// value is what a product has in an Edit's place.
func (p Product) value(e Edit) (Value, bool) {
	if e.Field == FieldEnabled {
		return Value{Data: flag(p.Enabled)}, true
	}
	for _, value := range p.Values[e.Attribute] {
		if value.Locale == e.Locale && value.Scope == e.Scope {
			return value, true
		}
	}
	return Value{}, false
}

// Shown says whether a product is as the Edit makes it.
func (e Edit) Shown(now Product) bool {
	switch e.Field {
	case FieldCategories:
		return len(except(e.Added, now.Categories)) == 0 && len(except(e.Removed, now.Categories)) == len(e.Removed)
	case FieldGroups:
		return len(except(e.Added, now.Groups)) == 0 && len(except(e.Removed, now.Groups)) == len(e.Removed)
	}
	value, _ := now.value(e)
	return Kept(e.Kind, e.New, value.Data)
}

// Back is the Edit that undoes this one on a product as it is now; needed is false where there is nothing to undo, and
// err says that somebody has changed the value since. Categories and groups go back one by one: those that somebody has
// moved since stay where they are.
func (e Edit) Back(now Product) (back Edit, needed bool, err error) {
	switch e.Field {
	case FieldCategories, FieldGroups:
		current := now.Categories
		if e.Field == FieldGroups {
			current = now.Groups
		}
		back = Edit{Field: e.Field, Added: except(e.Removed, current), Removed: except(e.Added, except(e.Added, current))}
		return back, len(back.Added)+len(back.Removed) > 0, nil
	}
	value, _ := now.value(e)
	back = e
	back.Previous, back.New = value.Data, e.Previous
	switch {
	case Same(e.Kind, value.Data, e.Previous):
		return back, false, nil
	case !Kept(e.Kind, e.New, value.Data):
		return Edit{}, false, fmt.Errorf("%s was changed since", e.Name())
	}
	return back, true, nil
}

// Then is the Edit of this one and a later one in the same place, as one: what the later one found is what this one made.
// chains is false where somebody changed it in between: then the later one alone can be undone.
func (e Edit) Then(later Edit) (both Edit, chains bool) {
	both = later
	switch e.Field {
	case FieldCategories, FieldGroups:
		both.Added = slices.Concat(except(e.Added, later.Removed), except(later.Added, e.Removed))
		both.Removed = slices.Concat(except(e.Removed, later.Added), except(later.Removed, e.Added))
		both.Added, both.Removed = except(both.Added, nil), except(both.Removed, nil)
		return both, true
	}
	if !Kept(e.Kind, e.New, later.Previous) {
		return later, false
	}
	both.Previous = e.Previous
	return both, true
}

// Body is the PATCH that makes edits of a product as it is now (Akeneo: "Update behavior"). Categories are added and
// removed, so that two jobs do not undo each other's; groups have no such call, and replace the list.
func Body(now Product, edits []Edit) (map[string]json.RawMessage, error) {
	type entry struct {
		Locale *string         `json:"locale"`
		Scope  *string         `json:"scope"`
		Data   json.RawMessage `json:"data"`
	}
	values := map[string][]entry{}
	fields := map[string]any{}
	for _, e := range edits {
		switch e.Field {
		case FieldValue:
			values[e.Attribute] = append(values[e.Attribute], entry{Locale: ref(e.Locale), Scope: ref(e.Scope), Data: orNull(e.New)})
		case FieldCategories:
			if len(e.Added) > 0 {
				fields["add_categories"] = e.Added
			}
			if len(e.Removed) > 0 {
				fields["remove_categories"] = e.Removed
			}
		case FieldGroups:
			fields["groups"] = append([]string{}, slices.Concat(except(now.Groups, e.Removed), e.Added)...)
		case FieldEnabled:
			fields["enabled"] = e.New
		}
	}
	if len(values) > 0 {
		fields["values"] = values
	}
	body := make(map[string]json.RawMessage, len(fields))
	for name, value := range fields {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		body[name] = text
	}
	return body, nil
}

func ref(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func orNull(data json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return json.RawMessage("null")
	}
	return data
}
