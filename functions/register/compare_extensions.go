package register

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// extensions compares a PIM's UI extensions.
func (c *comparison) extensions(d DeclaredPIM, s PIMState) {
	if s.Refused != "" {
		for _, entry := range d.Extensions {
			c.hand(ByHand{
				What: AnExtension, Name: entry.Declared, PIM: d.PIM.Name, Why: s.Refused, URL: d.PIM.URL,
				Steps: []string{fmt.Sprintf("as an administrator, open System > Extensions > Create; pimctl print shows what to fill in for %s", entry.Name)},
			})
		}
		return
	}
	taken := map[int]bool{} // which are declared
	created := false
	for _, entry := range d.Extensions {
		named := func(e pim.Extension) bool { return e.Name == entry.Name }
		at := slices.IndexFunc(s.Extensions, func(e pim.Extension) bool { return named(e) && owned(e.Description, c.Stage) == ours })
		if at < 0 {
			at = slices.IndexFunc(s.Extensions, named)
		}
		if at < 0 {
			c.main = append(c.main, c.newExtension(entry))
			created = true
			continue
		}
		there := s.Extensions[at]
		taken[at] = true
		switch whose := owned(there.Description, c.Stage); {
		case there.UUID == "":
			c.hand(ByHand{
				What: AnExtension, Name: entry.Declared, PIM: d.PIM.Name, URL: d.PIM.URL, Why: fmt.Sprintf("the PIM does not tell the UUID of %s, without which it cannot be changed from here", there.Name),
				Steps: []string{"compare it with pimctl print, in System > Extensions"},
			})
		case whose == anothers || whose == nobodys && !c.Adopt:
			c.hand(foreignExtension(entry, there, whose))
		case there.Type != entry.Type: // the PIM documents no change of a type
			c.first = append(c.first, deletedExtension(d.PIM, there, entry.Declared))
			c.main = append(c.main, c.newExtension(entry))
		default:
			c.changedExtension(entry, there)
		}
	}
	if created {
		c.note("%s: what a person has made in the PIM's own pages is not visible here. An extension of the same name has to go there first: System > Extensions.", d.PIM.Name)
	}
	for i, there := range s.Extensions {
		switch {
		case taken[i] || there.UUID == "" || owned(there.Description, c.Stage) != ours:
		case c.Prune:
			c.last = append(c.last, deletedExtension(d.PIM, there, ""))
		default:
			c.note("%s: extension %s is ours and no longer declared: users still see it. --prune deletes it.", d.PIM.Name, there.Name)
		}
	}
}

func foreignExtension(entry Entry, there pim.Extension, whose ownership) ByHand {
	one := ByHand{What: AnExtension, Name: entry.Declared, PIM: entry.PIM.Name, URL: entry.PIM.URL, Blocks: true}
	if whose == anothers {
		one.Why = fmt.Sprintf("an extension named %s belongs to another stage: its description is %q", there.Name, there.Description)
		one.Steps = []string{"give each stage a PIM of its own, or this extension another name in extensions.yaml"}
		return one
	}
	one.Why = fmt.Sprintf("an extension named %s is there without our mark: it may be somebody else's, and stays as it is", there.Name)
	one.Steps = []string{"if it is ours, from before there was a mark: --adopt takes it over", "else give this extension another name in extensions.yaml"}
	return one
}

func deletedExtension(in config.PIM, there pim.Extension, declared string) Change {
	return Change{Op: Delete, What: AnExtension, Name: there.Name, PIM: in.Name, declared: declared, id: there.UUID, extension: there}
}

// proof is where an extension's secret stands in the signing document.
func (e Entry) proof() string {
	if e.Configuration.Secret != "" {
		return "extensions." + e.Declared + ".secrets"
	}
	return "extensions." + e.Declared + ".credential"
}

func (c *comparison) newExtension(entry Entry) Change {
	entry.Status = cmp.Or(entry.Status, "active")
	var f fields
	f.set("type", entry.Type)
	f.set("position", entry.Position)
	f.set("url", entry.Configuration.URL)
	f.set("label.default", entry.Configuration.DefaultLabel)
	for _, locale := range slices.Sorted(maps.Keys(entry.Configuration.Labels)) {
		f.set("label."+locale, entry.Configuration.Labels[locale])
	}
	f.set("description", entry.Description)
	f.set("version", entry.Version)
	f.set("status", entry.Status)
	f.set("userEmails", entry.Configuration.UserEmails)
	if entry.Configuration.Secret != "" {
		f.secret("secret")
	}
	if len(entry.Credentials) > 0 {
		f.secret("credentials")
	}
	return Change{Op: Create, What: AnExtension, Name: entry.Name, PIM: entry.PIM.Name, Fields: f, declared: entry.Declared, place: entry.proof(), extension: entry.Extension}
}

// changedExtension compares all that the PIM shows of an extension. A status that the file does not give is active.
func (c *comparison) changedExtension(entry Entry, there pim.Extension) {
	entry.Status = cmp.Or(entry.Status, "active")
	var f fields
	f.differ("position", there.Position, entry.Position)
	f.differ("url", there.Configuration.URL, entry.Configuration.URL)
	f.differ("label.default", there.Configuration.DefaultLabel, entry.Configuration.DefaultLabel)
	locales := maps.Clone(there.Configuration.Labels)
	if locales == nil {
		locales = map[string]string{}
	}
	maps.Copy(locales, entry.Configuration.Labels)
	for _, locale := range slices.Sorted(maps.Keys(locales)) {
		from, had := there.Configuration.Labels[locale]
		to, has := entry.Configuration.Labels[locale]
		switch {
		case !has:
			f = append(f, Field{Name: "label." + locale, From: from})
		case !had || from != to:
			f.differ("label."+locale, from, to)
		}
	}
	f.differ("description", there.Description, entry.Description)
	f.differ("version", there.Version, entry.Version)
	if there.Status != "" {
		f.differ("status", there.Status, entry.Status)
	}
	f.differ("userEmails", slices.Sorted(slices.Values(there.Configuration.UserEmails)), slices.Sorted(slices.Values(entry.Configuration.UserEmails)))
	if entry.Configuration.Secret != "" && c.sends(entry.proof()) {
		f.secret("secret")
	}
	if types(entry.Credentials) != types(there.Credentials) || len(entry.Credentials) > 0 && c.sends("extensions."+entry.Declared+".credential") {
		f.secret("credentials")
	}
	if len(f) == 0 {
		return
	}
	change := Change{Op: Update, What: AnExtension, Name: entry.Name, PIM: entry.PIM.Name, Fields: f, declared: entry.Declared, id: there.UUID, place: entry.proof(), extension: entry.Extension, was: there}
	if change.extension.Credentials == nil && len(there.Credentials) > 0 {
		change.extension.Credentials = []pim.ExtensionCredential{} // taken away
	}
	c.main = append(c.main, change)
}

// types are the kinds of credentials, which is all that the PIM shows of them.
func types(credentials []pim.ExtensionCredential) string {
	var names []string
	for _, one := range credentials {
		names = append(names, one.Type)
	}
	return fmt.Sprint(names)
}
