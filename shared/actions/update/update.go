// Package update is the kind of action that changes products in the PIM by itself: values, categories, groups and the
// switch, made of templates over each product. What it changes can be undone, and a dry run tells what it would change.
//
// The engine writes: this package says what (engine.Update).
package update

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pim"
)

const (
	batch    = 100  // what one call to the PIM writes
	dryBatch = 1000 // of a dry run, which tells of all items at once
)

// options are the keys of an update action in extensions.yaml.
type options struct {
	Set     map[string]any `yaml:"set"` // by attribute
	Add     members        `yaml:"add"`
	Remove  members        `yaml:"remove"`
	Enabled *bool          `yaml:"enabled"`
	Models  string         `yaml:"models"` // refuse (default) or write: what belongs to a product's model
	DryRun  bool           `yaml:"dry_run"`
}

// members are what a product is put into, or taken out of.
type members struct {
	Categories []string `yaml:"categories"`
	Groups     []string `yaml:"groups"`
}

// Kind makes update actions.
type Kind struct{}

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, err := parse(section)
	return err
}

// Open implements engine.Kind.
func (Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	a, err := parse(section)
	if err != nil {
		return nil, err
	}
	return a, nil
}

type action struct {
	options
	set    *template.Set
	reads  engine.Reads
	writes engine.Writes
}

var (
	_ engine.Reader = (*action)(nil)
	_ engine.Writer = (*action)(nil)
)

// parse reads the section and reports all its mistakes at once.
func parse(section config.Section) (*action, error) {
	a := &action{}
	problems := []error{section.Decode(&a.options)}
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, args...))
	}
	o := a.options
	if len(o.Set)+len(o.Add.Categories)+len(o.Add.Groups)+len(o.Remove.Categories)+len(o.Remove.Groups) == 0 && o.Enabled == nil {
		report("", "add set: {ATTRIBUTE: value}, add, remove or enabled", "an update action changes nothing")
	}
	if !slices.Contains([]string{"", engine.ModelsRefuse, engine.ModelsWrite}, o.Models) {
		report("models", "use refuse or write", "models %q", o.Models)
	}
	for _, both := range [][2][]string{{o.Add.Categories, o.Remove.Categories}, {o.Add.Groups, o.Remove.Groups}} {
		for _, code := range both[0] {
			if slices.Contains(both[1], code) {
				report("remove", "keep one", "%q is added and removed", code)
			}
		}
	}
	problems = append(problems, template.Misplaced(section, "models"))
	for _, key := range []string{"add", "remove"} {
		if section.Mentions(key, "{{") {
			report(key, "write the codes themselves", "%s takes no template", key)
		}
	}
	a.reads = engine.Reads{Attributes: []string{}}
	if section.Mentions("set", ".Product") || section.Mentions("set", ".Identifier") {
		a.reads.Attributes, a.reads.Labels = nil, section.Mentions("set", ".Label") // nobody says which
	}
	var err error
	if a.set, err = (template.Scope{Each: true, Reads: &engine.Reads{Labels: true}}).ParseSet(o.Set); err != nil {
		problems = append(problems, template.Problems(section, "set", err))
		return a, errors.Join(problems...)
	}
	needs, labels := a.set.Needs()
	a.reads.Labels = a.reads.Labels || labels
	if a.reads.Attributes != nil {
		a.reads.Attributes = append(a.reads.Attributes, a.set.Attributes()...)
		a.reads.Attributes = append(a.reads.Attributes, slices.DeleteFunc(needs, func(code string) bool {
			return slices.Contains(a.reads.Attributes, code)
		})...)
	}
	a.writes = engine.Writes{
		Attributes: a.set.Attributes(), Categories: true, Groups: true, Enabled: true, Models: o.Models, Current: true, DryRun: o.DryRun,
	}
	return a, errors.Join(problems...)
}

// Batch implements engine.Action.
func (a *action) Batch() int {
	if a.DryRun {
		return dryBatch
	}
	return batch
}

// Reads implements engine.Reader.
func (a *action) Reads() *engine.Reads { return &a.reads }

// Writes implements engine.Writer.
func (a *action) Writes() *engine.Writes { return &a.writes }

// Run says what changes. A product whose templates fail, fails alone.
func (a *action) Run(_ context.Context, run engine.Run) (result engine.Result, err error) {
	for index := range run.Items {
		if run.Gone(index) {
			continue // what is deleted needs no change
		}
		values, err := a.set.Execute(run.Part(index, index+1))
		if reason, refused := engine.Refused(err); refused {
			result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: strings.Replace(reason, "nothing was sent", "nothing was changed", 1)})
			continue
		}
		if err != nil {
			return engine.Result{}, err
		}
		result.Updates = append(result.Updates, engine.Update{Index: index, Update: pim.Update{
			Values: values, Enabled: a.Enabled,
			AddCategories: a.Add.Categories, RemoveCategories: a.Remove.Categories, AddGroups: a.Add.Groups, RemoveGroups: a.Remove.Groups,
		}})
	}
	return result, nil
}
