package register

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Kinds of Place: who proves himself with its secrets.
const (
	OfAction        = "action"
	OfIframe        = "iframe"
	OfData          = "data_component"
	OfEvents        = "event-platform"
	OfNotifications = "notifications"
	OfEventsAPI     = "events-api"
	OfContentful    = "contentful"
	OfLinks         = "links"
)

// Place is where the secrets of one sender stand, which are replaced together.
type Place struct {
	Name   string // of an extension; event-platform.PIM, event-platform.PIM/notifications, events-api.PIM, contentful, links
	Kind   string
	PIM    string // "" of contentful and links
	Target string // what our address names: the extension, the PIM, an App Action
	Space  string // SPACE/ENVIRONMENT of Contentful that may call; "": any
}

// SecretPlaces lists what proves the senders that extensions.yaml declares: extensions by name, then events by PIM, Contentful,
// and our own links.
func SecretPlaces(c *config.Config) []Place {
	var all []Place
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		e := c.Extensions[name]
		if kind := e.Type; kind == OfAction || kind == OfIframe || kind == OfData {
			all = append(all, Place{Name: name, Kind: kind, PIM: e.PIM, Target: name})
		}
	}
	for _, pim := range slices.Sorted(maps.Keys(c.PIMs)) {
		if len(declaredFor(c, pim, "event-platform")) > 0 {
			all = append(all, Place{Name: "event-platform." + pim, Kind: OfEvents, PIM: pim, Target: pim})
		}
		if _, wanted := c.Notifications[pim]; wanted {
			all = append(all, Place{Name: "event-platform." + pim + "/notifications", Kind: OfNotifications, PIM: pim, Target: pim})
		}
		if len(declaredFor(c, pim, "events-api")) > 0 {
			all = append(all, Place{Name: "events-api." + pim, Kind: OfEventsAPI, PIM: pim, Target: pim})
		}
	}
	if actions := slices.Sorted(maps.Keys(c.Contentful.Actions)); len(actions) > 0 {
		place := Place{Name: "contentful", Kind: OfContentful, Target: actions[0]}
		if spaces := c.Contentful.Spaces; len(spaces) > 0 {
			place.Space = spaces[0]
		}
		all = append(all, place)
	}
	return append(all, Place{Name: "links", Kind: OfLinks})
}

// FindPlace finds a place by its name.
func FindPlace(c *config.Config, name string) (Place, error) {
	all := SecretPlaces(c)
	if at := slices.IndexFunc(all, func(p Place) bool { return p.Name == name }); at >= 0 {
		return all[at], nil
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Name)
	}
	return Place{}, fmt.Errorf("nothing with secrets is named %q: there are %s", name, strings.Join(names, ", "))
}

// Keys are the secrets of a place, the newest last in each list.
type Keys struct {
	Secrets     []string
	Credentials []secrets.Credential
}

// Keys of a place in the signing document. Those of links stand in a document of their own.
func (p Place) Keys(signing secrets.Signing) Keys {
	switch p.Kind {
	case OfEvents:
		return Keys{Secrets: signing.EventPlatform[p.PIM]}
	case OfNotifications:
		return Keys{Secrets: signing.EventPlatform[p.PIM+"/notifications"]}
	case OfEventsAPI:
		return Keys{Secrets: signing.EventsAPI[p.PIM]}
	case OfContentful:
		return Keys{Secrets: signing.Contentful}
	case OfLinks:
		return Keys{}
	case OfData:
		return Keys{Credentials: signing.Extensions[p.Target].Credentials} // the PIM signs nothing there
	}
	own := signing.Extensions[p.Target]
	return Keys{Secrets: own.Secrets, Credentials: own.Credentials}
}

// Empty says that nothing proves the sender.
func (k Keys) Empty() bool { return len(k.Secrets) == 0 && len(k.Credentials) == 0 }

// Newest are the last of each list alone.
func (k Keys) Newest() Keys {
	return Keys{k.Secrets[max(0, len(k.Secrets)-1):], k.Credentials[max(0, len(k.Credentials)-1):]}
}

// Former are all but the newest.
func (k Keys) Former() Keys {
	return Keys{k.Secrets[:max(0, len(k.Secrets)-1)], k.Credentials[:max(0, len(k.Credentials)-1)]}
}
