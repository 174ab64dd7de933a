package config

import (
	"fmt"
	"maps"
	"slices"
)

var (
	extensionTypes = []string{"action", "iframe", "link", "data_component"}
	identifiers    = []string{"uuid", "code"}
	onces          = []string{"running", "extension", "off"}
	statuses       = []string{"active", "inactive"}

	// messageNames are the answers that an extension may put into its own words.
	messageNames = []string{"started", "running", "succeeded", "partial", "failed", "forbidden", "unavailable"}
)

var extensionKeys = []key{
	{name: "pim", form: formTextOrTexts, need: addPIM, doc: "The PIM that shows it, by its name in pims. Several: each has one of its own, NAME_PIM."},
	{name: "type", form: formWord, words: extensionTypes, need: "add type: action, iframe, link or data_component", doc: "action (a button), iframe (a page of ours), link, data_component (a table of data)."},
	{name: "positions", form: formTexts, need: "add positions: [pim.product.header]", doc: "Where the PIM shows it: registered once for each."},
	{name: "label", form: formLocalized, need: "add label: {default: Export}", doc: "What users read; at most 30 characters."},
	{name: "action", doc: "Type action: what a press does, by its name in actions."},
	{name: "actions", form: formTexts, doc: "Type iframe: what the page may start, by their names in actions."},
	{name: "url", doc: "Type link: where it leads; %attribute_code% is filled in by the PIM."},
	{name: "id", form: formIdentifier, words: identifiers, doc: "Type data_component: what the PIM puts into our address; uuid for products, code for models, {attribute: CODE} with lookup."},
	{name: "lookup", form: formMapping, keys: lookupKeys, doc: "Type data_component: show what a destination answers, instead of what we did."},
	{name: "select", doc: "The items where the position brings none, by a name in selections; on a page, where nothing is selected."},
	{name: "allow", form: formMapping, keys: allowKeys, doc: "Who may press; any match is enough. Default: everybody."},
	{name: "once", form: formWord, words: onces, doc: "running: one job at a time for the same items (default); extension: one at a time for all; off: every press starts one."},
	{name: "unsigned", form: formFlag, doc: "true: a credential alone proves who calls."},
	{name: "version", doc: "Free text that the PIM keeps."},
	{name: "description", doc: "Free text that administrators read in the PIM."},
	{name: "status", form: formWord, words: statuses, doc: "Whether the PIM shows it."},
	{name: "userEmails", form: formTexts, doc: "Show it to these users alone."},
	{name: "messages", form: formMessages, words: messageNames, doc: "Type action: answers in your own words."},
}

var allowKeys = []key{
	{name: "groups", form: formTexts, doc: "Names of user groups of the PIM."},
	{name: "usernames", form: formTexts, doc: "Names of users of the PIM."},
}

// typeKeys says for which types a key means something; the others are for all.
var typeKeys = map[string][]string{
	"action":   {"action"},
	"actions":  {"iframe"},
	"url":      {"link"},
	"id":       {"data_component"},
	"lookup":   {"data_component"},
	"allow":    {"action"}, // only an action's signed body says the user's name and groups
	"select":   {"action", "iframe"},
	"once":     {"action", "iframe"},
	"messages": {"action"}, // a page says what happens in words of its own
	"unsigned": {"action", "data_component"},
}

// typeNeeds says what each type cannot be without.
var typeNeeds = map[string][]key{
	"action":         {{name: "action", need: addAction}},
	"iframe":         {{name: "actions", form: formTexts, need: "add actions: [NAME] with names from actions"}},
	"link":           {{name: "url", need: `add url: "https://shop.example.com/%sku%"`}},
	"data_component": {{name: "id", need: "add id: uuid (products) or code (product models)"}},
}

func (r *reader) extensions(root table, known references) map[string]Extension {
	extensions := map[string]Extension{}
	registered := map[Registration]string{} // name in a PIM → extension
	tables := root.named("extensions", "extension")
	for _, t := range tables {
		t.takes(extensionKeys)
		for _, e := range t.extensions(known) {
			t.add(e, extensions, registered)
		}
	}
	for _, t := range tables {
		t.unguarded(extensions)
	}
	return extensions
}

// Called is the extension of a PIM that is, or was, called so. After a PIM was added to its list, NAME is called NAME_PIM; after
// all but one were taken from it, NAME_PIM is called NAME.
func (c *Config) Called(name, pim string) (Extension, bool) {
	if e, known := c.Extensions[name]; known {
		return e, true
	}
	for _, e := range c.Extensions {
		if e.PIM == pim && (name == e.Declared || name == e.Declared+"_"+pim) {
			return e, true
		}
	}
	return Extension{}, false
}

