// Package validate is the kind of action that checks products against rules, and changes nothing: an item that breaks a
// rule fails with what is wrong with it. With `wait`, a user who presses it for one product reads that at once.
//
// Rules look at what the PIM holds now. A value that is not there breaks `required` alone. For how complete the PIM finds
// a product, use `complete`; for anything else, `that` with an expression (package expression).
package validate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/expression"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// batch is how many products one run checks: what one call to the PIM reads.
const batch = 100

// maxReason is how many bytes a reason takes: what a job's record keeps of one.
const maxReason = 300

// Kind makes validate actions.
type Kind struct{}

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, _, err := parse(section)
	return err
}

// Open implements engine.Kind.
func (Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	o, rules, err := parse(section)
	if err != nil {
		return nil, err
	}
	a := action{rules: rules, reads: reads(rules)}
	if o.Report != "" {
		return &reporting{a}, nil
	}
	return &a, nil
}

type action struct {
	rules []rule
	reads engine.Reads
}

var _ engine.Reader = (*action)(nil)

func (a *action) Batch() int { return batch }

// Reads implements engine.Reader.
func (a *action) Reads() *engine.Reads { return &a.reads }

// reads is what the rules look at.
func reads(rules []rule) engine.Reads {
	all := engine.Reads{Attributes: []string{}}
	add := func(codes ...string) {
		for _, code := range codes {
			if code != "" && !slices.Contains(all.Attributes, code) {
				all.Attributes = append(all.Attributes, code)
			}
		}
	}
	for _, r := range rules {
		add(r.Attribute)
		all.Complete = all.Complete || r.Complete != nil
		for _, condition := range []*expression.Expression{r.when, r.that} {
			if condition != nil {
				add(condition.Attributes()...)
				all.Labels = all.Labels || condition.Labels()
			}
		}
	}
	return all
}

// Run checks each product.
func (a *action) Run(_ context.Context, run engine.Run) (engine.Result, error) {
	if run.Total == 0 && len(run.Items) == 0 {
		return engine.Result{}, engine.Permanent("there is no product to check", errors.New("the job has no items"))
	}
	return a.result(run, a.check(run), speaker{locale(run.Context)}), nil
}

// check finds what is wrong with each product. What an event says is deleted breaks no rule.
func (a *action) check(run engine.Run) [][]string {
	says := speaker{locale(run.Context)}
	found := make([][]string, len(run.Products))
	for k, product := range run.Products {
		if !run.Deleted[k] {
			found[k] = a.problems(product, run, says)
		}
	}
	return found
}

// result fails the products that something is wrong with.
func (a *action) result(run engine.Run, found [][]string, says speaker) engine.Result {
	alone := run.Total == 1 && len(found) == 1
	result := engine.Result{}
	if alone {
		result.Message = says.say("ready")
	}
	for k, problems := range found {
		if len(problems) == 0 {
			continue
		}
		if alone {
			result.Message = says.say("not_ready", says.list(problems, maxReason))
		}
		reason := says.list(problems, maxReason)
		if name := run.Products[k].Identifier(); !alone && name != "" && len(name) < maxReason/2 {
			reason = name + ": " + says.list(problems, maxReason-len(name)-2)
		}
		result.Failures = append(result.Failures, engine.Failure{Index: k, Reason: reason})
	}
	return result
}

// problems is what is wrong with a product, a sentence each.
func (a *action) problems(product pim.View, run engine.Run, says speaker) (found []string) {
	for i, r := range a.rules {
		scope := expression.Scope{Product: product, Now: run.Now}
		if r.when != nil {
			holds, err := r.when.Holds(scope)
			if err != nil {
				found = append(found, says.say("uncomputable", fmt.Sprintf("when %d", i+1), err.Error()))
				continue
			}
			if !holds {
				continue
			}
		}
		found = append(found, r.problems(scope, says)...)
	}
	return found
}

// locale is that of whoever asked; "" where nobody did.
func locale(asked json.RawMessage) string {
	var context struct {
		Locale string `json:"locale"`
	}
	_ = json.Unmarshal(asked, &context) // of another shape: English
	return context.Locale
}
