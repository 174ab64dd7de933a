package engine_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// What a subscription wants, and the words in which its author is told (register cli explain).
func TestMatches(t *testing.T) {
	const (
		v1      = "com.akeneo.pim.v1."
		updated = v1 + "product.updated"
		delta   = updated + ".delta"
	)
	price := pimevent.Change{Name: "price", Value: true, Channel: "ecommerce"}
	name := pimevent.Change{Name: "name", Value: true, Locale: "fr_FR"}
	weight := pimevent.Change{Name: "weight", Value: true}
	categories := pimevent.Change{Name: "categories"}
	for _, row := range []struct {
		name      string
		patterns  string // of types, with spaces between them
		changed   config.Changed
		eventType string
		changes   []pimevent.Change
		want      bool
		why       string
	}{
		{"the type as it is", updated, config.Changed{}, updated, nil, true, `"com.akeneo.pim.v1.product.updated" matches the type`},
		{"another type", updated, config.Changed{}, v1 + "product.deleted", nil, false, `no entry of events matches the type "com.akeneo.pim.v1.product.deleted"`},
		{"a type that only begins like it", updated, config.Changed{}, delta, nil, false, "no entry of events"},
		{"a type that only ends like it", "product.updated", config.Changed{}, updated, nil, false, "no entry of events"},
		{"the second pattern", v1 + "product.deleted " + updated, config.Changed{}, updated, nil, true, "matches the type"},
		{"everything", "*", config.Changed{}, "anything", nil, true, `"*" matches the type`},
		{"all of products", v1 + "product.*", config.Changed{}, delta, nil, true, `"com.akeneo.pim.v1.product.*"`},
		{"all of products is not all of models", v1 + "product.*", config.Changed{}, v1 + "product-model.updated", nil, false, "no entry"},
		{"all that were deleted", "*.deleted", config.Changed{}, v1 + "asset.deleted", nil, true, "matches"},
		{"a star in the middle", v1 + "*.updated", config.Changed{}, v1 + "product-model.updated", nil, true, "matches"},
		{"two stars", "com.*.product*.updated", config.Changed{}, v1 + "product-model.updated", nil, true, "matches"},
		{"two stars, out of order", "com.*.updated*.product", config.Changed{}, updated, nil, false, "no entry"},
		{"a star that would have to overlap", "com.akeneo*akeneo.pim", config.Changed{}, "com.akeneo.pim", nil, false, "no entry"},
		{"no type", updated, config.Changed{}, "", nil, false, `the type ""`},

		{"the price changed", delta, config.Changed{Attributes: []string{"price"}}, delta, []pimevent.Change{name, price}, true, `, and "price" has changed`},
		{"the price did not", delta, config.Changed{Attributes: []string{"price"}}, delta, []pimevent.Change{name, weight}, false, "nothing that changed is among changed"},
		{"nothing changed", delta, config.Changed{Attributes: []string{"price"}}, delta, nil, false, "nothing that changed"},
		{"a property by its name", delta, config.Changed{Attributes: []string{"categories"}}, delta, []pimevent.Change{categories}, true, `"categories" has changed`},
		{"a family", delta, config.Changed{Attributes: []string{"family"}, Locales: []string{"fr_FR"}}, delta, []pimevent.Change{{Name: "family"}}, true, `"family" has changed`},
		{"enabled or disabled", delta, config.Changed{Attributes: []string{"enabled"}}, delta, []pimevent.Change{{Name: "enabled"}}, true, `"enabled" has changed`},
		{"enabled, and categories are asked for", delta, config.Changed{Attributes: []string{"categories", "family"}}, delta, []pimevent.Change{{Name: "enabled"}}, false, "nothing"},
		{"in its channel", delta, config.Changed{Attributes: []string{"price"}, Channels: []string{"ecommerce"}}, delta, []pimevent.Change{price}, true, "price"},
		{"in another channel", delta, config.Changed{Attributes: []string{"price"}, Channels: []string{"print"}}, delta, []pimevent.Change{price}, false, "nothing"},
		{"in its locale", delta, config.Changed{Locales: []string{"de_DE", "fr_FR"}}, delta, []pimevent.Change{name}, true, "name"},
		{"in another locale", delta, config.Changed{Locales: []string{"en_US"}}, delta, []pimevent.Change{name}, false, "nothing"},
		{"a label in its locale", delta, config.Changed{Locales: []string{"fr_FR"}}, delta, []pimevent.Change{{Name: "labels", Locale: "fr_FR"}}, true, `"labels" has changed`},
		{"a label in another locale", delta, config.Changed{Locales: []string{"en_US"}}, delta, []pimevent.Change{{Name: "labels", Locale: "fr_FR"}}, false, "nothing"},
		{"a label is in all channels", delta, config.Changed{Channels: []string{"print"}}, delta, []pimevent.Change{{Name: "labels", Locale: "fr_FR"}}, true, "labels"},
		{"a value that has no locale is in all", delta, config.Changed{Locales: []string{"en_US"}, Channels: []string{"print"}}, delta, []pimevent.Change{weight}, true, "weight"},
		{"attribute of one change, channel of another", delta, config.Changed{Attributes: []string{"name"}, Channels: []string{"print"}}, delta, []pimevent.Change{price}, false, "nothing"},
		{"an event that does not say what has changed", updated, config.Changed{Attributes: []string{"price"}}, updated, nil, true, "matches the type"},
		{"a delta, and any change will do", delta, config.Changed{}, delta, nil, true, "matches the type"},
	} {
		t.Run(row.name, func(t *testing.T) {
			subscription := config.Subscription{PIM: "main", API: pimevent.EventPlatform, Events: strings.Fields(row.patterns), Changed: row.changed}
			got, why := engine.Matches(subscription, pimevent.Event{API: pimevent.EventPlatform, PIM: "main", Type: row.eventType, Changes: row.changes})
			if got != row.want || !strings.Contains(why, row.why) {
				t.Errorf("%t: %s; want %t: %s", got, why, row.want, row.why)
			}
		})
	}
	subscription := config.Subscription{PIM: "main", API: pimevent.EventPlatform, Events: []string{"*"}}
	for why, event := range map[string]pimevent.Event{
		`it listens to PIM "main"`:         {API: pimevent.EventPlatform, PIM: "other"},
		"it listens to the event-platform": {API: pimevent.EventsAPI, PIM: "main"},
	} {
		if got, reason := engine.Matches(subscription, event); got || reason != why {
			t.Errorf("%t: %s; want: %s", got, reason, why)
		}
	}
}
