package engine_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// clock is the time of a fixture. It moves by itself a little at every look, as time does.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fault is what goes wrong at one operation of a fixture: the one with that number.
type fault struct {
	at    int
	after bool // the operation is carried out, but its answer is lost
	crash bool // and the process dies there
}

// faults counts operations and lets one of them go wrong.
type faults struct {
	mu    sync.Mutex
	plan  fault
	count int
	dead  bool
	names []string
}

var (
	errInjected = errors.New("injected fault")
	errDead     = errors.New("process is dead")
)

// op carries out an operation, or what the plan makes of it.
func (f *faults) op(name string, do func() error) error {
	f.mu.Lock()
	if f.dead {
		f.mu.Unlock()
		return errDead
	}
	f.count++
	f.names = append(f.names, name)
	hit, plan := f.count == f.plan.at, f.plan
	if hit && plan.crash {
		f.dead = true
	}
	f.mu.Unlock()
	if !hit {
		return do()
	}
	if plan.after {
		_ = do() // its answer is what gets lost
	}
	return errInjected
}

// restart brings a new process; died says whether the old one had crashed.
func (f *faults) restart() (died bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	died, f.dead = f.dead, false
	return died
}

type faultyStore struct {
	jobs.Store
	*faults
}

func (s faultyStore) Create(ctx context.Context, job jobs.Job, takeover *jobs.Job) (saved jobs.Job, err error) {
	err = s.op("create", func() error { saved, err = s.Store.Create(ctx, job, takeover); return err })
	return saved, err
}

func (s faultyStore) Get(ctx context.Context, id string) (job jobs.Job, err error) {
	err = s.op("get", func() error { job, err = s.Store.Get(ctx, id); return err })
	return job, err
}

func (s faultyStore) Load(ctx context.Context, id string) (job jobs.Job, err error) {
	err = s.op("load", func() error { job, err = s.Store.Load(ctx, id); return err })
	return job, err
}

func (s faultyStore) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (saved jobs.Job, err error) {
	err = s.op("save "+string(job.State), func() error { saved, err = s.Store.Save(ctx, job, failures...); return err })
	return saved, err
}

func (s faultyStore) Rest(ctx context.Context, id string, turn int64) error {
	return s.op("rest", func() error { return s.Store.Rest(ctx, id, turn) })
}

func (s faultyStore) Signal(ctx context.Context, job, wait string) (signal jobs.Signal, err error) {
	err = s.op("signal", func() error { signal, err = s.Store.Signal(ctx, job, wait); return err })
	return signal, err
}

func (s faultyStore) PutSignal(ctx context.Context, signal jobs.Signal) (there jobs.Signal, err error) {
	err = s.op("put signal "+signal.Kind, func() error { there, err = s.Store.PutSignal(ctx, signal); return err })
	return there, err
}

func (s faultyStore) Failures(ctx context.Context, id string, limit int) (found []jobs.Failure, err error) {
	err = s.op("failures", func() error { found, err = s.Store.Failures(ctx, id, limit); return err })
	return found, err
}

type faultyProfiles struct {
	jobs.Profiles
	*faults
}

func (p faultyProfiles) Profile(ctx context.Context, key string) (profile jobs.Profile, err error) {
	err = p.op("profile", func() error { profile, err = p.Profiles.Profile(ctx, key); return err })
	return profile, err
}

func (p faultyProfiles) SaveProfile(ctx context.Context, profile jobs.Profile) error {
	return p.op("save profile", func() error { return p.Profiles.SaveProfile(ctx, profile) })
}

type faultyMachines struct {
	statemachine.Machines
	*faults
}

func (m faultyMachines) Start(ctx context.Context, execution statemachine.Execution) error {
	return m.op("start execution", func() error { return m.Machines.Start(ctx, execution) })
}

