package register

import (
	"context"
	"fmt"
)

// byHand says where a person gives the newest secret of a place to its sender.
func byHand(place Place) string {
	const shown = "`pimctl secrets --show` shows it"
	switch place.Kind {
	case OfEvents:
		return fmt.Sprintf("send the newest secret of %s as config.secret.primary of the PIM's subscriptions at the Event Platform (%s)", place.Name, shown)
	case OfNotifications:
		return fmt.Sprintf("send the newest secret of %s as notification_webhook_secret of the subscriber at the Event Platform (%s)", place.Name, shown)
	case OfContentful:
		return fmt.Sprintf("in Contentful: Apps > the app > Security > signing secret: the newest of contentful (%s)", shown)
	case OfData:
		return fmt.Sprintf("in the PIM: System > Extensions > %s > Credentials: the newest of extensions.%s.credential (%s)", place.Name, place.Name, shown)
	}
	return fmt.Sprintf("in the PIM: System > Extensions > %s > Secret (and Credentials, where it has some): the newest of extensions.%s (%s)", place.Name, place.Name, shown)
}

// eventsAPIByHand is for the one secret that its sender makes: it cannot be added before the sender has it.
func eventsAPIByHand(place Place) string {
	return fmt.Sprintf("%s: the PIM makes this secret, and signs with it at once. In the PIM: Connect > Connection settings > the connection > Event subscription > Regenerate; "+
		"then add the new one to the list events-api.%s in the signing document, and take the old one out. Events between the two are lost: do it when nothing changes in the PIM", place.Name, place.PIM)
}

// Hands is the Giver of whoever gives each secret to its sender by hand.
type Hands struct{}

var _ Giver = Hands{}

// Give implements Giver: it says what to do.
func (Hands) Give(_ context.Context, place Place, _ Keys) error { return &HandError{byHand(place)} }
