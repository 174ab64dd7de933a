package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Declare is what extensions.yaml wants the senders to know, with the secrets of the signing document and the values of the
// connection document. Secrets that are
// missing there are made up, and listed in Made: they are right only once apply has written them. Its error is everything
// that keeps it from being sent.
func Declare(c *config.Config, base string, document []byte, values map[string]string) (Declared, error) {
	filled, err := FillSigning(document, c)
	if err != nil {
		return Declared{}, err
	}
	signing, _, err := secrets.ParseSigning(filled.Document)
	if err != nil {
		return Declared{}, err
	}
	d := Declared{Stage: c.Stage, Base: base, Made: filled.Made, Missing: filled.Missing, Unsent: without(unsent(filled.Document), filled.Made)}
	entries, wrong := Entries(c, base, &signing)
	for _, name := range slices.Sorted(maps.Keys(c.PIMs)) {
		one := DeclaredPIM{PIM: c.PIMs[name]}
		for _, entry := range entries {
			if entry.PIM.Name == name {
				one.Extensions = append(one.Extensions, entry)
			}
		}
		for _, s := range declaredFor(c, name, "events-api") {
			one.EventsAPI = append(one.EventsAPI, s.Name)
		}
		if declared := declaredFor(c, name, "event-platform"); len(declared) > 0 {
			l, err := listener(c, c.PIMs[name], base, &signing, declared)
			wrong = errors.Join(wrong, err, l.resolve(c, values))
			one.Listener = &l
		}
		d.PIMs = append(d.PIMs, one)
	}
	d.Contentful = DeclaredContentful{Spaces: c.Contentful.Spaces, Secrets: signing.Contentful}
	for _, name := range slices.Sorted(maps.Keys(c.Contentful.Actions)) {
		action := c.Contentful.Actions[name]
		d.Contentful.Actions = append(d.Contentful.Actions, contentfulapi.Action{
			Name: name, Description: Marker(c.Stage), Category: action.Category, URL: base + "/contentful/" + name, Parameters: parameters(action),
		})
	}
	if len(d.Contentful.Actions) == 0 {
		d.Contentful.Secrets = nil
	}
	return d, wrong
}

// parameters are nil where the file gives none: what was named in Contentful stays then.
func parameters(action config.ContentfulAction) []contentfulapi.Parameter {
	var all []contentfulapi.Parameter
	for _, one := range action.Parameters {
		p := contentfulapi.Parameter{ID: one.ID, Name: one.Name, Description: one.Description, Type: one.Type, Required: one.Required}
		if len(one.Options) > 0 {
			p.Options, _ = json.Marshal(one.Options) // texts
		}
		all = append(all, p)
	}
	return all
}

// Nothing is what a deployment that goes wants its senders to know: nothing at all.
func Nothing(c *config.Config, base string) Declared {
	d := Declared{Stage: c.Stage, Base: base}
	for _, name := range slices.Sorted(maps.Keys(c.PIMs)) {
		d.PIMs = append(d.PIMs, DeclaredPIM{PIM: c.PIMs[name]})
	}
	return d
}

// Narrow leaves in a configuration what is for one PIM; "" leaves everything. What is for Contentful is for no PIM.
func Narrow(c *config.Config, pim string) (*config.Config, error) {
	if pim == "" {
		return c, nil
	}
	if _, there := c.PIMs[pim]; !there {
		return nil, fmt.Errorf("no pim %q in extensions.yaml", pim)
	}
	one := *c
	one.Contentful = config.Contentful{}
	one.PIMs = map[string]config.PIM{pim: c.PIMs[pim]}
	one.Extensions, one.Subscriptions, one.Notifications = maps.Clone(c.Extensions), maps.Clone(c.Subscriptions), maps.Clone(c.Notifications)
	maps.DeleteFunc(one.Extensions, func(_ string, e config.Extension) bool { return e.PIM != pim })
	maps.DeleteFunc(one.Subscriptions, func(_ string, s config.Subscription) bool { return s.PIM != pim })
	maps.DeleteFunc(one.Notifications, func(_ string, n config.Notification) bool { return n.PIM != pim })
	return &one, nil
}

// Only leaves in a configuration what has one of the names; no names leave everything.
func Only(c *config.Config, names []string) *config.Config {
	if len(names) == 0 {
		return c
	}
	one := *c
	other := func(name string) bool { return !slices.Contains(names, name) }
	one.Extensions, one.Subscriptions, one.Notifications = maps.Clone(c.Extensions), maps.Clone(c.Subscriptions), maps.Clone(c.Notifications)
	maps.DeleteFunc(one.Extensions, func(name string, _ config.Extension) bool { return other(name) })
	maps.DeleteFunc(one.Subscriptions, func(name string, _ config.Subscription) bool { return other(name) })
	maps.DeleteFunc(one.Notifications, func(pim string, _ config.Notification) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Values(one.Subscriptions)), func(s config.Subscription) bool { return s.PIM == pim })
	})
	one.Contentful.Actions = maps.Clone(c.Contentful.Actions)
	maps.DeleteFunc(one.Contentful.Actions, func(name string, _ config.ContentfulAction) bool { return other(name) })
	return &one
}

// Named are the names that a plan can be held to: those asked for, or what each stands for in several PIMs. One that is not
// in extensions.yaml is an error.
func Named(c *config.Config, asked []string) ([]string, error) {
	var names []string
	for _, name := range asked {
		var found []string
		for one, e := range c.Extensions {
			if one == name || e.Declared == name {
				found = append(found, one)
			}
		}
		for one, s := range c.Subscriptions {
			if one == name || one == name+"_"+s.PIM {
				found = append(found, one)
			}
		}
		if _, there := c.Contentful.Actions[name]; there {
			found = append(found, name)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("extensions.yaml has no extension, subscription or App Action named %q", name)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
