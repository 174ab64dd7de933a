// Package order makes the job of an action that somebody starts by hand, outside the PIM: over products and models, over a
// selection, or over nothing. It checks the order against extensions.yaml, and starts nothing: jobs.Submitter does.
package order

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Order says what to start. It is what the local system takes as JSON.
type Order struct {
	Action   string   `json:"action"`
	PIM      string   `json:"pim,omitempty"`      // "": the only one
	Select   string   `json:"select,omitempty"`   // a selection in extensions.yaml; not with Products or Models
	Products []string `json:"products,omitempty"` // UUIDs
	Models   []string `json:"models,omitempty"`   // codes
	User     string   `json:"user,omitempty"`     // name of who starts it
}

// Job is the job of an order, ready to be submitted. The same work is not started twice at once, and a selection with
// changed_since: last goes on from where the last order of the same action ended. Its error is for whoever gave the order, and
// names all that is wrong.
func (o Order) Job(c *config.Config, now time.Time) (jobs.Job, error) {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	action, known := c.Actions[o.Action]
	if !known {
		report("no action %q in extensions.yaml: it has %s", o.Action, names(c.Actions))
	}
	pims := slices.Sorted(maps.Keys(c.PIMs))
	_, there := c.PIMs[o.PIM]
	switch {
	case o.PIM == "" && len(pims) == 1:
		o.PIM = pims[0]
	case o.PIM == "":
		report("which PIM? extensions.yaml has %s", names(c.PIMs))
	case !there:
		report("no pim %q in extensions.yaml: it has %s", o.PIM, names(c.PIMs))
	}
	selected := jobs.NewSelection(len(o.Products) + len(o.Models))
	for kind, ids := range map[string][]string{jobs.Product: o.Products, jobs.ProductModel: o.Models} {
		for _, id := range ids {
			if !selected.Add(kind, id) {
				report("%q is no %s", id, map[string]string{jobs.Product: "UUID of a product", jobs.ProductModel: "code of a product model"}[kind])
			}
		}
	}
	if len(selected.Items) > jobs.MaxItems {
		report("%d items, and a job has %d at most: use a selection", len(selected.Items), jobs.MaxItems)
	}
	if o.Select != "" {
		if _, known := c.Selections[o.Select]; !known {
			report("no selection %q in extensions.yaml: it has %s", o.Select, names(c.Selections))
		}
		if len(selected.Items) > 0 {
			report("a selection, and products or models: use one of them")
		}
		if action.Then[jobs.ThenDone] != "" {
			report("then of action %q is for the items that are done, which a selection does not keep", o.Action)
		}
	}
	if len(problems) > 0 {
		return jobs.Job{}, errors.Join(problems...)
	}
	slices.SortStableFunc(selected.Items, func(a, b jobs.Item) int { return strings.Compare(a.Type, b.Type) }) // products first
	job := jobs.Job{
		ID:     jobs.ID("run", []byte(o.Action), []byte(o.PIM), fmt.Append(nil, now.UnixNano())),
		Action: o.Action, Trigger: jobs.TriggerOrder, PIM: o.PIM, Label: o.Action, Items: selected.Items, Context: []byte("{}"),
		User: jobs.User{Username: o.User}, Once: jobs.OnceKey("order/"+o.PIM, o.Action, selected.Items, "", ""),
	}
	if o.Select != "" {
		job.Select = &jobs.Select{Name: o.Select, Mark: jobs.MarkKey("order", o.Action, o.PIM, o.Select)}
		job.Once = jobs.OnceKeyOf("order", o.Action, o.PIM, o.Select)
	}
	return job, nil
}

// names lists what a section has.
func names[T any](section map[string]T) string {
	if len(section) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(section)), ", ")
}
