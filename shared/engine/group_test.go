package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const latestYAML = `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions:
  shop:   {kind: forward, each: true, method: PUT, read: {attributes: [name]}, url: "%[1]s/shop/{{.Item.ID}}", json: {name: '{{.Product.Value "name"}}', event: "{{.Event.ID}}"}, retry: {for: 2h}, then: {failed: report}}
  index:  {kind: forward, read: {attributes: [name]}, url: "%[1]s/index", retry: {for: 2h}, then: {succeeded: report}}
  other:  {kind: forward, read: {attributes: [name]}, url: "%[1]s/other", retry: {for: 2h}}
  plain:  {kind: forward, url: "%[1]s/plain"}
  report: {kind: notify, channel: json, url: "%[1]s/report", text: "{{.Outcome}}: {{.Done}} of {{.Total}}"}
  state:  {kind: script}
subscriptions:
  shop:   {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta, com.akeneo.pim.v1.product.deleted], deliver: latest, action: shop}
  index:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated], deliver: latest, action: index}
  other:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated], deliver: latest, action: other}
  below:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product-model.*], deliver: latest, expand: variants, action: shop}
  plain:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.category.updated], deliver: latest, action: plain}
  script: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.created], deliver: latest, action: state}
extensions: {}
`

func latestBacking() backing { return latestOn(memory) }

func latestOn(b backing) backing {
	b.yaml = latestYAML
	b.kinds = map[string]engine.Kind{"script": &script{}}
	return b
}

// delta is an event of the PIM about a product as it is now.
func (w *fixture) delta(id, product string) string {
	now := w.clock.Now()
	data := fmt.Sprintf(`"product":{"uuid":%q,"updated_at":{"date":%q,"timezone":"UTC"},"changes":{"values":{}}}`, product, now.Format("2006-01-02 15:04:05.000000"))
	return platform(id, "product.updated.delta", data, now)
}

func about(product string) string { return fmt.Sprintf(`"product":{"uuid":%q}`, product) }

// together is one invocation for all messages that can be received.
func (w *fixture) together() (events int) {
	w.Helper()
	var all []queue.Received
	for {
		messages, err := w.events.Receive(w.Context(), 10, 0)
		if err != nil {
			w.Fatal(err)
		}
		if len(messages) == 0 {
			break
		}
		all = append(all, messages...)
	}
	w.invoke(all)
	return len(all)
}

// requests are what a destination was sent.
type requests struct {
	fixture *fixture
	sent    []request
}

type request struct {
	method, path, key string
	body              map[string]any
}

func (w *fixture) noteRequests(answer func(request) (int, string)) *requests {
	r := &requests{fixture: w}
	w.destination.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, got *http.Request) {
		text, _ := io.ReadAll(got.Body)
		one := request{method: got.Method, path: got.URL.Path, key: got.Header.Get("Idempotency-Key")}
		_ = json.Unmarshal(text, &one.body)
		w.mu.Lock()
		r.sent = append(r.sent, one)
		w.mu.Unlock()
		status, body := 200, "{}"
		if answer != nil {
			status, body = answer(one)
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	})
	return r
}

// items are those of a request's body, as ID, name and whether it is deleted.
func (r request) items() (items []string) {
	list, _ := r.body["items"].([]any)
	for _, each := range list {
		item := each.(map[string]any)
		text := item["id"].(string)
		if item["deleted"] == true {
			text += " deleted"
		}
		items = append(items, text)
	}
	return items
}

func (w *fixture) lists(played *pimtest.PIM) (lists, singles int) {
	for _, call := range played.Calls("/api/rest/v1/products-uuid") {
		if call.Path == "/api/rest/v1/products-uuid" {
			lists++
		} else {
			singles++
		}
	}
	return lists, singles
}

