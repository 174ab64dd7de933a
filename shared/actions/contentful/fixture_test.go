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

// fixture is the engine with its records and queues in memory, and a fake Contentful, under one clock that the test moves.
type fixture struct {
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

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(time.Millisecond)
	return f.now
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
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

// newFixture takes the action's section, with %s for Contentful's host.
func newFixture(t testing.TB, section string) *fixture {
	f := &fixture{TB: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), faults: &faults{}}
	f.API = contentfultest.New(contentfultest.Config{Token: token, App: ourApp, Now: f.clock})
	f.API.Break(f.faults.request)
	f.server = httptest.NewServer(f.API)
	t.Cleanup(f.server.Close)
	loaded, err := config.Load(config.Source{
		File: "extensions.yaml", Text: fmt.Appendf(nil, actions, fmt.Sprintf(section, f.server.URL)), Stage: "local",
		Lookup: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.config = loaded
	f.store = faultyStore{jobs.NewMemory(jobs.MemoryConfig{Now: f.clock}), f.faults}
	f.queue = queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Minute, Now: f.clock})
	f.events = queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Minute, Now: f.clock})
	f.ledger = ledger.NewMemory(ledger.MemoryConfig{Now: f.clock})
	f.restart()
	return f
}

// restart begins a new process: it knows nothing but what is recorded and queued.
func (f *fixture) restart() {
	kind := contentful.New(contentful.Config{
		Outbound: outbound.New(outbound.Config{AllowPrivate: true, Now: f.clock}),
		Pause: func(ctx context.Context, d time.Duration) error {
			f.pauses++
			if f.pause != nil {
				f.pause(ctx)
			}
			f.advance(d)
			return ctx.Err()
		},
	})
	for name, action := range f.config.Actions {
		if err := kind.Check(action.Section); err != nil {
			f.Fatalf("action %q: %v", name, err)
		}
	}
	f.faults.revive()
	f.engine = engine.New(engine.Config{
		Config: f.config, Kinds: map[string]engine.Kind{"contentful": kind}, Store: f.store, Queue: faultyQueue{f.queue, f.faults},
		Ledger: faultyLedger{f.ledger, f.faults}, Events: faultyQueue{f.events, f.faults}, EventLetters: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: f.clock}),
		Log: slog.New(slog.DiscardHandler), Metrics: metric.New(metric.Config{Writer: io.Discard, Function: "worker", Now: f.clock}), Now: f.clock,
		Secrets: func(context.Context) (engine.Secrets, error) {
			return engine.Secrets{Contentful: json.RawMessage(`{"token":"` + token + `","app":"` + ourApp + `"}`)}, nil
		},
	})
}

func (f *fixture) install(id string, script contentfultest.Script) {
	f.Install(environment, contentfulapi.Action{ID: id, App: ourApp, Name: "Notify " + id, Category: "Notification.v1.0"}, script)
}

// press plays a button over n products, without faults, and returns the job's ID.
func (f *fixture) press(n int) string {
	items := make([]jobs.Item, n)
	for i := range items {
		items[i] = jobs.Item{Type: jobs.Product, ID: fmt.Sprintf("p%d", i)}
	}
	submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: f.store, Queue: f.queue, Now: f.clock})
	submitted, err := submitter.Submit(f.Context(), jobs.Job{
		ID: jobs.ID("button", []byte(f.clock().String())), Action: "call", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Label: "Tell", Items: items,
		Context: json.RawMessage(`{}`), Params: json.RawMessage(`{"limit":"7"}`), User: jobs.User{UUID: "u", Username: "julia"},
	})
	if err != nil {
		f.Fatal(err)
	}
	return submitted.Job.ID
}

// deliver plays one invocation for one message, if there is one.
func (f *fixture) deliver(ctx context.Context) bool {
	messages, err := f.queue.Receive(f.Context(), 1, 0)
	if err != nil {
		f.Fatal(err)
	}
	if len(messages) == 0 {
		return false
	}
	id, ofRecord, err := jobs.ParseMessage(messages[0].Body)
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	err = f.engine.Begin(ctx).Job(ctx, engine.Delivery{Job: id, Turn: ofRecord})
	f.acknowledge(f.queue, messages[0], err)
	return true
}

func (f *fixture) acknowledge(q queue.Queue, message queue.Received, err error) {
	died := f.faults.died()
	if died {
		f.restart()
	}
	if err == nil && !died {
		if err := q.Delete(f.Context(), message.Receipt); err != nil {
			f.Fatal(err)
		}
	}
}

// event plays the delivery of one event, without faults.
func (f *fixture) event(id, kind string) {
	body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"type":"com.akeneo.pim.v1.%s","time":%q,"data":{"product":{"uuid":"p1"}}}`, id, kind, f.now.Format(time.RFC3339))
	if err := f.events.Send(f.Context(), queue.Message{Body: []byte(body), Attributes: map[string]string{
		pimevent.AttributeAPI: pimevent.EventPlatform, pimevent.AttributePIM: "main", pimevent.AttributeReceived: f.now.Format(time.RFC3339Nano),
	}}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) deliverEvent() bool {
	messages, err := f.events.Receive(f.Context(), 1, 0)
	if err != nil {
		f.Fatal(err)
	}
	if len(messages) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(f.Context(), turn)
	defer cancel()
	err = f.engine.Begin(ctx).Event(ctx, engine.EventDelivery{Body: messages[0].Body, Attributes: messages[0].Attributes})
	f.acknowledge(f.events, messages[0], err)
	return true
}

// drain delivers until both queues are empty, moving the clock whenever nothing is visible.
func (f *fixture) drain() {
	f.Helper()
	for range 500 {
		if f.deliver(f.Context()) || f.deliverEvent() {
			continue
		}
		jobs, err := f.queue.Depth(f.Context())
		events, err2 := f.events.Depth(f.Context())
		if errors.Join(err, err2) != nil {
			f.Fatal(err, err2)
		}
		if (jobs == queue.Depth{}) && (events == queue.Depth{}) {
			return
		}
		f.advance(5 * time.Second)
	}
	f.Fatal("the queues do not drain")
}

func (f *fixture) job(id string) jobs.Job {
	f.Helper()
	f.faults.plan = fault{}
	job, err := f.store.Get(f.Context(), id)
	if err != nil {
		f.Fatal(err)
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

func (f *fixture) report(job jobs.Job) (r report) {
	f.Helper()
	if err := json.Unmarshal(job.Result, &r); err != nil {
		f.Fatalf("result %s: %v", job.Result, err)
	}
	return r
}