// machines are state machines whose executions the fixture sees.
func (w *fixture) machines() statemachine.Machines {
	return statemachine.NewPlayed(statemachine.PlayedConfig{Started: func(execution statemachine.Execution) { w.executions = append(w.executions, execution) }})
}

type faultyLedger struct {
	ledger.Store
	*faults
}

func (l faultyLedger) Get(ctx context.Context, key string) (entry ledger.Entry, err error) {
	err = l.op("get event", func() error { entry, err = l.Store.Get(ctx, key); return err })
	return entry, err
}

func (l faultyLedger) Save(ctx context.Context, entry ledger.Entry) (saved ledger.Entry, err error) {
	err = l.op("save event "+string(entry.Outcome), func() error { saved, err = l.Store.Save(ctx, entry); return err })
	return saved, err
}

func (l faultyLedger) Mark(ctx context.Context, subscription, entity string) (mark ledger.Mark, err error) {
	err = l.op("get mark", func() error { mark, err = l.Store.Mark(ctx, subscription, entity); return err })
	return mark, err
}

func (l faultyLedger) SaveMark(ctx context.Context, mark ledger.Mark) (saved ledger.Mark, err error) {
	err = l.op("save mark", func() error { saved, err = l.Store.SaveMark(ctx, mark); return err })
	return saved, err
}

type faultyQueue struct {
	queue.Queue
	*faults
	undelayed bool // for a queue whose clock cannot be moved
	sent      func(queue.Message)
}

func (q faultyQueue) Send(ctx context.Context, messages ...queue.Message) error {
	return q.op("send", func() error {
		for i := range messages {
			q.sent(messages[i])
			if q.undelayed {
				messages[i].Delay = 0
			}
		}
		return q.Queue.Send(ctx, messages...)
	})
}

func (q faultyQueue) Delete(ctx context.Context, receipt string) error {
	return q.op("delete", func() error { return q.Queue.Delete(ctx, receipt) })
}

// destination is a real HTTP server that honours idempotency keys, and remembers.
type destination struct {
	*httptest.Server
	faults *faults

	mu       sync.Mutex
	answer   func(path string, call int) (status int, body string) // nil: 200 {}
	calls    int
	contents map[string][sha256.Size]byte // by key
	applied  map[string]int               // items by "path type/id", notifications by "path text"
	clashes  []string                     // keys that came with two contents
}

