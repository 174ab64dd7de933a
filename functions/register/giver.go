package register

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// Give implements Giver by the changes with which a plan sends the secrets of a place: complete ones, since whether a sender
// merges a part is not documented. What no API takes, or none that we may use, is for a person.
func (s Session) Give(ctx context.Context, place Place, _ Keys) error {
	hand := func(why string) error { return &HandError{why + "; " + byHand(place)} }
	if _, known := s.Senders.PIMs[place.PIM]; place.PIM != "" && !known {
		return hand("the connection of the PIM is not known here")
	}
	if place.Kind == OfContentful && s.Senders.Contentful == nil {
		return hand("Contentful is not known here (" + s.Senders.Refused + ")")
	}
	s.Config, s.Options = heldTo(s.Config, place), Options{SendSecrets: true}
	plan, err := s.Plan(ctx)
	if forbidden(err) {
		return hand("the API does not let us (" + err.Error() + ")")
	}
	if err != nil {
		return err
	}
	given := 0
	for _, change := range plan.Changes {
		if !place.sends(change) {
			continue
		}
		if change.Op == Create && change.What != ASigningSecret {
			return fmt.Errorf("%s %s is not there: run apply first", change.What, change.Name)
		}
		if err := (writer{senders: s.Senders, subscribers: map[string]string{}}).write(ctx, change); err != nil {
			return fmt.Errorf("%s %s: %w", change.What, change.Name, err)
		}
		given++
	}
	if given > 0 {
		return nil
	}
	for _, one := range plan.ByHand {
		if one.Blocks {
			return hand(one.Why)
		}
	}
	return hand("nothing of ours was found at the sender")
}

// sends says whether a change gives its sender the secrets of the place.
func (p Place) sends(c Change) bool {
	switch p.Kind {
	case OfEvents:
		return c.What == ASubscription && c.place == p.Name
	case OfNotifications:
		return c.What == ASubscriber && c.place == p.Name
	case OfContentful:
		return c.What == ASigningSecret && c.place == p.Name
	}
	return c.What == AnExtension && strings.HasPrefix(c.place, "extensions."+p.Target+".")
}

// heldTo leaves in a configuration what tells the sender of a place its secrets, so that no other sender is asked.
func heldTo(c *config.Config, place Place) *config.Config {
	one := *c
	one.PIMs, one.Extensions = map[string]config.PIM{}, map[string]config.Extension{}
	if pim, there := c.PIMs[place.PIM]; there {
		one.PIMs[place.PIM] = pim
	}
	switch place.Kind {
	case OfContentful:
		one.Subscriptions, one.Notifications = nil, nil
	case OfEvents, OfNotifications:
		one.Contentful.Actions = nil
	default:
		one.Extensions[place.Target] = c.Extensions[place.Target]
		one.Subscriptions, one.Notifications, one.Contentful.Actions = nil, nil, nil
	}
	return &one
}

// forbidden says that a sender does not let our connection use its API.
func forbidden(err error) bool {
	if failed, ok := errors.AsType[*pim.Error](err); ok {
		return failed.Status == http.StatusForbidden || failed.NotFound()
	}
	failed, ok := errors.AsType[*platformapi.Error](err)
	return ok && failed.Status == http.StatusForbidden
}

var _ Giver = Session{}
