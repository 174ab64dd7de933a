package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// Writes says what an action's updates may change in the PIM (`write` in extensions.yaml): anything else fails its item.
type Writes struct {
	Attributes []string `yaml:"attributes"` // codes
	Locales    []string `yaml:"locales"`    // none: all. A value without a locale is in all of them
	Categories bool     `yaml:"categories"`
	Groups     bool     `yaml:"groups"`
	Enabled    bool     `yaml:"enabled"`
	// Models says what becomes of a value that belongs to the model of a product: "" or refuse fails the item; write
	// changes the model, and with it what all its variants show.
	Models string `yaml:"models"`

	// Current says that the products that came with the run are as the PIM has them now: the action called nobody. Else
	// they are read again before anything is written.
	Current bool `yaml:"-"`

	// DryRun says that nothing is written: the result tells what would be.
	DryRun bool `yaml:"-"`
}

// Values of Writes.Models.
const (
	ModelsRefuse = "refuse"
	ModelsWrite  = "write"
)

// Writer is an Action whose Result may hold Updates.
type Writer interface {
	Writes() *Writes // nil: none
}

// Update is what a run wants changed of one of its items.
type Update struct {
	Index int // in Run.Items
	pim.Update

	back []line // of an undo: these edits, and only where the value is still ours
}

// check says why an update may not be made; nil: it may.
func (w Writes) check(u pim.Update) error {
	for _, code := range slices.Sorted(maps.Keys(u.Values)) {
		if !slices.Contains(w.Attributes, code) {
			return fmt.Errorf("the action may not change %q: write does not name it", code)
		}
		for _, entry := range u.Values[code] {
			if len(w.Locales) > 0 && entry.Locale != "" && !slices.Contains(w.Locales, entry.Locale) {
				return fmt.Errorf("the action may not change %q in the locale %q: write does not name it", code, entry.Locale)
			}
		}
	}
	switch {
	case !w.Categories && (u.Categories != nil || len(u.AddCategories)+len(u.RemoveCategories) > 0):
		return errors.New("the action may not change categories: write does not name them")
	case !w.Groups && (u.Groups != nil || len(u.AddGroups)+len(u.RemoveGroups) > 0):
		return errors.New("the action may not change groups: write does not name them")
	case !w.Enabled && u.Enabled != nil:
		return errors.New("the action may not enable or disable products: write does not name it")
	}
	return nil
}

// writing brings the updates of one run into the PIM: the only place that writes products. What is there now is read
// first; what is as it should be is left out; the undo file is complete before the PATCH; and each line that was written is
// read back, so that what the PIM dropped, or made a draft of, is never called changed. The same run once more changes
// nothing twice.
type writing struct {
	*Invocation
	log    *slog.Logger
	client *pim.Client
	run    Run
	writes Writes

	types    map[string]pim.Attribute
	typeless bool                      // the connection may not list attributes
	now      map[jobs.Item]pim.Product // what is in the PIM, of items and of models above them
	places   map[string]pim.Lineage    // by id
	targets  []*target
	failed   map[int]string // reason by index in Run.Items
	changed  map[int]bool
}

// target is one product or model that changes, for one item or for several that share the model.
type target struct {
	jobs.Item
	of     []int // items in Run.Items
	update pim.Update
	back   []pim.Edit // of an undo: what was done
	edits  []pim.Edit // what is to be done
}

func (w *writing) fail(index int, format string, args ...any) {
	if w.failed[index] == "" {
		w.failed[index] = fmt.Sprintf(format, args...)
	}
}

func (t *target) fail(w *writing, format string, args ...any) {
	for _, index := range t.of {
		w.fail(index, format, args...)
	}
}

// write makes a result's updates. It returns the result with the failures and the number of items that changed.
func (i *Invocation) write(ctx context.Context, log *slog.Logger, action Action, run Run, result Result) (Result, error) {
	writer, ok := action.(Writer)
	if !ok || writer.Writes() == nil || len(result.Updates) == 0 {
		return result, nil
	}
	client, err := i.PIM(ctx, run.PIM)
	if err != nil {
		return result, err
	}
	w := &writing{
		Invocation: i, log: log, client: client, run: run, writes: *writer.Writes(),
		now: map[jobs.Item]pim.Product{}, failed: map[int]string{}, changed: map[int]bool{},
	}
	before := client.Stats().Calls
	err = w.all(ctx, result)
	i.Metrics.Count("PIMCalls", float64(client.Stats().Calls-before))
	if err != nil {
		return result, err
	}
	for _, index := range slices.Sorted(maps.Keys(w.failed)) {
		result.Failures = append(result.Failures, Failure{Index: index, Reason: w.failed[index]})
		delete(w.changed, index)
	}
	if w.writes.DryRun {
		return w.report(result), nil
	}
	result.changed = len(w.changed)
	return result, nil
}

func (w *writing) all(ctx context.Context, result Result) error {
	wanted := w.wanted(result)
	if len(wanted) == 0 {
		return nil
	}
	earlier, err := w.earlier(ctx)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, []Update) error{w.look, w.split, w.compare} {
		if err := step(ctx, wanted); err != nil {
			return err
		}
	}
	if w.writes.DryRun {
		return nil
	}
	w.recall(earlier)
	return w.patch(ctx)
}

// wanted are the updates that may be made, by item: of items that are through and did not fail.
func (w *writing) wanted(result Result) (wanted []Update) {
	through := len(w.run.Items)
	if result.Done > 0 {
		through = min(through, result.Done)
	}
	refused := map[int]bool{}
	for _, failure := range result.Failures {
		refused[failure.Index] = true
	}
	seen := map[int]bool{}
	for _, u := range result.Updates {
		if u.Index < 0 || u.Index >= through || refused[u.Index] {
			continue
		}
		if seen[u.Index] {
			w.fail(u.Index, "there are two updates for it")
		}
		seen[u.Index] = true
		if u.Index < len(w.run.Deleted) && w.run.Deleted[u.Index] { // a write would make it anew
			w.fail(u.Index, "it is deleted")
		}
		if u.back == nil {
			if err := w.writes.check(u.Update); err != nil {
				w.fail(u.Index, "%s", err)
			}
		}
		wanted = append(wanted, u)
	}
	wanted = slices.DeleteFunc(wanted, func(u Update) bool { return w.failed[u.Index] != "" })
	slices.SortStableFunc(wanted, func(a, b Update) int { return a.Index - b.Index })
	return wanted
}
