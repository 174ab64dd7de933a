// Package pimjob is the kind of action that launches an export or import profile of the PIM and ends as that job does. It is
// not for files: the profile's own storage carries them.
//
// The PIM tells the end by an event alone. How launch and event find each other is package jobs' (Profile).
package pimjob

import (
	"errors"
	"regexp"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/eventtype"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// defaultWithin is how long the PIM's job may take.
const defaultWithin = 2 * time.Hour

// Kind makes pim-job actions.
type Kind struct {
	Profiles jobs.Profiles
	Signals  jobs.Signals
}

// options are the keys of a pim-job action in extensions.yaml.
type options struct {
	Export string        `yaml:"export"` // code of the profile
	Import string        `yaml:"import"` // or of this one
	Within time.Duration `yaml:"within"` // for its end
}

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }

// Check implements engine.Kind.
func (k Kind) Check(section config.Section) error {
	_, err := k.parse(section)
	return err
}

var code = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

func (k Kind) parse(section config.Section) (*action, error) {
	o := options{Within: defaultWithin}
	problems := []error{section.Decode(&o), template.Misplaced(section, "export", "import")}
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, args...))
	}
	a := &action{kind: k, direction: pim.Export, code: o.Export, within: o.Within}
	if o.Import != "" {
		a.direction, a.code = pim.Import, o.Import
	}
	switch {
	case (o.Export == "") == (o.Import == ""):
		report("export", "add export: or import: with the code of a job profile", "a pim-job action needs one job profile of the PIM")
	case !code.MatchString(a.code):
		report(a.direction, "use the code that the PIM shows in the profile's properties", "%s %q is no code of a job profile", a.direction, a.code)
	}
	if o.Within < time.Second || o.Within > jobs.MaxWithin {
		report("within", "use 1s to 14d", "within %s", o.Within)
	}
	return a, errors.Join(problems...)
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	a, err := k.parse(section)
	if err != nil {
		return nil, err
	}
	return a, nil
}

type action struct {
	kind            Kind
	direction, code string
	within          time.Duration
}

var (
	_ engine.Listener = Kind{}
	_ engine.Waiter   = (*action)(nil)
	_ engine.Changer  = (*action)(nil)
)

// Batch is all items: the profile knows nothing of them.
func (*action) Batch() int { return 0 }

// Waits implements engine.Waiter.
func (a *action) Waits() *engine.Waits {
	return &engine.Waits{Within: a.within, For: jobs.WaitPIMJob, AsDone: true}
}

// ChangesPIM implements engine.Changer.
func (*action) ChangesPIM() bool { return true }

// Listens implements engine.Listener.
func (k Kind) Listens(section config.Section) []string {
	a, err := k.parse(section)
	if err != nil {
		return nil
	}
	return []string{eventtype.Prefix + "job." + a.direction + ".status-changed"}
}
