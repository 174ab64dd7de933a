package eventsapi_test

import (
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// onSQS is a fixture on the real adapter.
func onSQS(t *testing.T, sqs *fixture.SQS) *fixtures {
	t.Helper()
	f := newFixture()
	f.actual = sqs.Open(t)
	return f
}

func TestTenEventsAreOneCallOfAWS(t *testing.T) {
	sqs := &fixture.SQS{}
	f := onSQS(t, sqs)
	body := delivery(slices.Repeat([]string{event("a")}, 10)...)
	if got := f.deliver(t, body); got.Status != 200 {
		t.Fatalf("%d, %v", got.Status, got.Line)
	}
	if !slices.Equal(sqs.Calls, []string{"AmazonSQS.SendMessageBatch"}) || len(sqs.Stored) != 10 || f.Refetches() != 0 {
		t.Errorf("%d messages by %q, %d fetches", len(sqs.Stored), sqs.Calls, f.Refetches())
	}
}

func TestARefusedRequestCallsNothingOfAWS(t *testing.T) {
	sqs := &fixture.SQS{}
	f := onSQS(t, sqs)
	if got := f.Send(t, request("/events-api/main", delivery(event("a")), secretOther, f.Now())); got.Status != 401 || len(sqs.Calls) != 0 {
		t.Errorf("%d after %q", got.Status, sqs.Calls)
	}
}

func TestEventsOfMoreThanAMegabyteAreSeveralCalls(t *testing.T) {
	sqs := &fixture.SQS{}
	f := onSQS(t, sqs)
	full := `{"x":"` + strings.Repeat("x", 400<<10) + `"}` // two fit one call
	if got := f.deliver(t, delivery(full, full, full, full, full)); got.Status != 200 || len(sqs.Stored) != 5 || len(sqs.Calls) != 3 {
		t.Errorf("%d with %d stored by %d calls", got.Status, len(sqs.Stored), len(sqs.Calls))
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
			sqs := &fixture.SQS{Refuses: row.fails}
			f := onSQS(t, sqs)
			got := f.deliver(t, body)
			if got.Status != row.status || len(sqs.Stored) != row.stored || f.Metrics["EventsReceived"] != float64(row.stored) {
				t.Errorf("%d with %d stored and %v counted by %d calls", got.Status, len(sqs.Stored), f.Metrics["EventsReceived"], len(sqs.Calls))
			}
			if row.status != 200 && (got.Line["reason"] != "events_not_queued" || got.Line["queued"] != float64(row.stored) || f.Taken() != "0") {
				t.Errorf("logged %v, counted %v", got.Line, f.Metrics)
			}
			if row.status == 200 && len(sqs.Calls) < 4 {
				t.Errorf("%d calls", len(sqs.Calls))
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
			f := newFixture()
			f.Queue.Before = func(_ context.Context, call int, _ []queue.Message) error { return row.send(call) }
			r := request("/events-api/main", four, secretNew, f.Now())
			got := f.Send(t, r)
			if got.Status != row.status || got.Line["reason"] != row.reason || strings.Contains(got.Body, "internal text") {
				t.Errorf("%d %s, %v", got.Status, got.Body, got.Line)
			}
			if queued, _ := got.Line["queued"].(float64); int(queued) != row.queued || f.Metrics["EventsReceived"] != float64(row.queued) {
				t.Errorf("%v queued, %v counted, want %d", queued, f.Metrics["EventsReceived"], row.queued)
			}
			if f.Taken() != "0" || f.Metrics["Refused "+row.reason] != 1 {
				t.Errorf("counted %v", f.Metrics)
			}
			checkLeaks(t, f, r)
		})
	}
}