func newDestination(t testing.TB, f *faults) *destination {
	d := &destination{faults: f, contents: map[string][sha256.Size]byte{}, applied: map[string]int{}}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	status, text := 200, "{}"
	err := d.faults.op("call "+r.URL.Path, func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.calls++
		if d.answer != nil {
			status, text = d.answer(r.URL.Path, d.calls)
		}
		if status < 300 {
			d.apply(r.URL.Path, r.Header.Get("Idempotency-Key"), body)
		}
		return nil
	})
	if err != nil { // hang up
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (d *destination) apply(path, key string, body []byte) {
	sum := sha256.Sum256(body)
	if known, ok := d.contents[key]; ok || key == "" {
		if known != sum || key == "" {
			d.clashes = append(d.clashes, key)
		}
		return
	}
	d.contents[key] = sum
	var sent struct {
		Items []jobs.Item `json:"items"`
		Text  string      `json:"text"`
	}
	_ = json.Unmarshal(body, &sent)
	for _, item := range sent.Items {
		d.applied[path+" "+item.Type+"/"+item.ID]++
	}
	if sent.Text != "" || len(sent.Items) == 0 {
		d.applied[path+" "+sent.Text]++
	}
}

// fixture is the system around the jobs queue and the events queue, with a clock that the test moves.
type fixture struct {
	testing.TB
	clock       *clock
	faults      *faults
	config      *config.Config
	store       jobs.Store
	profiles    jobs.Profiles
	executions  []statemachine.Execution
	queue       queue.Queue
	deadLetters queue.Queue
	destination *destination
	submitter   *jobs.Submitter
	engine      *engine.Engine
	turn        time.Duration // of one invocation
	undelayed   bool

	ledger     ledger.Store
	events     queue.Queue
	letters    *queue.Memory
	deliveries int
	counts     sync.Map // of ended events, by outcome: *atomic.Int64
	mu         sync.Mutex
	samples    map[string][]float64 // of all metrics, by name
	endings    map[string]bool      // of jobs and events, as the metrics count them
	memories   []*queue.Memory      // the queues that are in memory
	delays     map[string]time.Duration
}

// observe counts what the worker's metrics say of events.
func (w *fixture) observe(sample metric.Sample) {
	w.mu.Lock()
	w.samples[sample.Name] = append(w.samples[sample.Name], sample.Value)
	for _, d := range sample.Dimensions {
		switch {
		case d.Name == "Outcome" && sample.Name == "JobsEnded":
			w.endings["JobsEnded "+d.Value] = true
		case d.Name == "Outcome" && sample.Name == "Events":
			w.endings[d.Value] = true
		}
	}
	w.mu.Unlock()
	if sample.Name == "Events" {
		for _, d := range sample.Dimensions {
			if d.Name == "Outcome" {
				n, _ := w.counts.LoadOrStore(d.Value, new(atomic.Int64))
				n.(*atomic.Int64).Add(int64(sample.Value))
			}
		}
	}
}

// noteDelay remembers the delay that a message was sent with.
func (w *fixture) noteDelay(m queue.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delays[string(m.Body)+m.Attributes[engine.TurnAttribute]] = m.Delay.Round(time.Second)
}

// count is how many events have ended so.
func (w *fixture) count(outcome string) int {
	n, there := w.counts.Load(outcome)
	if !there {
		return 0
	}
	return int(n.(*atomic.Int64).Load())
}

// backing is where a fixture keeps its state.
type backing struct {
	store     func(t testing.TB, now func() time.Time) jobs.Store
	queues    func(t testing.TB, now func() time.Time) (main, dead queue.Queue)
	ledger    func(t testing.TB, now func() time.Time) ledger.Store // nil: in memory
	undelayed bool                                                  // its queue's clock cannot be moved
	kinds     map[string]engine.Kind                                // besides the real ones
	yaml      string                                                // "": actionsYAML
}

const maxReceives = 5

var memory = backing{
	store: func(_ testing.TB, now func() time.Time) jobs.Store {
		return jobs.NewMemory(jobs.MemoryConfig{Now: now})
	},
	queues: func(_ testing.TB, now func() time.Time) (queue.Queue, queue.Queue) {
		dead := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: now})
		return queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Minute, MaxReceives: maxReceives, DeadLetters: dead, Now: now}), dead
	},
}

