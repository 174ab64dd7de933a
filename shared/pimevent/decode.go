package pimevent

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Decode normalises one event. It never fails: an event that was proven is kept, whatever it holds, and what cannot
// be read stays empty.
func Decode(api, pim string, raw []byte) Event {
	event := Event{API: api, PIM: pim, Raw: raw}
	switch api {
	case EventsAPI:
		decodeEventsAPI(&event)
	case Notifications:
		decodeNotification(&event)
	default:
		decodeCloudEvent(&event)
	}
	if event.ID == "" || len(event.ID) > 200 {
		sum := sha256.Sum256(raw) // never a way around the recognition of duplicates
		event.ID = "sha256-" + base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	return event
}

// Split takes a delivery of the Event Platform apart: one CloudEvent, or (tolerated) an array of them. ok is false
// if it is neither.
func Split(body []byte) (events []json.RawMessage, ok bool) {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) > 0 && body[0] == '{' && json.Valid(body):
		return []json.RawMessage{body}, true
	case len(body) > 0 && body[0] == '[' && json.Unmarshal(body, &events) == nil:
		return events, true
	}
	return nil, false
}

// fields is a JSON object whose members are read one by one, so that an odd one spoils no other.
type fields map[string]json.RawMessage

func object(raw json.RawMessage) fields {
	var f fields
	_ = json.Unmarshal(raw, &f) // anything but an object (PHP writes an empty one as []) has no members
	return f
}

func (f fields) text(name string) string {
	var s string
	_ = json.Unmarshal(f[name], &s)
	return s
}

// name is a text, or a number as it was written.
func (f fields) name(name string) string {
	if s := f.text(name); s != "" {
		return s
	}
	var n json.Number
	if json.Unmarshal(f[name], &n) == nil {
		return n.String()
	}
	return ""
}

func (f fields) first(names ...string) string {
	for _, name := range names {
		if s := f.name(name); s != "" {
			return s
		}
	}
	return ""
}

// decodeEventsAPI reads an event of the Events API (Akeneo: "Events API", "Event format").
func decodeEventsAPI(event *Event) {
	f := object(event.Raw)
	event.ID, event.Type, event.Source = f.text("event_id"), f.text("action"), f.text("pim_source")
	event.Author = Author{Identifier: f.text("author"), Type: f.text("author_type")}
	event.Time = parseTime(f.text("event_datetime"))
	event.Kind, _, _ = strings.Cut(event.Type, ".")
	resource := object(object(f["data"])["resource"])
	event.Identifier = resource.name("identifier")
	if event.Kind == "product_model" {
		event.EntityID = resource.first("code", "identifier")
		event.Identifier = event.EntityID
	} else {
		event.EntityID = resource.first("uuid", "identifier", "code")
	}
}

// decodeNotification reads a notification webhook's body (Akeneo: "Event Platform", "Notification webhooks"). It has
// no id: the digest of its bytes serves, which a retry repeats.
func decodeNotification(event *Event) {
	f := object(event.Raw)
	event.Type, event.Kind, event.EntityID = f.text("notification_type"), "subscription", f.text("subscription_id")
	event.Time, event.Subject = parseTime(f.text("timestamp")), f.text("subscription_id")
	event.Notice = &Notification{Type: event.Type, Subscription: event.EntityID, Reason: f.text("reason")}
	_ = json.Unmarshal(f["events"], &event.Notice.Events) // not a list: no list
}

// decodeCloudEvent reads a CloudEvent in structured mode (CloudEvents 1.0; Akeneo: "Event Platform", "Available events").
func decodeCloudEvent(event *Event) {
	f := object(event.Raw)
	event.ID, event.Type, event.Subject = f.text("id"), f.text("type"), f.text("subject")
	event.Time = parseTime(f.text("time"))
	data := object(f["data"])
	author := object(data["author"])
	event.Author = Author{Identifier: author.text("identifier"), Type: author.text("type")}
	for _, kind := range kindsOf(event.Type) {
		if entity := object(data[kind]); entity != nil { // a text of that name is something else
			event.Kind, event.EntityID, event.Identifier = kind, entityID(kind, entity), entity.name("identifier")
			if kind == "product_model" {
				event.Identifier = event.EntityID
			}
			event.Changes, event.Updated = changes(object(entity["changes"])), phpTime(entity["updated_at"])
			return
		}
	}
}

