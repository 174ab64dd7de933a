package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// turned is the page that follows the one at hand.
type turned struct {
	selection jobs.Select // with the page and what follows it
	products  map[jobs.Item]pim.Product
}

// selecting is what an invocation knows of a job's selection beside the record.
type selecting struct {
	page   map[jobs.Item]pim.Product // products of the page at hand, where this invocation has read it
	ahead  *answer                   // of the attempt to read the next page, where it failed
	seen   map[jobs.Item]int64       // of the selection before: when what it handed over was updated
	models map[string]model          // by code
}

// model is what of a product model says when its variants changed.
type model struct {
	updated time.Time
	parent  string
}

const levels = 2 // of models above a product (Akeneo: "Family variants")

// turnable says whether the page at hand is through after an answer, so that the next one is read before the checkpoint.
func (w *jobWork) turnable(ctx context.Context, a answer) bool {
	left := len(w.job.AtHand())
	through := a.class == done && a.through >= left || a.class == refused && a.began && w.ran >= left
	return w.job.Open() && through && !w.job.Stop && ctx.Err() == nil && !w.over(w.Now())
}

// spent says that no further run begins, with so much left of the page at hand. Where its products are read it is worked first,
// while a run still has its time: another invocation would have to read them again.
func (w *jobWork) spent(left int, page map[jobs.Item]pim.Product) bool {
	now := w.Now()
	if left > 0 && len(page) > 0 {
		return w.deadline.Sub(now) < w.reserve
	}
	return w.over(now)
}

// turn reads the page that follows the one at hand.
func (w *jobWork) turn(ctx context.Context) answer {
	action, err := w.opens()(ctx, w.job.Action)
	if err != nil {
		return notBegun(err, ctx.Err() != nil)
	}
	_, w.kept = action.(Finisher)
	timed, cancel := context.WithTimeout(ctx, w.runTime(w.Now()))
	defer cancel()
	page, err := w.nextPage(timed, readsOf(action))
	if err != nil {
		return notBegun(err, ctx.Err() != nil)
	}
	return answer{class: done, page: page}
}

// withTurn adds the next page to an answer after which the page at hand is through. What goes wrong is an answer of its own,
// once this one is written.
func (w *jobWork) withTurn(ctx context.Context, a answer) answer {
	if next := w.turn(ctx); next.page != nil {
		a.page = next.page
	} else {
		w.ahead = &next
	}
	return a
}

// nextPage reads one page: of what failed of the job before, then of the search. The first one fixes what is searched for.
func (w *jobWork) nextPage(ctx context.Context, reads *Reads) (*turned, error) {
	selection := *w.job.Select
	selection.New = nil
	if !selection.Resolved {
		if err := w.resolve(ctx, &selection); err != nil {
			return nil, err
		}
	}
	first := w.job.Select.First + len(w.job.Select.Page)
	if selection.Undo != "" {
		return w.changedPage(ctx, selection, first)
	}
	if selection.Failed != "" {
		failures, err := w.Store.FailuresFrom(ctx, selection.Failed, selection.From)
		if err != nil {
			return nil, fmt.Errorf("read failures: %w", err)
		}
		if len(failures) > 0 {
			items := make([]jobs.Item, len(failures))
			for n, failure := range failures {
				items[n] = failure.Item
			}
			selection.From = failures[len(failures)-1].Index + 1
			return &turned{selection: *selection.Turn(first, items)}, nil
		}
		selection.Failed, selection.From = "", 0
	}
	if selection.Type == "" {
		selection.End = true
		return &turned{selection: *selection.Turn(first, nil)}, nil
	}
	return w.search(ctx, selection, first, reads)
}

// resolve fixes what a selection searches for: the search as it is configured, from a time or a mark on.
func (w *jobWork) resolve(ctx context.Context, selection *jobs.Select) error {
	selection.Resolved = true
	if selection.Name == "" {
		return nil
	}
	configured, known := w.Config.Config.Selections[selection.Name]
	if !known {
		return fmt.Errorf("selection %q: %w", selection.Name, ErrUnknownAction)
	}
	selection.Type, selection.Search = jobs.Product, configured.Search
	if configured.Of == "product_models" {
		selection.Type = jobs.ProductModel
	}
	var since time.Time
	switch {
	case configured.Since > 0:
		since = w.Now().Add(-configured.Since)
		selection.Mark = ""
	case !configured.Last:
		selection.Mark = ""
	case selection.Mark != "":
		mark, err := w.Store.Mark(ctx, selection.Mark)
		if err != nil {
			return err
		}
		_, err = w.Store.Get(ctx, mark.Job)
		gone := errors.Is(err, jobs.ErrNotFound)
		switch {
		case mark.Until.IsZero(), gone && mark.Failed > 0: // what failed is not known any more: everything
			return nil
		case err != nil && !gone:
			return fmt.Errorf("read the job before: %w", err)
		case mark.Failed > 0:
			selection.Failed = mark.Job
		}
		selection.After, since = mark.Job, mark.Until.Add(-jobs.SearchLag)
	}
	if since.IsZero() {
		return nil
	}
	search, err := updatedSince(configured.Search, since, w.Config.Config.PIMs[w.job.PIM])
	selection.Search = search
	return err
}