const actionsYAML = `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions:
  send:   {kind: forward, url: "%[1]s/send", batch: 2, then: {failed: report, partial: report, succeeded: report}}
  report: {kind: notify, channel: json, url: "%[1]s/report", text: "{{.Outcome}}: {{.Done}} of {{.Total}}"}
  plain:  {kind: forward, url: "%[1]s/plain", batch: 2, retry: {for: 2h}}
  item:   {kind: forward, each: true, read: {attributes: [name]}, url: "%[1]s/item/{{.Item.ID}}", json: {sku: "{{.Product.Identifier}}"}}
  wide:   {kind: forward, read: {}, url: "%[1]s/wide"}
  bulk:   {kind: forward, url: "%[1]s/bulk", batch: 100, then: {failed: report, partial: report, succeeded: report}}
  script: {kind: script, then: {failed: report, partial: report, succeeded: report}}
  alone:  {kind: script}
  listen: {kind: script, retry: {for: 2h}}
  second: {kind: script, retry: {for: 2h}}
  run: {kind: pim-job, export: csv_product_export, within: 2h}
  load: {kind: pim-job, import: csv_product_import, within: 2h}
  run-unknown: {kind: pim-job, export: no_such_profile, within: 2h}
  approve: {kind: state-machine, arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:approval", callback: {within: 72h}}
  review-wait: {kind: pim-workflow, workflow: 78e72192-8989-4a10-a121-09fc8cf921ff, within: 72h}
  review: {kind: pim-workflow, workflow: 78e72192-8989-4a10-a121-09fc8cf921ff}
  review-unknown: {kind: pim-workflow, workflow: 00000000-0000-4000-8000-000000000000}
subscriptions:
  every:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.*], action: listen}
  latest: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.category.updated], deliver: latest, action: listen}
  other:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: second}
  price:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product-model.updated.delta], changed: {attributes: [price]}, deliver: latest, action: listen}
  name:   {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product-model.updated.delta], changed: {attributes: [name]}, deliver: latest, action: listen}
  quiet:  {pim: main, api: event-platform, events: [com.akeneo.pim.v1.family.*], shadow: true, action: listen}
  assets: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.asset.updated], action: run}
  ends:   {pim: main, api: event-platform, events: [com.akeneo.pim.v1.job.import.status-changed], action: load}
  old:    {pim: main, api: events-api, events: [product.updated], action: listen}
notifications: {main: {action: listen}}
selections:
  everything: {of: products}
  models:     {of: product_models}
  recent:     {of: products, changed_since: 1d}
  changed:    {of: products, changed_since: last}
  refused:    {of: products, search: {no_such_attribute: [{operator: "=", value: 1}]}}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: send}
`

func newFixture(t testing.TB, b backing, plan fault) *fixture {
	w := &fixture{TB: t, clock: &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}, faults: &faults{plan: plan}, turn: 2 * time.Minute, undelayed: b.undelayed, samples: map[string][]float64{}, endings: map[string]bool{}, delays: map[string]time.Duration{}}
	w.destination = newDestination(t, w.faults)
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: fmt.Appendf(nil, cmp.Or(b.yaml, actionsYAML), w.destination.URL), Stage: "local", Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	w.config = loaded
	store := b.store(t, w.clock.Now)
	w.store, w.profiles = faultyStore{store, w.faults}, faultyProfiles{store.(jobs.Profiles), w.faults}
	main, dead := b.queues(t, w.clock.Now)
	w.queue, w.deadLetters = faultyQueue{main, w.faults, b.undelayed, w.noteDelay}, dead
	if main, ok := main.(*queue.Memory); ok {
		w.memories = append(w.memories, main)
	}
	w.submitter = jobs.NewSubmitter(jobs.SubmitConfig{Store: w.store, Queue: w.queue, Now: w.clock.Now})
	kinds := actions.Kinds(actions.Deps{Outbound: outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now}), Profiles: w.profiles, Signals: w.store, Machines: faultyMachines{w.machines(), w.faults}})
	maps.Copy(kinds, b.kinds)
	log := slog.New(slog.DiscardHandler)
	w.ledger = ledger.NewMemory(ledger.MemoryConfig{Now: w.clock.Now})
	if b.ledger != nil {
		w.ledger = b.ledger(t, w.clock.Now)
	}
	w.letters = queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: w.clock.Now})
	events := queue.NewMemory(queue.MemoryConfig{Visibility: 3 * time.Minute, MaxReceives: maxReceives, DeadLetters: w.letters, Now: w.clock.Now})
	w.memories = append(w.memories, events, w.letters)
	w.events = faultyQueue{events, w.faults, false, w.noteDelay}
	w.engine = engine.New(engine.Config{
		Config: loaded, Kinds: kinds, Store: w.store, Profiles: w.profiles, Queue: w.queue, Log: log, Now: w.clock.Now, AtOnce: 1,
		Ledger: faultyLedger{w.ledger, w.faults}, Events: w.events, EventLetters: faultyQueue{w.letters, w.faults, false, w.noteDelay},
		Metrics: metric.New(metric.Config{Writer: io.Discard, Function: "worker", Now: w.clock.Now, Observe: w.observe}),
		Secrets: func(context.Context) (engine.Secrets, error) {
			return engine.Secrets{Identities: map[string][]string{"main": {"our-client", "our-user"}}}, nil
		},
	})
	return w
}

