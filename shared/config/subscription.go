package config

import (
	"fmt"
	"slices"
	"strings"
)

// legacyEvents are the event types of the Events API (Akeneo help, "Events reference").
var legacyEvents = []string{
	"product.created", "product.updated", "product.removed",
	"product_model.created", "product_model.updated", "product_model.removed",
}

// platformPrefix begins every event type of the Event Platform (Akeneo help, "Available events"), whose list grows.
const platformPrefix = "com.akeneo.pim.v1."

func (r *reader) subscriptions(root table, known references) map[string]Subscription {
	subscriptions := map[string]Subscription{}
	for _, t := range root.named("subscriptions", "subscription") {
		t.only("pim", "api", "events", "changed", "deliver", "shadow", "action")
		t.need("pim", "add pim: with a name from pims")
		t.need("api", "add api: event-platform or events-api")
		t.needList("events", "add events: [com.akeneo.pim.v1.product.updated]")
		t.need("action", "add action: with a name from actions")
		s := Subscription{
			Name: t.name(), PIM: t.reference("pim", "pim", known.pims), API: t.oneOf("api", "event-platform", "events-api"),
			Changed: t.changed(), Deliver: t.oneOf("deliver", "every", "latest"), Shadow: t.flag("shadow"),
			Action: t.reference("action", "action", known.actions),
		}
		for _, event := range t.list("events") {
			t.eventType(event, s.API)
			s.Events = append(s.Events, event.text)
		}
		delta := slices.ContainsFunc(s.Events, func(pattern string) bool {
			return strings.HasSuffix(pattern, ".delta") || strings.HasSuffix(pattern, "*")
		})
		if e, ok := t.find("changed"); ok && !delta {
			t.warnf(e.key, "subscribe to com.akeneo.pim.v1.product.updated.delta", "changed of %s does nothing: only delta events say what has changed", t.what)
		}
		subscriptions[s.Name] = s
	}
	return subscriptions
}

func (t table) changed() Changed {
	sub := t.sub("changed")
	sub.only("attributes", "locales", "channels")
	return Changed{Attributes: sub.texts("attributes"), Locales: sub.locales("locales"), Channels: sub.texts("channels")}
}

// eventType warns of a type that the API does not send. A * stands for anything.
func (t table) eventType(event scalar, api string) {
	if strings.Contains(event.text, "*") {
		return
	}
	if api == "events-api" && !slices.Contains(legacyEvents, event.text) {
		t.warnf(event.at, nearest(event.text, set(legacyEvents)), "event %q of %s is not one of the Events API", event.text, t.what)
	}
	if api == "event-platform" && !strings.HasPrefix(event.text, platformPrefix) {
		t.warnf(event.at, fmt.Sprintf("types of the Event Platform begin with %s", platformPrefix), "event %q of %s is not one of the Event Platform", event.text, t.what)
	}
}

func (r *reader) notifications(root table, known references) map[string]Notification {
	notifications := map[string]Notification{}
	for _, t := range root.named("notifications", "notification") {
		t.only("action")
		t.need("action", "add action: with a name from actions")
		pim := t.refer(scalar{t.at, t.name()}, "name", "pim", known.pims)
		notifications[pim] = Notification{PIM: pim, Action: t.reference("action", "action", known.actions)}
	}
	return notifications
}
