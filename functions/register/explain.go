package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Explained is what the subscriptions make of one event.
type Explained struct {
	Type          string    `json:"type"`
	Kind          string    `json:"kind,omitempty"`   // of what it is about
	Entity        string    `json:"entity,omitempty"` // UUID or code; of a notification the subscription
	PIM           string    `json:"pim"`
	API           string    `json:"api"`
	Notes         []string  `json:"notes"`         // on who sends it and who caused it
	Stopped       bool      `json:"stopped"`       // nothing runs, whatever matches
	Subscriptions []Verdict `json:"subscriptions"` // by name; none for a notification
	Runs          string    `json:"runs,omitempty"`
}

// Verdict is what one subscription makes of an event.
type Verdict struct {
	Name    string `json:"name"`
	Matches bool   `json:"matches"`
	Why     string `json:"why"`            // or why not
	Runs    string `json:"runs,omitempty"` // the action; "": none
	But     string `json:"but,omitempty"`  // what may keep it from that
}

// Explain says, for one event of a PIM or a delivery of several, which subscriptions match it, and why or why not.
// identities are the names of our own connection; nil: they are not known here.
func Explain(c *config.Config, kinds map[string]engine.Kind, pim string, body []byte, identities []string) ([]Explained, error) {
	events, err := received(pim, body)
	if err != nil {
		return nil, err
	}
	var all []Explained
	for _, event := range events {
		all = append(all, explain(c, kinds, event, identities))
	}
	return all, nil
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

func explain(c *config.Config, kinds map[string]engine.Kind, event pimevent.Event, identities []string) Explained {
	if event.Notice != nil {
		return Explained{
			Type: event.Notice.Type, Entity: event.Notice.Subscription, PIM: event.PIM, API: event.API, Notes: []string{},
			Subscriptions: []Verdict{}, Runs: c.Notifications[event.PIM].Action,
		}
	}
	e := Explained{
		Type: event.Type, Kind: event.Kind, Entity: event.EntityID, PIM: event.PIM, API: event.API, Notes: []string{}, Subscriptions: []Verdict{},
	}
	note, foreign := sender(c.PIMs[event.PIM], event)
	if note != "" {
		e.Notes = append(e.Notes, note)
	}
	e.Stopped = foreign
	note, own := author(c.PIMs[event.PIM], event, identities)
	if note != "" {
		e.Notes = append(e.Notes, note)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Subscriptions)) {
		s := c.Subscriptions[name]
		v := Verdict{Name: name}
		v.Matches, v.Why = engine.Matches(s, event)
		if v.Matches && s.Filter != "" {
			v.Why += ", if the Event Platform sends it: " + s.Filter
		}
		nature := engine.NatureOf(c, kinds, s.Action)
		switch {
		case !v.Matches || e.Stopped:
		case s.Shadow:
			v.But = "in shadow, so it runs nothing"
		case own && nature.Writes:
			v.But = fmt.Sprintf("runs nothing: %s changes the PIM, and this is our own change", s.Action)
		default:
			v.Runs, v.But = s.Action, manner(s, nature)
		}
		e.Subscriptions = append(e.Subscriptions, v)
	}
	return e
}

// manner says how a subscription runs its action.
func manner(s config.Subscription, nature engine.Nature) string {
	var how []string
	if nature.Job {
		how = append(how, "as a job")
	}
	if s.Deliver == "latest" {
		if s.Expand {
			how = append(how, "for the variants of a model")
		}
		if nature.Products {
			how = append(how, "with what else has changed, as it is then")
		}
		how = append(how, "unless something newer of it was applied")
	}
	return strings.Join(how, ", ")
}

// String is the explanation for people, a line for each subscription.
func (e Explained) String() string {
	var b strings.Builder
	if e.API == pimevent.Notifications {
		fmt.Fprintf(&b, "%s, a notification about the subscription %s\n", e.Type, e.Entity)
		if e.Runs != "" {
			fmt.Fprintf(&b, "  runs %s\n", e.Runs)
		} else {
			fmt.Fprintf(&b, "  runs nothing: notifications has no %s\n", e.PIM)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "%s, %s %s, of %s by the %s\n", e.Type, e.Kind, e.Entity, e.PIM, e.API)
	for _, note := range e.Notes {
		fmt.Fprintf(&b, "  %s\n", note)
	}
	for _, v := range e.Subscriptions {
		verdict := "matches: " + v.Why
		switch {
		case !v.Matches:
			verdict = "no: " + v.Why
		case e.Stopped:
			verdict = "would match: " + v.Why
		case v.Runs == "":
			verdict += "; " + v.But
		case v.But != "":
			verdict += "; runs " + v.Runs + ", " + v.But
		default:
			verdict += "; runs " + v.Runs
		}
		fmt.Fprintf(&b, "  %-20s %s\n", v.Name, verdict)
	}
	return b.String()
}

// sender says what the worker makes of who sends the event, and whether it stops there.
func sender(pim config.PIM, event pimevent.Event) (text string, stops bool) {
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

// author says whether we caused the event ourselves, which does not start what changes the PIM.
func author(pim config.PIM, event pimevent.Event, identities []string) (text string, own bool) {
	who := event.Author
	switch {
	case who.Type != "api" || who.Identifier == "":
		return "", false
	case slices.Contains(pim.Self, who.Identifier) || slices.Contains(identities, who.Identifier):
		return fmt.Sprintf("OURS: %q is our own connection, so nothing runs that changes the PIM", who.Identifier), true
	case identities == nil:
		return fmt.Sprintf("note: caused by the connection %q; if that is ours (--secrets, or --signing-id and --connection-id, would tell), nothing runs that changes the PIM", who.Identifier), false
	}
	return "", false
}
