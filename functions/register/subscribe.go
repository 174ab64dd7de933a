package register

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// Subscribe brings the Event Platform to what a Listener wants. What is right stays as it is, so that a second run
// changes nothing; what is not ours is left alone.
type Subscribe struct {
	Client      *platformapi.Client
	Out         io.Writer // says what is done, line by line
	Subscriber  string    // ID of the one to use; "": by name
	SendSecrets bool      // to what is there already: the platform shows no secrets, so that one cannot see that they differ
	Resume      bool      // what is suspended
	Prune       bool      // delete what is sent to our address and no longer declared
}

// Run does it, and says how much was changed. After an error, running it again goes on.
func (s Subscribe) Run(ctx context.Context, l Listener) (changes int, err error) {
	r := &subscribing{Subscribe: s, Listener: l}
	fmt.Fprintf(s.Out, "%s, %s\n", l.PIM.Name, l.PIM.URL)
	for _, note := range l.Notes {
		r.say("%s", note)
	}
	id, err := r.subscriber(ctx)
	if err != nil {
		return r.changes, err
	}
	return r.changes, r.subscriptions(ctx, id)
}

// subscribing is one run.
type subscribing struct {
	Subscribe
	Listener
	changes int
}

func (r *subscribing) say(format string, args ...any) { fmt.Fprintf(r.Out, "  "+format+"\n", args...) }

func (r *subscribing) changed(format string, args ...any) {
	r.changes++
	r.say(format, args...)
}

// subscriber finds ours, or makes it, and keeps its contact.
func (r *subscribing) subscriber(ctx context.Context) (id string, err error) {
	want := r.Listener.Subscriber
	list, err := r.Client.ListSubscribers(ctx)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(list, func(s platformapi.Subscriber) bool {
		if r.Subscribe.Subscriber != "" {
			return s.ID == r.Subscribe.Subscriber
		}
		return s.Name == want.Name && s.Status == platformapi.Active && platformapi.SamePIM(s.Subject, r.PIM.URL)
	})
	switch {
	case at < 0 && r.Subscribe.Subscriber != "":
		return "", fmt.Errorf("the connection has no subscriber %q: leave --subscriber out to find or make one", r.Subscribe.Subscriber)
	case at < 0:
		made, err := r.Client.CreateSubscriber(ctx, want)
		if err != nil {
			return "", err
		}
		r.changed("subscriber %s: made, %s", want.Name, made.ID)
		return made.ID, nil
	}
	found, contact := list[at], want.Contact
	if contact.WebhookURL == "" { // not declared: what was set by hand stays
		contact.Channels, contact.WebhookURL = found.Contact.Channels, found.Contact.WebhookURL
	}
	same := contact.TechnicalEmail == found.Contact.TechnicalEmail && contact.WebhookURL == found.Contact.WebhookURL &&
		slices.Equal(slices.Sorted(slices.Values(contact.Channels)), slices.Sorted(slices.Values(found.Contact.Channels)))
	if same && (!r.SendSecrets || contact.WebhookSecret == "") {
		r.say("subscriber %s: there, %s", found.Name, found.ID)
		return found.ID, nil
	}
	if err := r.Client.UpdateContact(ctx, found.ID, contact); err != nil {
		return "", err
	}
	r.changed("subscriber %s: contact sent, %s", found.Name, found.ID)
	return found.ID, nil
}

// subscriptions makes and changes what differs.
func (r *subscribing) subscriptions(ctx context.Context, subscriber string) error {
	list, err := r.Client.ListSubscriptions(ctx, subscriber)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(s platformapi.Subscription) bool {
		return s.Status == platformapi.Deleted || s.Status == platformapi.Revoked
	})
	ours := func(s platformapi.Subscription) bool {
		return strings.TrimRight(s.URL, "/") == r.Destination.URL && platformapi.SamePIM(s.Subject, r.PIM.URL)
	}
	pairs, rest := pair(r.Listener.Subscriptions, list, ours)
	for i, wanted := range r.Listener.Subscriptions {
		if pairs[i] != nil {
			err = r.keep(ctx, subscriber, wanted, *pairs[i])
		} else {
			err = r.make(ctx, subscriber, wanted)
		}
		if err != nil {
			return fmt.Errorf("subscription %q: %w", wanted.Name, err)
		}
	}
	for _, other := range rest {
		where := "to " + other.URL
		if other.Type != "https" {
			where = "by " + other.Type
		}
		switch {
		case !ours(other):
			r.say("not ours, left alone: %s, %s, %d types %s", other.ID, other.Status, len(other.Events), where)
		case !r.Prune:
			r.say("no longer declared: %s, %s. Its %d types still come, those that others ask for twice. --prune deletes it.", other.ID, other.Status, len(other.Events))
		default:
			if err := r.Client.DeleteSubscription(ctx, subscriber, other.ID); err != nil {
				return err
			}
			r.changed("no longer declared: %s deleted", other.ID)
		}
	}
	return nil
}

