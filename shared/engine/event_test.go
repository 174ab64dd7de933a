package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// platform is a CloudEvent as the Event Platform sends it.
func platform(id, eventType, data string, at time.Time) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"type":"com.akeneo.pim.v1.%s","source":"pim","time":%q,"data":{%s}}`, id, eventType, at.Format(time.RFC3339Nano), data)
}

// receive plays the webhook: one message per delivery of an event.
func (w *fixture) receive(api string, bodies ...string) {
	w.Helper()
	for _, body := range bodies {
		w.deliveries++
		if err := w.events.Send(w.Context(), queue.Message{Body: []byte(body), Attributes: map[string]string{
			pimevent.AttributeAPI: api, pimevent.AttributePIM: "main", pimevent.AttributeReceived: w.clock.Now().Format(time.RFC3339Nano),
			pimevent.AttributeCorrelation: "r", pimevent.AttributeDelivery: fmt.Sprint(w.deliveries),
		}}); err != nil {
			w.Fatal(err)
		}
	}
}

// drainEvents plays Lambda's poller on the events queue until it is empty.
func (w *fixture) drainEvents() {
	w.Helper()
	for range 8000 {
		messages, err := w.events.Receive(w.Context(), 10, 0)
		if err != nil {
			w.Fatal(err)
		}
		if len(messages) > 0 {
			w.invoke(messages)
			continue
		}
		if depth, _ := w.events.Depth(w.Context()); depth == (queue.Depth{}) {
			return
		}
		w.clock.advance(time.Minute)
	}
	w.Fatal("the events queue does not drain")
}

// invoke is one invocation: what it leaves, and all of it if the process died, comes again.
func (w *fixture) invoke(messages []queue.Received) {
	ctx, cancel := context.WithTimeout(w.Context(), w.turn)
	defer cancel()
	failed := handle(ctx, w.engine, messages)
	if w.faults.restart() {
		return
	}
	for _, message := range messages {
		if !slices.Contains(failed, message.ID) {
			_ = w.events.Delete(w.Context(), message.Receipt) // a lost acknowledgement brings the message again
		}
	}
	w.faults.restart()
}

// listener is a scripted action that remembers the keys it ran with.
type listener struct {
	mu   sync.Mutex
	runs []engine.Run
	fail func(engine.Run) error
}

func (l *listener) script() *script {
	return &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.fail != nil {
			if err := l.fail(run); err != nil {
				return engine.Result{}, err
			}
		}
		l.runs = append(l.runs, run)
		return engine.Result{}, nil
	}}
}

const product = `"product":{"uuid":"p1"},"author":{"identifier":"julia","type":"user"}`

func TestWhatBecomesOfAnEvent(t *testing.T) {
	now := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, api, body string
		outcome         string
		runs            []string // subscriptions, in order
	}{
		{"wanted", pimevent.EventPlatform, platform("e1", "product.updated", product, now), "applied", []string{"every"}},
		{"wanted by two", pimevent.EventPlatform, platform("e1", "product.deleted", product, now), "applied", []string{"every", "other"}},
		{"wanted by none", pimevent.EventPlatform, platform("e1", "asset.created", `"asset":{"code":"a"}`, now), "unmatched", nil},
		{"an unknown type", pimevent.EventPlatform, platform("e1", "moon.landed", `"moon":{}`, now), "unmatched", nil},
		{"in shadow", pimevent.EventPlatform, platform("e1", "family.updated", `"family":{"code":"shoes"}`, now), "shadow", nil},
		{"our own change, by client id", pimevent.EventPlatform, platform("e1", "product.updated", `"product":{"uuid":"p1"},"author":{"identifier":"our-client","type":"api"}`, now), "applied", []string{"every"}},
		{"a user named as we are", pimevent.EventPlatform, platform("e1", "product.updated", `"product":{"uuid":"p1"},"author":{"identifier":"our-client","type":"user"}`, now), "applied", []string{"every"}},
		{"no author", pimevent.EventPlatform, platform("e1", "product.became-complete", `"product":{"uuid":"p1"}`, now), "applied", []string{"every"}},
		{"no entity", pimevent.EventPlatform, platform("e1", "product.updated", ``, now), "applied", []string{"every"}},
		{"not JSON, but proven", pimevent.EventPlatform, `nonsense`, "unmatched", nil},
		{"the older API", pimevent.EventsAPI, `{"action":"product.updated","event_id":"e1","author":"julia","author_type":"ui","data":{"resource":{"uuid":"p1"}}}`, "applied", []string{"old"}},
		{"our own change, by the older API", pimevent.EventsAPI, `{"action":"product.updated","event_id":"e1","author":"our-user","author_type":"api","data":{"resource":{"uuid":"p1"}}}`, "applied", []string{"old"}},
		{"a notification", pimevent.Notifications, `{"notification_type":"subscription.suspended.system","timestamp":"2026-11-23T10:00:00Z","subscription_id":"s1"}`, "applied", []string{"notifications"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &listener{}
			w := newFixture(t, l.script().backing(), fault{})
			w.receive(c.api, c.body, c.body)
			w.drainEvents()
			if w.count(c.outcome) != 1 || w.count("duplicate") != 1 {
				t.Errorf("%d %s, %d duplicates", w.count(c.outcome), c.outcome, w.count("duplicate"))
			}
			var ran []string
			for _, run := range l.runs {
				ran = append(ran, run.Subscription)
				if string(run.Event.Raw) != c.body {
					t.Errorf("the action got %s", run.Event.Raw)
				}
			}
			if !slices.Equal(ran, c.runs) {
				t.Errorf("ran %v, want %v", ran, c.runs)
			}
		})
	}
}

func TestARetryRunsOnlyTheSubscriptionsWithoutAnOutcome(t *testing.T) {
	l, down := &listener{}, true
	l.fail = func(run engine.Run) error {
		if run.Subscription == "other" && down {
			return errors.New("down")
		}
		return nil
	}
	w := newFixture(t, l.script().backing(), fault{})
	w.receive(pimevent.EventPlatform, platform("e1", "product.deleted", product, w.clock.Now()))
	messages, _ := w.events.Receive(t.Context(), 1, 0)
	w.invoke(messages)
	down = false
	w.drainEvents()
	if len(l.runs) != 2 || l.runs[0].Subscription != "every" || l.runs[1].Subscription != "other" || w.count("applied") != 1 {
		t.Errorf("%d runs, %d applied", len(l.runs), w.count("applied"))
	}
	if l.runs[0].Key == l.runs[1].Key || !strings.HasPrefix(l.runs[0].Key, "event-platform/main/e1/") {
		t.Errorf("keys %q, %q", l.runs[0].Key, l.runs[1].Key)
	}
}

func TestAnEventThatStaysFailedIsADeadLetterAndARedriveRunsWhatIsNotApplied(t *testing.T) {
	t.Parallel() // a redrive looks for a second whether there is more
	l, down := &listener{}, true
	l.fail = func(run engine.Run) error {
		if run.Subscription == "other" && down {
			return errors.New("down")
		}
		return nil
	}
	w := newFixture(t, l.script().backing(), fault{})
	w.receive(pimevent.EventPlatform, platform("e1", "product.deleted", product, w.clock.Now()))
	w.drainEvents()
	entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1")
	if err != nil || entry.Outcomes["other"] != ledger.Failed || entry.Outcome != ledger.Applied || len(w.letters.Messages()) != 1 {
		t.Fatalf("%+v, %v, %d letters", entry, err, len(w.letters.Messages()))
	}
	down = false
	if n, err := (queue.Redrive{Letters: w.letters, Work: w.events, Now: w.clock.Now}).Run(t.Context()); n.Moved != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.drainEvents()
	if entry, _ = w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcomes["other"] != ledger.Applied || len(l.runs) != 2 || w.count("applied") != 1 || w.count("duplicate") != 0 {
		t.Errorf("%v, %d runs, counted %d applied, %d duplicates", entry.Outcomes, len(l.runs), w.count("applied"), w.count("duplicate"))
	}
}

// A redrive that succeeds leaves no reason behind, and what became of the event is counted anew.
func TestARedriveForgetsWhatFailed(t *testing.T) {
	refuses := true
	l := &listener{fail: func(engine.Run) error {
		if refuses {
			return engine.Permanent("422", nil)
		}
		return nil
	}}
	w := newFixture(t, l.script().backing(), fault{})
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()), platform("e2", "product.deleted", product, w.clock.Now()))
	w.drainEvents()
	if w.count("failed") != 2 || w.count("applied") != 0 || len(w.letters.Messages()) != 2 {
		t.Fatalf("%d failed, %d applied", w.count("failed"), w.count("applied"))
	}
	refuses = false
	w.redrive()
	entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e2")
	if entry.Outcome != ledger.Applied || len(entry.Reasons) != 0 || w.count("failed") != 0 || w.count("applied") != 2 {
		t.Errorf("%s, reasons %v; counted %d failed, %d applied", entry.Outcome, entry.Reasons, w.count("failed"), w.count("applied"))
	}
}

func TestAnEventOfAnotherPIMIsRefusedWhereItsSourcesAreListed(t *testing.T) {
	for _, c := range []struct {
		name, sources, source string
		outcome               string
		runs                  int
	}{
		{"a listed source", "sources: [pim.example.com], ", "https://pim.example.com/", "applied", 1},
		{"another one", "sources: [pim.example.com], ", "evil.example.com", "foreign", 0},
		{"no source", "sources: [pim.example.com], ", "", "applied", 1},
		{"another one, where none is listed", "", "clone.example.com", "applied", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &listener{}
			w := newFixture(t, l.script().backing(), fault{})
			loaded, err := config.Load(config.Source{File: "extensions.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false }, Text: []byte(`