// press plays a button: n items, a new request each time, one piece of work. confirmed says that the user saw success.
func (w *fixture) press(action string, n int) (id string, confirmed bool) {
	items := make([]jobs.Item, n)
	for i := range items {
		items[i] = jobs.Item{Type: jobs.Product, ID: fmt.Sprintf("p%d", i)}
	}
	submitted, err := w.submitter.Submit(w.Context(), jobs.Job{
		ID: jobs.ID("button", []byte(w.clock.Now().String())), Action: action, Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: items,
		Context: json.RawMessage(`{}`), Params: json.RawMessage(`{}`), User: jobs.User{UUID: "u", Username: "julia"},
		Once: jobs.OnceKey("button", action, items, "", ""),
	})
	if w.faults.restart() || err != nil {
		return "", false
	}
	return submitted.Job.ID, true
}

// deliver plays Lambda's poller: one invocation for one message, if there is one.
func (w *fixture) deliver() bool {
	messages, err := w.queue.Receive(w.Context(), 1, 0)
	if err != nil {
		w.Fatal(err)
	}
	if len(messages) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(w.Context(), w.turn)
	defer cancel()
	failed := handle(ctx, w.engine, messages)
	if !w.faults.restart() && !slices.Contains(failed, messages[0].ID) {
		_ = w.queue.Delete(w.Context(), messages[0].Receipt) // an acknowledgement that is lost brings the message again
		w.faults.restart()
	}
	return true
}

// drain delivers until the queue is empty, moving the clock whenever nothing is visible. A queue whose clock cannot
// be moved knows no delays here and a short visibility timeout, which is waited out.
func (w *fixture) drain() {
	for range 8000 {
		if w.deliver() {
			if w.undelayed {
				w.clock.advance(20 * time.Second)
			}
			continue
		}
		if w.undelayed {
			time.Sleep(50 * time.Millisecond)
		}
		depth, err := w.queue.Depth(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if depth == (queue.Depth{}) {
			return
		}
		w.clock.advance(time.Minute)
	}
	w.Fatal("the queue does not drain")
}

// job reads a job as a reader would.
func (w *fixture) job(id string) jobs.Job {
	w.Helper()
	w.faults.plan = fault{}
	job, err := w.store.Get(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return job.AsOf(w.clock.Now())
}

func (w *fixture) dead() int {
	depth, err := w.deadLetters.Depth(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return depth.Visible + depth.InFlight
}

// handle is one invocation, as functions/worker does it: the IDs of the messages that stay.
func handle(ctx context.Context, e *engine.Engine, messages []queue.Received) (stay []string) {
	invocation := e.Begin(ctx)
	var events []engine.EventDelivery
	var ids []string
	for _, message := range messages {
		if pimevent.API(message.Attributes) != "" {
			events, ids = append(events, engine.EventDelivery{Body: message.Body, Attributes: message.Attributes}), append(ids, message.ID)
		} else if err := handleJob(ctx, invocation, message); err != nil {
			stay = append(stay, message.ID)
		}
	}
	for n, err := range invocation.EventBatch(ctx, events) {
		if err != nil {
			stay = append(stay, ids[n])
		}
	}
	return stay
}

func handleJob(ctx context.Context, invocation *engine.Invocation, message queue.Received) error {
	id, turn, err := jobs.ParseMessage(message.Body)
	if err != nil {
		return err
	}
	tries, _ := strconv.Atoi(message.Attributes[engine.TriesAttribute])
	return invocation.Job(ctx, engine.Delivery{Job: id, Turn: turn, Last: message.Receives >= maxReceives, Tries: tries})
}
