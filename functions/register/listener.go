package register

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Listener is what the Event Platform is to know of us for one PIM.
type Listener struct {
	PIM           config.PIM
	Subscriber    platformapi.SubscriberRequest
	Destination   platformapi.Destination
	Subscriptions []Listened
	Notes         []string // what a person may wonder about
}

// Listened is one declared subscription with the types that it asks the platform for.
type Listened struct {
	Name   string
	Events []string
	Shadow bool

	Filter      string // "": none is declared
	Identifiers bool
	Headers     map[string]string // that the platform adds; placeholders for the shell ($VALUE_WAF_KEY) until resolve fills them in
}

// HeaderNames are the names of the headers, sorted.
func (l Listened) HeaderNames() []string { return slices.Sorted(maps.Keys(l.Headers)) }

// to is a destination with the headers of the subscription.
func (l Listened) to(destination platformapi.Destination) platformapi.Destination {
	destination.Headers = l.Headers
	return destination
}

// resolve fills in the values of the connection secret that the headers name.
func (l *Listener) resolve(c *config.Config, values map[string]string) error {
	for _, one := range l.Subscriptions {
		for name, text := range c.Subscriptions[one.Name].Headers {
			secret := config.Secret(text)
			if secret == "" {
				continue
			}
			value, there := values[secret]
			if !there {
				return fmt.Errorf("subscription %q, header %s: values.%s is not in the connection document: put it there", one.Name, name, secret)
			}
			one.Headers[name] = value
		}
	}
	return nil
}

// headers of a subscription, with placeholders for what the connection secret holds.
func headers(s config.Subscription) map[string]string {
	all := maps.Clone(s.Headers)
	for name, text := range all {
		if secret := config.Secret(text); secret != "" {
			all[name] = "$VALUE_" + strings.TrimPrefix(Variable(secret), "SECRET_")
		}
	}
	return all
}

// Request is what the subscription is made from.
func (l Listened) Request(pim string, to platformapi.Destination) platformapi.SubscriptionRequest {
	request := platformapi.NewSubscription(pim, l.Events, l.to(to))
	request.Filter, request.Identifier = l.Filter, l.Identifiers
	return request
}

// Listeners lists what extensions.yaml wants of the Event Platform, by PIM. Secrets are placeholders for the shell
// ($EVENT_PLATFORM_SECRET, $NOTIFICATION_SECRET) unless signing is given.
//
// A type that several subscriptions of a PIM declare is asked for once, by the first of them by name: the platform
// would deliver it once per subscription, and every delivery reaches all that match anyway.
func Listeners(c *config.Config, base string, signing *secrets.Signing) ([]Listener, error) {
	var all []Listener
	var wrong error
	for _, pim := range slices.Sorted(maps.Keys(c.PIMs)) {
		declared := declaredFor(c, pim, "event-platform")
		if len(declared) == 0 {
			continue
		}
		l, err := listener(c, c.PIMs[pim], base, signing, declared)
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		all = append(all, l)
	}
	return all, wrong
}

// endsOfActions is the name of a subscription that no file declares: to what actions are told by how they ended
// (actions.Heard), where the declared ones do not bring it.
const endsOfActions = "ends-of-actions"

// declaredFor lists the subscriptions of a PIM at one of its APIs, by name, then endsOfActions.
func declaredFor(c *config.Config, pim, api string) []config.Subscription {
	var declared []config.Subscription
	for _, name := range slices.Sorted(maps.Keys(c.Subscriptions)) {
		if s := c.Subscriptions[name]; s.PIM == pim && s.API == api {
			declared = append(declared, s)
		}
	}
	if api != "event-platform" {
		return declared
	}
	ends := config.Subscription{Name: endsOfActions, PIM: pim, API: api}
	for _, kind := range slices.Sorted(maps.Keys(actions.Heard(c)[pim])) {
		if !slices.ContainsFunc(declared, func(s config.Subscription) bool { return s.Asks(kind) }) {
			ends.Events = append(ends.Events, kind)
		}
	}
	if len(ends.Events) > 0 {
		declared = append(declared, ends)
	}
	return declared
}