// updatedSince adds to a search that the product changed after a time. The PIM reads times in its server's zone (Akeneo:
// "Filters"); one that its clocks show twice is taken for the hour before both.
func updatedSince(search json.RawMessage, since time.Time, at config.PIM) (json.RawMessage, error) {
	filters := map[string][]json.RawMessage{}
	if len(search) > 0 {
		if err := json.Unmarshal(search, &filters); err != nil {
			return nil, err
		}
	}
	shown := func(t time.Time) string { return at.Local(t).Format(time.DateTime) }
	switch shown(since) {
	case shown(since.Add(-time.Hour)):
		since = since.Add(-2 * time.Hour)
	case shown(since.Add(time.Hour)):
		since = since.Add(-time.Hour)
	}
	filter, err := json.Marshal(map[string]string{"operator": ">", "value": shown(since)})
	if err != nil {
		return nil, err
	}
	filters["updated"] = append(filters["updated"], filter)
	return json.Marshal(filters)
}

// search reads a page of the PIM's search, with what the action reads of its products.
func (w *jobWork) search(ctx context.Context, selection jobs.Select, first int, reads *Reads) (*turned, error) {
	client, err := w.PIM(ctx, w.job.PIM)
	if err != nil {
		return nil, err
	}
	wanted := Reads{Attributes: []string{}}
	if reads != nil {
		wanted = *reads
	}
	read, main, err := wanted.query(ctx, w.log, client)
	if err != nil {
		return nil, err
	}
	calls := client.Stats().Calls
	page, err := client.Page(ctx, pim.Search{Kind: selection.Type, Filter: selection.Search, Read: read, After: selection.Cursor})
	if err != nil {
		return nil, err
	}
	if selection.Began.IsZero() {
		selection.Began = page.Asked
	}
	next := &turned{products: make(map[jobs.Item]pim.Product, len(page.Products))}
	var items []jobs.Item
	changed, err := w.changed(ctx, client, selection, page.Products, main)
	if err != nil {
		return nil, err
	}
	for _, product := range page.Products {
		item, ok := jobs.NewItem(product.Type, product.ID)
		if !ok {
			w.log.Warn("a product of the selection has no key that can be worked with: it is left out", "reason", "item_invalid")
			continue
		}
		at := changed[product.ID]
		if !at.IsZero() {
			w.remember(&selection, page, item, at)
			if known, seen := w.seen[item]; seen && known == at.Unix() {
				continue // handed over in this state
			}
		}
		items = append(items, item)
		if reads != nil {
			next.products[item] = product
		}
	}
	w.Metrics.Count("PIMCalls", float64(client.Stats().Calls-calls))
	w.Metrics.Count("PIMCallsSaved", float64(max(int64(len(items))-(client.Stats().Calls-calls), 0)))
	selection.Cursor, selection.End = page.Next, page.Next == ""
	next.selection = *selection.Turn(first, items)
	return next, nil
}

// remember keeps that an item is handed over in the state of a time, for the selection after this one, if that will find it
// again. The PIM's times are whole seconds: what changed in the second in which it was asked may change again in it.
func (w *jobWork) remember(selection *jobs.Select, page pim.Page, item jobs.Item, at time.Time) {
	margin := selection.Began.Add(-jobs.SearchLag).Truncate(time.Second)
	if at.Before(margin) || page.Asked.Before(at.Add(time.Second)) || selection.Kept >= jobs.MaxSeen {
		return
	}
	selection.New = append(selection.New, jobs.Seen{Item: item, Updated: at.Unix()})
	selection.Kept++
}

// changed is when products changed, as the PIM's search understands it: a variant changes with its models. It is empty where
// nothing is to be remembered.
func (w *jobWork) changed(ctx context.Context, client *pim.Client, selection jobs.Select, products []pim.Product, main string) (map[string]time.Time, error) {
	changed := map[string]time.Time{}
	if selection.Mark == "" {
		return changed, nil
	}
	known := &w.selecting
	if known.seen == nil && selection.After != "" {
		seen, err := w.Store.Seen(ctx, selection.After)
		if err != nil {
			return nil, err
		}
		known.seen = make(map[jobs.Item]int64, len(seen))
		for _, one := range seen {
			known.seen[one.Item] = one.Updated
		}
	}
	parents := make([]string, 0, len(products))
	for _, product := range products {
		parents = append(parents, product.Parent)
	}
	for range levels {
		var err error
		if parents, err = w.readModels(ctx, client, parents, main); err != nil {
			return nil, err
		}
	}
	for _, product := range products {
		at := product.Updated
		code := product.Parent
		for range levels {
			if above := known.models[code].updated; above.After(at) {
				at = above
			}
			code = known.models[code].parent
		}
		changed[product.ID] = at
	}
	return changed, nil
}

// readModels reads models that are not known yet, and returns the codes of those above.
func (w *jobWork) readModels(ctx context.Context, client *pim.Client, codes []string, main string) ([]string, error) {
	known := &w.selecting
	if known.models == nil {
		known.models = map[string]model{}
	}
	var unknown, above []string
	for _, code := range codes {
		if _, there := known.models[code]; code != "" && !there {
			known.models[code] = model{}
			unknown = append(unknown, code)
		}
	}
	if len(unknown) == 0 {
		return nil, nil
	}
	read := pim.Read{}
	if main != "" {
		read.Attributes = []string{main}
	}
	found, err := client.List(ctx, pim.TypeModel, unknown, read)
	if err != nil {
		known.models = nil
		return nil, err
	}
	for code, product := range found {
		known.models[code] = model{product.Updated, product.Parent}
		above = append(above, product.Parent)
	}
	return above, nil
}
