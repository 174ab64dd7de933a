package eventplatform_test

import (
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/web"
)

// array is a delivery of several events.
func array(events ...string) []byte { return []byte("[" + strings.Join(events, ",") + "]") }

func TestADeliveryIsOneCallOfAWS(t *testing.T) {
	for name, row := range map[string]struct {
		body     []byte
		messages int
	}{
		"one event":       {[]byte(event("a")), 1},
		"an array of ten": {array(slices.Repeat([]string{event("a")}, 10)...), 10},
	} {
		t.Run(name, func(t *testing.T) {
			sqs := &fakeSQS{}
			d := newDesk()
			d.actual = sqs.open(t)
			if got := d.deliver(t, row.body); got.status != 200 {
				t.Fatalf("%d, %v", got.status, got.line)
			}
			if !slices.Equal(sqs.calls, []string{"AmazonSQS.SendMessageBatch"}) || len(sqs.stored) != row.messages || d.vault.refreshes != 0 {
				t.Errorf("%d messages by %q, %d fetches", len(sqs.stored), sqs.calls, d.vault.refreshes)
			}
		})
	}
}

func TestARefusedRequestCallsNothingOfAWS(t *testing.T) {
	sqs := &fakeSQS{}
	d := newDesk()
	d.actual = sqs.open(t)
	for _, path := range []string{"/event-platform/main", "/event-platform/nobody", "/x"} {
		if got := d.send(t, request(path, []byte(event("a")), secretOther)); got.status != 401 || len(sqs.calls) != 0 {
			t.Errorf("%s: %d after %q", path, got.status, sqs.calls)
		}
	}
}

func TestThirdChunkFails(t *testing.T) {
	body := array(slices.Repeat([]string{event("a")}, 25)...) // ten fit one call
	for _, row := range []struct {
		name   string
		fails  func(call int) bool
		status int
		stored int
	}{
		{"once: it is sent again", func(call int) bool { return call == 3 }, 200, 25},
		{"twice: it is sent again", func(call int) bool { return call == 3 || call == 4 }, 200, 25},
		{"always: come again", func(call int) bool { return call >= 3 }, 503, 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			sqs := &fakeSQS{refuses: row.fails}
			d := newDesk()
			d.actual = sqs.open(t)
			got := d.deliver(t, body)
			if got.status != row.status || len(sqs.stored) != row.stored || d.metrics["EventsReceived"] != float64(row.stored) {
				t.Errorf("%d with %d stored and %v counted by %d calls", got.status, len(sqs.stored), d.metrics["EventsReceived"], len(sqs.calls))
			}
			if row.status != 200 && (got.line["reason"] != "events_not_queued" || got.line["queued"] != float64(row.stored) || d.taken() != "0") {
				t.Errorf("logged %v, counted %v", got.line, d.metrics)
			}
			if row.status == 200 && len(sqs.calls) < 4 {
				t.Errorf("%d calls", len(sqs.calls))
			}
		})
	}
}

func TestQueueFails(t *testing.T) {
	down := errors.New("internal text of the queue")
	for _, row := range []struct {
		name   string
		send   func() error
		status int
		reason string
		queued int
	}{
		{"as a whole", func() error { return down }, 503, "events_not_queued", 0},
		{"for one of three", func() error { return &queue.PartialError{Failed: map[int]error{1: down}} }, 503, "events_not_queued", 2},
		{"because it is too large", func() error { return queue.ErrTooLarge }, 413, "event_too_large", 0},
		{"with a panic", func() error { panic(down) }, 500, "panic", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			d.queue.send = func(context.Context, int, []queue.Message) error { return row.send() }
			r := request("/event-platform/main", array(event("a"), event("b"), event("c")), secretNew)
			got := d.send(t, r)
			if got.status != row.status || got.line["reason"] != row.reason || strings.Contains(got.body, "internal text") || got.header.Get("Location") != "" {
				t.Errorf("%d %s, %v", got.status, got.body, got.line)
			}
			if queued, _ := got.line["queued"].(float64); int(queued) != row.queued || d.metrics["EventsReceived"] != float64(row.queued) {
				t.Errorf("%v queued, %v counted, want %d", queued, d.metrics["EventsReceived"], row.queued)
			}
			if d.taken() != "0" || d.metrics["Refused "+row.reason] != 1 {
				t.Errorf("counted %v", d.metrics)
			}
			checkLeaks(t, d, r)
		})
	}
}

func TestEventTooLargeEvenCompressed(t *testing.T) {
	noise := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	large := `{"x":"` + hex.EncodeToString(noise) + `"}` // 2 MiB that hold 1 MiB, which base64 makes more again
	synctest.Test(t, func(t *testing.T) {                // compressing takes no time
		d := newDesk()
		got := d.deliver(t, []byte(large))
		if got.status != 413 || got.line["reason"] != "event_too_large" || len(d.bodies()) != 0 || d.metrics["Refused event_too_large"] != 1 || d.taken() != "0" {
			t.Errorf("%d, %v, %v", got.status, got.line, d.metrics)
		}
	})
}

// The time for a send is what API Gateway's clock leaves of the platform's patience.
func TestDeadline(t *testing.T) {
	for name, row := range map[string]struct {
		waited, want time.Duration
	}{
		"at once":                                 {0, 3 * time.Second},
		"after a cold start":                      {800 * time.Millisecond, 2200 * time.Millisecond},
		"with little left":                        {2500 * time.Millisecond, time.Second},
		"when the platform may have hung up":      {6 * time.Second, time.Second},
		"on a clock that is behind API Gateway's": {-time.Second, 3 * time.Second},
		"for a sample from last year":             {365 * 24 * time.Hour, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				d.now = time.Now // synctest's
				d.queue.send = func(ctx context.Context, _ int, _ []queue.Message) error {
					<-ctx.Done() // the queue hangs
					return ctx.Err()
				}
				start := time.Now()
				_, err := d.handler().ServeRequest(t.Context(), signed([]byte(event("a")), start.Add(-row.waited)))
				if refused, ok := errors.AsType[*web.Error](err); !ok || refused.Code != web.Unavailable {
					t.Errorf("answered %v", err)
				}
				if got := time.Since(start); got != row.want {
					t.Errorf("answered after %s, want %s", got, row.want)
				}
			})
		})
	}
}

// signed is a delivery as it comes from API Gateway.
func signed(body []byte, received time.Time) *web.Request {
	header := map[string]string{}
	for name, values := range request("/", body, secretNew).Header {
		header[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return &web.Request{Method: "POST", Path: "/event-platform/main", Header: header, Body: body, ID: "request-1", Stage: "$default", Received: received, Log: &web.Line{}}
}