func TestManyChangesOfManyProductsAreOneRead(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	sent := w.noteRequests(nil)
	played := w.playPIM(large(60, 0))
	for change := range 2 {
		for n := range 60 {
			played.Set(uuid(n), "name", fmt.Sprintf("State %d of %d", change, n))
			w.receive(pimevent.EventPlatform, w.delta(fmt.Sprintf("e%d-%d", change, n), uuid(n)))
		}
	}
	if n := w.together(); n != 120 {
		t.Fatalf("%d events in one invocation", n)
	}
	if lists, singles := w.lists(played); lists != 1 || singles != 0 {
		t.Errorf("%d lists, %d single reads", lists, singles)
	}
	if len(sent.sent) != 60 || w.count("applied") != 120 || len(w.memories[len(w.memories)-2].Messages()) != 0 {
		t.Errorf("%d sent, %d applied", len(sent.sent), w.count("applied"))
	}
	keys := map[string]bool{}
	for _, r := range sent.sent {
		n := strings.TrimPrefix(r.path, "/shop/")
		keys[r.key] = true
		if want := "State 1 of "; !strings.HasPrefix(fmt.Sprint(r.body["name"]), want) || !strings.HasPrefix(fmt.Sprint(r.body["event"]), "e1-") || r.method != "PUT" {
			t.Errorf("%s %s: %v", r.method, n, r.body)
		}
	}
	if len(keys) != 60 {
		t.Errorf("%d keys", len(keys))
	}
	if saved := sum(w.samples["PIMCallsSaved"]); saved != 119 {
		t.Errorf("%v calls saved", saved)
	}
}

// In one call, with the default body; two subscriptions, of which one is slow, then down: the other one's work is done.
func TestOneSubscriptionHoldsUpNoOther(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	down := true
	sent := w.noteRequests(func(r request) (int, string) {
		if r.path == "/index" && down {
			return 503, "{}"
		}
		return 200, "{}"
	})
	w.playPIM(large(5, 0))
	for n := range 5 {
		w.receive(pimevent.EventPlatform, platform(fmt.Sprintf("e%d", n), "product.updated", about(uuid(n)), w.clock.Now()))
	}
	w.together()
	for n := range 5 {
		entry, err := w.ledger.Get(t.Context(), fmt.Sprintf("event-platform/main/e%d", n))
		if err != nil || entry.Outcomes["other"] != ledger.Applied || entry.Outcomes["index"] != "" || entry.Pending["index"].Tries != 1 || entry.Outcome != "" {
			t.Errorf("%+v, %v", entry, err)
		}
	}
	down = false
	w.drainEvents()
	var paths []string
	for _, r := range sent.sent {
		paths = append(paths, r.path)
	}
	slices.Sort(paths)
	others := 0
	for _, path := range paths {
		if path == "/other" {
			others++
		}
	}
	if others != 1 || w.count("applied") != 5 {
		t.Errorf("%v; %d applied", paths, w.count("applied"))
	}
	first := sent.sent[slices.IndexFunc(sent.sent, func(r request) bool { return r.path == "/other" })]
	if want := "map[action:other items:"; !strings.HasPrefix(fmt.Sprint(first.body), want) || first.body["subscription"] != "other" || first.body["pim"] != "main" || len(first.items()) != 5 || first.body["event"] != nil {
		t.Errorf("%v", first.body)
	}
}

