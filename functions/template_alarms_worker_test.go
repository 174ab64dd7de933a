package functions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// unstable is a kind of action whose destination is down at times.
type unstable struct{ down func() bool }

func (unstable) Check(config.Section) error                                   { return nil }
func (u unstable) Open(config.Section, engine.Secrets) (engine.Action, error) { return u, nil }
func (unstable) Batch() int                                                   { return 0 }
func (u unstable) Run(context.Context, engine.Run) (engine.Result, error) {
	if u.down() {
		return engine.Result{}, errors.New("destination is down")
	}
	return engine.Result{}, nil
}

// destinationDown lets the real worker work for hours, with an event every ten minutes, and reads what it logs. While the
// trouble lasts the destination is down, and one event waits: the fewest tries by which it can be known.
func destinationDown(c *cloudwatch) {
	at := time.Duration(0)
	now := func() time.Time { return begin.Add(at) }
	loaded, err := config.Load(config.Source{File: "extensions.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false }, Text: []byte(`
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions: {listen: {kind: unstable, retry: {for: 12h}}}
subscriptions: {all: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated], action: listen}}
`)})
	if err != nil {
		panic(err)
	}
	var lines bytes.Buffer
	log := slog.New(slog.DiscardHandler)
	letters := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: now})
	events := queue.NewMemory(queue.MemoryConfig{Visibility: 12 * time.Minute, MaxReceives: 5, DeadLetters: letters, Now: now})
	works := worker.New(worker.Config{MaxReceives: 5, Log: log, Engine: engine.New(engine.Config{
		Config: loaded, Kinds: map[string]engine.Kind{"unstable": unstable{func() bool { return at >= troubleBegins && at < troubleEnds }}},
		Store: jobs.NewMemory(jobs.MemoryConfig{Now: now}), Queue: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: now}),
		Ledger: ledger.NewMemory(ledger.MemoryConfig{Now: now}), Events: events, EventLetters: letters,
		Secrets: func(context.Context) (engine.Secrets, error) { return engine.Secrets{}, nil },
		Log:     log, Now: now, Metrics: metric.New(metric.Config{Writer: &lines, Function: "WorkerFunction", Now: now}),
	})})
	ctx := context.Background()
	for ; at < watched; at += 5 * time.Second {
		if at == troubleBegins || at%(10*time.Minute) == 0 && (at < troubleBegins || at >= troubleEnds) {
			body := fmt.Sprintf(`{"specversion": "1.0", "id": "e%d", "type": "com.akeneo.pim.v1.product.updated", "source": "pim", "time": %q, "data": {"product": {"uuid": "019256aa-7f77-7f58-bc8c-770f7e369c5b"}}}`, at, now().Format(time.RFC3339))
			err := events.Send(ctx, queue.Message{Body: []byte(body), Attributes: map[string]string{
				pimevent.AttributeAPI: pimevent.EventPlatform, pimevent.AttributePIM: "main", pimevent.AttributeReceived: now().Format(time.RFC3339Nano),
			}})
			if err != nil {
				panic(err)
			}
		}
		messages, err := events.Receive(ctx, 10, 0)
		if err != nil {
			panic(err)
		}
		if failed := works.Handle(ctx, messages); len(failed) > 0 {
			panic(fmt.Sprintf("messages stay in the queue: %q", failed))
		}
		for _, message := range messages {
			if err := events.Delete(ctx, message.Receipt); err != nil {
				panic(err)
			}
		}
	}
	if len(letters.Messages()) > 0 {
		panic("an event is a dead letter, though its patience is longer than the trouble")
	}
	c.read(lines.Bytes())
}
