package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// reply is what a function answers to API Gateway.
type reply struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

// batch is what the worker answers to SQS.
type batch struct {
	Failures []any `json:"batchItemFailures"`
}

// send invokes a function with a sample, as API Gateway brings it.
func (b *bench) send(ctx context.Context, function, sample, secret string, fresh bool, status int) (body string, err error) {
	found, err := senders.Find(sample)
	if err != nil {
		return "", err
	}
	now := time.Now()
	request, err := found.Request(senders.Choice{Secret: secret, Happened: now, Signed: now, Fresh: fresh})
	if err != nil {
		return "", err
	}
	var got reply
	if err := b.invoke(ctx, function, brought(request), &got); err != nil {
		return "", err
	}
	if got.StatusCode != status {
		return "", fmt.Errorf("%s answered %+v, want %d", function, got, status)
	}
	return got.Body, nil
}

// brought is a request as API Gateway brings it, with a time that cannot be its own, so that the function counts from its
// start: it has 4 seconds, and SAM CLI may take longer to make a container.
func brought(request senders.Request) senders.HTTPEvent {
	return request.Lambda(time.Now().Add(-time.Hour))
}

// work invokes the worker with all that is in a queue.
func (b *bench) work(ctx context.Context, queue string, want int) error {
	messages, err := take(ctx, b.variables[queue])
	if err != nil {
		return err
	}
	if len(messages) != want {
		return fmt.Errorf("%s holds %d messages, want %d", queue, len(messages), want)
	}
	name := map[string]string{"JOBS_QUEUE_URL": "jobs", "EVENTS_QUEUE_URL": "events"}[queue]
	var got batch
	if err := b.invoke(ctx, "WorkerFunction", senders.SQS(name, messages...), &got); err != nil {
		return err
	}
	if got.Failures == nil || len(got.Failures) > 0 {
		return fmt.Errorf("WorkerFunction answered %+v", got)
	}
	return nil
}

// buttons: a press becomes a job, and the job reaches its destination.
func (b *bench) buttons(ctx context.Context) error {
	body, err := b.send(ctx, "ActionFunction", "action-product-grid", b.secrets.press, false, 200)
	if err != nil {
		return err
	}
	id, err := stack.JobIn(body)
	if err != nil {
		return err
	}
	fmt.Println("ActionFunction: 200, job", id)
	if err := b.work(ctx, "JOBS_QUEUE_URL", 1); err != nil {
		return err
	}
	record, err := job(ctx, id)
	if err != nil {
		return err
	}
	if record.State != "succeeded" || record.Done != record.Total || record.Total == 0 {
		return fmt.Errorf("job %+v", record)
	}
	fmt.Printf("WorkerFunction: no failures, job %s with %d of %d items\n", record.State, record.Done, record.Total)
	calls := b.destination.Calls()
	if len(calls) != 1 {
		return fmt.Errorf("the destination got %d calls, want one", len(calls))
	}
	var got struct {
		Job   string
		Items []any
	}
	if err := json.Unmarshal(calls[0].Body, &got); err != nil {
		return err
	}
	if got.Job != id || len(got.Items) != record.Total || calls[0].Header.Get("Authorization") != "Bearer "+b.secrets.token {
		return fmt.Errorf("the destination got %s at %s", calls[0].Body, calls[0].Path)
	}
	fmt.Printf("destination: %d items at %s, Idempotency-Key %s\n", len(got.Items), calls[0].Path, calls[0].Key())
	return nil
}

// events of both APIs: the one that a subscription wants reaches its destination.
func (b *bench) events(ctx context.Context) error {
	if _, err := b.send(ctx, "EventPlatformFunction", "event-platform-product-deleted", b.secrets.events, true, 200); err != nil {
		return err
	}
	if _, err := b.send(ctx, "EventsApiFunction", "events-api-ten", b.secrets.events, true, 200); err != nil {
		return err
	}
	fmt.Println("EventPlatformFunction, EventsApiFunction: 200")
	before := len(b.destination.Calls())
	if err := b.work(ctx, "EVENTS_QUEUE_URL", 11); err != nil {
		return err
	}
	calls := b.destination.Calls()[before:]
	if len(calls) != 1 || !strings.HasPrefix(calls[0].Key(), "event-platform/main/") || !strings.Contains(calls[0].Key(), "/catalogue") {
		return fmt.Errorf("the destination got %d calls: %+v", len(calls), calls)
	}
	fmt.Println("WorkerFunction: no failures of eleven events, the one that a subscription wants went out with the key", calls[0].Key())
	return nil
}

