package contentful

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// maxEntries is how many entries one call may name: as many as a job may have items.
const maxEntries = jobs.MaxItems

// Parameters is what an App Action was called with.
type Parameters struct {
	Items  []jobs.Item     // entries, without duplicates; none in other categories
	Params json.RawMessage // object: the parameters by their names, for templates
}

// Parse reads a proven body: the parameters of an action of this category (Contentful: "App Actions"), or an object
// that wraps them as "parameters", perhaps beside their "category". Contentful has checked them before, but a signature
// proves who sent them, not what they are. Its error is a *web.Error that says what is wrong.
func Parse(declared string, proven signature.Verified) (Parameters, error) {
	body, err := readObject(proven.Body())
	if err != nil {
		return Parameters{}, err
	}
	if body, err = unwrap(declared, body); err != nil {
		return Parameters{}, err
	}
	switch parseCategory(declared) {
	case notification:
		return parseNotification(body)
	case entries:
		return parseEntries(body)
	case custom: // its author alone knows what it takes
		return Parameters{Params: body.bytes()}, nil
	}
	return Parameters{}, malformed("category_unknown", fmt.Sprintf("Actions of category %s are not known here.", quote(declared)))
}

// unwrap takes the parameters out of a wrapper. A wrapper holds nothing else but the category, so that no parameter of
// an action is lost that happens to have one named "parameters".
func unwrap(declared string, body object) (object, error) {
	wrapped, there := body.get("parameters")
	named, categorised := body.get("category")
	if !there || wrapped[0] != '{' || len(body) > 2 || len(body) == 2 && !categorised {
		return body, nil
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
func parseNotification(body object) (Parameters, error) {
	if _, there := body.get("message"); !there {
		body.rename("message_body", "message")
	}
	raw, there := body.get("message")
	if !there {
		return Parameters{}, malformed("parameter_missing", "message is missing.")
	}
	switch message, ok := text(raw); {
	case !ok:
		return Parameters{}, wrongType("message", "a string")
	case message == "":
		return Parameters{}, malformed("parameter_missing", "message is empty.")
	}
	if recipient, there := body.get("recipient"); there {
		if _, ok := text(recipient); !ok {
			return Parameters{}, wrongType("recipient", "a string")
		}
	}
	return Parameters{Params: body.bytes()}, nil
}

// parseEntries reads entryIds: a text with commas, or a list of strings.
func parseEntries(body object) (Parameters, error) {
	raw, there := body.get("entryIds")
	if !there {
		return Parameters{}, malformed("parameter_missing", "entryIds is missing.")
	}
	ids, ok := texts(raw)
	if !ok {
		return Parameters{}, wrongType("entryIds", "a string or a list of strings")
	}
	items, err := newItems(ids)
	if err != nil {
		return Parameters{}, err
	}
	return Parameters{Items: items, Params: body.bytes()}, nil
}

// entryID is what Contentful takes for the ID of an entry (Contentful: "Content Management API", "Common resource
// attributes").
var entryID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// newItems checks IDs and leaves out duplicates and what is empty between two commas.
func newItems(ids []string) ([]jobs.Item, error) {
	items := make([]jobs.Item, 0, min(len(ids), maxEntries))
	seen := make(map[string]bool, cap(items))
	for _, id := range ids {
		switch id = strings.TrimSpace(id); {
		case id == "" || seen[id]:
			continue
		case !entryID.MatchString(id):
			return nil, malformed("item_invalid", "entryIds holds what is no ID of an entry.")
		case len(items) == maxEntries:
			return nil, malformed("too_many_items", fmt.Sprintf("entryIds names more than %d entries.", maxEntries))
		}
		seen[id] = true
		items = append(items, jobs.Item{Type: jobs.Entry, ID: id})
	}
	if len(items) == 0 {
		return nil, malformed("items_missing", "entryIds names no entry.")
	}
	return items, nil
}

// texts reads a string as the parts between its commas, or a list of strings.
func texts(raw json.RawMessage) ([]string, bool) {
	if joined, ok := text(raw); ok {
		return strings.Split(joined, ","), true
	}
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	all := make([]string, len(list))
	for i, element := range list {
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
	return malformed("parameter_type", name+" must be "+want+".")
}
