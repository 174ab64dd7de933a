// Package config is the one file that a user edits, extensions.yaml: what this deployment offers to the PIM and to
// Contentful, and what it listens to. Load gives its typed, validated form; errors name file, line and remedy.
//
// It holds no secret and reads no environment: secrets stand in Secrets Manager (the file names them), and what
// differs between stages comes in as a map.
package config

import "time"

// Config is extensions.yaml, validated for one stage.
type Config struct {
	Stage         string
	PIMs          map[string]PIM
	Actions       map[string]Action
	Selections    map[string]Selection
	Schedules     map[string]Schedule
	Extensions    map[string]Extension
	Subscriptions map[string]Subscription
	Notifications map[string]Notification // by PIM
	Contentful    Contentful
	Warnings      Problems // what is odd but may be right
}

// PIM is one Akeneo PIM.
type PIM struct {
	Name           string
	URL            string // origin, without a final slash
	TechnicalEmail string
	Self           []string       // author identifiers that are us
	Sources        []string       // if set: pim_source values that are this PIM
	Channel        string         // where a trigger names none; may be empty
	Locale         string         // where a trigger names none; may be empty
	Zone           *time.Location // of the PIM's server, in which its users read times; UTC where the file names none
}

// Local is a time in the PIM's zone.
func (p PIM) Local(t time.Time) time.Time {
	if p.Zone == nil { // a PIM that Load did not make
		return t.UTC()
	}
	return t.In(p.Zone)
}

// Action is something that can be done. What its kind alone understands is in Section.
type Action struct {
	Name        string
	Kind        string
	Wait        time.Duration     // how long an answer may watch the record; 0: not at all; at most 4 s
	Retry       time.Duration     // retry.for; 0: the default of the trigger (1 h for jobs, 24 h for events)
	Then        map[string]string // outcome (succeeded, partial, failed) → action
	Destination Text              // what users call the place that the action calls ("the ERP"); empty: nothing was named
	Section     Section
}

// Extension is what the PIM shows.
type Extension struct {
	Name        string // NAME_PIM where the file names several PIMs
	Declared    string // NAME, as the file has it: what outlives a change of the list of PIMs is kept by it and the PIM
	PIM         string
	Type        string // action, iframe, link, data_component
	Positions   []string
	Label       Text
	Action      string   // type action
	Actions     []string // type iframe
	URL         string   // type link
	ID          string   // type data_component: uuid, code or attribute
	Attribute   string   // type data_component with ID attribute: its code
	Lookup      *Lookup  // type data_component: nil shows what we did
	Select      string   // type action: a selection, for positions that bring no items
	Allow       Allow
	Once        bool // one job at a time for the same items: unless the file says off
	OnceForAll  bool // one job at a time, whatever the items: the file says extension
	Unsigned    bool
	Version     string
	Description string
	Status      string
	UserEmails  []string
	Messages    map[string]Text // own texts by message name: started, running, succeeded, partial, failed, forbidden, unavailable
}

// Allow limits who may use an extension. Empty: everybody. Any match is enough.
type Allow struct {
	Groups    []string
	Usernames []string
}

// Subscription is what the PIM tells us.
type Subscription struct {
	Name    string // NAME_PIM where the file names several PIMs
	PIM     string
	API     string // event-platform, events-api
	Events  []string
	Changed Changed
	Filter  string // the Event Platform's own expression, as it is sent there; "": none
	Deliver string // every, latest
	Shadow  bool
	Action  string

	Headers     map[string]string // that the Event Platform adds; a value may be secret:NAME of the connection secret
	Identifiers bool              // events of products carry the product's identifier
	Expand      bool              // the variants of a changed model are what is delivered, in its place
}

// Changed narrows a subscription to delta events that touch one of these. Empty: any.
type Changed struct {
	Attributes []string
	Locales    []string
	Channels   []string
}

// Notification says what to do with what the Event Platform says about our subscriptions.
type Notification struct {
	PIM    string
	Action string
}

// Contentful is what is offered to Contentful.
type Contentful struct {
	Spaces  []string // space/environment; empty: any
	Actions map[string]ContentfulAction
}

// ContentfulAction is one App Action.
type ContentfulAction struct {
	Name       string
	Category   string
	Action     string
	Parameters []ContentfulParameter // of category Custom
}

// ContentfulParameter is what Contentful asks its users for before it calls a Custom action.
type ContentfulParameter struct {
	ID          string
	Name        string
	Description string
	Type        string // Symbol, Number, Boolean, Enum
	Required    bool
	Options     []string // of type Enum
}
