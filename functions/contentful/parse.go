package contentful

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/body"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// Parameters is what an App Action was called with.
type Parameters struct {
	Items  []jobs.Item     // entries, without duplicates; none in other categories
	Params json.RawMessage // object: the parameters by their names, for templates
}

// Parse reads a proven body: the parameters of an action of this category (Contentful: "App Actions"), or an object
// that wraps them as "parameters", perhaps beside their "category". Contentful has checked them before, but a signature
// proves who sent them, not what they are. Its error is a *web.Error that says what is wrong.
func Parse(declared string, proven signature.Verified) (Parameters, error) {
	given, err := readObject(proven.Body())
	if err != nil {
		return Parameters{}, err
	}
	if given, err = unwrap(declared, given); err != nil {
		return Parameters{}, err
	}
	switch parseCategory(declared) {
	case notification:
		return parseNotification(given)
	case entries:
		return parseEntries(given)
	case custom: // its author alone knows what it takes
		return Parameters{Params: given.bytes()}, nil
	}
	return Parameters{}, body.Malformed("category_unknown", fmt.Sprintf("Actions of category %s are not known here.", quote(declared)))
}

// unwrap takes the parameters out of a wrapper. A wrapper holds nothing else but the category, so that no parameter of
// an action is lost that happens to have one named "parameters".
func unwrap(declared string, given object) (object, error) {
	wrapped, there := given.get("parameters")
	named, categorised := given.get("category")
	if !there || wrapped[0] != '{' || len(given) > 2 || len(given) == 2 && !categorised {
		return given, nil
	}
	if categorised {
		category, ok := text(named)
		if !ok {
			return nil, wrongType("category", "a string")
		}
		if err := match(declared, category); err != nil {
			return nil, err
		}
	}
	return readObject(wrapped)
}

// parseNotification reads message and recipient. The message may be named message_body; templates find it as message.
func parseNotification(given object) (Parameters, error) {
	if _, there := given.get("message"); !there {
		given.rename("message_body", "message")
	}
	raw, there := given.get("message")
	if !there {
		return Parameters{}, body.Malformed("parameter_missing", "message is missing.")
	}
	switch message, ok := text(raw); {
	case !ok:
		return Parameters{}, wrongType("message", "a string")
	case message == "":
		return Parameters{}, body.Malformed("parameter_missing", "message is empty.")
	}
	if recipient, there := given.get("recipient"); there {
		if _, ok := text(recipient); !ok {
			return Parameters{}, wrongType("recipient", "a string")
		}
	}
	return Parameters{Params: given.bytes()}, nil
}

// parseEntries reads entryIds: a text with commas, or a list of strings.
func parseEntries(given object) (Parameters, error) {
	raw, there := given.get("entryIds")
	if !there {
		return Parameters{}, body.Malformed("parameter_missing", "entryIds is missing.")
	}
	ids, ok := list(raw)
	if !ok {
		return Parameters{}, wrongType("entryIds", "a string or a list of strings")
	}
	items, err := newItems(ids)
	if err != nil {
		return Parameters{}, err
	}
	return Parameters{Items: items, Params: given.bytes()}, nil
}

// newItems checks IDs and leaves out duplicates and what is empty between two commas.
func newItems(ids []string) ([]jobs.Item, error) {
	selected := jobs.NewSelection(len(ids))
	for _, id := range ids {
		if id = strings.TrimSpace(id); id != "" && !selected.Add(jobs.Entry, id) {
			return nil, body.Malformed("item_invalid", "entryIds holds what is no ID of an entry.")
		}
	}
	switch n := len(selected.Items); {
	case n > jobs.MaxItems:
		return nil, body.Malformed("too_many_items", fmt.Sprintf("entryIds names more than %d entries.", jobs.MaxItems))
	case n == 0:
		return nil, body.Malformed("items_missing", "entryIds names no entry.")
	}
	return selected.Items, nil
}

// list reads a string as the parts between its commas, or a list of strings.
func list(raw json.RawMessage) ([]string, bool) {
	if joined, ok := text(raw); ok {
		return strings.Split(joined, ","), true
	}
	var elements []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &elements) != nil {
		return nil, false
	}
	all := make([]string, len(elements))
	for i, element := range elements {
		id, ok := text(element)
		if !ok {
			return nil, false
		}
		all[i] = id
	}
	return all, true
}

// text reads a string, and nothing that only becomes one.
func text(raw json.RawMessage) (value string, ok bool) {
	ok = raw[0] == '"' && json.Unmarshal(raw, &value) == nil
	return value, ok
}

func wrongType(name, want string) error {
	return body.Malformed("parameter_type", name+" must be "+want+".")
}
