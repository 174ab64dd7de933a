package register

import (
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// Declared is what the senders are to know of this deployment.
type Declared struct {
	Stage      string
	Base       string // public URL of the deployment
	PIMs       []DeclaredPIM
	Contentful DeclaredContentful
	Unsent     []string // places in the signing document whose secrets were made and that no sender has yet
	Made       []string // places that have no secret yet, which apply makes
	Missing    []string // places that only a person can fill
}

// DeclaredPIM is what one PIM and its Event Platform are to know.
type DeclaredPIM struct {
	PIM        config.PIM
	Extensions []Entry
	Listener   *Listener // nil: nothing is declared for the Event Platform
	EventsAPI  []string  // names of the subscriptions to the older Events API
}

// DeclaredContentful is what Contentful is to know.
type DeclaredContentful struct {
	Actions []contentfulapi.Action // their Name is that in extensions.yaml
	Secrets []string               // signing secrets, the newest last
	Spaces  []string               // SPACE/ENVIRONMENT
}

// State is what the senders know now.
type State struct {
	PIMs       map[string]PIMState // by name in extensions.yaml
	Contentful ContentfulState
}

// PIMState is what one PIM and its Event Platform know.
type PIMState struct {
	Extensions    []pim.Extension
	Refused       string // why the PIM has no API for extensions; "": it has
	Subscribers   []platformapi.Subscriber
	Subscriptions map[string][]platformapi.Subscription // by subscriber, of those that may be ours
	Reasons       map[string]string                     // why a subscription is suspended or revoked, by its ID
}

// ContentfulState is what Contentful knows of our app.
type ContentfulState struct {
	Refused   string // why it could not be read: nothing is compared then; "": it was
	Actions   []contentfulapi.Action
	Secret    string // end of the signing secret; "": there is none
	Installed map[string]bool
}

// Options say how far a plan goes. All may be left out.
type Options struct {
	Only        []string // names in extensions.yaml; none: all
	Prune       bool     // delete what is ours and no longer declared
	Adopt       bool     // take over what has our names and nobody's mark
	SendSecrets bool     // to what is there already: no sender shows them, so that nobody sees that they differ
	Resume      bool     // what is suspended
	Subscriber  string   // ID of the subscriber to use; "": by name
	EventsOnly  bool     // the Event Platform and the Events API alone
}

// ownership says whose something is, by the end of its description.
type ownership int

const (
	nobodys ownership = iota // it carries no mark
	ours
	anothers // another stage's
)

// owned reads the mark at a description's end.
func owned(description, stage string) ownership {
	description = strings.TrimSpace(description)
	switch {
	case strings.HasSuffix(description, Marker(stage)):
		return ours
	case strings.HasSuffix(description, ")") && strings.Contains(description, "(pim-functions "):
		return anothers
	}
	return nobodys
}