// Kinds that an event can be about, by their key in data. The type's own comes first; then these, in this order.
var kinds = []string{
	"product", "product_model", "category", "attribute", "attribute_group", "attribute_option", "family", "family_variant",
	"asset", "reference_entity_record", "job", "task", "workflow", "app", "connection",
}

// kindsOf lists the keys to look for, best first: com.akeneo.pim.v1.product-model.updated is about product_model,
// …workflow.task.created about task.
func kindsOf(eventType string) []string {
	_, suffix, _ := strings.Cut(eventType, ".v1.")
	words := strings.Split(strings.ReplaceAll(suffix, "-", "_"), ".")
	if len(words) > 1 && slices.Contains(kinds, words[1]) {
		return append([]string{words[1], words[0]}, kinds...)
	}
	return append([]string{words[0]}, kinds...)
}

// familyOf is the key of what makes a code unique.
var familyOf = map[string]string{"asset": "asset_family", "attribute_option": "attribute", "reference_entity_record": "reference_entity"}

func entityID(kind string, entity fields) string {
	id := entity.first("uuid", "code", "execution_id", "client_id")
	if kind == "product_model" {
		id = entity.first("code", "uuid")
	}
	if family := object(entity[familyOf[kind]]).name("code"); family != "" && id != "" {
		return family + "/" + id
	}
	return id
}

// changes lists what a delta says has changed, without what is empty. values is a map from attribute to a list of
// {previous, new, locale, scope or channel}; properties (of assets) holds more of what stands beside it.
func changes(f fields) []Change {
	found := append(properties(f), properties(object(f["properties"]))...)
	for attribute, list := range object(f["values"]) {
		var values []fields
		if !empty(list) && json.Unmarshal(list, &values) != nil {
			found = append(found, Change{Name: attribute, Value: true}) // of a shape that is newer than we
		}
		for _, value := range values {
			found = append(found, value.change(Change{Name: attribute, Value: true, Locale: value.text("locale"), Channel: value.first("channel", "scope")}))
		}
	}
	slices.SortFunc(found, func(a, b Change) int {
		return strings.Compare(a.Name+"\x00"+a.Locale+"\x00"+a.Channel, b.Name+"\x00"+b.Locale+"\x00"+b.Channel)
	})
	return found
}

// properties lists the changes that are no values: labels by locale, everything else by its name.
func properties(f fields) (found []Change) {
	for name, raw := range f {
		switch labels := object(raw); {
		case name == "values" || name == "properties" || nothing(raw, 4):
		case name == "labels" && len(labels) > 0:
			for locale, label := range labels {
				if !nothing(label, 1) {
					found = append(found, object(label).change(Change{Name: name, Locale: locale}))
				}
			}
		default:
			found = append(found, object(raw).change(Change{Name: name}))
		}
	}
	return found
}

// change adds what a change was from and to.
func (f fields) change(c Change) Change {
	c.Previous, c.New, c.Added, c.Removed = f["previous"], f["new"], f["added"], f["removed"]
	return c
}

// nothing says whether there is no text, number or yes or no in a value down to a depth: {"added": [], "removed": []}.
func nothing(raw json.RawMessage, depth int) bool {
	if empty(raw) {
		return true
	}
	members := object(raw)
	if len(members) == 0 || depth == 0 {
		return false
	}
	for _, member := range members {
		if !nothing(member, depth-1) {
			return false
		}
	}
	return true
}

func empty(raw json.RawMessage) bool {
	switch strings.TrimSpace(string(raw)) {
	case "", "null", "[]", "{}":
		return true
	}
	return false
}

// phpTime reads a time as PHP writes one into JSON: {"date": "2024-10-14 13:01:21.000000", "timezone": "UTC"}, or a text as
// parseTime does. Zero for anything else, and for a zone that is not known here.
func phpTime(raw json.RawMessage) time.Time {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return parseTime(text)
	}
	f := object(raw)
	zone := f.text("timezone")
	if t := parseTime(strings.Replace(f.text("date"), " ", "T", 1) + zone); !t.IsZero() && zone != "" { // an offset: +02:00
		return t
	}
	where, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05.999999999", f.text("date"), where)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// parseTime reads RFC 3339, with or without colon in the zone; zero if it is neither.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
