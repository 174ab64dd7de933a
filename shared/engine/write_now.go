package engine

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// look reads what is in the PIM now: the attributes' types, and the products that updates change.
func (w *writing) look(ctx context.Context, wanted []Update) error {
	var codes []string
	items := make([]jobs.Item, 0, len(wanted))
	for _, u := range wanted {
		codes = slices.AppendSeq(codes, maps.Keys(u.Values))
		for _, line := range u.back {
			items = append(items, line.Item)
			for _, edit := range line.Edits {
				codes = append(codes, edit.Attribute)
			}
		}
		if u.back == nil {
			items = append(items, w.run.Items[u.Index])
		}
	}
	slices.Sort(codes)
	codes = slices.DeleteFunc(slices.Compact(codes), func(code string) bool { return code == "" })
	var err error
	if w.types, err = w.client.Attributes(ctx, codes...); err != nil {
		if failed, ok := errors.AsType[*pim.Error](err); !ok || failed.Status != http.StatusForbidden {
			return err
		}
		w.types, w.typeless = map[string]pim.Attribute{}, true // an attribute's type is then that of its value
	}
	if w.writes.Current && len(w.run.Products) == len(w.run.Items) {
		for n, item := range w.run.Items {
			w.now[item] = w.run.Products[n].Product()
		}
		return nil
	}
	return w.read(ctx, items)
}

// read reads items as they are now, in lists; what a list lacks, singly.
func (w *writing) read(ctx context.Context, items []jobs.Item) error {
	wanted := pim.Read{}
	if len(w.types) > 0 {
		wanted.Attributes = slices.Sorted(maps.Keys(w.types))
	}
	for _, kind := range kinds {
		ids := idsOf(items, kind)
		if len(ids) == 0 {
			continue
		}
		found, err := w.client.Several(ctx, kind, ids, wanted)
		if failed, ok := errors.AsType[*pim.Error](err); ok && failed.Permanent() && wanted.Attributes != nil {
			found, err = w.client.Several(ctx, kind, ids, pim.Read{}) // an attribute was removed: each line will say so
		}
		if err != nil {
			return err
		}
		for id, product := range found {
			w.now[jobs.Item{Type: kind, ID: id}] = product
		}
	}
	return nil
}

// kinds are what can be written, models before their variants.
var kinds = []string{jobs.ProductModel, jobs.Product}

// idsOf are the ids of items of a type, each once.
func idsOf(items []jobs.Item, kind string) (ids []string) {
	seen := map[string]bool{}
	for _, item := range items {
		if item.Type == kind && !seen[item.ID] {
			seen[item.ID] = true
			ids = append(ids, item.ID)
		}
	}
	return ids
}

// single reads an item by itself, which sees what a list may not yet. there is false where it is gone.
func (w *writing) single(ctx context.Context, item jobs.Item) (there bool, err error) {
	product, err := w.client.Get(ctx, item.Type, item.ID, pim.Read{})
	if failed, ok := errors.AsType[*pim.Error](err); ok && failed.NotFound() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.now[item] = product
	return true, nil
}

// split gives each value to the level that owns it: an item's own, or a model above it where the action may write models.
func (w *writing) split(ctx context.Context, wanted []Update) error {
	var valued []pim.Product
	for _, u := range wanted {
		if product, there := w.now[w.run.Items[u.Index]]; there && len(u.Values) > 0 {
			valued = append(valued, product)
		}
	}
	var err error
	if w.places, err = w.client.Lineages(ctx, valued); err != nil {
		return err
	}
	shared := map[string]*target{} // models, by code
	for _, u := range wanted {
		item := w.run.Items[u.Index]
		switch _, there := w.now[item]; {
		case u.back != nil:
			for _, line := range u.back {
				w.targets = append(w.targets, &target{Item: line.Item, of: []int{u.Index}, back: line.Edits})
			}
		case item.Type != jobs.Product && item.Type != jobs.ProductModel:
			w.fail(u.Index, "only products and product models can be changed")
		case !there:
			w.fail(u.Index, notInPIM)
		default:
			w.splitOne(u, item, shared)
		}
	}
	var models []jobs.Item
	for _, t := range w.targets {
		if _, there := w.now[t.Item]; !there {
			models = append(models, t.Item)
		}
	}
	return w.read(ctx, models)
}