func TestDeletionsAndWhatIsMissing(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(*fixture, *pimtest.PIM)
		events  func(*fixture) []string
		sent    string // method and what is sent, in order
		lists   int
		singles int
		outcome string
	}{
		{"deleted", func(w *fixture, p *pimtest.PIM) { p.Delete(uuid(1)) }, func(w *fixture) []string {
			return []string{platform("e1", "product.deleted", about(uuid(1)), w.clock.Now())}
		}, "DELETE 1", 0, 1, "applied"},
		{"changed, then deleted", func(w *fixture, p *pimtest.PIM) { p.Delete(uuid(1)) }, func(w *fixture) []string {
			return []string{w.delta("e1", uuid(1)), platform("e2", "product.deleted", about(uuid(1)), w.clock.Now())}
		}, "DELETE 1", 0, 1, "applied applied"},
		{"said to be deleted, and there", func(w *fixture, p *pimtest.PIM) {}, func(w *fixture) []string {
			return []string{platform("e1", "product.deleted", about(uuid(1)), w.clock.Now())}
		}, "PUT 1 first", 0, 1, "applied"},
		{"changed, and gone meanwhile", func(w *fixture, p *pimtest.PIM) { p.Delete(uuid(1)) }, func(w *fixture) []string {
			return []string{w.delta("e1", uuid(1)), w.delta("e2", uuid(2))}
		}, "PUT 2 first", 1, 1, "stale applied"},
		{"missing from search", func(w *fixture, p *pimtest.PIM) { p.Lag(uuid(1), 5) }, func(w *fixture) []string {
			return []string{w.delta("e1", uuid(1))}
		}, "PUT 1 first", 1, 1, "applied"},
		{"older in search than the event", func(w *fixture, p *pimtest.PIM) {
			p.Stale(uuid(1), 5)
			w.clock.advance(time.Minute)
			p.Set(uuid(1), "name", "second")
		}, func(w *fixture) []string { return []string{w.delta("e1", uuid(1))} }, "PUT 1 second", 1, 1, "applied"},
		{"older than the event everywhere: that holds", func(w *fixture, p *pimtest.PIM) { w.clock.advance(time.Minute) }, func(w *fixture) []string {
			return []string{w.delta("e1", uuid(1))}
		}, "PUT 1 first", 1, 1, "applied"},
		{"other types do not say how new the product is", func(w *fixture, p *pimtest.PIM) { w.clock.advance(time.Minute) }, func(w *fixture) []string {
			return []string{platform("e1", "product.deleted", about(uuid(1)), w.clock.Now()), platform("e0", "product.deleted", about(uuid(1)), w.clock.Now())}
		}, "PUT 1 first", 0, 1, "applied applied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, latestBacking(), fault{})
			sent := w.noteRequests(nil)
			played := w.playPIM(large(3, 0))
			for n := range 3 {
				played.Set(uuid(n), "name", "first")
			}
			row.prepare(w, played)
			events := row.events(w)
			w.receive(pimevent.EventPlatform, events...)
			w.together()
			var got, outcomes []string
			for _, r := range sent.sent {
				text := r.method + " " + r.path[len(r.path)-1:]
				if r.body != nil {
					text += " " + fmt.Sprint(r.body["name"])
				}
				got = append(got, text)
			}
			for _, body := range events {
				outcomes = append(outcomes, string(w.outcome(pimevent.Decode(pimevent.EventPlatform, "main", []byte(body)).ID)))
			}
			lists, singles := w.lists(played)
			if strings.Join(got, ", ") != row.sent || lists != row.lists || singles != row.singles || strings.Join(outcomes, " ") != row.outcome {
				t.Errorf("sent %q with %d lists and %d single reads; %v", got, lists, singles, outcomes)
			}
		})
	}
}

// A refused product is its own event's failure; time that does not suffice and a destination that goes down end the run
// behind what is through.
func TestProgressIsByProduct(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	fails := 0
	sent := w.noteRequests(func(r request) (int, string) {
		switch {
		case strings.HasSuffix(r.path, "1"):
			return 422, `{"message":"no price"}`
		case strings.HasSuffix(r.path, "3") && fails < 1:
			fails++
			return 503, ""
		}
		return 200, "{}"
	})
	w.playPIM(large(6, 0))
	for n := range 6 {
		w.receive(pimevent.EventPlatform, w.delta(fmt.Sprintf("e%d", n), uuid(n)))
		w.clock.advance(time.Second)
	}
	w.together()
	want := []ledger.Outcome{ledger.Applied, ledger.Failed, ledger.Applied, "", "", ""}
	for n, outcome := range want {
		entry, _ := w.ledger.Get(t.Context(), fmt.Sprintf("event-platform/main/e%d", n))
		if entry.Outcome != outcome || outcome == "" && entry.Pending["shop"].Tries != 1 || outcome == ledger.Failed && !strings.HasSuffix(entry.Reasons["shop"], "no price") {
			t.Errorf("e%d: %s, %+v, %v", n, entry.Outcome, entry.Pending, entry.Reasons)
		}
	}
	if len(sent.sent) != 4 {
		t.Errorf("%d sent before the pause", len(sent.sent))
	}
	w.drainEvents()
	if w.count("applied") != 5 || w.count("failed") != 1 || len(sent.sent) != 7 || len(w.letters.Messages()) != 1 {
		t.Errorf("%d applied, %d failed, %d sent, %d letters", w.count("applied"), w.count("failed"), len(sent.sent), len(w.letters.Messages()))
	}
}

