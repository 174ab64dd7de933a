package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// The answer of a call is lost, a deployment renames the action, the event is tried again: the name is part of what is sent.
func TestARenamedActionHasAnotherKey(t *testing.T) {
	w := newFixture(t, memory, fault{})
	load := func(action string) {
		w.loads("actions: {" + action + `: {kind: forward, url: "` + w.destination.URL + `/send"}}` +
			"\nsubscriptions: {every: {pim: main, api: event-platform, events: [\"*\"], action: " + action + "}}")
	}
	load("send-to-erp")
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	w.faults.plan, w.faults.count = fault{at: 3, after: true}, 0 // get, claim, call
	w.one()
	if last := w.faults.names[len(w.faults.names)-1]; !strings.Contains(strings.Join(w.faults.names, ","), "call /send") {
		t.Fatalf("the fault hit %q", last)
	}
	load("send-to-the-erp")
	w.drainEvents()
	if w.destination.calls != 2 || len(w.destination.contents) != 2 || len(w.destination.clashes) > 0 {
		t.Errorf("%d calls with %d keys; two contents under %v", w.destination.calls, len(w.destination.contents), w.destination.clashes)
	}
	// And back again: the first name has its first key.
	load("send-to-erp")
	if entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcome != ledger.Applied {
		t.Errorf("%s %v", entry.Outcome, entry.Reasons)
	}
}

func TestKeysOfEvents(t *testing.T) {
	for name, c := range map[string]struct{ id, want string }{
		"plain":            {"e1", "event-platform/main/e1/every"},
		"with a slash":     {"a/b?c#d", "event-platform/main/a/b?c#d/every"},
		"with a space":     {" lead", "event-platform/main/ lead/every"},
		"with a line feed": {"a\\nb", "event-platform/main/sha256-"},
		"not ASCII":        {"évènement-1", "event-platform/main/sha256-"},
		"an emoji":         {"id-😀", "event-platform/main/sha256-"},
		"a control":        {"a\\u0001b", "event-platform/main/sha256-"},
		"visible ASCII":    {"!~", "event-platform/main/!~/every"},
		"a delete":         {"a\\u007fb", "event-platform/main/sha256-"},
		"two hundred":      {strings.Repeat("x", 200), "event-platform/main/" + strings.Repeat("x", 200) + "/every"},
		"longer":           {strings.Repeat("x", 201), "event-platform/main/sha256-"},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []string
			down := true
			s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
				keys = append(keys, run.Key)
				if down {
					down = false
					return engine.Result{}, errors.New("down")
				}
				return engine.Result{}, nil
			}}
			w := newFixture(t, s.backing(), fault{})
			w.receive(pimevent.EventPlatform, `{"specversion":"1.0","id":"`+c.id+`","type":"com.akeneo.pim.v1.product.updated","data":{`+product+`}}`)
			w.drainEvents()
			if len(keys) != 2 || keys[0] != keys[1] || !strings.HasPrefix(keys[0], c.want) || !strings.HasSuffix(keys[0], "/every") {
				t.Errorf("keys %q", keys)
			}
		})
	}
}

func TestTheKeyOfARenamedActionIsItsOwn(t *testing.T) {
	var keys []string
	s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		keys = append(keys, run.Key)
		return engine.Result{}, errors.New("down")
	}}
	w := newFixture(t, s.backing(), fault{})
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	for _, action := range []string{"first", "first", "second", "first"} {
		w.loads("actions: {" + action + ": {kind: script}}\nsubscriptions: {every: {pim: main, api: event-platform, events: [\"*\"], action: " + action + "}}")
		w.one()
		w.clock.advance(16 * time.Minute)
	}
	if len(keys) != 4 || keys[0] != "event-platform/main/e1/every" || keys[1] != keys[0] || keys[2] == keys[0] || keys[3] != keys[0] {
		t.Errorf("keys %q", keys)
	}
}
