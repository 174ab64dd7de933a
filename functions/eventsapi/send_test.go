package eventsapi_test

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

// deskOn is a desk on the real adapter. Its clock is ahead, so that a send has 2 s on the slowest machine.
func deskOn(t *testing.T, sqs *fakeSQS) *desk {
	t.Helper()
	d := newDesk()
	d.actual = sqs.open(t)
	at := d.now().Add(time.Second)
	d.now = func() time.Time { return at }
	return d
}

func TestTenEventsAreOneCallOfAWS(t *testing.T) {
	sqs := &fakeSQS{}
	d := deskOn(t, sqs)
	body := delivery(slices.Repeat([]string{event("a")}, 10)...)
	if got := d.deliver(t, body); got.status != 200 {
		t.Fatalf("%d, %v", got.status, got.line)
	}
	if !slices.Equal(sqs.calls, []string{"AmazonSQS.SendMessageBatch"}) || len(sqs.stored) != 10 || d.vault.refreshes != 0 {
		t.Errorf("%d messages by %q, %d fetches", len(sqs.stored), sqs.calls, d.vault.refreshes)
	}
}

func TestARefusedRequestCallsNothingOfAWS(t *testing.T) {
	sqs := &fakeSQS{}
	d := deskOn(t, sqs)
	if got := d.send(t, request("/events-api/main", delivery(event("a")), secretOther, d.now())); got.status != 401 || len(sqs.calls) != 0 {
		t.Errorf("%d after %q", got.status, sqs.calls)
	}
}

func TestEventsOfMoreThanAMegabyteAreSeveralCalls(t *testing.T) {
	sqs := &fakeSQS{}
	d := deskOn(t, sqs)
	full := `{"x":"` + strings.Repeat("x", 400<<10) + `"}` // two fit one call
	if got := d.deliver(t, delivery(full, full, full, full, full)); got.status != 200 || len(sqs.stored) != 5 || len(sqs.calls) != 3 {
		t.Errorf("%d with %d stored by %d calls", got.status, len(sqs.stored), len(sqs.calls))
	}
}

func TestThirdChunkFails(t *testing.T) {
	body := delivery(slices.Repeat([]string{event("a")}, 25)...) // ten fit one call
	for _, row := range []struct {
		name   string
		fails  func(call int) bool
		status int
		stored int
	}{
		{"once: it is sent again", func(call int) bool { return call == 3 }, 200, 25},
		{"twice: it is sent again", func(call int) bool { return call == 3 || call == 4 }, 200, 25},
		{"always: no 2xx", func(call int) bool { return call >= 3 }, 503, 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			sqs := &fakeSQS{refuses: row.fails}
			d := deskOn(t, sqs)
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
	large := `"` + strings.Repeat("x", 600<<10) + `"`
	four := delivery(event("a"), large, large, event("b")) // apart, they are three calls
	down := errors.New("internal text of the queue")
	for _, row := range []struct {
		name   string
		send   func(call int) error
		status int
		reason string
		queued int
	}{
		{"as a whole", func(int) error { return down }, 503, "events_not_queued", 0},
		{"for one of four", func(int) error { return &queue.PartialError{Failed: map[int]error{1: down}} }, 503, "events_not_queued", 3},
		{"with a panic", func(int) error { panic(down) }, 500, "panic", 0},
		{"too large, then apart: a large one is too large", func(call int) error {
			return map[int]error{1: queue.ErrTooLarge, 3: queue.ErrTooLarge}[call]
		}, 413, "event_too_large", 3},
		{"too large, then apart: one too large and one lost", func(call int) error {
			return map[int]error{1: queue.ErrTooLarge, 3: queue.ErrTooLarge, 4: down}[call]
		}, 503, "events_not_queued", 2},
		{"too large, then apart: one lost and one too large", func(call int) error {
			return map[int]error{1: queue.ErrTooLarge, 3: down, 4: queue.ErrTooLarge}[call]
		}, 503, "events_not_queued", 2},
		{"too large, then apart: one of the small ones lost", func(call int) error {
			return map[int]error{1: queue.ErrTooLarge, 2: &queue.PartialError{Failed: map[int]error{0: down}}}[call]
		}, 503, "events_not_queued", 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			d.queue.send = func(_ context.Context, call int, _ []queue.Message) error { return row.send(call) }
			r := request("/events-api/main", four, secretNew, d.now())
			got := d.send(t, r)
			if got.status != row.status || got.line["reason"] != row.reason || strings.Contains(got.body, "internal text") {
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
	for name, row := range map[string]struct {
		body   []byte
		queued int
	}{
		"alone":         {delivery(large), 0},
		"among others":  {delivery(event("a"), large, event("b")), 2},
		"with its like": {delivery(large, large), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // compressing takes no time
				d := newDesk()
				got := d.deliver(t, row.body)
				if got.status != 413 || got.line["reason"] != "event_too_large" || len(d.bodies()) != row.queued {
					t.Errorf("%d %v with %d queued", got.status, got.line["reason"], len(d.bodies()))
				}
				if d.metrics["Refused event_too_large"] != 1 || d.metrics["EventsReceived"] != float64(row.queued) || d.taken() != "0" {
					t.Errorf("counted %v", d.metrics)
				}
			})
		})
	}
}

// Finding out that one is too large takes the time that the answer had. The others are saved all the same.
func TestCompressingTakesAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.now = time.Now // synctest's
		large := `"` + strings.Repeat("x", 600<<10) + `"`
		d.queue.send = func(_ context.Context, call int, _ []queue.Message) error {
			if call == 1 || call == 3 {
				time.Sleep(time.Second)
				return queue.ErrTooLarge
			}
			return nil
		}
		got := d.deliver(t, delivery(event("a"), large, event("b")))
		if got.status != 413 || len(d.bodies()) != 2 {
			t.Errorf("%d with %d queued", got.status, len(d.bodies()))
		}
	})
}

// The time for a send is what API Gateway's clock leaves of the PIM's patience.
func TestDeadline(t *testing.T) {
	for name, row := range map[string]struct {
		waited, want time.Duration
	}{
		"at once":                                 {0, 400 * time.Millisecond},
		"a moment later":                          {250 * time.Millisecond, 150 * time.Millisecond},
		"with little left":                        {350 * time.Millisecond, 100 * time.Millisecond},
		"with next to nothing left":               {399 * time.Millisecond, 100 * time.Millisecond},
		"when the PIM has hung up":                {400 * time.Millisecond, 2 * time.Second},
		"after a slow cold start":                 {4 * time.Second, 2 * time.Second},
		"on a clock that is behind API Gateway's": {-time.Second, 400 * time.Millisecond},
		"for a sample from last year":             {365 * 24 * time.Hour, 400 * time.Millisecond},
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
				_, err := d.handler().ServeRequest(t.Context(), signed(delivery(event("a")), start.Add(-row.waited)))
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
	r := request("/", body, secretNew, time.Now())
	header := map[string]string{}
	for name := range r.Header {
		header[strings.ToLower(name)] = r.Header.Get(name)
	}
	return &web.Request{Method: "POST", Path: "/events-api/main", Header: header, Body: body, ID: "request-1", Stage: "$default", Received: received, Log: &web.Line{}}
}
