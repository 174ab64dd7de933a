package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// What a press and an event cost in calls of DynamoDB, SQS and the destination. The README's table is made of these
// numbers: who changes one changes both.
func TestWhatAPressCosts(t *testing.T) {
	for items, want := range map[int]string{
		1: "create, send, save queued | load, save running, call /plain, save succeeded, delete",
		3: "create, send, save queued | load, save running, call /plain, save running, call /plain, save succeeded, delete",
	} {
		w := newFixture(t, memory, fault{})
		if _, confirmed := w.press("plain", items); !confirmed { // batches of two
			t.Fatal("the press was not confirmed")
		}
		pressed := len(w.faults.names)
		w.drain()
		if got := steps(w.faults.names[:pressed]) + " | " + steps(w.faults.names[pressed:]); got != want {
			t.Errorf("%d items: %s, want %s", items, got, want)
		}
	}
}

func TestWhatAnEventCosts(t *testing.T) {
	quiet := &script{run: func(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, nil }}
	for name, row := range map[string]struct{ event, want string }{
		"that one subscription wants":              {"product.created", "get event, save event, save event applied, delete"},
		"that one wants with the newest state":     {"category.updated", "get event, save event, get mark, save mark, save mark, save event applied, delete"},
		"that nobody wants":                        {"asset.created", "get event, save event unmatched, delete"},
		"that two subscriptions want":              {"product.deleted", "get event, save event, save event, save event applied, delete"},
		"that was delivered before, once it ended": {"again", "get event, delete"},
	} {
		w := newFixture(t, quiet.backing(), fault{})
		event := platform("e1", strings.Replace(row.event, "again", "product.created", 1), product+`,"category":{"code":"c1"},"asset":{"code":"a1"}`, w.clock.Now())
		w.receive(pimevent.EventPlatform, event)
		if row.event == "again" {
			w.drainEvents()
			w.receive(pimevent.EventPlatform, event)
		}
		w.faults.names = nil
		w.drainEvents()
		if got := steps(w.faults.names); got != row.want {
			t.Errorf("an event %s: %s, want %s", name, got, row.want)
		}
	}
}

func steps(names []string) string {
	trimmed := make([]string, len(names))
	for i, name := range names {
		trimmed[i] = strings.TrimSpace(name)
	}
	return strings.Join(trimmed, ", ")
}