func listener(c *config.Config, pim config.PIM, base string, signing *secrets.Signing, declared []config.Subscription) (Listener, error) {
	if pim.TechnicalEmail == "" {
		return Listener{}, fmt.Errorf("pim %q has no technical_email in extensions.yaml: add one; the Event Platform writes to it when it suspends us", pim.Name)
	}
	l := Listener{PIM: pim}
	l.Subscriber.Name = "pim-functions " + c.Stage
	l.Subscriber.Contact.TechnicalEmail = pim.TechnicalEmail
	address := base + "/event-platform/" + pim.Name
	own := []string{"$EVENT_PLATFORM_SECRET"}
	if signing != nil {
		var err error
		if own, err = newest(signing.EventPlatform, pim.Name, base); err != nil {
			return Listener{}, err
		}
	}
	l.Destination = platformapi.Destination{URL: address, Secret: platformapi.Secret{Primary: own[0]}}
	if len(own) > 1 {
		l.Destination.Secret.Secondary = own[1]
	}
	if _, wanted := c.Notifications[pim.Name]; wanted {
		secret := []string{"$NOTIFICATION_SECRET"}
		if signing != nil {
			var err error
			if secret, err = newest(signing.EventPlatform, pim.Name+"/notifications", base); err != nil {
				return Listener{}, err
			}
		}
		contact := &l.Subscriber.Contact
		contact.Channels, contact.WebhookURL, contact.WebhookSecret = []string{"email", "webhook"}, address+"/notifications", secret[0]
	}
	return l, l.listen(declared)
}

// listen finds what each subscription asks the platform for.
func (l *Listener) listen(declared []config.Subscription) error {
	slices.SortStableFunc(declared, func(a, b config.Subscription) int { // who has no filter asks first, and misses nothing
		return cmp.Compare(min(len(a.Filter), 1), min(len(b.Filter), 1))
	})
	by := map[string]string{} // type → who asks for it
	wildcard := false
	for _, s := range declared {
		types, empty := platformapi.Expand(s.Events)
		if len(empty) > 0 {
			return fmt.Errorf("subscription %q: %q matches no event type that is known here: write the types in full; the Event Platform takes no wildcards", s.Name, empty[0])
		}
		wildcard = wildcard || strings.Contains(strings.Join(s.Events, ""), "*")
		var own, others []string
		for _, name := range types {
			if other, taken := by[name]; taken {
				others = append(others, other)
				continue
			}
			by[name] = s.Name
			own = append(own, name)
		}
		if len(others) > 0 {
			slices.Sort(others)
			l.Notes = append(l.Notes, fmt.Sprintf("subscription %s: %d of its %d types come with %s", s.Name, len(others), len(types), strings.Join(slices.Compact(others), ", ")))
		}
		if len(own) > 0 {
			l.Subscriptions = append(l.Subscriptions, Listened{Name: s.Name, Events: own, Shadow: s.Shadow, Filter: s.Filter, Identifiers: s.Identifiers, Headers: headers(s)})
		}
	}
	for _, s := range declared { // whose types another subscription asks for
		types, _ := platformapi.Expand(s.Events)
		for n := range l.Subscriptions {
			asks := func(name string) bool { return by[name] == l.Subscriptions[n].Name }
			l.Subscriptions[n].Identifiers = l.Subscriptions[n].Identifiers || s.Identifiers && slices.ContainsFunc(types, asks)
		}
	}
	if len(l.Subscriptions) > platformapi.MaxSubscriptions {
		return fmt.Errorf("pim %q: %d subscriptions, and the Event Platform takes %d: declare fewer with more events each", l.PIM.Name, len(l.Subscriptions), platformapi.MaxSubscriptions)
	}
	documented := platformapi.Types()
	for _, name := range slices.Sorted(maps.Keys(by)) {
		if !slices.Contains(documented, name) {
			l.Notes = append(l.Notes, fmt.Sprintf("%s is not among the documented types: check its spelling if it is refused", name))
		}
		if whole, ok := strings.CutSuffix(name, ".delta"); ok && by[whole] != "" {
			l.Notes = append(l.Notes, fmt.Sprintf("%s and %s tell of the same change: whoever matches both runs twice", whole, name))
		}
	}
	if wildcard {
		l.Notes = append(l.Notes, fmt.Sprintf("the Event Platform takes no wildcards: * stands for those of the %d documented types that it matches. Name newer ones in full.", len(platformapi.Types())))
	}
	return nil
}

// newest are the last secret of a list, which is the newest, and the one before it. Published samples will do for a deployment
// on this machine alone.
func newest(lists map[string][]string, name, base string) ([]string, error) {
	list := lists[name]
	if len(list) == 0 {
		return nil, fmt.Errorf("event-platform.%s: no secret in the signing document: run make secrets", name)
	}
	var own []string
	for i := len(list) - 1; i >= 0 && len(own) < 2; i-- {
		length := utf8.RuneCountInString(list[i])
		switch {
		case length < platformapi.MinSecret || length > platformapi.MaxSecret:
			return nil, fmt.Errorf("event-platform.%s: secret %d has not %d to %d characters: correct the signing document", name, i, platformapi.MinSecret, platformapi.MaxSecret)
		case secrets.IsSample(list[i]) && !strings.HasPrefix(base, "http://"):
			return nil, fmt.Errorf("event-platform.%s: secret %d is a published sample, with which anybody could sign: take it out of the signing document and run make secrets", name, i)
		}
		own = append(own, list[i])
	}
	return own, nil
}
