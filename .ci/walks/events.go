package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// change is a product's new price: an event that the subscription catalogue wants.
func change() senders.PriceChange {
	return senders.PriceChange{
		ID: senders.NewUUID(), Product: senders.NewUUID(), Identifier: "sku", From: 1, To: 2, Author: senders.NewUUID(), At: time.Now(),
	}
}

// deliver delivers an event as the Event Platform does.
func (v *visit) deliver(ctx context.Context, event senders.PriceChange) error {
	platform := senders.EventPlatform{PIM: "main", Primary: v.Signing.EventPlatform["main"][0]}
	_, err := stack.Expect(ctx, v.URL, platform.Event(event.EventPlatform()), 200)
	return err
}

// outcomes waits until each event has an outcome and the events queue is empty. It returns the outcomes that there are.
func (v *visit) outcomes(ctx context.Context, api string, events []senders.PriceChange) (found []string, err error) {
	err = stack.Until(ctx, patience, "each event has its outcome, and the queue is empty", func() (bool, error) {
		found = nil
		for _, event := range events {
			outcome, err := v.Outcome(ctx, api, event.ID)
			if err != nil || outcome == "" {
				return false, err
			}
			found = append(found, outcome)
		}
		depth, err := v.Depth(ctx, "EventsQueueUrl")
		return depth == 0, err
	})
	slices.Sort(found)
	return slices.Compact(found), err
}

// eventPlatform delivers each event twice, which has one effect.
func eventPlatform(ctx context.Context, v *visit) (string, error) {
	var events []senders.PriceChange
	for range 10 {
		events = append(events, change())
	}
	for _, event := range slices.Concat(events, events) {
		if err := v.deliver(ctx, event); err != nil {
			return "", err
		}
	}
	found, err := v.outcomes(ctx, "event-platform", events)
	if err != nil {
		return "", err
	}
	if !slices.Equal(found, []string{"applied"}) {
		return "", fmt.Errorf("outcomes %q", found)
	}
	for _, event := range events {
		key, calls := "event-platform/main/"+event.ID+"/catalogue", 0 // and perhaps a digest of the body
		for _, call := range v.destination.Calls() {
			if strings.HasPrefix(call.Key(), key) {
				calls++
			}
		}
		if calls != 1 {
			return "", fmt.Errorf("the destination got %d calls with the key %s", calls, key)
		}
	}
	return "ten events, each delivered twice, had ten effects", nil
}

// eventsAPI sends a request of ten events twice: each has one outcome.
func eventsAPI(ctx context.Context, v *visit) (string, error) {
	var events []senders.PriceChange
	var bodies []json.RawMessage
	for range 10 {
		event := change()
		events, bodies = append(events, event), append(bodies, event.EventsAPI())
	}
	request := senders.EventsAPI{PIM: "main", Secret: v.Signing.EventsAPI["main"][0], At: time.Now()}.Request(senders.EventsAPIBody(bodies...))
	for range 2 {
		if _, err := stack.Expect(ctx, v.URL, request, 200); err != nil {
			return "", err
		}
	}
	found, err := v.outcomes(ctx, "events-api", events)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("outcomes %q", found)
	}
	return fmt.Sprintf("ten events in one request, sent twice, had one outcome each (%s)", found[0]), nil
}

// together delivers three events of each of two products of the PIM, and one of a product that is gone, in one request: the
// worker reads and sends them together, and each event has its outcome.
func together(ctx context.Context, v *visit) (string, error) {
	products := []string{v.pim.Shown().Products[1].UUID, v.pim.Shown().Products[2].UUID}
	gone := senders.NewUUID()
	var ids []string
	var events []map[string]any
	for n, product := range []string{products[0], products[1], products[0], products[1], gone, products[0], products[1]} {
		ids = append(ids, senders.NewUUID())
		events = append(events, map[string]any{
			"specversion": "1.0", "id": ids[n], "source": "pim", "subject": senders.NewUUID(), "datacontenttype": "application/json",
			"type": "com.akeneo.pim.v1.product.created", "time": time.Now().UTC().Format(time.RFC3339Nano),
			"data": map[string]any{"product": map[string]string{"uuid": product, "identifier": "sku"}, "author": map[string]string{"identifier": senders.NewUUID(), "type": "user"}},
		})
	}
	body, err := json.Marshal(events)
	if err != nil {
		return "", err
	}
	platform := senders.EventPlatform{PIM: "main", Primary: v.Signing.EventPlatform["main"][0]}
	if _, err := stack.Expect(ctx, v.URL, platform.Event(body), 200); err != nil {
		return "", err
	}
	outcomes := map[string]int{}
	err = stack.Until(ctx, patience, "each event has its outcome", func() (bool, error) {
		clear(outcomes)
		for _, id := range ids {
			outcome, err := v.Outcome(ctx, "event-platform", id)
			if err != nil || outcome == "" {
				return false, err
			}
			outcomes[outcome]++
		}
		return true, nil
	})
	if err != nil {
		return "", err
	}
	calls, sent := 0, map[string]bool{}
	for _, call := range v.destination.Calls() {
		if !strings.HasSuffix(call.Path, "/states") {
			continue
		}
		calls++
		var body struct {
			Subscription string
			Items        []struct {
				ID      string
				Product struct{ UUID string }
			}
		}
		if err := json.Unmarshal(call.Body, &body); err != nil || body.Subscription != "newcomers" {
			return "", fmt.Errorf("the destination got %s: %w", call.Body, err)
		}
		for _, item := range body.Items {
			sent[item.ID] = item.Product.UUID == item.ID
		}
	}
	if calls == 0 || calls >= len(ids) || len(sent) != len(products) || !sent[products[0]] || !sent[products[1]] || outcomes["applied"]+outcomes["stale"] != len(ids) || outcomes["stale"] == 0 {
		return "", fmt.Errorf("%d calls with the products %v; outcomes %v", calls, sent, outcomes)
	}
	return fmt.Sprintf("%d events of two products, and of one that is gone: calls of the destination: %d", len(ids), calls), nil
}
