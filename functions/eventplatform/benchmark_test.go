package eventplatform_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/web"
)

// BenchmarkTenEvents compares ten events in an array of 40 KB, from the request to the answer (verify, parse, address to the
// queue, respond; the queue's own work left out), with the least that any receiver must do: HMAC-SHA256 of the bytes
// and one decode into the same struct. Both run by turns, and what is reported is x-floor, how many times the floor a
// delivery takes.
func BenchmarkTenEvents(b *testing.B) {
	padded := strings.Replace(event("a"), `"data":{`, `"data":{"padding":"`+strings.Repeat("x", 3700)+`",`, 1)
	body := []byte("[" + strings.Repeat(padded+",", 9) + padded + "]")
	if len(body) < 39<<10 || len(body) > 41<<10 {
		b.Fatalf("a body of %d bytes", len(body))
	}
	f := newFixture()
	f.Document.EventPlatform = map[string][]string{"main": {secretNew}}
	handler := eventplatform.New(eventplatform.Config{
		Config:  &config.Config{PIMs: map[string]config.PIM{"main": {Name: "main"}}},
		Signing: f.Signing(), Queue: nowhere{}, Now: time.Now,
	})
	req := signed(body, time.Now())
	least := func() {
		mac := hmac.New(sha256.New, []byte(secretNew))
		mac.Write(body)
		var decoded []json.RawMessage
		if err := json.Unmarshal(body, &decoded); err != nil || len(decoded) != 10 || len(mac.Sum(nil)) != sha256.Size {
			b.Fatal(err)
		}
	}
	serve := func() {
		req.Log = &web.Line{}
		if answer, err := handler.ServeRequest(b.Context(), req); err != nil || answer.Status != 200 {
			b.Fatal(answer.Status, err)
		}
	}
	var floor, ours time.Duration
	for turn := 0; b.Loop(); turn++ {
		if turn%2 == 0 { // neither always finds the bytes in the processor's cache
			floor += timed(least)
			ours += timed(serve)
		} else {
			ours += timed(serve)
			floor += timed(least)
		}
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/delivery")
}

func timed(run func()) time.Duration {
	start := time.Now()
	run()
	return time.Since(start)
}

// nowhere is a queue that is always ready and keeps nothing.
type nowhere struct{ queue.Sender }

func (nowhere) Send(context.Context, ...queue.Message) error { return nil }