// add keeps an extension whose names are not another's: its own is in our addresses, those of its registrations are
// in the PIM.
func (t table) add(e Extension, extensions map[string]Extension, registered map[Registration]string) {
	if _, taken := extensions[e.Name]; taken {
		t.errorf(t.at, "rename one", "%s is %q in one of its PIMs, as another extension is", t.what, e.Name)
		return
	}
	extensions[e.Name] = e
	for _, registration := range e.Registrations() {
		place := Registration{Name: registration.Name, Position: e.PIM} // one name in one PIM
		if other, taken := registered[place]; taken {
			t.errorf(t.at, "rename one", "%s and extension %q would both be %q in the PIM", t.what, other, registration.Name)
		}
		registered[place] = e.Name
	}
}

// extensions is the extension in each of its PIMs.
func (t table) extensions(known references) []Extension {
	e := t.extension(known)
	var each []Extension
	for _, place := range t.perPIM(known) {
		e.Name, e.PIM = place.name, place.pim
		each = append(each, e)
	}
	return each
}

// unguarded warns of a button that some users alone may press while a page of ours starts its action for everybody: a
// page cannot keep allow, since the PIM vouches for no names or groups there.
func (t table) unguarded(extensions map[string]Extension) {
	e, ok := t.find("allow")
	action := t.written("action")
	if !ok || action == "" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(extensions)) {
		if slices.Contains(extensions[name].Actions, action) {
			t.warnf(e.key, fmt.Sprintf("take %s out of its actions, or let everybody press", action), "allow of %s guards action %q, which extension %q starts for everybody", t.what, action, name)
		}
	}
}

func (t table) extension(known references) Extension {
	e := Extension{
		Declared: t.name(), Label: t.label(), Allow: t.allow(),
		Select: t.reference("select", "selection", known.selections), Unsigned: t.flag("unsigned"),
		Version: t.text("version"), Description: t.text("description"), Messages: t.messages(),
	}
	once := t.oneOf("once", onces...)
	e.Once, e.OnceForAll = once != "off", once == "extension"
	if _, ok := t.find("status"); ok {
		e.Status = t.oneOf("status", statuses...)
	}
	for _, email := range t.list("userEmails") {
		t.email(email, "userEmails")
		e.UserEmails = append(e.UserEmails, email.text)
	}
	if _, ok := t.find("type"); ok {
		e.Type = t.ofType(&e, known)
		t.selects(known, append(e.Actions, e.Action)...)
	}
	for _, position := range t.list("positions") {
		t.position(position, e.Type)
		e.Positions = append(e.Positions, position.text)
	}
	return e
}

// ofType reads what belongs to the extension's type, and reports what belongs to another.
func (t table) ofType(e *Extension, known references) string {
	kind := t.scalar("type")
	if kind.text == "" {
		return ""
	}
	if !slices.Contains(extensionTypes, kind.text) {
		t.errorf(kind.at, nearest(kind.text, set(extensionTypes)), "type of %s is %q", t.what, kind.text)
		return ""
	}
	for _, entry := range t.entries {
		if types, limited := typeKeys[entry.key.Value]; limited && !slices.Contains(types, kind.text) {
			t.errorf(entry.key, fmt.Sprintf("remove it: it belongs to type %s", either(types)), "%s is of type %s and has the key %q", t.what, kind.text, entry.key.Value)
		}
	}
	t.needs(typeNeeds[kind.text])
	switch kind.text {
	case "action":
		e.Action = t.reference("action", "action", known.actions)
	case "iframe":
		for _, action := range t.list("actions") {
			e.Actions = append(e.Actions, t.refer(action, "actions", "action", known.actions))
		}
	case "link":
		e.URL = t.link("url")
	case "data_component":
		e.ID, e.Attribute = t.identifier()
		e.Lookup = t.lookup()
	}
	return kind.text
}

func (t table) position(position scalar, kind string) {
	types, known := positions[position.text]
	switch {
	case !known:
		t.warnf(position.at, nearest(position.text, keys(positions)), "position %q of %s is not known", position.text, t.what)
	case kind != "" && !slices.Contains(types, kind):
		t.warnf(position.at, "the PIM may refuse it; there it shows "+either(types), "position %q of %s is not listed for type %s", position.text, t.what, kind)
	}
}

// allow reads who may use an extension. One that names nobody would read as everybody, so it is an error.
func (t table) allow() Allow {
	sub := t.sub("allow")
	sub.takes(allowKeys)
	allow := Allow{Groups: sub.texts("groups"), Usernames: sub.texts("usernames")}
	if e, ok := t.entry("allow"); ok && (sub.isMapping() || isNull(e.value)) && sub.nothing("groups") && sub.nothing("usernames") {
		t.errorf(e.key, "name groups or usernames, or remove allow", "allow of %s names nobody", t.what)
	}
	return allow
}
