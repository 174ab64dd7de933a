package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// loads replaces the fixture's configuration.
func (w *fixture) loads(text string) {
	w.Helper()
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false },
		Text: []byte("environments: {local: {}}\npims: {main: {url: \"https://pim.example.com\"}}\n" + text)})
	if err != nil {
		w.Fatal(err)
	}
	w.engine.Config.Config = loaded
}

const withThen = `
actions:
  work:  {kind: script, then: {succeeded: good, failed: bad}}
  good:  {kind: notify, channel: json, url: "%[1]s/good", text: "{{.Outcome}} {{.Label}} {{.Done}}/{{.Total}} {{.Count}}"}
  bad:   {kind: notify, channel: json, url: "%[1]s/bad", text: "{{.Outcome}} {{.Label}} {{.Done}}/{{.Total}}"}
  plain: {kind: script}
subscriptions:
  first:  {pim: main, api: event-platform, events: ["com.akeneo.pim.v1.product.*"], action: work}
  second: {pim: main, api: event-platform, events: ["com.akeneo.pim.v1.product.deleted"], action: plain}
notifications: {main: {action: work}}
`

func (w *fixture) told() string {
	w.destination.mu.Lock()
	defer w.destination.mu.Unlock()
	var told []string
	for what, times := range w.destination.applied {
		told = append(told, fmt.Sprint(what, " x", times))
	}
	return strings.Join(told, "; ")
}

func TestWhatFollowsAnEvent(t *testing.T) {
	for _, c := range []struct {
		name, api, body string
		fails           bool
		want            string
	}{
		{"applied", pimevent.EventPlatform, platform("e1", "product.updated", product, time.Time{}), false, "/good succeeded first 1/1 1 x1"},
		{"failed", pimevent.EventPlatform, platform("e1", "product.updated", product, time.Time{}), true, "/bad failed first 0/1 x1"},
		{"for one of two subscriptions", pimevent.EventPlatform, platform("e1", "product.deleted", product, time.Time{}), false, "/good succeeded first 1/1 1 x1"},
		{"a notification", pimevent.Notifications, `{"notification_type":"subscription.resumed","timestamp":"2026-11-23T11:30:00Z","subscription_id":"s1"}`, false, "/good succeeded notifications 1/1 0 x1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
				if c.fails {
					return engine.Result{}, engine.Permanent("no", nil)
				}
				return engine.Result{}, nil
			}}
			w := newFixture(t, s.backing(), fault{})
			w.loads(fmt.Sprintf(withThen, w.destination.URL))
			w.receive(c.api, c.body, c.body)
			w.drainEvents()
			w.drain()
			if got := w.told(); got != c.want {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}

// A redrive that succeeds tells so; what had succeeded before is not told again.
func TestWhatFollowsARedrivenEvent(t *testing.T) {
	fails := true
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
		if fails {
			return engine.Result{}, engine.Permanent("no", nil)
		}
		return engine.Result{}, nil
	}}
	w := newFixture(t, s.backing(), fault{})
	w.loads(fmt.Sprintf(withThen, w.destination.URL))
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	w.drainEvents()
	w.redrive() // fails again: which is told again
	fails = false
	w.redrive()
	w.redrive() // finds nothing to do
	w.drain()
	w.destination.mu.Lock()
	defer w.destination.mu.Unlock()
	if n := w.destination.applied; n["/bad failed first 0/1"] != 2 || n["/good succeeded first 1/1 1"] != 1 || len(n) != 2 {
		t.Errorf("told %v", n)
	}
}

// TestAFaultAnywhereTellsOnceOfAnEvent: the follow-up is due in the write that ends the event, and cleared when it is sent.
func TestAFaultAnywhereTellsOnceOfAnEvent(t *testing.T) {
	for _, fails := range []bool{false, true} {
		scenario := func(t *testing.T, plan fault) *faults {
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
				if fails {
					return engine.Result{}, engine.Permanent("no", nil)
				}
				return engine.Result{}, nil
			}}
			w := newFixture(t, s.backing(), fault{})
			w.loads(fmt.Sprintf(withThen, w.destination.URL))
			w.receive(pimevent.EventPlatform, platform("e1", "product.deleted", product, w.clock.Now()))
			w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
			w.drainEvents()
			w.drain()
			want := "/good succeeded first 1/1 1 x1"
			if fails {
				want = "/bad failed first 0/1 x1"
			}
			if got := w.told(); got != want {
				t.Errorf("told %q, want %q", got, want)
			}
			letters := len(w.letters.Messages())
			if fails && letters == 0 || letters > 2 || !fails && letters > 0 {
				t.Errorf("%d dead letters", letters)
			}
			if entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1"); err != nil || len(entry.ThenDue) > 0 || entry.Letter {
				t.Errorf("still due: %v, letter %t, %v", entry.ThenDue, entry.Letter, err)
			}
			return w.faults
		}
		clean := scenario(t, fault{})
		for at := 1; at <= clean.count; at++ {
			for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
				t.Run(fmt.Sprintf("fails=%v/%d %s after=%v crash=%v", fails, at, clean.names[at-1], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
			}
		}
	}
}
