package pim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Update is what somebody wants of one product or model. What it does not name stays.
type Update struct {
	Values           map[string][]Entry
	Categories       *[]string // these and no others
	AddCategories    []string
	RemoveCategories []string
	Groups           *[]string // these and no others
	AddGroups        []string
	RemoveGroups     []string
	Enabled          *bool
}

// Entry is a value to be: Locale and Scope are "" where it holds for all, and data that is null or empty erases.
type Entry struct {
	Locale string
	Scope  string
	Data   json.RawMessage
}

// MaxDepth is how deep a value's data may be nested: a table or a price has three levels.
const MaxDepth = 20

// ParseUpdate reads an update in the PIM's own shape, {"uuid" or "code", "values", "categories", "groups", "enabled"},
// strictly: any other key, and any other type, is an error for people.
func ParseUpdate(text json.RawMessage) (kind, id string, u Update, err error) {
	fields, err := objectOf(text)
	if err != nil {
		return "", "", Update{}, errors.New("an update is no object")
	}
	for _, key := range []struct{ kind, name string }{{TypeProduct, "uuid"}, {TypeModel, "code"}} {
		if value, there := fields[key.name]; there {
			if id != "" || json.Unmarshal(value, &id) != nil || id == "" {
				return "", "", Update{}, errors.New("an update needs one of uuid and code, as a text")
			}
			kind = key.kind
			delete(fields, key.name)
		}
	}
	if id == "" {
		return "", "", Update{}, errors.New("an update names neither uuid nor code")
	}
	for name, value := range fields {
		switch name {
		case "values":
			err = u.parseValues(value)
		case "categories":
			u.Categories, err = codes(name, value)
		case "groups":
			u.Groups, err = codes(name, value)
		case "enabled":
			if json.Unmarshal(value, &u.Enabled) != nil || u.Enabled == nil {
				err = errors.New("enabled is neither true nor false")
			}
		default:
			err = fmt.Errorf("%q cannot be updated", name)
		}
		if err != nil {
			return kind, id, Update{}, err
		}
	}
	return kind, id, u, nil
}

func (u *Update) parseValues(text json.RawMessage) error {
	attributes, err := objectOf(text)
	if err != nil {
		return errors.New("values is no object")
	}
	u.Values = make(map[string][]Entry, len(attributes))
	for code, list := range attributes {
		var entries []json.RawMessage
		if json.Unmarshal(list, &entries) != nil || entries == nil {
			return fmt.Errorf("%q is no list of entries", code)
		}
		for _, text := range entries {
			entry, err := parseEntry(text)
			if err != nil {
				return fmt.Errorf("%q: %w", code, err)
			}
			if slices.ContainsFunc(u.Values[code], entry.SamePlace) {
				return fmt.Errorf("%q has two entries for the same locale and scope", code)
			}
			u.Values[code] = append(u.Values[code], entry)
		}
	}
	return nil
}

// SamePlace says whether two entries hold for the same locale and channel.
func (e Entry) SamePlace(other Entry) bool { return e.Locale == other.Locale && e.Scope == other.Scope }

func parseEntry(text json.RawMessage) (Entry, error) {
	fields, err := objectOf(text)
	if err != nil {
		return Entry{}, errors.New("an entry is no object")
	}
	var locale, scope *string
	for _, key := range []struct {
		name string
		into any
	}{{"locale", &locale}, {"scope", &scope}, {"data", new(json.RawMessage)}} {
		value, there := fields[key.name]
		if !there {
			return Entry{}, fmt.Errorf("an entry lacks the key %q", key.name)
		}
		if json.Unmarshal(value, key.into) != nil {
			return Entry{}, fmt.Errorf("%s is neither a text nor null", key.name)
		}
	}
	for name := range fields {
		if !slices.Contains([]string{"locale", "scope", "data", "attribute_type", "linked_data"}, name) { // the last two are the PIM's own, of a read
			return Entry{}, fmt.Errorf("an entry has the key %q", name)
		}
	}
	if depth(fields["data"]) > MaxDepth {
		return Entry{}, fmt.Errorf("data is nested more than %d deep", MaxDepth)
	}
	return Entry{Locale: deref(locale), Scope: deref(scope), Data: fields["data"]}, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// objectOf reads an object; null and everything else is an error.
func objectOf(text json.RawMessage) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("null")
	}
	return fields, nil
}

func codes(name string, text json.RawMessage) (*[]string, error) {
	var list []*string
	if json.Unmarshal(text, &list) != nil || list == nil {
		return nil, fmt.Errorf("%s is no list of codes", name)
	}
	found := make([]string, len(list))
	for i, code := range list {
		if code == nil || *code == "" {
			return nil, fmt.Errorf("%s holds an entry that is no code", name)
		}
		found[i] = *code
	}
	return &found, nil
}

// depth is how deep JSON is nested.
func depth(text json.RawMessage) (deepest int) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for level := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
			deepest = max(deepest, level)
		case json.Delim('}'), json.Delim(']'):
			level--
		}
	}
}
