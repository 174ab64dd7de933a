package worker_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/worker"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// kind is a kind of action whose runs are the test's own function.
type kind func(context.Context, engine.Run) (engine.Result, error)

func (kind) Check(config.Section) error                                   { return nil }
func (k kind) Open(config.Section, engine.Secrets) (engine.Action, error) { return k, nil }
func (kind) Batch() int                                                   { return 0 }
func (k kind) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	return k(ctx, run)
}

type fixture struct {
	worker *worker.Worker
	store  *jobs.Memory
	ledger *ledger.Memory
	jobs   *queue.Memory
	events *queue.Memory
	log    *bytes.Buffer
}

func newFixture(t *testing.T, run kind) *fixture {
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false }, Text: []byte(`
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions: {run: {kind: own}}
extensions: {button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: run}}
subscriptions: {every: {pim: main, api: event-platform, events: ["com.akeneo.pim.v1.*"], action: run}}
`)})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		store: jobs.NewMemory(jobs.MemoryConfig{Now: time.Now}), ledger: ledger.NewMemory(ledger.MemoryConfig{Now: time.Now}), log: &bytes.Buffer{},
		jobs: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute}), events: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute}),
	}
	log := slog.New(slog.NewJSONHandler(f.log, nil))
	f.worker = worker.New(worker.Config{MaxReceives: 5, Log: log, Engine: engine.New(engine.Config{
		Config: loaded, Kinds: map[string]engine.Kind{"own": run}, Store: f.store, Queue: f.jobs, Ledger: f.ledger, Events: f.events, EventLetters: f.events,
		Secrets: func(context.Context) (engine.Secrets, error) { return engine.Secrets{}, nil },
		Log:     log, Metrics: metric.New(metric.Config{Writer: io.Discard, Now: time.Now}), Now: time.Now,
	})})
	return f
}

func quiet(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, nil }

func (f *fixture) press(t *testing.T) string {
	submitted, err := jobs.NewSubmitter(jobs.SubmitConfig{Store: f.store, Queue: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute}), Now: time.Now}).Submit(t.Context(), jobs.Job{
		ID: "button-1", Action: "run", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: []jobs.Item{{Type: jobs.Product, ID: "p"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return submitted.Job.ID
}

// record is a message as Lambda hands it over.
func record(id, body string, attributes map[string]string) map[string]any {
	typed := map[string]any{}
	for name, value := range attributes {
		typed[name] = map[string]any{"stringValue": value, "dataType": "String"}
	}
	return map[string]any{"messageId": id, "receiptHandle": "r", "body": body, "messageAttributes": typed,
		"attributes": map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000", "MessageGroupId": "main/button"}}
}

// invoke returns the IDs of the messages that stay.
func (f *fixture) invoke(t *testing.T, records ...map[string]any) []string {
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.worker.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.BatchItemFailures == nil {
		t.Fatalf("%s, %v", answer, err)
	}
	var ids []string
	for _, failure := range got.BatchItemFailures {
		ids = append(ids, failure.ItemIdentifier)
	}
	slices.Sort(ids)
	return ids
}

func TestOnlyMessagesThatNobodyCanReadStay(t *testing.T) {
	f := newFixture(t, quiet)
	id := f.press(t)
	stay := f.invoke(t,
		record("good", string(jobs.Message(id, 1).Body), nil),
		record("of the first wave", `{"job":"`+id+`"}`, nil),
		record("bad", "{", nil),
		record("garbled", "!", map[string]string{"encoding": "base64"}),
	)
	if job, err := f.store.Get(t.Context(), id); err != nil || !slices.Equal(stay, []string{"bad", "garbled"}) || job.State != jobs.Succeeded {
		t.Errorf("stay %v, job %s, %v", stay, job.State, err)
	}
	if _, err := f.worker.Invoke(t.Context(), []byte("[")); err == nil {
		t.Error("an event of Lambda that cannot be read was acknowledged")
	}
}

func TestAMessageOfANewerVersionIsPutBackAsItIs(t *testing.T) {
	f := newFixture(t, quiet)
	const body = `{"v":3,"id":"button-1","signal":{"x":1}}`
	if stay := f.invoke(t, record("newer", body, map[string]string{"other": "kept"})); len(stay) != 0 {
		t.Errorf("stay %v: it would be a dead letter after five receives", stay)
	}
	if left := f.jobs.Messages(); len(left) != 1 || string(left[0].Body) != body || left[0].Attributes["other"] != "kept" || left[0].Group != "main/button" {
		t.Errorf("%+v", left)
	}
}

func TestAnEventThatGoesOnLaterKeepsItsGroup(t *testing.T) {
	f := newFixture(t, func(context.Context, engine.Run) (engine.Result, error) { return engine.Result{}, errors.New("down") })
	attributes := pimevent.Delivery{API: pimevent.EventPlatform, PIM: "main", Received: time.Now(), Correlation: "c"}.Attributes(0)
	if stay := f.invoke(t, record("e", `{"id":"1","type":"com.akeneo.pim.v1.product.updated"}`, attributes)); len(stay) != 0 {
		t.Fatal(stay)
	}
	if left := f.events.Messages(); len(left) != 1 || left[0].Group != "main/button" {
		t.Errorf("%+v", left)
	}
}

func TestAPanicIsItsMessagesAloneAndItsTextIsNotLogged(t *testing.T) {
	f := newFixture(t, quiet)
	stay := f.worker.Handle(panicking{t.Context()}, []queue.Received{{ID: "a", Body: jobs.Message(f.press(t), 1).Body}})
	if !slices.Equal(stay, []string{"a"}) || strings.Contains(f.log.String(), "hunter2") {
		t.Errorf("stay %v; %s", stay, f.log.String())
	}
}

// panicking is a context that the store asks, and that panics.
type panicking struct{ context.Context }

func (panicking) Err() error { panic("password is hunter2") }

// TestLargeEventsAreDecodedAFewAtATime gives one invocation events of three megabytes, which
// travel compressed. Decoded at once they would not fit the function's memory.
func TestLargeEventsAreDecodedAFewAtATime(t *testing.T) {
	const events, most = 8, 16 << 20
	var mu sync.Mutex
	open, peak, ran := 0, 0, 0
	f := newFixture(t, func(_ context.Context, run engine.Run) (engine.Result, error) {
		size := len(run.Event.Raw)
		mu.Lock()
		open += size
		peak = max(peak, open)
		ran++
		mu.Unlock()
		time.Sleep(time.Millisecond) // lets others in, if they may come
		mu.Lock()
		open -= size
		mu.Unlock()
		return engine.Result{}, nil
	})
	var records []map[string]any
	for i := range events {
		raw := fmt.Sprintf(`{"specversion":"1.0","id":"e%d","type":"com.akeneo.pim.v1.product.updated","time":"2026-11-23T12:00:00Z","data":{"product":{"uuid":"p%d","text":"%s"}}}`, i, i, strings.Repeat("x", 3<<20))
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		_, _ = io.WriteString(writer, raw)
		_ = writer.Close()
		records = append(records, record(fmt.Sprint(i), base64.StdEncoding.EncodeToString(packed.Bytes()), map[string]string{
			"encoding": "gzip+base64", pimevent.AttributeAPI: pimevent.EventPlatform, pimevent.AttributePIM: "main",
		}))
	}
	if stay := f.invoke(t, records...); len(stay) != 0 || ran != events {
		t.Errorf("%d stay, %d ran", len(stay), ran)
	}
	if peak > most || peak < 3<<20 {
		t.Errorf("%d bytes of events were open at once, want at most %d", peak, most)
	}
}
