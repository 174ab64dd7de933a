package register

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// platform compares the Event Platform of a PIM: our subscriber, and its subscriptions.
func (c *comparison) platform(d DeclaredPIM, s PIMState) {
	mine := slices.DeleteFunc(slices.Clone(s.Subscribers), func(one platformapi.Subscriber) bool {
		if c.Subscriber != "" {
			return one.ID != c.Subscriber
		}
		return one.Name != subscriberName(c.Stage) || one.Status != platformapi.Active || !platformapi.SamePIM(one.Subject, d.PIM.URL)
	})
	for _, one := range s.Subscribers {
		if one.Name == subscriberName(c.Stage) && one.Status == platformapi.Revoked && d.Listener != nil {
			c.note("%s: subscriber %s is revoked, since its connection is gone or may no longer use the Event Platform. What it subscribed to is not sent any more.", d.PIM.Name, one.ID)
		}
	}
	if d.Listener == nil {
		for _, subscriber := range mine {
			c.undeclaredSubscriber(d.PIM, subscriber, s)
		}
		return
	}
	for _, note := range d.Listener.Notes {
		c.note("%s: %s", d.PIM.Name, note)
	}
	if len(mine) == 0 {
		c.newSubscriber(d, s)
		return
	}
	c.changedSubscriber(*d.Listener, mine[0])
	c.subscriptions(*d.Listener, mine[0], s)
	for _, subscriber := range mine[1:] {
		c.undeclaredSubscriber(d.PIM, subscriber, s)
	}
}

func subscriberName(stage string) string { return "pim-functions " + stage }

// newSubscriber makes a subscriber with all its subscriptions.
func (c *comparison) newSubscriber(d DeclaredPIM, s PIMState) {
	l := *d.Listener
	if c.Subscriber != "" {
		c.hand(ByHand{
			What: ASubscriber, Name: c.Subscriber, PIM: d.PIM.Name, Blocks: true, Why: fmt.Sprintf("the connection has no subscriber %q", c.Subscriber),
			Steps: []string{"leave --subscriber out to find or make ours"},
		})
		return
	}
	contact := l.Subscriber.Contact
	var f fields
	f.set("technical_email", contact.TechnicalEmail)
	f.set("notification_channels", contact.Channels)
	f.set("notification_webhook_url", contact.WebhookURL)
	if contact.WebhookSecret != "" {
		f.secret("notification_webhook_secret")
	}
	c.main = append(c.main, Change{Op: Create, What: ASubscriber, Name: l.Subscriber.Name, PIM: d.PIM.Name, Fields: f, subscriber: l.Subscriber, place: "event-platform." + d.PIM.Name + "/notifications"})
	for _, wanted := range l.Subscriptions {
		c.main = append(c.main, newSubscription(l, wanted, ""))
	}
	if slices.ContainsFunc(s.Extensions, func(e pim.Extension) bool { return owned(e.Description, c.Stage) == ours }) {
		c.hand(ByHand{
			What: ASubscriber, Name: l.Subscriber.Name, PIM: d.PIM.Name, URL: d.PIM.URL + "/#/connect/connection-settings",
			Why: "extensions of ours are in the PIM, but this connection has no subscriber of ours. If the PIM's connection was changed, the subscriber of the one before goes on delivering, and nobody sees it from here",
			Steps: []string{
				"run pimctl down --pim " + d.PIM.Name + " with the connection before in the connection document, or",
				"delete that connection in the PIM under Connect > Connection settings: that revokes what it subscribed to",
			},
		})
	}
}

// changedSubscriber compares the contact. A webhook that is not ours stays where none is declared.
func (c *comparison) changedSubscriber(l Listener, there platformapi.Subscriber) {
	contact := l.Subscriber.Contact
	place := "event-platform." + l.PIM.Name + "/notifications"
	if contact.WebhookURL == "" {
		if there.Contact.WebhookURL == l.Destination.URL+"/notifications" {
			contact.Channels = []string{"email"} // it was declared before
		} else {
			contact.Channels, contact.WebhookURL = there.Contact.Channels, there.Contact.WebhookURL
		}
	}
	var f fields
	f.differ("technical_email", there.Contact.TechnicalEmail, contact.TechnicalEmail)
	f.differ("notification_channels", channels(there.Contact), channels(contact))
	if slices.Contains(channels(contact), "webhook") {
		f.differ("notification_webhook_url", there.Contact.WebhookURL, contact.WebhookURL)
	}
	if contact.WebhookSecret != "" && (len(f) > 0 || c.sends(place)) {
		f.secret("notification_webhook_secret")
	}
	if len(f) == 0 {
		return
	}
	request := l.Subscriber
	request.Contact = contact
	c.main = append(c.main, Change{Op: Update, What: ASubscriber, Name: there.Name, PIM: l.PIM.Name, Fields: f, id: there.ID, subscriber: request, place: place})
}

