package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// Reads says what an action needs of the products of its items (`read` in extensions.yaml).
type Reads struct {
	Attributes []string `yaml:"attributes"` // codes; nil: all; empty: the main identifier alone
	Labels     bool     `yaml:"labels"`     // labels of options
	First      int      `yaml:"-"`          // only the first so many items of a run are read; 0: all
	Complete   bool     `yaml:"-"`          // how complete products are
}

// Reader is an Action whose runs need products: they come as Run.Products.
type Reader interface {
	Reads() *Reads // nil: none
}

// readsOf is what an action reads; nil: nothing.
func readsOf(action Action) *Reads {
	if reader, ok := action.(Reader); ok {
		return reader.Reads()
	}
	return nil
}

// query is what is asked of the PIM, and the code of the main identifier's attribute, which always comes along.
func (r Reads) query(ctx context.Context, log *slog.Logger, client *pim.Client) (wanted pim.Read, main string, err error) {
	if main, err = mainIdentifier(ctx, log, client); err != nil {
		return pim.Read{}, "", err
	}
	wanted = pim.Read{Labels: r.Labels, Complete: r.Complete}
	if r.Attributes != nil {
		wanted.Attributes = slices.Clone(r.Attributes)
		if main != "" && !slices.Contains(wanted.Attributes, main) {
			wanted.Attributes = append(wanted.Attributes, main)
		}
		if len(wanted.Attributes) == 0 { // an empty list is no question that the PIM knows
			wanted.Attributes = nil
		}
	}
	return wanted, main, nil
}

// holds says whether products that were read before are those of all items.
func holds(found map[jobs.Item]pim.Product, items []jobs.Item) bool {
	return !slices.ContainsFunc(items, func(item jobs.Item) bool { _, there := found[item]; return !there })
}

// notInPIM is what a user reads of an item whose product cannot be read.
const notInPIM = "not in the PIM, or hidden from its connection"

// lostReason is why an item left its run.
func lostReason(item jobs.Item) string {
	if item.Type != jobs.Product && item.Type != jobs.ProductModel {
		return "only products and product models can be read from the PIM"
	}
	return notInPIM
}

// reading is what a run lost while its products were read.
type reading struct {
	batch    int          // items before
	kept     []int        // index before, of each item that is left
	failures []Failure    // of the others, by index before
	gone     bool         // nothing is left of an event: its entity is gone
	absent   map[int]bool // of a run for several events: items whose entity is gone, by index before
}

// absentItems are the items whose entity is gone, by index before.
func (r *reading) absentItems() map[int]bool {
	if r == nil {
		return nil
	}
	return r.absent
}

// read brings the products of a run's items along: one list call for a hundred of each type, and a single call for each
// that the list lacks or shows older than an event tells, since search lags behind writes; that call's answer holds. What is
// gone, or hidden from the connection, leaves the run and fails, or is absent for the events that brought it. What events say
// is deleted is looked for by a single call, and is deleted if it is not there; of one event alone it is not read.
func (i *Invocation) read(ctx context.Context, log *slog.Logger, reads Reads, run Run) (Run, *reading, error) {
	lost := &reading{batch: len(run.Items)}
	if run.deletion() {
		run.Products, run.Deleted = make([]pim.View, len(run.Items)), []bool{true}
		lost.kept = []int{0}
		return run, lost, nil
	}
	if len(run.Items) == 0 {
		return run, lost, nil
	}
	client, err := i.PIM(ctx, run.PIM)
	if err != nil {
		return run, nil, err
	}
	wanted, main, err := reads.query(ctx, log, client)
	if err != nil {
		return run, nil, err
	}
	items, toRead := run.Items, len(run.Items)
	if reads.First > 0 {
		toRead = min(toRead, reads.First)
	}
	found := run.page
	if !holds(found, items[:toRead]) {
		if found, err = i.readItems(ctx, client, items[:toRead], run.Causes, wanted); err != nil {
			return run, nil, err
		}
	}
	locale, channel := place(run.Context, i.Config.Config.PIMs[run.PIM])
	causes, began := run.Causes, run.Began
	run.Items, run.Index, run.Causes = nil, nil, nil
	for index, item := range items {
		product, there := found[item]
		read := index < toRead
		var cause *Cause
		if causes != nil {
			cause = &causes[index]
		}
		if deleted := cause != nil && cause.Deleted; read && !there && !deleted {
			lost.leave(index, item, causes != nil && run.Job == "")
			continue
		}
		lost.kept = append(lost.kept, index)
		run.Items, run.Index = append(run.Items, item), append(run.Index, run.First+index)
		run.Deleted = append(run.Deleted, read && !there)
		if cause != nil {
			run.Causes = append(run.Causes, *cause)
			if run.Job == "" {
				began = cause.Began
			}
		}
		view := pim.View{}
		if there {
			view = pim.NewView(product, main, locale, channel).WithLinks(i.linker(ctx, client, run.PIM, began)).WithUnits(client.Units(ctx))
		}
		run.Products = append(run.Products, view)
	}
	if run.Deleted == nil {
		run.Deleted = []bool{}
	}
	lost.gone = run.Event != nil && len(run.Items) == 0
	return run, lost, nil
}

