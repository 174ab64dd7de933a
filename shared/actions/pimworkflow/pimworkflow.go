// Package pimworkflow is the kind of action that starts a workflow of the PIM (enrichment, review) on a job's products and
// product models, and where it is asked to, waits until it has ended on all of them. It is not for approvals outside the PIM: see statemachine, or a forward with a callback.
//
// A start is not repeated where it may have been made: the products then say whether the workflow runs on them.
package pimworkflow

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

// options are the keys of a pim-workflow action in extensions.yaml.
type options struct {
	Workflow string        `yaml:"workflow"` // UUID
	Within   time.Duration `yaml:"within"`   // for its end on all items; 0: a workflow that has begun is the end
}

// Kind makes pim-workflow actions.
type Kind struct{ Profiles jobs.Profiles }

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Check implements engine.Kind.
func (k Kind) Check(section config.Section) error {
	_, err := k.parse(section)
	return err
}

func (k Kind) parse(section config.Section) (*action, error) {
	a := &action{kind: k}
	problems := []error{section.Decode(&a.options), template.Misplaced(section, "workflow")}
	if !uuid.MatchString(a.Workflow) {
		problems = append(problems, section.Errorf("workflow", "add workflow: with the UUID that the PIM's address has when the workflow is open", "workflow %q is no UUID", a.Workflow))
	}
	if section.Has("within") && (a.Within < time.Second || a.Within > jobs.MaxWithin) {
		problems = append(problems, section.Errorf("within", "use 1s to 14d, or leave it out", "within %s", a.Within))
	}
	return a, errors.Join(problems...)
}

// Listens implements engine.Listener.
func (k Kind) Listens(section config.Section) []string {
	if a, err := k.parse(section); err != nil || a.Within == 0 {
		return nil
	}
	return []string{eventtype.Prefix + "workflow.execution.completed"}
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
	options
	kind Kind
}

var (
	_ engine.Listener = Kind{}
	_ engine.Waiter   = (*action)(nil)
	_ engine.Changer  = (*action)(nil)
)

// Batch is what one call starts, or all items, where it waits for them.
func (a *action) Batch() int {
	if a.Within > 0 {
		return 0
	}
	return pim.MaxPage
}

// Waits implements engine.Waiter.
func (a *action) Waits() *engine.Waits {
	if a.Within == 0 {
		return nil
	}
	return &engine.Waits{Within: a.Within, For: jobs.WaitWorkflow, AsDone: true}
}

// ChangesPIM implements engine.Changer.
func (*action) ChangesPIM() bool { return true }
