package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/eventtype"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Matches says whether a subscription wants an event, and why or why not in words for its author.
func Matches(s config.Subscription, event pimevent.Event) (bool, string) {
	switch {
	case s.PIM != event.PIM:
		return false, fmt.Sprintf("it listens to PIM %q", s.PIM)
	case s.API != event.API:
		return false, fmt.Sprintf("it listens to the %s", s.API)
	}
	at := slices.IndexFunc(s.Events, func(pattern string) bool { return eventtype.Matches(pattern, event.Type) })
	if at < 0 {
		return false, fmt.Sprintf("no entry of events matches the type %q", event.Type)
	}
	why := fmt.Sprintf("%q matches the type", s.Events[at])
	if !event.Delta() || (len(s.Changed.Attributes) == 0 && len(s.Changed.Locales) == 0 && len(s.Changed.Channels) == 0) {
		return true, why
	}
	for _, change := range event.Changes {
		if wanted(s.Changed, change) {
			return true, why + fmt.Sprintf(", and %q has changed", change.Name)
		}
	}
	return false, "nothing that changed is among changed"
}

// wanted says whether a change is in all lists that are not empty. A value without locale or channel is in all of
// them, as in the Event Platform's own filters.
func wanted(c config.Changed, change pimevent.Change) bool {
	in := func(list []string, value string) bool {
		return len(list) == 0 || value == "" || slices.Contains(list, value)
	}
	return (len(c.Attributes) == 0 || slices.Contains(c.Attributes, change.Name)) && in(c.Locales, change.Locale) && in(c.Channels, change.Channel)
}

// foreign says whether the sender names another PIM than ours: refused is true where the PIM lists its sources, odd
// where it only differs from the PIM's URL (a staging system cloned with its connections, perhaps).
func foreign(pim config.PIM, event pimevent.Event) (refused, odd bool) {
	if event.Source == "" {
		return false, false
	}
	same := func(name string) bool { return strings.EqualFold(host(name), host(event.Source)) }
	if len(pim.Sources) > 0 {
		return !slices.ContainsFunc(pim.Sources, same), false
	}
	return false, !same(pim.URL)
}

// host strips what the two spellings of pim_source differ in.
func host(source string) string {
	if _, after, found := strings.Cut(source, "://"); found {
		source = after
	}
	return strings.TrimSuffix(source, "/")
}
