package config

import "regexp"

// spacePattern is a space and an environment of Contentful, or an alias of an environment.
var spacePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}/[A-Za-z0-9._-]{1,64}$`)

func (r *reader) contentful(root table, known references) Contentful {
	t := root.sub("contentful")
	t.only("spaces", "actions")
	contentful := Contentful{Actions: map[string]ContentfulAction{}}
	for _, space := range t.list("spaces") {
		if !spacePattern.MatchString(space.text) {
			t.errorf(space.at, "write SPACE/ENVIRONMENT: yadj1kx9rmg0/master", "%q in spaces is not a space", space.text)
		}
		contentful.Spaces = append(contentful.Spaces, space.text)
	}
	if e, ok := t.find("spaces"); ok && len(contentful.Spaces) == 0 {
		t.errorf(e.key, "name a space, or remove spaces to allow any", "spaces names none")
	}
	for _, a := range t.named("actions", "contentful action") {
		a.only("category", "action")
		a.need("category", "add category: Notification.v1.0")
		a.need("action", "add action: with a name from actions")
		action := ContentfulAction{
			Name: a.name(), Category: a.oneOf("category", "Notification.v1.0", "Entries.v1.0", "Custom", "Notifications.v1.0"),
			Action: a.reference("action", "action", known.actions),
		}
		if action.Category == "Notifications.v1.0" { // the toolkit's spelling; the API's has no s
			action.Category = "Notification.v1.0"
		}
		contentful.Actions[action.Name] = action
	}
	return contentful
}
