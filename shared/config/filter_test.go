package config_test

import (
	"strings"
	"testing"
)

// What a subscription says of filters, identifiers and variants: rows replace the events of the right file's subscription,
// or add to it.
func TestFiltersIdentifiersAndVariants(t *testing.T) {
	const (
		delta    = "com.akeneo.pim.v1.product.updated.delta"
		model    = "com.akeneo.pim.v1.product-model.updated.delta"
		deleted  = "com.akeneo.pim.v1.product.deleted"
		platform = "api: event-platform, "
	)
	for _, row := range []struct{ name, subscription, want string }{
		{"a filter over deltas", platform + "events: [" + delta + "], filter: 'attribute=\"price\" and not (user_type=\"api\" or locale in [\"en_US\",\"fr_FR\"])', identifiers: true", ""},
		{"a filter that all events can have", platform + "events: [" + deleted + "], filter: 'user=\"d''Artagnan\"'", ""},
		{"the longest filter", platform + "events: [" + delta + `], filter: "user=\"` + strings.Repeat("x", 493) + `\""`, ""},
		{"a filter that is too long", platform + "events: [" + delta + `], filter: "user=\"` + strings.Repeat("x", 494) + `\""`, `f.yaml:15: filter of subscription "new" has 501 characters, and the Event Platform takes 500; shorten it, or make two subscriptions`},
		{"single quotes", platform + "events: [" + delta + `], filter: "attribute='price'"`, `f.yaml:15: filter of subscription "new" has single quotes around a value; write them double: 'attribute="price"'`},
		{"a quote that does not end", platform + "events: [" + delta + `], filter: 'attribute="price'`, `f.yaml:15: filter of subscription "new" has a quote that does not end; write 'attribute="price"'`},
		{"a field that no event has", platform + "events: [" + delta + `], filter: 'atribute="price"'`, `f.yaml:15: filter of subscription "new" names "atribute", which events do not have; did you mean "attribute"?`},
		{"a field that its events do not have", platform + "events: [" + deleted + `], filter: 'attribute="price"'`, `f.yaml:15: filter of subscription "new" names attribute, which only deltas of products have: ` + deleted + ` may not be sent; put the others into a subscription of their own, without it`},
		{"a field that some of its events do not have", platform + "events: [" + delta + ", " + deleted + `], filter: 'scope="print" and locale="de_DE"'`, `warning f.yaml:15: filter of subscription "new" names scope and locale, which only deltas of products have: ` + deleted + ` may not be sent; put the others into a subscription of their own, without it`},
		{"a filter at the Events API", `api: events-api, events: [product.updated], filter: 'user="x"'`, `f.yaml:15: filter of subscription "new": the Events API knows no filters; remove it, or use changed`},
		{"identifiers at the Events API", "api: events-api, events: [product.updated], identifiers: true", `warning f.yaml:15: identifiers of subscription "new" does nothing: the Events API always sends them; remove it`},
		{"a type under a filter, and elsewhere", platform + "events: [" + delta + "], filter: 'attribute=\"price\"'}\n  all: {pim: main, " + platform + `events: ["com.akeneo.pim.v1.product.*"], action: send`, `warning f.yaml:15: subscription "new" has a filter, and ` + delta + ` is in subscription "all" too: it would get events that the filter leaves out; put what differs into changed, or the actions into one subscription`},
		{"two filters over one type", platform + "events: [" + delta + "], filter: 'attribute=\"price\"'}\n  name: {pim: main, " + platform + "events: [" + delta + "], filter: 'attribute=\"name\"', action: send", `f.yaml:16: subscription "name" has a filter, and ` + delta + ` is in subscription "new" too: it would get events that the filter leaves out; put what differs into changed, or the actions into one subscription`},
		{"a filter, and another type elsewhere", platform + "events: [" + delta + "], filter: 'attribute=\"price\"'}\n  gone: {pim: main, " + platform + "events: [" + deleted + "], action: send", ""},
		{"headers", platform + "events: [" + deleted + "], headers: {X-Api-Key: 'secret:waf', X-Zone: shop}", ""},
		{"a header with a secret inside", platform + "events: [" + deleted + "], headers: {X-Api-Key: 'Bearer secret:waf'}", `f.yaml:15: secret: stands inside a longer text; put the whole text into the connection secret, and write secret:NAME alone`},
		{"a header that is the platform's own", platform + "events: [" + deleted + "], headers: {Authorization: 'secret:waf'}", `f.yaml:15: header "Authorization" of subscription "new" is the Event Platform's own; name it otherwise: X-Api-Key`},
		{"a header that is no name", platform + "events: [" + deleted + "], headers: {X_Key: a}", `f.yaml:15: header "X_Key" of subscription "new" is no name of a header; use letters, digits and -`},
		{"a header that cannot be sent", platform + "events: [" + deleted + "], headers: {X-Key: é}", `f.yaml:15: header "X-Key" of subscription "new" cannot be sent; use at most 256 plain characters`},
		{"six headers", platform + "events: [" + deleted + "], headers: {A: a, B: b, C: c, D: d, E: e, F: f}", `f.yaml:15: subscription "new" has 6 headers, and the Event Platform takes 5; leave some out`},
		{"headers at the Events API", "api: events-api, events: [product.updated], headers: {X-Key: a}", `f.yaml:15: headers of subscription "new": the Events API knows none; remove it`},
		{"variants", platform + "events: [" + delta + ", " + model + "], expand: variants, deliver: latest", ""},
		{"variants of the Events API", "api: events-api, events: [product_model.updated], expand: variants, deliver: latest", ""},
		{"expand into something else", platform + "events: [" + model + "], expand: children, deliver: latest", `f.yaml:15: expand of subscription "new" is "children"; use variants`},
		{"variants of every event", platform + "events: [" + model + "], expand: variants", `f.yaml:15: expand of subscription "new" needs deliver: latest: a model's variants are delivered as they are then; add deliver: latest`},
		{"variants, and no models", platform + "events: [" + delta + "], expand: variants, deliver: latest", `f.yaml:15: expand of subscription "new" does nothing: none of its events is about product models; add com.akeneo.pim.v1.product-model.updated to events`},
	} {
		text := change(t, "api: event-platform, events: ["+delta+"], action: send", row.subscription+", action: send")
		if strings.Contains(row.subscription, "\n") { // its own action stands before the line break
			text = change(t, "api: event-platform, events: ["+delta+"], action: send", strings.Replace(row.subscription, "}\n", ", action: send}\n", 1))
		}
		loaded, err := load(text)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case len(loaded.Warnings) > 0:
			got = "warning " + loaded.Warnings.Error()
		}
		if got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
	loaded, err := load(change(t, "events: ["+delta+"]", "events: ["+delta+", "+model+"], filter: 'attribute=\"price\"', identifiers: true, expand: variants, deliver: latest"))
	if err != nil {
		t.Fatal(err)
	}
	if s := loaded.Subscriptions["new"]; s.Filter != `attribute="price"` || !s.Identifiers || !s.Expand {
		t.Errorf("%+v", s)
	}
}