func TestEventTooLargeEvenCompressed(t *testing.T) {
	noise := make([]byte, queue.MaxPayload/4*3+1)
	rand.NewChaCha8([32]byte{}).Read(noise)
	large := `{"x":"` + hex.EncodeToString(noise) + `"}` // what base64 makes of the noise alone is over the limit
	for name, row := range map[string]struct {
		body   []byte
		queued int
	}{
		"alone":         {delivery(large), 0},
		"among others":  {delivery(event("a"), large, event("b")), 2},
		"with its like": {delivery(large, large), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // compressing takes no time
				f := newFixture()
				got := f.deliver(t, row.body)
				if got.Status != 413 || got.Line["reason"] != "event_too_large" || len(f.Bodies()) != row.queued {
					t.Errorf("%d %v with %d queued", got.Status, got.Line["reason"], len(f.Bodies()))
				}
				if f.Metrics["Refused event_too_large"] != 1 || f.Metrics["EventsReceived"] != float64(row.queued) || f.Taken() != "0" {
					t.Errorf("counted %v", f.Metrics)
				}
			})
		})
	}
}

// Finding out that one is too large takes the time that the answer had. The others are saved all the same.
func TestCompressingTakesAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.Now = time.Now // synctest's
		large := `"` + strings.Repeat("x", 600<<10) + `"`
		f.Queue.Before = func(_ context.Context, call int, _ []queue.Message) error {
			if call == 1 || call == 3 {
				time.Sleep(time.Second)
				return queue.ErrTooLarge
			}
			return nil
		}
		got := f.deliver(t, delivery(event("a"), large, event("b")))
		if got.Status != 413 || len(f.Bodies()) != 2 {
			t.Errorf("%d with %d queued", got.Status, len(f.Bodies()))
		}
	})
}

// Nobody sends these events again. A queue that is slow has them all the same, however late the request came to us; the
// answer comes as soon as it has.
func TestASlowQueueLosesNoEvent(t *testing.T) {
	for _, row := range []struct{ waited, slow, took time.Duration }{
		{0, 20 * time.Millisecond, 20 * time.Millisecond},
		{0, 600 * time.Millisecond, 600 * time.Millisecond},
		{399 * time.Millisecond, 600 * time.Millisecond, 600 * time.Millisecond},
		{0, 3900 * time.Millisecond, 3900 * time.Millisecond},
		{6 * time.Second, 600 * time.Millisecond, 600 * time.Millisecond}, // after a slow cold start
		{1e5 * time.Hour, 3900 * time.Millisecond, 3900 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			f.Now = time.Now // synctest's
			f.Queue.Before = func(ctx context.Context, _ int, _ []queue.Message) error {
				select {
				case <-time.After(row.slow):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			start := time.Now()
			got := f.invoke(t, delivery(event("a")), start.Add(-row.waited))
			if took := time.Since(start); got.Status != 200 || len(f.Bodies()) != 1 || took != row.took {
				t.Errorf("%s old, a queue that takes %s: %d with %d queued after %s", row.waited, row.slow, got.Status, len(f.Bodies()), took)
			}
		})
	}
}

func TestAHangingQueueIsAnswered(t *testing.T) {
	for waited, took := range map[time.Duration]time.Duration{0: 4 * time.Second, time.Second: 3 * time.Second, 3900 * time.Millisecond: time.Second, 6 * time.Second: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			f.Now = time.Now
			f.Queue.Before = fixture.Hang
			start := time.Now()
			if got := f.invoke(t, delivery(event("a")), start.Add(-waited)); got.Status != 503 || time.Since(start) != took {
				t.Errorf("%s old: %d after %s, want %s", waited, got.Status, time.Since(start), took)
			}
		})
	}
}

// invoke delivers as API Gateway does, which received it at a time.
func (f *fixtures) invoke(t *testing.T, body []byte, received time.Time) fixture.Answer {
	t.Helper()
	now := strconv.FormatInt(f.Now().Unix(), 10)
	return f.Invoke(t, map[string]any{"rawPath": "/events-api/main", "body": string(body),
		"headers":        map[string]string{signatureHeader: signature.SignEventsAPI(secretNew, now, body), timestampHeader: now},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "timeEpoch": received.UnixMilli()}})
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
