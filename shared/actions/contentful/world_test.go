package contentful_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/contentful"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const (
	token       = "CFPAT-token"
	ourApp      = "ourapp"
	environment = "space1/master"
)

// world is the engine with its records and queues in memory, and a fake Contentful, under one clock that the test moves.
type world struct {
	testing.TB
	*contentfultest.API
	mu     sync.Mutex
	now    time.Time
	server *httptest.Server
	faults *faults
	store  jobs.Store
	queue  *queue.Memory
	events *queue.Memory
	ledger *ledger.Memory
	engine *engine.Engine
	config *config.Config
	pauses int
	pause  func(context.Context) // at each pause; may be nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// turn is the time of one invocation.
const turn = 2 * time.Minute

const actions = `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions: {call: %s}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Tell}, action: call}
subscriptions:
  catalogue: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.*], action: call}
`

const (
	one = `{kind: contentful, environment: space1/master, host: "%s", action: notify, within: 30m, parameters: {message: "{{.Label}}: {{.Event.Type}}", recipient: team}}`
	all = `{kind: contentful, environment: space1/master, host: "%s", category: Notification.v1.0, within: 30m, parameters: {message: "{{.Count}} products", recipient: team}}`
)

// newWorld takes the action's section, with %s for Contentful's host.
func newWorld(t testing.TB, section string) *world {
	w := &world{TB: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), faults: &faults{}}
	w.API = contentfultest.New(contentfultest.Config{Token: token, App: ourApp, Now: w.clock})
	w.API.Break(w.faults.request)
	w.server = httptest.NewServer(w.API)
	t.Cleanup(w.server.Close)
	loaded, err := config.Load(config.Source{
		File: "extensions.yaml", Text: fmt.Appendf(nil, actions, fmt.Sprintf(section, w.server.URL)), Stage: "local",
		Lookup: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.config = loaded
	w.store = faultyStore{jobs.NewMemory(jobs.MemoryConfig{Now: w.clock}), w.faults}
	w.queue = queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Minute, Now: w.clock})
	w.events = queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Minute, Now: w.clock})
	w.ledger = ledger.NewMemory(ledger.MemoryConfig{Now: w.clock})
	w.restart()
	return w
}

// restart begins a new process: it knows nothing but what is recorded and queued.
func (w *world) restart() {
	kind := contentful.New(contentful.Config{
		Outbound: outbound.New(outbound.Config{AllowPrivate: true, Now: w.clock}),
		Pause: func(ctx context.Context, d time.Duration) error {
			w.pauses++
			if w.pause != nil {
				w.pause(ctx)
			}
			w.advance(d)
			return ctx.Err()
		},
	})
	for name, action := range w.config.Actions {
		if err := kind.Check(action.Section); err != nil {
			w.Fatalf("action %q: %v", name, err)
		}
	}
	w.faults.revive()
	w.engine = engine.New(engine.Config{
		Config: w.config, Kinds: map[string]engine.Kind{"contentful": kind}, Store: w.store, Queue: faultyQueue{w.queue, w.faults},
		Ledger: faultyLedger{w.ledger, w.faults}, Events: faultyQueue{w.events, w.faults}, EventLetters: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: w.clock}),
		Log: slog.New(slog.DiscardHandler), Metrics: metric.New(metric.Config{Writer: io.Discard, Function: "worker", Now: w.clock}), Now: w.clock,
		Secrets: func(context.Context) (engine.Secrets, error) {
			return engine.Secrets{Contentful: json.RawMessage(`{"token":"` + token + `","app":"` + ourApp + `"}`)}, nil
		},
	})
}

func (w *world) install(id string, script contentfultest.Script) {
	w.Install(environment, contentfulapi.Action{ID: id, App: ourApp, Name: "Notify " + id, Category: "Notification.v1.0"}, script)
}

// press plays a button over n products, without faults, and returns the job's ID.
func (w *world) press(n int) string {
	items := make([]jobs.Item, n)
	for i := range items {
		items[i] = jobs.Item{Type: jobs.Product, ID: fmt.Sprintf("p%d", i)}
	}
	submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: w.store, Queue: w.queue, Now: w.clock})
	submitted, err := submitter.Submit(w.Context(), jobs.Job{
		ID: jobs.ID("button", []byte(w.clock().String())), Action: "call", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Label: "Tell", Items: items,
		Context: json.RawMessage(`{}`), Params: json.RawMessage(`{"limit":"7"}`), User: jobs.User{UUID: "u", Username: "julia"},
	})
	if err != nil {
		w.Fatal(err)
	}
	return submitted.Job.ID
}

// deliver plays one invocation for one message, if there is one.
func (w *world) deliver(ctx context.Context) bool {
	messages, err := w.queue.Receive(w.Context(), 1, 0)
	if err != nil {
		w.Fatal(err)
	}
	if len(messages) == 0 {
		return false
	}
	id, ofRecord, err := jobs.ParseMessage(messages[0].Body)
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	err = w.engine.Begin(ctx).Job(ctx, engine.Delivery{Job: id, Turn: ofRecord})
	w.acknowledge(w.queue, messages[0], err)
	return true
}

func (w *world) acknowledge(q queue.Queue, message queue.Received, err error) {
	died := w.faults.died()
	if died {
		w.restart()
	}
	if err == nil && !died {
		if err := q.Delete(w.Context(), message.Receipt); err != nil {
			w.Fatal(err)
		}
	}
}

// event plays the delivery of one event, without faults.
func (w *world) event(id, kind string) {
	body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"type":"com.akeneo.pim.v1.%s","time":%q,"data":{"product":{"uuid":"p1"}}}`, id, kind, w.now.Format(time.RFC3339))
	if err := w.events.Send(w.Context(), queue.Message{Body: []byte(body), Attributes: map[string]string{
		pimevent.AttributeAPI: pimevent.EventPlatform, pimevent.AttributePIM: "main", pimevent.AttributeReceived: w.now.Format(time.RFC3339Nano),
	}}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) deliverEvent() bool {
	messages, err := w.events.Receive(w.Context(), 1, 0)
	if err != nil {
		w.Fatal(err)
	}
	if len(messages) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(w.Context(), turn)
	defer cancel()
	err = w.engine.Begin(ctx).Event(ctx, engine.EventDelivery{Body: messages[0].Body, Attributes: messages[0].Attributes})
	w.acknowledge(w.events, messages[0], err)
	return true
}

// drain delivers until both queues are empty, moving the clock whenever nothing is visible.
func (w *world) drain() {
	w.Helper()
	for range 500 {
		if w.deliver(w.Context()) || w.deliverEvent() {
			continue
		}
		jobs, err := w.queue.Depth(w.Context())
		events, err2 := w.events.Depth(w.Context())
		if errors.Join(err, err2) != nil {
			w.Fatal(err, err2)
		}
		if (jobs == queue.Depth{}) && (events == queue.Depth{}) {
			return
		}
		w.advance(5 * time.Second)
	}
	w.Fatal("the queues do not drain")
}

func (w *world) job(id string) jobs.Job {
	w.Helper()
	w.faults.plan = fault{}
	job, err := w.store.Get(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return job
}

// report is a job's structured result.
type report struct {
	Environment string
	Actions     []struct {
		Action, App, Name, Call, Outcome, Reason string
		Result                                   json.RawMessage
		ResultOmitted                            bool
	}
}

func (w *world) report(job jobs.Job) (r report) {
	w.Helper()
	if err := json.Unmarshal(job.Result, &r); err != nil {
		w.Fatalf("result %s: %v", job.Result, err)
	}
	return r
}
