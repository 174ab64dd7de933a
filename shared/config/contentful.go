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
	{name: "actions", form: formMapping, doc: "App Actions by name."},
}

var contentfulActionKeys = []key{
	{name: "category", form: formWord, words: categories, need: "add category: Notification.v1.0", doc: "Which parameters Contentful asks its users for."},
	{name: "action", need: addAction, doc: "What to do, by its name in actions."},
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
		contentful.Actions[a.name()] = ContentfulAction{
			Name: a.name(), Category: a.oneOf("category", categories...),
			Action: a.reference("action", "action", known.actions),
		}
	}
	return contentful
}