// splitOne makes the targets of one update. An item that fails here has none: nothing of it is written.
func (w *writing) splitOne(u Update, item jobs.Item, shared map[string]*target) {
	place, placed := w.places[item.ID]
	own, above := u.Update, map[string]map[string][]pim.Entry{}
	own.Values = map[string][]pim.Entry{}
	for _, code := range slices.Sorted(maps.Keys(u.Values)) {
		if _, known := w.types[code]; !known && !w.typeless {
			w.fail(u.Index, "the PIM has no attribute %q, or hides it from the connection", code)
			continue
		}
		model := ""
		if placed {
			var lower, known bool
			model, lower, known = place.Owner(code)
			switch {
			case lower:
				w.fail(u.Index, "%q belongs to the variants of the model %q, which have values of their own", code, item.ID)
			case !known:
				w.fail(u.Index, "%q does not belong to the family: a variant or a model takes no other attributes", code)
			case model != "" && w.writes.Models != ModelsWrite:
				w.fail(u.Index, "%q belongs to the product model %q: change it there, or let the action write models", code, model)
			}
		}
		if model == "" {
			own.Values[code] = u.Values[code]
			continue
		}
		if above[model] == nil {
			above[model] = map[string][]pim.Entry{}
		}
		above[model][code] = u.Values[code]
		if t := shared[model]; t != nil && !agrees(w.types[code].Type, t.update.Values[code], u.Values[code]) {
			w.fail(u.Index, "another item asks for another value of %q of their product model %q", code, model)
		}
	}
	if w.failed[u.Index] != "" {
		return
	}
	for _, model := range slices.Sorted(maps.Keys(above)) {
		t := shared[model]
		if t == nil {
			t = &target{Item: jobs.Item{Type: jobs.ProductModel, ID: model}, update: pim.Update{Values: map[string][]pim.Entry{}}}
			shared[model] = t
			w.targets = append(w.targets, t)
		}
		t.of = append(t.of, u.Index)
		for code, entries := range above[model] {
			for _, entry := range entries {
				if !slices.ContainsFunc(t.update.Values[code], entry.SamePlace) {
					t.update.Values[code] = append(t.update.Values[code], entry)
				}
			}
		}
	}
	w.targets = append(w.targets, &target{Item: item, of: []int{u.Index}, update: own})
}

// agrees says whether two lists of entries of one attribute want the same wherever both want something.
func agrees(kind string, a, b []pim.Entry) bool {
	for _, one := range a {
		for _, other := range b {
			if one.SamePlace(other) && !pim.Same(kind, one.Data, other.Data) {
				return false
			}
		}
	}
	return true
}

// compare finds what each target changes. What looks equal in a list is read singly before it is believed.
func (w *writing) compare(ctx context.Context, _ []Update) error {
	for _, t := range w.targets {
		if _, there := w.now[t.Item]; !there {
			t.fail(w, notInPIM)
			continue
		}
		if problem := w.edits(t); problem != nil || len(t.edits) == 0 {
			if w.failedAll(t) {
				continue
			}
			there, err := w.single(ctx, t.Item)
			if err != nil {
				return err
			}
			if !there {
				t.fail(w, notInPIM)
			} else if problem := w.edits(t); problem != nil {
				t.fail(w, "%s", problem)
			}
		}
	}
	return nil
}

// edits are what a target changes of its product as it is now. Its error names, of an undo, what somebody has changed
// since: the rest is undone all the same.
func (w *writing) edits(t *target) (problem error) {
	now := w.now[t.Item]
	t.edits = nil
	if t.back == nil {
		t.edits = t.update.Edits(now, w.types)
		return nil
	}
	for _, done := range t.back {
		back, needed, err := done.Back(now)
		switch {
		case err != nil && problem == nil:
			problem = err
		case err == nil && needed:
			t.edits = append(t.edits, back)
		}
	}
	return problem
}

// failedAll says whether every item of a target has failed.
func (w *writing) failedAll(t *target) bool {
	return !slices.ContainsFunc(t.of, func(index int) bool { return w.failed[index] == "" })
}
