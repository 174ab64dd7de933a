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

	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/signature"
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
			sqs := &fixture.SQS{}
			f := newFixture()
			f.actual = sqs.Open(t)
			if got := f.deliver(t, row.body); got.Status != 200 {
				t.Fatalf("%d, %v", got.Status, got.Line)
			}
			if !slices.Equal(sqs.Calls, []string{"AmazonSQS.SendMessageBatch"}) || len(sqs.Stored) != row.messages || f.Refetches() != 0 {
				t.Errorf("%d messages by %q, %d fetches", len(sqs.Stored), sqs.Calls, f.Refetches())
			}
		})
	}
}

func TestARefusedRequestCallsNothingOfAWS(t *testing.T) {
	sqs := &fixture.SQS{}
	f := newFixture()
	f.actual = sqs.Open(t)
	for _, path := range []string{"/event-platform/main", "/event-platform/nobody", "/x"} {
		if got := f.Send(t, request(path, []byte(event("a")), secretOther)); got.Status != 401 || len(sqs.Calls) != 0 {
			t.Errorf("%s: %d after %q", path, got.Status, sqs.Calls)
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
			sqs := &fixture.SQS{Refuses: row.fails}
			f := newFixture()
			f.actual = sqs.Open(t)
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
	down := errors.New("internal text of the queue")
	for _, row := range []struct {
		name   string
		send   func() error
		status int
		reason string
	}{
		{"as a whole", func() error { return down }, 503, "events_not_queued"},
		{"for one of three", func() error { return &queue.PartialError{Failed: map[int]error{1: down}} }, 503, "events_not_queued"},
		{"because it is too large", func() error { return queue.ErrTooLarge }, 413, "event_too_large"},
		{"with a panic", func() error { panic(down) }, 500, "panic"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			f.Queue.Before = func(context.Context, int, []queue.Message) error { return row.send() }
			r := request("/event-platform/main", array(event("a"), event("b"), event("c")), secretNew)
			got := f.Send(t, r)
			if got.Status != row.status || got.Line["reason"] != row.reason || strings.Contains(got.Body, "internal text") || got.Header.Get("Location") != "" || f.Taken() != "0" {
				t.Errorf("%d %s, %v", got.Status, got.Body, got.Line)
			}
			checkLeaks(t, f, r)
		})
	}
}

func TestEventTooLargeEvenCompressed(t *testing.T) {
	noise := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	large := `{"x":"` + hex.EncodeToString(noise) + `"}` // 2 MiB that hold 1 MiB, which base64 makes more again
	synctest.Test(t, func(t *testing.T) {                // compressing takes no time
		f := newFixture()
		got := f.deliver(t, []byte(large))
		if got.Status != 413 || got.Line["reason"] != "event_too_large" || len(f.Bodies()) != 0 || f.Metrics["Refused event_too_large"] != 1 || f.Taken() != "0" {
			t.Errorf("%d, %v, %v", got.Status, got.Line, f.Metrics)
		}
	})
}

// A queue that hangs: the platform is asked to come again while it still listens.
func TestAHangingQueueIsAnsweredInTime(t *testing.T) {
	for name, row := range map[string]struct{ waited, took time.Duration }{
		"at once":                 {0, 4 * time.Second},
		"after a cold start":      {1500 * time.Millisecond, 2500 * time.Millisecond},
		"for a sample, years old": {1e5 * time.Hour, 4 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			f.Now = time.Now // synctest's
			f.Queue.Before = fixture.Hang
			body, start := []byte(event("a")), time.Now()
			got := f.Invoke(t, map[string]any{"rawPath": "/event-platform/main", "body": string(body), "headers": map[string]string{primary: signature.SignEventPlatform(secretNew, body)},
				"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "timeEpoch": start.Add(-row.waited).UnixMilli()}})
			if took := time.Since(start); got.Status != 503 || took != row.took || got.Line["reason"] != "events_not_queued" {
				t.Errorf("%s: %d after %s, %v", name, got.Status, took, got.Line)
			}
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