// channels are those that hold: none are e-mail.
func channels(contact platformapi.Contact) []string {
	if len(contact.Channels) == 0 {
		return []string{"email"}
	}
	return slices.Sorted(slices.Values(contact.Channels))
}

// subscriptions compares what our subscriber listens to.
func (c *comparison) subscriptions(l Listener, subscriber platformapi.Subscriber, s PIMState) {
	there := slices.DeleteFunc(slices.Clone(s.Subscriptions[subscriber.ID]), func(one platformapi.Subscription) bool {
		return one.Status == platformapi.Deleted || one.Status == platformapi.Revoked
	})
	for _, one := range s.Subscriptions[subscriber.ID] {
		if one.Status == platformapi.Revoked && l.sends(one) {
			c.note("%s: subscription %s is revoked, for good: %s. A new one takes its place.", l.PIM.Name, one.ID, cmp.Or(s.Reasons[one.ID], "the platform's logs do not say why"))
		}
	}
	pairs, rest := pair(l.Subscriptions, there, l.sends, c.Subscriber == "")
	created := 0
	for i, wanted := range l.Subscriptions {
		if pairs[i] != nil {
			c.changedSubscription(l, wanted, *pairs[i], s)
			continue
		}
		c.main = append(c.main, newSubscription(l, wanted, subscriber.ID))
		created++
	}
	for _, other := range rest {
		switch {
		case !l.sends(other):
			c.note("%s: subscription %s (%d types, %s) is not ours, and is left alone", l.PIM.Name, other.ID, len(other.Events), other.Status)
		case !c.Prune:
			c.note("%s: subscription %s is ours and no longer declared. Its %d types still come, those that others ask for twice. --prune deletes it.", l.PIM.Name, other.ID, len(other.Events))
		default:
			gone := deletedSubscription(l.PIM, other)
			if len(there)+created > platformapi.MaxSubscriptions { // there is no room for the new ones before
				c.first = append(c.first, gone)
			} else {
				c.last = append(c.last, gone)
			}
		}
	}
}

// sends says whether a subscription sends a PIM's events to this deployment.
func (l Listener) sends(s platformapi.Subscription) bool {
	return s.Type == "https" && strings.TrimRight(s.URL, "/") == l.Destination.URL && platformapi.SamePIM(s.Subject, l.PIM.URL)
}

func eventPlace(pim string) string { return "event-platform." + pim }

func newSubscription(l Listener, wanted Listened, owner string) Change {
	var f fields
	f.set("events", wanted.Events)
	f.set("url", l.Destination.URL)
	f.set("filter", wanted.Filter)
	f.set("identifiers", wanted.Identifiers)
	f.set("headers", wanted.HeaderNames())
	f.secret("config.secret.primary")
	if l.Destination.Secret.Secondary != "" {
		f.secret("config.secret.secondary")
	}
	request := wanted.Request(l.PIM.URL, l.Destination)
	if own := &request.Config.Secret; own.Secondary != "" { // the platform signs with both; every function knows the older one
		own.Primary, own.Secondary = own.Secondary, own.Primary
	}
	return Change{Op: Create, What: ASubscription, Name: wanted.Name, PIM: l.PIM.Name, Fields: f, declared: wanted.Name, owner: owner, place: eventPlace(l.PIM.Name), request: request}
}

