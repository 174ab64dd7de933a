// Package actions lists the kinds of action by the name that extensions.yaml gives them. A kind of your own is one
// folder here and one line in Kinds. What kinds share is in template; how a kind is called is in package engine.
package actions

import (
	"errors"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/contentful"
	"github.com/pim-functions/pim-functions/shared/actions/export"
	"github.com/pim-functions/pim-functions/shared/actions/forward"
	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/actions/pimjob"
	"github.com/pim-functions/pim-functions/shared/actions/pimworkflow"
	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/actions/update"
	"github.com/pim-functions/pim-functions/shared/actions/validate"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Deps are what kinds of action need to reach the outside.
type Deps struct {
	Outbound  *outbound.Client
	Bus       publish.Bus
	Mailer    notify.Mailer
	Machines  statemachine.Machines
	Profiles  jobs.Profiles
	Signals   jobs.Signals
	EmailFrom string // the sender of e-mail where an action names none; "": there is none
}

// Kinds lists the kinds of action.
func Kinds(deps Deps) map[string]engine.Kind {
	return map[string]engine.Kind{
		"contentful":    contentful.New(contentful.Config{Outbound: deps.Outbound}),
		"export":        export.Kind{Client: deps.Outbound},
		"forward":       forward.Kind{Client: credential.New(deps.Outbound)},
		"notify":        notify.Kind{Client: deps.Outbound, Mailer: deps.Mailer, From: deps.EmailFrom},
		"pim-job":       pimjob.Kind{Profiles: deps.Profiles, Signals: deps.Signals},
		"pim-workflow":  pimworkflow.Kind{Profiles: deps.Profiles},
		"publish":       publish.Kind{Bus: deps.Bus},
		"state-machine": statemachine.Kind{Machines: deps.Machines},
		"update":        update.Kind{},
		"validate":      validate.Kind{},
	}
}

// Checks are the kinds' own rules for their keys in extensions.yaml: config.Load applies them.
func Checks() map[string]func(config.Section) error {
	checks := map[string]func(config.Section) error{}
	for name, kind := range Kinds(Deps{}) {
		checks[name] = kind.Check
	}
	return checks
}

// Options are the structs that the kinds' own keys are decoded into: config.Schema describes them to editors. nil: a
// kind that does not say.
func Options() map[string]any {
	options := map[string]any{}
	for name, kind := range Kinds(Deps{}) {
		options[name] = nil
		if described, ok := kind.(interface{ Options() any }); ok {
			options[name] = described.Options()
		}
	}
	return options
}

// CheckSecrets opens every action with the connection secret and reports all that the configuration names and the
// secret lacks, or holds in another form: each with file, line and remedy, and never with a value. nil: every action
// can run. Call it once config.Load has passed with Checks: at start, and in `check` where the secrets are known.
func CheckSecrets(c *config.Config, secrets engine.Secrets) error {
	kinds := Kinds(Deps{})
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(c.Actions)) {
		action := c.Actions[name]
		kind, ok := kinds[action.Kind]
		if !ok {
			continue // config.Load reports it
		}
		section, err := action.Section.Resolve(secrets.Values)
		if err == nil {
			_, err = kind.Open(section, secrets)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}
