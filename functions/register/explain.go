package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Explain writes, for one event of a PIM or a delivery of several, which subscriptions match it, and why or why not.
// identities are the names of our own connection; nil: they are not known here.
func Explain(w io.Writer, c *config.Config, pim string, body []byte, identities []string) error {
	events, err := received(pim, body)
	if err != nil {
		return err
	}
	var b strings.Builder
	for i, event := range events {
		if i > 0 {
			b.WriteString("\n")
		}
		explain(&b, c, event, identities)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// received takes a body apart: a delivery of either API, one event of it, or a notification.
func received(pim string, body []byte) ([]pimevent.Event, error) {
	raw, ok := pimevent.Split(body)
	if !ok || len(raw) == 0 {
		return nil, errors.New("that is not the JSON of an event")
	}
	var shape struct {
		Events       []json.RawMessage `json:"events"`
		Action       string            `json:"action"`
		Notification string            `json:"notification_type"`
	}
	_ = json.Unmarshal(raw[0], &shape) // what has another shape is an event of the Event Platform
	api := pimevent.EventPlatform
	switch {
	case shape.Notification != "":
		api = pimevent.Notifications
	case len(shape.Events) > 0:
		api, raw = pimevent.EventsAPI, shape.Events
	case shape.Action != "" && strings.Contains(string(raw[0]), `"event_id"`):
		api = pimevent.EventsAPI
	}
	var events []pimevent.Event
	for _, one := range raw {
		event := pimevent.Decode(api, pim, one)
		if event.Type == "" && event.Notice == nil {
			return nil, errors.New("that is not an event of the PIM: it has neither the type of the Event Platform nor the action of the Events API")
		}
		events = append(events, event)
	}
	return events, nil
}

func explain(b *strings.Builder, c *config.Config, event pimevent.Event, identities []string) {
	if event.Notice != nil {
		fmt.Fprintf(b, "%s, a notification about the subscription %s\n", event.Notice.Type, event.Notice.Subscription)
		if n, there := c.Notifications[event.PIM]; there {
			fmt.Fprintf(b, "  runs %s\n", n.Action)
		} else {
			fmt.Fprintf(b, "  runs nothing: notifications has no %s\n", event.PIM)
		}
		return
	}
	fmt.Fprintf(b, "%s, %s %s, of %s by the %s\n", event.Type, event.Kind, event.EntityID, event.PIM, event.API)
	stopped := false
	for _, verdict := range []func(config.PIM, pimevent.Event, []string) (string, bool){sender, author} {
		text, stops := verdict(c.PIMs[event.PIM], event, identities)
		if text != "" {
			fmt.Fprintf(b, "  %s\n", text)
		}
		stopped = stopped || stops
	}
	for _, name := range slices.Sorted(maps.Keys(c.Subscriptions)) {
		s := c.Subscriptions[name]
		matches, why := engine.Matches(s, event)
		switch {
		case !matches:
			fmt.Fprintf(b, "  %-20s no: %s\n", name, why)
		case stopped:
			fmt.Fprintf(b, "  %-20s would match: %s\n", name, why)
		case s.Shadow:
			fmt.Fprintf(b, "  %-20s matches: %s; in shadow, so it runs nothing\n", name, why)
		case s.Deliver == "latest":
			fmt.Fprintf(b, "  %-20s matches: %s; runs %s, unless something newer of it was applied\n", name, why, s.Action)
		default:
			fmt.Fprintf(b, "  %-20s matches: %s; runs %s\n", name, why, s.Action)
		}
	}
}

// sender says what the worker makes of who sends the event, and whether it stops there.
func sender(pim config.PIM, event pimevent.Event, _ []string) (text string, stops bool) {
	if event.Source == "" {
		return "", false
	}
	same := func(name string) bool { return strings.EqualFold(bare(name), bare(event.Source)) }
	switch {
	case len(pim.Sources) > 0 && !slices.ContainsFunc(pim.Sources, same):
		return fmt.Sprintf("FOREIGN: %q is not among sources of pim %q, so nothing runs", event.Source, pim.Name), true
	case len(pim.Sources) == 0 && !same(pim.URL):
		return fmt.Sprintf("note: it names %q as its sender, not the url of pim %q; with sources: […] such events are refused", event.Source, pim.Name), false
	}
	return "", false
}

// bare strips what the two spellings of pim_source differ in.
func bare(source string) string {
	if _, after, found := strings.Cut(source, "://"); found {
		source = after
	}
	return strings.TrimSuffix(source, "/")
}

// author says whether we caused the event ourselves, and whether the worker stops there.
func author(pim config.PIM, event pimevent.Event, identities []string) (text string, stops bool) {
	who := event.Author
	switch {
	case who.Type != "api" || who.Identifier == "":
		return "", false
	case slices.Contains(pim.Self, who.Identifier) || slices.Contains(identities, who.Identifier):
		return fmt.Sprintf("OURS: %q is our own connection, so nothing runs", who.Identifier), true
	case identities == nil:
		return fmt.Sprintf("note: caused by the connection %q; nothing runs if that is ours (--file, or --signing-id and --connection-id, would tell)", who.Identifier), false
	}
	return "", false
}