// The variants of a model stand in for it; a product's own event and its model's are one call.
func TestVariantsOfAChangedModel(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	sent := w.noteRequests(nil)
	played := w.playPIM(large(2, 0))
	family, root, sub := "clothing", "root", "sub"
	played.Add(&pimtest.Entity{Code: root, Family: &family, FamilyVariant: "clothing_color_size"})
	played.Add(&pimtest.Entity{Code: sub, Parent: &root, Family: &family, FamilyVariant: "clothing_color_size"})
	for n := range 120 {
		played.Add(&pimtest.Entity{UUID: uuid(100 + n), Parent: &sub, Family: &family})
	}
	model := func(id, eventType string) string {
		return platform(id, "product-model."+eventType, `"product_model":{"code":"root"}`, w.clock.Now())
	}
	w.receive(pimevent.EventPlatform, w.delta("e1", uuid(100)), model("m1", "updated"), model("m2", "updated.delta"))
	w.together()
	variants := 0
	for _, r := range sent.sent {
		if strings.HasPrefix(r.path, "/shop/") {
			variants++
		}
	}
	if variants != 121 || w.outcome("m1") != ledger.Applied || w.outcome("m2") != ledger.Applied || w.outcome("e1") != ledger.Applied { // shop and below are two subscriptions
		t.Errorf("%d sent; m1 %s, m2 %s", variants, w.outcome("m1"), w.outcome("m2"))
	}
	before := len(sent.sent)
	w.receive(pimevent.EventPlatform, platform("m3", "product-model.updated", `"product_model":{"code":"childless"}`, w.clock.Now()))
	w.together()
	if w.outcome("m3") != ledger.Applied || len(sent.sent) != before {
		t.Errorf("a model without variants: %s, %d sent", w.outcome("m3"), len(sent.sent)-before)
	}
}

// A PIM that is away, or that asks for a pause, is nobody's failure.
func TestAPIMThatIsAwayIsWaitedFor(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	sent := w.noteRequests(nil)
	played := w.playPIM(large(2, 1))
	played.Throttle(20, "30")
	w.receive(pimevent.EventPlatform, w.delta("e1", uuid(1)), platform("m1", "product-model.updated", `"product_model":{"code":"model-0"}`, w.clock.Now()))
	w.together()
	if len(sent.sent) != 0 || w.outcome("e1") != "" || w.outcome("m1") != "" {
		t.Errorf("e1 %q, m1 %q", w.outcome("e1"), w.outcome("m1"))
	}
	w.drainEvents()
	if w.outcome("e1") != ledger.Applied || w.outcome("m1") != ledger.Applied || len(sent.sent) != 1 {
		t.Errorf("e1 %q, m1 %q, %d sent", w.outcome("e1"), w.outcome("m1"), len(sent.sent))
	}
}

