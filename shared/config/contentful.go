package config

import "strings"

// isSpace says whether a text is a space and an environment of Contentful, or an alias of an environment.
func isSpace(text string) bool {
	space, environment, _ := strings.Cut(text, "/")
	for _, id := range []string{space, environment} {
		if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool { return r != '.' && !isName(string(r)) }) {
			return false
		}
	}
	return true
}

var categories = []string{"Notification.v1.0", "Entries.v1.0", "Custom"}

var contentfulKeys = []key{
	{name: "spaces", form: formTexts, doc: "Who may call, as SPACE/ENVIRONMENT; without it: any."},
	{name: "actions", form: formNamed, keys: contentfulActionKeys, doc: "App Actions by name."},
}

var contentfulActionKeys = []key{
	{name: "category", form: formWord, words: categories, need: "add category: Notification.v1.0", doc: "Which parameters Contentful asks its users for."},
	{name: "action", need: addAction, doc: "What to do, by its name in actions."},
	{name: "parameters", form: formNamed, keys: parameterKeys, doc: "Category Custom: what Contentful asks its users for, by ID."},
}

var parameterTypes = []string{"Symbol", "Number", "Boolean", "Enum"}

var parameterKeys = []key{
	{name: "name", need: "add name: with what users read", doc: "What users read."},
	{name: "description", doc: "What users read below it."},
	{name: "type", form: formWord, words: parameterTypes, need: "add type: Symbol, Number, Boolean or Enum", doc: "Symbol (a text), Number, Boolean, Enum (one of options)."},
	{name: "required", form: formFlag, doc: "true: it cannot be left out."},
	{name: "options", form: formTexts, doc: "Type Enum: the values to choose from."},
}

// parameters reads what Contentful asks for before it calls a Custom action, in the file's order.
func (t table) parameters(category string) []ContentfulParameter {
	var all []ContentfulParameter
	if e, ok := t.find("parameters"); ok && category != "Custom" && category != "" {
		t.errorf(e.key, "remove it: Contentful has parameters of its own for "+category, "%s has parameters and is of category %s", t.what, category)
	}
	for _, p := range t.named("parameters", "parameter") {
		p.takes(parameterKeys)
		one := ContentfulParameter{
			ID: p.name(), Name: p.text("name"), Description: p.text("description"), Type: p.oneOf("type", parameterTypes...), Required: p.flag("required"), Options: p.texts("options"),
		}
		if e, ok := p.entry("options"); ok && one.Type != "Enum" {
			p.errorf(e.key, "remove it, or use type: Enum", "%s has options and is of type %s", p.what, one.Type)
		} else if !ok && one.Type == "Enum" {
			p.errorf(p.at, "add options: [low, high]", "%s has no options", p.what)
		}
		all = append(all, one)
	}
	return all
}

func (r *reader) contentful(root table, known references) Contentful {
	t := root.sub("contentful")
	t.takes(contentfulKeys)
	contentful := Contentful{Actions: map[string]ContentfulAction{}}
	for _, space := range t.list("spaces") {
		if !isSpace(space.text) {
			t.errorf(space.at, "write SPACE/ENVIRONMENT: yadj1kx9rmg0/master", "%q in spaces is not a space", space.text)
		}
		contentful.Spaces = append(contentful.Spaces, space.text)
	}
	if e, ok := t.entry("spaces"); ok && t.nothing("spaces") {
		t.errorf(e.key, "name a space, or remove spaces to allow any", "spaces names none")
	}
	for _, a := range t.named("actions", "contentful action") {
		a.takes(contentfulActionKeys)
		if e, ok := a.find("category"); ok && e.value.Value == "Notifications.v1.0" {
			e.value.Value = "Notification.v1.0" // Contentful's toolkit spells it with an s, its API without
		}
		action := ContentfulAction{
			Name: a.name(), Category: a.oneOf("category", categories...),
			Action: a.reference("action", "action", known.actions),
		}
		action.Parameters = a.parameters(action.Category)
		contentful.Actions[a.name()] = action
	}
	return contentful
}
