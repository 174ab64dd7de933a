package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// interleavings is how many TestTheDestinationEndsAsThePIM tries: make interleavings tries ten thousand.
var interleavings = flag.Int("interleavings", 320, "interleavings of events, deletions, reads that lag, crashes and redeliveries")

// TestTheDestinationEndsAsThePIM lets a few products change and go in any order, with events that come late, twice or out of
// order, with searches that lag behind, with a destination that fails, and with workers that die. In the end the destination
// is as the PIM, and the PIM was asked little more than once for what came together.
func TestTheDestinationEndsAsThePIM(t *testing.T) {
	const parallel = 16
	for n := range parallel {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newInterleaving(t)
			for round := n; round < *interleavings; round += parallel {
				w.random = rand.New(rand.NewPCG(uint64(round), 15))
				w.round(round)
				if t.Failed() {
					t.Fatalf("round %d", round)
				}
			}
		})
	}
}

// interleaving is a shop that follows a PIM.
type interleaving struct {
	*fixture
	random  *rand.Rand
	pim     *pimtest.PIM
	shop    map[string]string // names by product
	coming  []string          // events that are under way
	number  int               // of the next event
	windows int               // invocations that had something to read
	chaos   bool
}

func newInterleaving(t *testing.T) *interleaving {
	w := &interleaving{shop: map[string]string{}}
	s := &script{batch: 100, run: w.deliver}
	b := s.reading(engine.Reads{Attributes: []string{"name"}})
	b.yaml = `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions: {shop: {kind: script, retry: {for: 12h}}} # without %[1]s
subscriptions:
  shop: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.created, com.akeneo.pim.v1.product.updated, com.akeneo.pim.v1.product.updated.delta, com.akeneo.pim.v1.product.deleted], deliver: latest, action: shop}
extensions: {}
`
	w.fixture = newFixture(t, b, fault{})
	w.pim = w.playPIM(large(0, 0))
	return w
}

// deliver is the shop, which takes whatever comes. Now and then it fails, before it has taken something or after.
func (w *interleaving) deliver(_ context.Context, run engine.Run) (engine.Result, error) {
	if w.chaos && w.random.IntN(6) == 0 {
		w.meanwhile()
	}
	fails := -1
	if w.chaos && w.random.IntN(5) == 0 {
		fails = w.random.IntN(len(run.Items) + 1)
	}
	for n, item := range run.Items {
		if n == fails {
			return engine.Result{Done: n}, errors.New("down")
		}
		content := "deleted"
		if !run.Gone(n) {
			name, err := run.Products[n].Value("name")
			if err != nil {
				return engine.Result{}, err
			}
			content = fmt.Sprint(name)
		}
		if run.Gone(n) {
			delete(w.shop, item.ID)
		} else {
			w.shop[item.ID] = content
		}
	}
	if fails == len(run.Items) {
		return engine.Result{}, errors.New("the answer is lost")
	}
	return engine.Result{}, nil
}

// round is one interleaving: things happen in the PIM and to events, then all settle.
func (w *interleaving) round(number int) {
	w.chaos = true
	var products []string
	for n := range 3 {
		id := uuid(number*10 + n)
		products = append(products, id)
		w.pim.Add(&pimtest.Entity{UUID: id})
		w.pim.Set(id, "name", "new")
		w.happened("created", id)
	}
	for range 8 + w.random.IntN(10) {
		switch id := products[w.random.IntN(len(products))]; w.random.IntN(8) {
		case 0, 1, 2:
			w.change(id)
		case 3:
			if w.random.IntN(3) == 0 {
				w.remove(id)
			}
		case 4:
			w.send()
		default:
			w.work()
		}
		w.clock.advance(time.Duration(w.random.IntN(4000)) * time.Millisecond)
	}
	for len(w.coming) > 0 {
		w.send()
	}
	w.chaos = false
	for range 2000 {
		if w.inQueues() == 0 {
			break
		}
		if !w.work() {
			w.clock.advance(time.Minute)
		}
	}
	for _, id := range products {
		in, there := w.shop[id]
		if want := w.nameOf(id); there != (want != "") || in != want {
			w.Errorf("product %s is %q in the shop, and %q in the PIM", id, in, want)
		}
	}
	if n := w.inQueues() + len(w.letters.Messages()); n > 0 {
		w.Errorf("%d messages are left, %d of them dead letters", n, len(w.letters.Messages()))
	}
	if lists, _ := w.lists(w.pim); float64(lists) > 1.1*float64(w.windows)+1 {
		w.Errorf("%d lists in %d invocations with something to read", lists, w.windows)
	}
	w.pim.Delete(products...)
	clear(w.shop)
}

// change changes a product, unless it is gone. Its search may miss it for a while, or show it as it was.
func (w *interleaving) change(id string) {
	if w.nameOf(id) == "" {
		return
	}
	switch w.random.IntN(4) {
	case 0:
		w.pim.Lag(id, 1+w.random.IntN(2))
	case 1:
		w.pim.Stale(id, 1+w.random.IntN(3))
		w.clock.advance(4 * time.Second) // a state that is newer than what clocks differ by passes for the new one
	}
	w.number++
	w.pim.Set(id, "name", fmt.Sprint("name ", w.number))
	w.happened([]string{"updated", "updated.delta"}[w.random.IntN(2)], id)
}

func (w *interleaving) remove(id string) {
	if w.nameOf(id) != "" {
		w.pim.Delete(id)
		w.happened("deleted", id)
	}
}

// happened makes the event of what has just happened.
func (w *interleaving) happened(what, id string) {
	w.number++
	now := w.clock.Now()
	data := about(id)
	if what == "updated.delta" {
		data = fmt.Sprintf(`"product":{"uuid":%q,"updated_at":{"date":%q,"timezone":"UTC"},"changes":{"values":{}}}`, id, now.Format("2006-01-02 15:04:05.000000"))
	}
	w.coming = append(w.coming, platform(fmt.Sprint("e", w.number), "product."+what, data, now))
}

// send brings one of the events that are under way, any of them, once or twice.
func (w *interleaving) send() {
	if len(w.coming) == 0 {
		return
	}
	n := w.random.IntN(len(w.coming))
	for range 1 + w.random.IntN(6)/5 {
		w.receive(pimevent.EventPlatform, w.coming[n])
	}
	w.coming = slices.Delete(w.coming, n, n+1)
}

// work is one invocation by a process of its own, which may die.
func (w *interleaving) work() bool {
	own := &faults{}
	if w.chaos && w.random.IntN(4) == 0 {
		own.plan = fault{at: 1 + w.random.IntN(25), crash: w.random.IntN(2) == 0, after: w.random.IntN(2) == 0}
	}
	before, _ := w.lists(w.pim)
	messages, _ := w.events.Receive(w.Context(), 10, 0)
	if len(messages) == 0 {
		return false
	}
	w.handleBy(own, messages)
	if after, _ := w.lists(w.pim); after > before {
		w.windows++
	}
	return true
}

// meanwhile is what others do while the shop is being called: another worker, or somebody in the PIM.
func (w *interleaving) meanwhile() {
	w.chaos = false
	defer func() { w.chaos = true }()
	if w.random.IntN(2) == 0 {
		w.send()
		w.work()
		return
	}
	if ids := slices.Sorted(maps.Keys(w.shop)); len(ids) > 0 {
		w.change(ids[w.random.IntN(len(ids))])
	}
}

func (w *interleaving) nameOf(id string) string { return w.pim.Text(id, "name") }
