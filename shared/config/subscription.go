package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/eventtype"
)

const (
	addPIM    = "add pim: with a name from pims"
	addAction = "add action: with a name from actions"
)

var (
	apis       = []string{"event-platform", "events-api"}
	deliveries = []string{"every", "latest"}
	expansions = []string{"variants"}
)

var subscriptionKeys = []key{
	{name: "pim", form: formTextOrTexts, need: addPIM, doc: "The PIM that sends, by its name in pims. Several: one for each, NAME_PIM."},
	{name: "api", form: formWord, words: apis, need: "add api: event-platform or events-api", doc: "Which of the PIM's event APIs."},
	{name: "events", form: formTexts, need: "add events: [com.akeneo.pim.v1.product.updated]", doc: "Types of event; * stands for anything."},
	{name: "changed", form: formMapping, keys: changedKeys, doc: "Only if one of these has changed; for delta events."},
	{name: "filter", doc: "The Event Platform's own filter, of at most 500 characters: attribute=\"price\" and not user_type=\"api\". What it leaves out is not sent to us."},
	{name: "identifiers", form: formFlag, doc: "true: the Event Platform's events of products carry the product's identifier."},
	{name: "headers", form: formValues, doc: "Headers that the Event Platform adds, at most 5: for a firewall before us. A value, or secret:NAME."},
	{name: "expand", form: formWord, words: expansions, doc: "variants: in place of a product model its variants are delivered, which no event tells of. With deliver: latest."},
	{name: "deliver", form: formWord, words: deliveries, doc: "every event (default), or the latest state of each entity alone."},
	{name: "shadow", form: formFlag, doc: "true: do all but the action, to compare before a move."},
	{name: "action", need: addAction, doc: "What to do, by its name in actions."},
}

var changedKeys = []key{
	{name: "attributes", form: formTexts, doc: "Codes of attributes, or properties such as categories and labels."},
	{name: "locales", form: formTexts, doc: "Locales; what has no locale is in all."},
	{name: "channels", form: formTexts, doc: "Channels; what has no channel is in all."},
}

var notificationKeys = []key{
	{name: "pim", form: formTextOrTexts, doc: "The PIM, or several, by their names in pims. Default: the PIM that this entry is called after."},
	{name: "action", need: addAction, doc: "What to do, by its name in actions."},
}

func (r *reader) subscriptions(root table, known references) map[string]Subscription {
	subscriptions, at := map[string]Subscription{}, map[string]table{}
	for _, t := range root.named("subscriptions", "subscription") {
		t.takes(subscriptionKeys)
		s := Subscription{
			API:     t.oneOf("api", apis...),
			Changed: t.changed(), Deliver: t.oneOf("deliver", deliveries...), Shadow: t.flag("shadow"),
			Action: t.reference("action", "action", known.actions),
			Filter: t.text("filter"), Identifiers: t.flag("identifiers"), Expand: t.expand(), Headers: t.headers(),
		}
		for _, event := range t.list("events") {
			t.eventType(event, s.API)
			s.Events = append(s.Events, event.text)
		}
		t.filtered(s)
		t.expanded(s)
		delta := slices.ContainsFunc(s.Events, func(pattern string) bool {
			return strings.HasSuffix(pattern, ".delta") || strings.HasSuffix(pattern, "*")
		})
		if e, ok := t.find("changed"); ok && !delta {
			t.warnf(e.key, "subscribe to com.akeneo.pim.v1.product.updated.delta", "changed of %s does nothing: only delta events say what has changed", t.what)
		}
		for _, place := range t.perPIM(known) {
			s.Name, s.PIM = place.name, place.pim
			if _, taken := subscriptions[s.Name]; taken {
				t.errorf(t.at, "rename one", "%s is %q in one of its PIMs, as another subscription is", t.what, s.Name)
			}
			subscriptions[s.Name], at[s.Name] = s, t
		}
	}
	r.apart(subscriptions, at)
	return subscriptions
}

func (t table) changed() Changed {
	sub := t.sub("changed")
	sub.takes(changedKeys)
	return Changed{Attributes: sub.texts("attributes"), Locales: sub.locales("locales"), Channels: sub.texts("channels")}
}

// eventType reports a type, or a pattern, that the API does not send. The Event Platform's types grow: one under its
// prefix may be newer than we.
func (t table) eventType(event scalar, api string) {
	known, prefix, name := eventtype.Known(), eventtype.Prefix, "the Event Platform"
	if api == "events-api" {
		known, prefix, name = eventtype.EventsAPI, "", "the Events API"
	}
	if slices.ContainsFunc(known, func(one string) bool { return eventtype.Matches(event.text, one) }) {
		return
	}
	report := t.errorf
	if api == "event-platform" && strings.HasPrefix(event.text, prefix) {
		report = t.warnf
	}
	if strings.Contains(event.text, "*") {
		report(event.at, "* stands for anything: write for example "+prefix+"product.*", "event %q of %s matches none of %s", event.text, t.what, name)
		return
	}
	remedy := "take one of the vendor's page \"Available events\""
	if best := closestType(event.text, prefix, known); best != "" {
		remedy = fmt.Sprintf("did you mean %q?", best)
	}
	report(event.at, remedy, "event %q of %s is not one of %s", event.text, t.what, name)
}

// closestType is the type of an API that looks most like a text, which may be in the other API's words.
func closestType(text, prefix string, known []string) string {
	words := strings.NewReplacer("product_model", "product-model", ".removed", ".deleted")
	if prefix == "" {
		words = strings.NewReplacer("product-model", "product_model", ".deleted", ".removed", ".delta", "")
	}
	short := make([]string, len(known)) // the prefix is alike in all
	for i, one := range known {
		short[i] = strings.TrimPrefix(one, prefix)
	}
	if best := closest(words.Replace(strings.TrimPrefix(text, eventtype.Prefix)), short); best != "" {
		return prefix + best
	}
	return ""
}

func (r *reader) notifications(root table, known references) map[string]Notification {
	notifications := map[string]Notification{}
	for _, t := range root.named("notifications", "notification") {
		t.takes(notificationKeys)
		action := t.reference("action", "action", known.actions)
		for _, pim := range t.notified(known) {
			if _, taken := notifications[pim.text]; taken {
				t.errorf(pim.at, "keep one: there is one for each PIM", "%s is for pim %q, as another notification is", t.what, pim.text)
			}
			notifications[pim.text] = Notification{PIM: pim.text, Action: action}
		}
	}
	return notifications
}

// notified are the PIMs that a notification is for: those that it names, else the one that it is called after.
func (t table) notified(known references) []scalar {
	if _, ok := t.find("pim"); ok {
		return t.placed(known)
	}
	own := scalar{t.at, t.name()}
	t.refer(own, "name", "pim", known.pims)
	return []scalar{own}
}

// Asks says whether the subscription asks the Event Platform for a type of event.
func (s Subscription) Asks(eventType string) bool {
	return s.API == "event-platform" && slices.ContainsFunc(s.Events, func(pattern string) bool { return eventtype.Matches(pattern, eventType) })
}