// changedSubscription compares all that the platform shows of a subscription. Its configuration is sent whole.
func (c *comparison) changedSubscription(l Listener, wanted Listened, there platformapi.Subscription, s PIMState) {
	var f fields
	change := Change{Op: Update, What: ASubscription, Name: wanted.Name, PIM: l.PIM.Name, declared: wanted.Name, id: there.ID, owner: there.Subscriber}
	if from := slices.Sorted(slices.Values(there.Events)); !slices.Equal(from, wanted.Events) {
		f.differ("events", from, wanted.Events)
		change.change.Events = wanted.Events
	}
	if there.Filter != wanted.Filter {
		f.differ("filter", there.Filter, wanted.Filter)
		change.change.Filter = &wanted.Filter
	}
	if there.Identifier != wanted.Identifiers {
		f.differ("identifiers", there.Identifier, wanted.Identifiers)
		change.change.Identifier = &wanted.Identifiers
	}
	settings := len(f)
	if strings.TrimRight(there.URL, "/") != l.Destination.URL {
		f.differ("url", there.URL, l.Destination.URL)
	}
	if from, to := slices.Sorted(slices.Values(there.Headers)), wanted.HeaderNames(); !slices.Equal(from, to) {
		f.differ("headers", append([]string{}, from...), append([]string{}, to...))
	}
	if there.Secondary != (l.Destination.Secret.Secondary != "") || c.sends(eventPlace(l.PIM.Name)) {
		f.secret("config.secret")
	}
	if len(f) > settings {
		to := wanted.to(l.Destination)
		change.change.Config, change.place = &to, eventPlace(l.PIM.Name)
	}
	if there.Status == platformapi.Suspended {
		if c.Resume {
			f.differ("status", there.Status, platformapi.Active)
			change.resume = true
		} else {
			c.hand(suspended(l.PIM, wanted.Name, there, s.Reasons[there.ID]))
		}
	}
	if change.Fields = f; len(f) > 0 {
		c.main = append(c.main, change)
	}
}

func suspended(in config.PIM, name string, there platformapi.Subscription, reason string) ByHand {
	if reason == "" {
		reason = "the platform's logs do not say why"
	}
	return ByHand{
		What: ASubscription, Name: name, PIM: in.Name, Blocks: true,
		Why: fmt.Sprintf("subscription %s is suspended, and its events are lost meanwhile: %s", there.ID, reason),
		Steps: []string{
			"end the cause first: the platform may revoke what is resumed again and again", "then run this again with --resume",
			"read what changed meanwhile from the PIM: it is not sent again",
		},
	}
}

func deletedSubscription(in config.PIM, there platformapi.Subscription) Change {
	return Change{Op: Delete, What: ASubscription, Name: there.ID, PIM: in.Name, id: there.ID, owner: there.Subscriber}
}

// undeclaredSubscriber is one of ours for which nothing is declared. What it sends elsewhere keeps it.
func (c *comparison) undeclaredSubscriber(in config.PIM, subscriber platformapi.Subscriber, s PIMState) {
	own := Listener{PIM: in, Destination: platformapi.Destination{URL: c.Base + "/event-platform/" + in.Name}}
	foreign := 0
	for _, one := range s.Subscriptions[subscriber.ID] {
		switch {
		case one.Status == platformapi.Deleted || one.Status == platformapi.Revoked:
		case !own.sends(one):
			foreign++
		case c.Prune:
			c.last = append(c.last, deletedSubscription(in, one))
		default:
			c.note("%s: subscription %s is ours and no longer declared: its events still come. --prune deletes it.", in.Name, one.ID)
		}
	}
	switch {
	case foreign > 0:
		c.note("%s: subscriber %s has %d subscriptions that are not ours, and stays", in.Name, subscriber.Name, foreign)
	case c.Prune && c.Subscriber == "":
		c.last = append(c.last, Change{Op: Delete, What: ASubscriber, Name: subscriber.Name, PIM: in.Name, id: subscriber.ID})
	}
}

// eventsAPI says what to click for the older Events API, which nothing can register at.
func (c *comparison) eventsAPI(d DeclaredPIM) {
	if len(d.EventsAPI) == 0 {
		return
	}
	c.hand(ByHand{
		What: "events-api", Name: strings.Join(d.EventsAPI, ", "), PIM: d.PIM.Name, URL: d.PIM.URL + "/#/connect/connection-settings",
		Why: "the Events API (until 2026-12-31) has no API to register at, and nobody can see from here whether it is done",
		Steps: []string{
			"open the connection > Event subscription, and set Event subscription activation to Yes",
			fmt.Sprintf("Request URL: %s/events-api/%s", c.Base, d.PIM.Name),
			fmt.Sprintf(`Secret: copy it into events-api.%s of the signing document, as ["…"], before the next step`, d.PIM.Name),
			"Test, then Save",
		},
	})
}