func (r *subscribing) make(ctx context.Context, subscriber string, wanted Listened) error {
	made, err := r.Client.CreateSubscription(ctx, subscriber, wanted.Request(r.PIM.URL, r.Destination))
	if err != nil {
		return err
	}
	r.changed("subscription %s: made, %s, %s", wanted.Name, made.ID, wanted.describe())
	return nil
}

// keep changes what is there to what is wanted.
func (r *subscribing) keep(ctx context.Context, subscriber string, wanted Listened, there platformapi.Subscription) error {
	var change platformapi.SubscriptionChange
	var what []string
	if added, removed := without(wanted.Events, there.Events), without(there.Events, wanted.Events); len(added)+len(removed) > 0 {
		change.Events = wanted.Events
		for _, name := range added {
			what = append(what, "+"+name)
		}
		for _, name := range removed {
			what = append(what, "-"+name)
		}
	}
	if wanted.Filter != "" && wanted.Filter != there.Filter {
		change.Filter = &wanted.Filter
		what = append(what, "filter "+wanted.Filter)
	}
	if wanted.Identifiers && !there.Identifier {
		change.Identifier = &wanted.Identifiers
		what = append(what, "identifiers")
	}
	if r.SendSecrets || there.Secondary != (r.Destination.Secret.Secondary != "") {
		change.Config = &r.Destination
		what = append(what, "secrets sent")
	}
	if len(what) == 0 {
		r.say("subscription %s: there, %s, %s, %s", wanted.Name, there.ID, there.Status, wanted.describe())
	} else {
		if err := r.Client.UpdateSubscription(ctx, subscriber, there.ID, change); err != nil {
			return err
		}
		r.changed("subscription %s: changed, %s: %s", wanted.Name, there.ID, strings.Join(what, ", "))
		if change.Config != nil && len(there.Headers) > 0 {
			r.say("  its own headers have to be set again, for the platform does not show their values: %s", strings.Join(there.Headers, ", "))
		}
	}
	if there.Filter != "" && wanted.Filter == "" {
		r.say("  it has a filter, which stays as it is: %s", there.Filter)
	}
	return r.wake(ctx, subscriber, wanted, there)
}

// wake resumes what is suspended, or says how.
func (r *subscribing) wake(ctx context.Context, subscriber string, wanted Listened, there platformapi.Subscription) error {
	switch {
	case there.Status != platformapi.Suspended:
		return nil
	case !r.Resume:
		r.say("  SUSPENDED: its events are lost meanwhile. End the cause first (README, what our answer does there): the platform may")
		r.say("  revoke what is resumed again and again. Then run this again with --resume.")
		return nil
	}
	if err := r.Client.ResumeSubscription(ctx, subscriber, there.ID); err != nil {
		return err
	}
	r.changed("subscription %s: resumed. What happened meanwhile is not sent: read what changed from the PIM.", wanted.Name)
	return nil
}

func (l Listened) describe() string {
	text := fmt.Sprintf("%d types", len(l.Events))
	if l.Filter != "" {
		text += ", filtered"
	}
	if l.Shadow {
		text += ", in shadow"
	}
	return text
}

// pair finds for each wanted subscription the one that is there for it: of those that are ours, the one with the same
// types, else the one that shares most with it. The platform keeps no names. rest is what is left.
func pair(wanted []Listened, there []platformapi.Subscription, ours func(platformapi.Subscription) bool) (pairs []*platformapi.Subscription, rest []platformapi.Subscription) {
	pairs = make([]*platformapi.Subscription, len(wanted))
	taken := make([]bool, len(there))
	const (
		exact     = iota // the same types
		some             // a type in common
		anyOfOurs        // left over
	)
	// The best come first, so that nothing is taken from who needs no change.
	for _, likeness := range []int{exact, some, anyOfOurs} {
		for i, w := range wanted {
			best, most := -1, -1
			for j, s := range there {
				shared := len(w.Events) - len(without(w.Events, s.Events))
				same := shared == len(w.Events) && len(without(s.Events, w.Events)) == 0
				alike := same || likeness == some && shared > 0 || likeness == anyOfOurs
				if pairs[i] == nil && !taken[j] && ours(s) && alike && shared > most {
					best, most = j, shared
				}
			}
			if best >= 0 {
				pairs[i], taken[best] = &there[best], true
			}
		}
	}
	for j, s := range there {
		if !taken[j] {
			rest = append(rest, s)
		}
	}
	return pairs, rest
}

// without is what stands in a list and not in another.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(other, name) })
}