environments: {local: {}}
pims: {main: {` + c.sources + `url: "https://pim.example.com"}}
actions: {listen: {kind: script}}
subscriptions: {old: {pim: main, api: events-api, events: [product.updated], action: listen}}
`)})
			if err != nil {
				t.Fatal(err)
			}
			w.engine.Config.Config = loaded
			w.receive(pimevent.EventsAPI, fmt.Sprintf(`{"action":"product.updated","event_id":"e1","pim_source":%q,"data":{"resource":{"uuid":"p1"}}}`, c.source))
			w.drainEvents()
			if w.count(c.outcome) != 1 || len(l.runs) != c.runs {
				t.Errorf("%d %s, %d runs", w.count(c.outcome), c.outcome, len(l.runs))
			}
		})
	}
}

func TestASuspensionIsAGapUntilTheResume(t *testing.T) {
	l := &listener{}
	w := newFixture(t, l.script().backing(), fault{})
	for _, body := range []string{
		`{"notification_type":"subscription.resumed","timestamp":"2026-11-23T11:30:00Z","subscription_id":"s1"}`, // a queue keeps no order
		`{"notification_type":"subscription.suspended.system","timestamp":"2026-11-23T10:00:00Z","subscription_id":"s1","reason":"Success rate dropped below 90%","events":["a"]}`,
	} {
		w.receive(pimevent.Notifications, body, body)
		w.drainEvents()
	}
	gaps, err := w.ledger.Gaps(t.Context(), "main")
	if err != nil || len(gaps) != 1 || gaps[0].To.Sub(gaps[0].From) != 90*time.Minute || gaps[0].Subscription != "s1" || gaps[0].Reason == "" {
		t.Errorf("%+v, %v", gaps, err)
	}
}

// TestAFaultAnywhereAppliesAnEventOnce lets every read, write, send and acknowledgement go wrong in turn.
func TestAFaultAnywhereAppliesAnEventOnce(t *testing.T) {
	for _, eventType := range []string{"product.deleted", "category.updated"} {
		scenario := func(t *testing.T, plan fault) *faults {
			applied := map[string]int{}
			var w *fixture
			s := &script{run: func(_ context.Context, run engine.Run) (engine.Result, error) {
				err := w.faults.op("run", func() error { applied[run.Key]++; return nil })
				return engine.Result{}, err
			}}
			w = newFixture(t, s.backing(), fault{})
			body := platform("e1", eventType, product+`,"category":{"code":"c1"}`, w.clock.Now())
			w.receive(pimevent.EventPlatform, body)
			w.faults.plan, w.faults.count = plan, 0
			w.drainEvents()
			entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1")
			if err != nil || entry.Outcome != ledger.Applied || entry.AnyFailed() {
				t.Errorf("%s %v, %v", entry.Outcome, entry.Outcomes, err)
			}
			for key := range applied { // a destination that honours keys counts each once
				if want := "event-platform/main/e1/"; !strings.HasPrefix(key, want) {
					t.Errorf("key %q", key)
				}
			}
			want := map[string]int{"product.deleted": 2, "category.updated": 1}[eventType]
			if len(applied) != want || len(w.letters.Messages()) > 0 {
				t.Errorf("%d effects, want %d; %d letters", len(applied), want, len(w.letters.Messages()))
			}
			if w.count("applied")+w.count("duplicate") > 1 && !plan.after {
				t.Errorf("counted %d applied, %d duplicates for one delivery", w.count("applied"), w.count("duplicate"))
			}
			return w.faults
		}
		clean := scenario(t, fault{})
		for at := 1; at <= clean.count; at++ {
			for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
				t.Run(fmt.Sprintf("%s/%d %s after=%v crash=%v", eventType, at, clean.names[at], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
			}
		}
	}
}

// TestAFaultAnywhereMakesAFailedEventADeadLetter: between the record of a failed event's end and its dead letter anything may
// go wrong. A second letter does no harm; none would lose the event.
func TestAFaultAnywhereMakesAFailedEventADeadLetter(t *testing.T) {
	scenario := func(t *testing.T, plan fault) *faults {
		s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
			return engine.Result{}, engine.Permanent("422", nil)
		}}
		w := newFixture(t, s.backing(), fault{})
		w.receive(pimevent.EventPlatform, platform("e1", "category.updated", `"category":{"code":"c1"}`, w.clock.Now()))
		w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
		w.drainEvents()
		entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1")
		if err != nil || entry.Outcome != ledger.Failed || entry.Letter || len(entry.ThenDue) > 0 {
			t.Errorf("%s, letter due %t, then %v, %v", entry.Outcome, entry.Letter, entry.ThenDue, err)
		}
		letters := w.letters.Messages()
		if len(letters) < 1 || len(letters) > 2 {
			t.Errorf("%d dead letters, want one, or two after a fault", len(letters))
		}
		for _, letter := range letters {
			if letter.Attributes[engine.RedriveAttribute] == "" {
				t.Error("a redrive of the letter would find an event that has ended")
			}
		}
		return w.faults
	}
	clean := scenario(t, fault{})
	for at := 1; at <= clean.count; at++ {
		for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
			t.Run(fmt.Sprintf("%d %s after=%v crash=%v", at, clean.names[at-1], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
		}
	}
}
