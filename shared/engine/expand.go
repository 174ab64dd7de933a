package engine

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// variants are the variants below a product model, of all levels: what they inherit has changed with it, and no event tells
// of them (Akeneo: "Filters", parent).
func (g *group) variants(ctx context.Context, event pimevent.Event) ([]jobs.Item, error) {
	client, err := g.PIM(ctx, event.PIM)
	if err != nil {
		return nil, err
	}
	wanted, _, err := Reads{Attributes: []string{}}.query(ctx, g.log, client)
	if err != nil {
		return nil, err
	}
	filter, err := json.Marshal(map[string]any{"parent": []map[string]string{{"operator": "=", "value": event.EntityID}}})
	if err != nil {
		return nil, err
	}
	var found []jobs.Item
	before := client.Stats().Calls
	for page, err := range client.Pages(ctx, pim.Search{Kind: pim.TypeProduct, Filter: filter, Read: wanted}) {
		if err != nil {
			return nil, err
		}
		for _, product := range page.Products {
			if item, ok := jobs.NewItem(product.Type, product.ID); ok && !slices.Contains(found, item) {
				found = append(found, item)
			}
		}
	}
	g.Metrics.Count("PIMCalls", float64(client.Stats().Calls-before))
	if g.job && len(found) > jobs.MaxItems {
		return nil, Permanent("the model has more variants than one job can have items", nil)
	}
	return found, nil
}
