package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// variantPages is how many pages of variants one run reads. A model may have thousands: the record is written between.
const variantPages = 10

// expansion is what is left to read of a batch's variants. It is stored beside the parts, under the number of its next page,
// since its searches can be longer than what a job's record holds; the number is the run's state.
type expansion struct {
	Page     int          `json:"page"`     // that comes next, of the batch's pages
	Searches []pim.Search `json:"searches"` // the first goes on where its last page ended
}

// keys of a batch's variants: a page of them, and what is left once so many pages are read.
func variantsName(first, page int) string {
	return fmt.Sprintf("%09d-variants-%06d-product.ndjson", first, page)
}
func expansionName(first, page int) string {
	return fmt.Sprintf("%09d-variants-%06d.json", first, page)
}

// isVariants says whether a part's rows are of no items.
func isVariants(key string) bool { return strings.Contains(key, "-variants-") }

// expand begins to read the variants of a batch's models, those of their sub-models too.
func (a *action) expand(ctx context.Context, client *pim.Client, run engine.Run) (engine.Result, error) {
	var models, roots []string
	for _, view := range run.Products {
		if view.Type() == pim.TypeModel {
			models = append(models, view.ID())
			if view.Parent() == "" {
				roots = append(roots, view.ID())
			}
		}
	}
	var left expansion
	if len(models) > 0 {
		main, err := mainIdentifier(ctx, client)
		if err != nil {
			return engine.Result{}, err
		}
		little := pim.Read{}
		read := pim.Read{Attributes: a.attributes, Labels: a.Labels.Values, Complete: a.Complete}
		if main != identifierColumn {
			little.Attributes = []string{main}
			if read.Attributes != nil {
				read.Attributes = append([]string{main}, read.Attributes...)
			}
		}
		below, err := client.SubModels(ctx, roots, little)
		if err != nil {
			return engine.Result{}, err
		}
		known := set{}
		known.add(models)
		known.add(below)
		if left.Searches, err = pim.Below(pim.TypeProduct, known.list(), read); err != nil {
			return engine.Result{}, err
		}
	}
	return a.variants(ctx, client, run, left)
}

// goOnExpanding goes on where the run before has left.
func (a *action) goOnExpanding(ctx context.Context, client *pim.Client, run engine.Run) (engine.Result, error) {
	var left expansion
	if err := json.Unmarshal(run.State, &left.Page); err != nil {
		return engine.Result{}, fmt.Errorf("read state: %w", err)
	}
	file, err := run.Files.Open(ctx, files.PartKey(run.Job, expansionName(run.First, left.Page)))
	if err != nil {
		return engine.Result{}, fmt.Errorf("open expansion: %w", err)
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return engine.Result{}, fmt.Errorf("read expansion: %w", err)
	}
	if err := json.Unmarshal(text, &left); err != nil {
		return engine.Result{}, fmt.Errorf("read expansion: %w", err)
	}
	return a.variants(ctx, client, run, left)
}

// variants keeps some pages of variants.
func (a *action) variants(ctx context.Context, client *pim.Client, run engine.Run, left expansion) (engine.Result, error) {
	for end := left.Page + a.pages; len(left.Searches) > 0; {
		if left.Page == end {
			return a.expandLater(ctx, run, left)
		}
		page, err := client.Page(ctx, left.Searches[0])
		if err != nil {
			return engine.Result{}, err
		}
		if len(page.Products) > 0 {
			if err := a.store(ctx, client, run, files.PartKey(run.Job, variantsName(run.First, left.Page)), pim.TypeProduct, page.Products); err != nil {
				return engine.Result{}, err
			}
			left.Page++
		}
		if left.Searches[0].After = page.Next; page.Next == "" {
			left.Searches = left.Searches[1:]
		}
	}
	return engine.Result{}, a.dropPages(ctx, run, left.Page)
}

func (a *action) expandLater(ctx context.Context, run engine.Run, left expansion) (engine.Result, error) {
	text, err := json.Marshal(left)
	if err != nil {
		return engine.Result{}, fmt.Errorf("write expansion: %w", err)
	}
	if err := run.Files.Put(ctx, files.PartKey(run.Job, expansionName(run.First, left.Page)), text, "application/json"); err != nil {
		return engine.Result{}, fmt.Errorf("store expansion: %w", err)
	}
	return engine.Result{State: fmt.Append(nil, left.Page)}, &engine.LaterError{Reason: fmt.Sprintf("adding variants: %d pages so far", left.Page)}
}

// dropPages deletes the pages that an earlier try of the run had, and this one has not: products have gone meanwhile.
func (a *action) dropPages(ctx context.Context, run engine.Run, from int) error {
	if run.Attempt <= 1 && !run.Interrupted {
		return nil
	}
	var keys []string
	for page := from; page < from+a.pages; page++ {
		keys = append(keys, files.PartKey(run.Job, variantsName(run.First, page)))
	}
	if err := run.Files.Delete(ctx, keys...); err != nil {
		return fmt.Errorf("delete parts: %w", err)
	}
	return nil
}