// pages: the page inside the PIM, an App Action of Contentful, a data component.
func (b *bench) pages(ctx context.Context) error {
	body, err := b.send(ctx, "IframeFunction", "iframe-start", b.secrets.panel, true, 200)
	if err != nil {
		return err
	}
	var started struct{ Job struct{ ID string } }
	if err := b.queued(ctx, body, &started, func() string { return started.Job.ID }, 3); err != nil {
		return err
	}
	fmt.Println("IframeFunction: 200, job", started.Job.ID)
	body, err = b.send(ctx, "ContentfulFunction", "contentful-entries", b.secrets.contentful, false, 202)
	if err != nil {
		return err
	}
	var called struct{ Job string }
	if err := b.queued(ctx, body, &called, func() string { return called.Job }, 2); err != nil {
		return err
	}
	fmt.Println("ContentfulFunction: 202, a job of two entries")
	body, err = b.send(ctx, "DataFunction", "data-product", b.secrets.history, false, 200)
	if err != nil {
		return err
	}
	var known struct{ Jobs, Events []any }
	if err := json.Unmarshal([]byte(body), &known); err != nil {
		return err
	}
	if len(known.Jobs) > 0 || len(known.Events) > 0 {
		return fmt.Errorf("DataFunction answered %s", body)
	}
	fmt.Println("DataFunction: 200, nothing is known of the product")
	return nil
}

// queued checks that the job of an answer is recorded, with that many items, and that its message is in the queue.
func (b *bench) queued(ctx context.Context, body string, answer any, id func() string, items int) error {
	if err := json.Unmarshal([]byte(body), answer); err != nil {
		return err
	}
	record, err := job(ctx, id())
	if err != nil {
		return err
	}
	messages, err := take(ctx, b.variables["JOBS_QUEUE_URL"])
	if err != nil {
		return err
	}
	if record.Total != items || len(messages) != 1 {
		return fmt.Errorf("job %+v, want %d items; %d messages in the queue, want one", record, items, len(messages))
	}
	return nil
}

// api: the HTTP functions behind `sam local start-api`, each on its route.
func (b *bench) api(ctx context.Context) error {
	address, stop, err := b.start(ctx)
	if err != nil {
		return err
	}
	err = b.callAPI(ctx, address)
	stop()
	if err != nil {
		return err
	}
	events, err := take(ctx, b.variables["EVENTS_QUEUE_URL"])
	if err != nil {
		return err
	}
	jobs, err := take(ctx, b.variables["JOBS_QUEUE_URL"])
	if err != nil {
		return err
	}
	if len(events) != 20 || len(jobs) != 1 {
		return fmt.Errorf("%d events and %d jobs in the queues, want 20 and one", len(events), len(jobs))
	}
	fmt.Println("start-api: a press, ten events of each API: 200, all in the queues; a mistyped path: 401")
	return nil
}

func (b *bench) callAPI(ctx context.Context, address string) error {
	if _, err := stack.Press(ctx, address, b.secrets.press); err != nil {
		return err
	}
	var bodies []json.RawMessage
	for range 10 {
		change := senders.PriceChange{ID: senders.NewUUID(), Product: senders.NewUUID(), Identifier: "sku", From: 1, To: 2, Author: senders.NewUUID(), At: time.Now()}
		bodies = append(bodies, change.EventsAPI())
		delivery := senders.EventPlatform{PIM: "main", Primary: b.secrets.events}.Event(change.EventPlatform())
		if _, err := stack.Expect(ctx, address, delivery, 200); err != nil {
			return err
		}
	}
	request := senders.EventsAPI{PIM: "main", Secret: b.secrets.events, At: time.Now()}.Request(senders.EventsAPIBody(bodies...))
	if _, err := stack.Expect(ctx, address, request, 200); err != nil {
		return err
	}
	request.Path = "/event-platfrom/main"
	_, err := stack.Expect(ctx, address, request, 401)
	return err
}
