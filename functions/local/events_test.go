package local

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// change is a delta event: a price has changed, which the subscription of the project's own file wants.
func change(id, product string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"type":"com.akeneo.pim.v1.product.updated.delta","source":"pim","subject":"s","time":%q,`+
		`"datacontenttype":"application/json","data":{"product":{"uuid":%q,"changes":{"values":{"price":[{"previous":1,"new":2,"locale":null,"channel":null}]}}},`+
		`"author":{"identifier":"julia","type":"user"}}}`, id, time.Now().UTC().Format(time.RFC3339Nano), product)
}

// platform sends a body as the Event Platform does.
func (f *fixture) platform(path, secret, body string) {
	f.t.Helper()
	status, answer := f.call("POST", path, body, map[string]string{"X-AKENEO-SIGNATURE-PRIMARY": signature.SignEventPlatform(secret, []byte(body))})
	if status != 200 {
		f.t.Fatalf("POST %s: %d %s", path, status, answer)
	}
}

func TestEachEventIsAppliedOnceAndTheCountsAddUp(t *testing.T) {
	f := open(t)
	const secret = "sample-primary-secret-of-the-event-platform"
	deliver := func() {
		for i := range 5 {
			f.platform("/event-platform/main", secret, change("event-"+strconv.Itoa(i), "6a9f8486-2c36-4680-b87f-6f5f8f01b6c"+strconv.Itoa(i)))
		}
	}
	deliver()
	f.until("the first deliveries have ended", func() bool { return f.state().Events["applied"] == 5 })
	deliver()
	f.platform("/event-platform/main", secret, `{"specversion":"1.0","id":"other","type":"com.example.unknown"}`)
	old := `{"events":[{"action":"product.removed","event_id":"old","event_datetime":"2026-01-05T11:45:00+00:00","author":"julia","author_type":"ui","pim_source":"https://acme.example.com","data":{"resource":{"uuid":"1fd20ad8-ef95-49d7-a581-fb9f8ac0c5a0"}}}]}`
	at := strconv.FormatInt(time.Now().Unix(), 10)
	if status, answer := f.call("POST", "/events-api/main", old, map[string]string{
		"X-Akeneo-Request-Timestamp": at, "X-Akeneo-Request-Signature": signature.SignEventsAPI("sample-secret-of-the-events-api-on-this-machine", at, []byte(old)),
	}); status != 200 {
		t.Fatalf("events API: %d %s", status, answer)
	}

	var events map[string]int
	f.until("all events have their outcome", func() bool {
		events = f.state().Events
		ended := 0
		for outcome, n := range events {
			if outcome != "received" {
				ended += n
			}
		}
		return ended == 12
	})
	if events["received"] != 12 || events["applied"] != 5 || events["duplicate"] != 5 || events["unmatched"] != 2 {
		t.Errorf("counts %v", events)
	}
	applied := map[string]bool{}
	received := f.destination.Received()
	for _, delivery := range received {
		if applied[delivery.IdempotencyKey] || !strings.HasPrefix(delivery.IdempotencyKey, "event-platform/main/event-") || !strings.Contains(delivery.IdempotencyKey, "/catalogue/") {
			t.Errorf("delivery %+v", delivery)
		}
		applied[delivery.IdempotencyKey] = true
	}
	if len(applied) != 5 {
		t.Errorf("the destination received %d events, want 5", len(applied))
	}
	f.until("the queue is empty", func() bool { return f.state().Queues["events"] == inspector.Queue{} })
}

func TestASuspensionIsAGapUntilTheResume(t *testing.T) {
	f := open(t)
	notice := func(kind, at string) {
		f.platform("/event-platform/main/notifications", "sample-secret-of-event-platform-notifications",
			fmt.Sprintf(`{"notification_type":%q,"timestamp":%q,"subscription_id":"018e1ec5","events":["com.akeneo.pim.v1.product.updated"],"reason":"Success rate dropped below 90%%"}`, kind, at))
	}
	notice("subscription.suspended.system", "2026-04-29T12:34:56Z")
	f.until("the gap is open", func() bool {
		gaps := f.state().Gaps
		return len(gaps) == 1 && gaps[0].PIM == "main" && gaps[0].Subscription == "018e1ec5" && gaps[0].To.IsZero() && strings.HasPrefix(gaps[0].Reason, "Success rate")
	})
	notice("subscription.resumed", "2026-04-29T13:00:00Z")
	f.until("the gap is closed", func() bool {
		gaps := f.state().Gaps
		return len(gaps) == 1 && gaps[0].To.Sub(gaps[0].From) == 25*time.Minute+4*time.Second
	})
	f.until("the configured action told of both", func() bool {
		received := f.destination.Received()
		return len(received) == 2 && received[0].Path == "/slack"
	})
}

// A destination that refuses puts each message back on the letters while a redrive is at work: the redrive ends.
func TestARedriveOfRefusedEventsMovesEachOnce(t *testing.T) {
	f := open(t)
	f.post("/_local/switch", `{"mode":"refuse"}`)
	f.post("/_local/events", `{"count":3}`)
	kept := func() bool { return len(f.state().DeadLetters) == 3 && f.state().Queues["events"] == inspector.Queue{} }
	f.until("all are refused and kept", kept)
	if answer := f.post("/_local/redrive", ""); answer != `{"moved":3}` {
		t.Errorf("redrive answers %s", answer)
	}
	f.until("all are refused and kept again", kept)
	delivered := func() []destination.Delivery { // without what tells the team of each
		return slices.DeleteFunc(f.destination.Received(), func(r destination.Delivery) bool { return r.Path == "/slack" })
	}
	if received := delivered(); len(received) != 6 {
		t.Errorf("the destination received %d, want each of three twice", len(received))
	}
	f.post("/_local/switch", `{"mode":"ok"}`)
	if answer := f.post("/_local/redrive", ""); answer != `{"moved":3}` {
		t.Errorf("redrive answers %s", answer)
	}
	f.until("each is applied once and no letter is left", func() bool {
		received := delivered()
		return len(received) == 9 && received[0].Applied && received[1].Applied && received[2].Applied && len(f.state().DeadLetters) == 0
	})
}
