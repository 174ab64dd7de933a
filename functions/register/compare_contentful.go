package register

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
)

// contentful compares our app's App Actions and signing secret, and looks where it is installed.
func (c *comparison) contentful(s ContentfulState) {
	d := c.Declared.Contentful
	if s.Refused != "" {
		if len(d.Actions) > 0 {
			c.hand(c.contentfulByHand(s.Refused))
		}
		return
	}
	c.signingSecret(s)
	taken := map[string]bool{}
	for _, wanted := range d.Actions {
		at := slices.IndexFunc(s.Actions, func(a contentfulapi.Action) bool {
			return a.Name == wanted.Name && owned(a.Description, c.Stage) == ours
		})
		if at < 0 {
			at = slices.IndexFunc(s.Actions, func(a contentfulapi.Action) bool { return a.Name == wanted.Name })
		}
		if at < 0 {
			c.main = append(c.main, newAction(wanted))
			continue
		}
		there := s.Actions[at]
		taken[there.ID] = true
		switch whose := owned(there.Description, c.Stage); {
		case whose == anothers || whose == nobodys && !c.Adopt:
			c.hand(ByHand{
				What: AnAppAction, Name: wanted.Name, Blocks: true, Why: fmt.Sprintf("an App Action named %s is there without our mark, or with another stage's: it stays as it is", there.Name),
				Steps: []string{"if it is ours, from before there was a mark: --adopt takes it over", "else give this one another name in extensions.yaml, or each stage an app of its own"},
			})
		default:
			c.changedAction(wanted, there)
		}
	}
	for _, there := range s.Actions {
		switch {
		case taken[there.ID] || owned(there.Description, c.Stage) != ours:
		case c.Prune:
			c.last = append(c.last, Change{Op: Delete, What: AnAppAction, Name: there.Name, id: there.ID, action: there})
		default:
			c.note("Contentful: App Action %s is ours and no longer declared. --prune deletes it.", there.Name)
		}
	}
	for _, space := range d.Spaces {
		if installed, looked := s.Installed[space]; looked && !installed && len(d.Actions) > 0 {
			id, environment, _ := strings.Cut(space, "/")
			c.hand(ByHand{
				What: "app", Name: space, Why: "our app is not installed in this environment, so that nobody can call its App Actions there", Blocks: true,
				URL: fmt.Sprintf("https://app.contentful.com/spaces/%s/environments/%s/apps", id, environment), Steps: []string{"open Apps > Custom apps, choose our app, Install"},
			})
		}
	}
}

// signingSecret compares the end of the secret, which is all that Contentful shows. During a rotation any of ours is right.
func (c *comparison) signingSecret(s ContentfulState) {
	const place = "contentful"
	own := c.Declared.Contentful.Secrets
	if len(own) == 0 {
		return
	}
	known := slices.ContainsFunc(own, func(secret string) bool { return s.Secret != "" && strings.HasSuffix(secret, s.Secret) })
	if known && !c.sends(place) {
		return
	}
	op := Update
	if s.Secret == "" {
		op = Create
	}
	c.main = append(c.main, Change{
		Op: op, What: ASigningSecret, Name: "Contentful's signing secret", Fields: []Field{{Name: "signing_secret", Secret: true}}, declared: place, place: place, signingText: own[len(own)-1],
	})
}

func newAction(wanted contentfulapi.Action) Change {
	var f fields
	f.set("category", wanted.Category)
	f.set("url", wanted.URL)
	f.set("description", wanted.Description)
	f.set("parameters", wanted.Parameters)
	return Change{Op: Create, What: AnAppAction, Name: wanted.Name, Fields: f, declared: wanted.Name, action: wanted}
}

// changedAction compares a definition. Parameters that the file does not give stay as they are.
func (c *comparison) changedAction(wanted, there contentfulapi.Action) {
	wanted.ID = there.ID
	if len(wanted.Parameters) == 0 {
		wanted.Parameters = there.Parameters
	}
	var f fields
	if !contentfulapi.SameCategory(there.Category, wanted.Category) {
		f.differ("category", there.Category, wanted.Category)
	} else {
		wanted.Category = there.Category
	}
	f.differ("url", there.URL, wanted.URL)
	f.differ("description", there.Description, wanted.Description)
	f.differ("parameters", there.Parameters, wanted.Parameters)
	if kind := there.Type; kind != "" && kind != "endpoint" {
		f.differ("type", kind, "endpoint")
	}
	if len(f) > 0 {
		c.main = append(c.main, Change{Op: Update, What: AnAppAction, Name: wanted.Name, Fields: f, declared: wanted.Name, id: there.ID, action: wanted})
	}
}

// contentfulByHand says what to click where Contentful's API is not open to us.
func (c *comparison) contentfulByHand(why string) ByHand {
	one := ByHand{
		What: AnAppAction, Name: "contentful", Why: why, URL: "https://app.contentful.com/account/organizations",
		Steps: []string{
			`for all of this by itself: put {"token": "…", "organization": "…", "app": "…"} under "contentful" in the connection document; the token is a personal one`,
			"by hand: open the organization > Apps > our app > Security, and set the request verification secret to the newest of contentful in the signing document",
		},
	}
	for _, action := range c.Declared.Contentful.Actions {
		one.Steps = append(one.Steps, fmt.Sprintf("by hand: Actions > Create, name %s, category %s, URL %s", action.Name, action.Category, action.URL))
	}
	return one
}