// As in production: subscriptions and events side by side. The race detector looks at this test.
func TestManyEventsAtTheSameTime(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	w.engine.AtOnce = 8
	sent := w.noteRequests(func(r request) (int, string) {
		if r.path == "/other" && len(r.items()) > 20 {
			return 200, `{"failures":[{"index":3,"reason":"no price"}]}`
		}
		return 200, "{}"
	})
	w.playPIM(large(40, 0))
	for n := range 40 {
		for _, body := range []string{
			platform(fmt.Sprint("u", n), "product.updated", about(uuid(n)), w.clock.Now()), w.delta(fmt.Sprint("d", n), uuid(n)),
			platform(fmt.Sprint("c", n), "category.updated", fmt.Sprintf(`"category":{"code":"c%d"}`, n), w.clock.Now()),
		} {
			w.receive(pimevent.EventPlatform, body, body)
		}
	}
	for range 3 {
		w.together()
		w.clock.advance(time.Minute)
	}
	calls := map[string]int{}
	for _, r := range sent.sent {
		calls[strings.Split(r.path, "/")[1]]++
	}
	if w.count("applied") != 120 || w.count("duplicate") != 120 || calls["shop"] != 40 || calls["plain"] != 40 || calls["index"] != 1 || calls["other"] != 1 {
		t.Errorf("%d applied, %d duplicates, calls %v", w.count("applied"), w.count("duplicate"), calls)
	}
	failed := 0
	for n := range 40 {
		entry, _ := w.ledger.Get(t.Context(), fmt.Sprintf("event-platform/main/u%d", n))
		if entry.Outcomes["other"] == ledger.Failed {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d events failed for the subscription that refused one product", failed)
	}
}

// What follows a run follows it once, however many events it stood for; each of them that failed is a dead letter.
func TestWhatFollowsSeveralEventsIsOne(t *testing.T) {
	w := newFixture(t, latestBacking(), fault{})
	sent := w.noteRequests(func(r request) (int, string) {
		if r.path == "/shop/"+uuid(1) {
			return 422, "{}"
		}
		return 200, "{}"
	})
	w.playPIM(large(3, 0))
	for n := range 3 {
		w.receive(pimevent.EventPlatform, platform(fmt.Sprint("u", n), "product.updated", about(uuid(0)), w.clock.Now()), w.delta(fmt.Sprint("d", n), uuid(1)))
	}
	w.together()
	w.drain()
	var told []string
	for _, r := range sent.sent {
		if r.path == "/report" {
			told = append(told, fmt.Sprint(r.body["text"]))
		}
	}
	slices.Sort(told)
	if want := []string{"failed: 0 of 1", "succeeded: 1 of 1"}; !slices.Equal(told, want) || w.count("failed") != 3 || w.count("applied") != 3 || len(w.letters.Messages()) != 3 {
		t.Errorf("told %q; %d failed, %d applied, %d letters", told, w.count("failed"), w.count("applied"), len(w.letters.Messages()))
	}
}

// What we changed ourselves reaches the shop all the same: only what would change the PIM again is left out.
func TestOurOwnChangeReachesTheShop(t *testing.T) {
	b := latestBacking()
	b.yaml = strings.Replace(b.yaml, "extensions: {}", "  back: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], deliver: latest, action: back}\nextensions: {}", 1)
	b.yaml = strings.Replace(b.yaml, "subscriptions:", `  back:   {kind: update, set: {ean: "1"}}`+"\nsubscriptions:", 1)
	w := newFixture(t, b, fault{})
	sent := w.noteRequests(nil)
	w.playPIM(large(1, 0))
	w.receive(pimevent.EventPlatform, strings.Replace(w.delta("e1", uuid(0)), `"changes":{"values":{}}}`, `"changes":{"values":{}}},"author":{"identifier":"our-client","type":"api"}`, 1))
	w.together()
	entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1")
	if len(sent.sent) != 1 || entry.Outcomes["shop"] != ledger.Applied || entry.Outcomes["back"] != "" || entry.Outcome != ledger.Applied || len(w.started()) != 0 {
		t.Errorf("%d sent, %v", len(sent.sent), entry.Outcomes)
	}
}

// Ten thousand events of one product are a few reads and sends.
func TestTenThousandEventsOfOneProduct(t *testing.T) {
	t.Parallel()
	w := newFixture(t, latestBacking(), fault{})
	sent := w.noteRequests(nil)
	played := w.playPIM(large(1, 0))
	const events, batch = 10_000, 200
	for n := range events {
		if n%1000 == 0 {
			played.Set(uuid(0), "name", fmt.Sprint("State ", n/1000))
		}
		w.receive(pimevent.EventPlatform, w.delta(fmt.Sprint("e", n), uuid(0)))
	}
	for left := events; left > 0; left -= batch {
		var messages []queue.Received
		for len(messages) < batch {
			some, err := w.events.Receive(t.Context(), 10, 0)
			if err != nil || len(some) == 0 {
				t.Fatal(err)
			}
			messages = append(messages, some...)
		}
		w.invoke(messages)
	}
	lists, singles := w.lists(played)
	if lists+singles > events/batch*11/10 || len(sent.sent) > events/batch || w.count("applied")+w.count("stale") != events || sent.sent[len(sent.sent)-1].body["name"] != "State 9" {
		t.Errorf("%d lists, %d single reads, %d sent, %d applied, %d stale", lists, singles, len(sent.sent), w.count("applied"), w.count("stale"))
	}
}

// A kind that waits with a state of its own has no place to keep it among several products.
func TestAKindThatWaitsUnsaidIsRefused(t *testing.T) {
	s := &script{run: func(context.Context, engine.Run) (engine.Result, error) {
		return engine.Result{State: json.RawMessage(`{"call":1}`)}, &engine.LaterError{After: time.Minute}
	}}
	b := latestBacking()
	b.kinds = s.reading(engine.Reads{}).kinds
	w := newFixture(t, b, fault{})
	w.playPIM(large(1, 0))
	w.receive(pimevent.EventPlatform, platform("e1", "product.created", about(uuid(0)), w.clock.Now()))
	w.drainEvents()
	if entry, _ := w.ledger.Get(t.Context(), "event-platform/main/e1"); entry.Outcome != ledger.Failed || !strings.Contains(entry.Reasons["script"], "waits for something outside") {
		t.Errorf("%s %v", entry.Outcome, entry.Reasons)
	}
	s.run = func(context.Context, engine.Run) (engine.Result, error) { panic(errors.New("odd")) }
	w.receive(pimevent.EventPlatform, platform("e2", "product.created", about(uuid(0)), w.clock.Now()))
	w.drainEvents()
	if w.outcome("e2") != ledger.Failed {
		t.Errorf("after a panic: %s", w.outcome("e2"))
	}
}

// A failure at any operation of a run for several events, before it or after it, with or without the process: every event
// has its outcome, and a destination that honours keys has each product's state once.
func TestAFailureAtAnyOperationOfALatestRun(t *testing.T) {
	scenario := func(t *testing.T, b backing, plan fault) *faults {
		w := newFixture(t, latestOn(b), fault{})
		played := w.playPIM(large(4, 0))
		played.Delete(uuid(3))
		w.receive(pimevent.EventPlatform, w.delta("1", uuid(1)), w.delta("2", uuid(2)), w.delta("3", uuid(1)), platform("4", "product.deleted", about(uuid(3)), w.clock.Now()), w.delta("5", uuid(9)))
		w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
		for range 60 {
			w.together()
			if w.inQueues() == 0 {
				break
			}
			w.clock.advance(time.Minute)
		}
		count, names := w.faults.count, w.faults.names
		w.faults.plan = fault{}
		for id, want := range map[string]ledger.Outcome{"1": ledger.Applied, "2": ledger.Applied, "3": ledger.Applied, "4": ledger.Applied, "5": ledger.Stale} {
			if got := w.outcome(id); got != want && !(id == "1" && got == ledger.Stale) {
				t.Errorf("event %s: %q", id, got)
			}
		}
		w.destination.mu.Lock()
		defer w.destination.mu.Unlock()
		for n, most := range map[int]int{1: 2, 2: 1, 3: 1} { // the two events of product 1 may have come apart
			if times := w.destination.applied[fmt.Sprintf("/shop/%s ", uuid(n))]; times < 1 || times > most || plan.at == 0 && times != 1 {
				t.Errorf("product %d was applied %d times", n, times)
			}
		}
		if len(w.destination.applied) != 3 || len(w.destination.clashes) > 0 || len(w.letters.Messages()) > 0 {
			t.Errorf("applied %v, keys with two contents %v, %d dead letters", w.destination.applied, w.destination.clashes, len(w.letters.Messages()))
		}
		w.faults.count, w.faults.names = count, names
		return w.faults
	}
	sweepBackings(t, 35, scenario)
}
