package worker

import (
	"github.com/pim-functions/pim-functions/shared/actions/contentful"
	"github.com/pim-functions/pim-functions/shared/actions/forward"
	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Deps are what kinds of action need from the outside.
type Deps struct {
	Outbound *outbound.Client
	Bus      publish.Bus
}

// Kinds lists the kinds of action by the name that extensions.yaml gives them. A kind of your own is one folder
// under shared/actions and one line here.
func Kinds(deps Deps) map[string]engine.Kind {
	return map[string]engine.Kind{
		"contentful": contentful.New(contentful.Config{Outbound: deps.Outbound}),
		"forward":    forward.Kind{Client: deps.Outbound},
		"notify":     notify.Kind{Client: deps.Outbound},
		"publish":    publish.Kind{Bus: deps.Bus},
	}
}

// Checks are the kinds' own rules for their keys in extensions.yaml: config.CheckKinds applies them.
func Checks() map[string]func(config.Section) error {
	checks := map[string]func(config.Section) error{}
	for name, kind := range Kinds(Deps{}) {
		checks[name] = kind.Check
	}
	return checks
}