// leave takes an item out of the run: its product cannot be read.
func (r *reading) leave(index int, item jobs.Item, ofEvents bool) {
	if ofEvents {
		if r.absent == nil {
			r.absent = map[int]bool{}
		}
		r.absent[index] = true
		return
	}
	r.failures = append(r.failures, Failure{Index: index, Reason: lostReason(item)})
}

// readItems reads products and models, those that exist. causes are what events say of them; nil: nothing.
func (i *Invocation) readItems(ctx context.Context, client *pim.Client, items []jobs.Item, causes []Cause, wanted pim.Read) (map[jobs.Item]pim.Product, error) {
	found := make(map[jobs.Item]pim.Product, len(items))
	before, asked := client.Stats().Calls, len(items)
	for _, kind := range []string{jobs.Product, jobs.ProductModel} {
		var ids []string
		for n, item := range items {
			if item.Type == kind && !slices.Contains(ids, item.ID) && (causes == nil || !causes[n].Deleted) {
				ids = append(ids, item.ID)
			}
		}
		if len(ids) == 0 {
			continue
		}
		listed, err := client.List(ctx, kind, ids, wanted)
		if err != nil {
			return nil, err
		}
		for id, product := range listed {
			found[jobs.Item{Type: kind, ID: id}] = product
		}
	}
	looked := map[jobs.Item]bool{}
	for n, item := range items {
		product, there := found[item]
		old := false
		if causes != nil {
			asked += max(causes[n].events-1, 0)
			old = there && !product.Updated.IsZero() && product.Updated.Before(causes[n].Reached)
		}
		if there && !old || looked[item] || item.Type != jobs.Product && item.Type != jobs.ProductModel {
			continue
		}
		looked[item] = true
		product, there, err := client.Find(ctx, item.Type, item.ID, wanted)
		if err != nil {
			return nil, err
		}
		if delete(found, item); there {
			found[item] = product
		}
	}
	calls := client.Stats().Calls - before
	i.Metrics.Count("PIMCalls", float64(calls))
	i.Metrics.Count("PIMCallsSaved", float64(max(int64(asked)-calls, 0)))
	return found, nil
}

// mainIdentifier is the code of the main identifier's attribute; "" where the connection may not list attributes: products
// of older PIMs have their identifier beside the values.
func mainIdentifier(ctx context.Context, log *slog.Logger, client *pim.Client) (string, error) {
	main, err := client.MainIdentifier(ctx)
	if failed, ok := errors.AsType[*pim.Error](err); ok && (failed.Status == http.StatusForbidden || failed.NotFound()) {
		log.Warn("the main identifier is not known: give the PIM's connection the right to list attributes", "reason", "pim_attributes_unreadable", "error", err.Error())
		return "", nil
	}
	return main, err
}

// place is the locale and channel of whoever asked, else the PIM's defaults.
func place(context json.RawMessage, defaults config.PIM) (locale, channel string) {
	var asked struct {
		Locale  string `json:"locale"`
		Channel string `json:"channel"`
	}
	_ = json.Unmarshal(context, &asked) // a context without them, or of another shape, asks for none
	locale, channel = defaults.Locale, defaults.Channel
	if asked.Locale != "" {
		locale = asked.Locale
	}
	if asked.Channel != "" {
		channel = asked.Channel
	}
	return locale, channel
}

// whole is a result in terms of the items that the run had before its products were read.
func (r *reading) whole(result Result) Result {
	if r == nil {
		return result
	}
	for k, failure := range result.Failures {
		if failure.Index < 0 || failure.Index >= len(r.kept) {
			result.Failures[k].Index = -1 // of no item: it does not count
			continue
		}
		result.Failures[k].Index = r.kept[failure.Index]
	}
	result.Failures = append(result.Failures, r.failures...)
	switch {
	case result.Done >= len(r.kept) && result.Done > 0:
		result.Done = r.batch
	case result.Done > 0:
		result.Done = r.kept[result.Done] // up to the next that is not through
	}
	return result
}
