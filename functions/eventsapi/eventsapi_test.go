package eventsapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// examples are the vendor's own payloads.
func examples(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("../../events/events-api/*.json")
	if err != nil || len(names) == 0 {
		tb.Fatalf("no examples: every test over them would pass (%v)", err)
	}
	found := map[string][]byte{}
	for _, name := range names {
		if found[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			tb.Fatal(err)
		}
	}
	return found
}

func TestEveryExampleIsQueuedInThePIMsOwnBytes(t *testing.T) {
	for name, body := range examples(t) {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			got := f.deliver(t, body)
			var sent struct{ Events []json.RawMessage }
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Fatal(err)
			}
			if got.Status != 200 || got.Body != "" || f.Queue.Sends != 1 {
				t.Fatalf("%d %q, %d sends", got.Status, got.Body, f.Queue.Sends)
			}
			queued := f.Queue.Messages()
			if len(queued) != len(sent.Events) || len(queued) == 0 {
				t.Fatalf("%d messages of %d events", len(queued), len(sent.Events))
			}
			for i, message := range queued {
				if string(message.Body) != string(sent.Events[i]) {
					t.Errorf("event %d is not as it was sent", i)
				}
				decoded := pimevent.Decode(message.Attributes[pimevent.AttributeAPI], message.Attributes[pimevent.AttributePIM], message.Body)
				if decoded.API != "events-api" || decoded.PIM != "main" || decoded.Type == "" || decoded.EntityID == "" {
					t.Errorf("event %d is decoded as %+v", i, decoded)
				}
			}
			if got.Line["events"] != float64(len(queued)) || f.Metrics["EventsReceived"] != float64(len(queued)) {
				t.Errorf("%d messages, logged %v, counted %v", len(queued), got.Line["events"], f.Metrics)
			}
		})
	}
}

func TestTwoDeliveriesOfTheSameBytesAreTwo(t *testing.T) {
	f := newFixture()
	body := delivery(event("a"), event("b"))
	first, second := f.deliver(t, body), f.deliver(t, body)
	deliveries := map[string]bool{}
	for i, message := range f.Queue.Messages() {
		id := first.Header.Get("X-Request-Id")
		if i > 1 {
			id = second.Header.Get("X-Request-Id")
		}
		want := map[string]string{"api": "events-api", "pim": "main", "correlation": id, "delivery": id + "#" + strconv.Itoa(i%2), "received": message.Attributes["received"]}
		if !maps.Equal(message.Attributes, want) || id == "" {
			t.Errorf("attributes %v, want %v", message.Attributes, want)
		}
		received, err := time.Parse(time.RFC3339Nano, message.Attributes["received"])
		if err != nil || time.Since(received) > time.Minute {
			t.Errorf("received %q", message.Attributes["received"])
		}
		deliveries[message.Attributes["delivery"]] = true
	}
	if len(deliveries) != 4 {
		t.Errorf("deliveries %v", deliveries)
	}
	if first.Line["correlation"] != first.Header.Get("X-Request-Id") || first.Line["outcome"] != "queued" {
		t.Errorf("logged %v", first.Line)
	}
}

// A sample has no request id, and a stage may be named as the route is.
func TestRecordedSample(t *testing.T) {
	f := newFixture()
	body := delivery(event("a"))
	now := strconv.FormatInt(f.Now().Unix(), 10)
	payload, _ := json.Marshal(map[string]any{"version": "2.0", "rawPath": "/events-api/events-api/main", "body": body, "isBase64Encoded": true, // []byte becomes base64
		"headers":        map[string]string{signatureHeader: signature.SignEventsAPI(secretNew, now, body), timestampHeader: now},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "stage": "events-api"}})
	deliveries := map[string]bool{}
	for range 2 {
		answer, err := f.Function().Invoke(t.Context(), payload)
		if err != nil || !strings.Contains(string(answer), `"statusCode":200`) {
			t.Fatalf("%s %v", answer, err)
		}
	}
	for _, message := range f.Queue.Messages() {
		deliveries[message.Attributes["delivery"]] = true
	}
	if len(deliveries) != 2 {
		t.Errorf("two deliveries are told apart by %v", deliveries)
	}
}

func TestAcceptedRequests(t *testing.T) {
	one := string(delivery(event("a")))
	ten := slices.Repeat([]string{event("a")}, 10)
	for _, row := range []struct {
		name, body string
		path       string // "": /events-api/main
		secret     string // "": the first
		age        time.Duration
		change     func(*http.Request)
		queued     int
		reason     string
	}{
		{name: "one event", body: one, queued: 1},
		{name: "ten", body: string(delivery(ten...)), queued: 10},
		{name: "eleven: kept, with a warning", body: string(delivery(append(ten, event("b"))...)), queued: 11, reason: "more_events_than_documented"},
		{name: "the old secret during a rotation", body: one, secret: secretOld, queued: 1},
		{name: "a final slash", body: one, path: "/events-api/main/", queued: 1},
		{name: "a base path in front", body: one, path: "/akeneo/v1/events-api/main", queued: 1},
		{name: "a query is ignored", body: one, path: "/events-api/main?x=/events-api/other", queued: 1},
		{name: "300 s old", body: one, queued: 1, age: 300 * time.Second},
		{name: "300 s ahead", body: one, queued: 1, age: -300 * time.Second},
		{name: "a body that API Gateway puts in base64", body: one, queued: 1, change: func(r *http.Request) { r.Header.Set("Content-Type", "application/octet-stream") }},
		{name: "without a content type", body: one, queued: 1, change: func(r *http.Request) { r.Header.Del("Content-Type") }},
		{name: "a good secret beside an empty one", body: one, path: "/events-api/half", secret: secretOld, queued: 1},
		{name: "the PIM's test of the address", body: "", queued: 0},
		{name: "an action that is new", body: `{"events":[{"action":"product.sung","event_id":"a"}]}`, queued: 1},
		{name: "null, an array, a text and nothing among good events cost them nothing", body: string(delivery(event("a"), "null", "[]", `"x"`, "{}")), queued: 5},
		{name: "keys beside events", body: `{"version":2,"events":[{}]}`, queued: 1},
		{name: "white space", body: " {\n\"events\" : [ {} ]\r\n}\t", queued: 1},
		{name: "text that is not UTF-8, which SQS refuses", body: "{\"events\":[{\"author\":\"\xff\xfe\"}]}", queued: 1},
		{name: "a character that SQS refuses", body: "{\"events\":[{\"author\":\"\ufffe\"}]}", queued: 1},
		{name: "an event of 2 MB, which is compressed", body: `{"events":[{"author":"` + strings.Repeat("a", 2<<20) + `"}]}`, queued: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			path, secret := row.path, row.secret
			if path == "" {
				path = "/events-api/main"
			}
			if secret == "" {
				secret = secretNew
			}
			r := request(path, []byte(row.body), secret, f.Now().Add(-row.age))
			if row.change != nil {
				row.change(r)
			}
			got := f.Send(t, r)
			if got.Status != 200 || got.Body != "" {
				t.Errorf("%d %s, %v", got.Status, got.Body, got.Line)
			}
			if bodies := f.Bodies(); len(bodies) != row.queued || f.Metrics["EventsReceived"] != float64(row.queued) {
				t.Errorf("%d messages, %v", len(bodies), f.Metrics)
			} else if !inOrder(row.body, bodies) {
				t.Errorf("the queue holds other bytes: %.200q", bodies)
			}
			if f.Queue.Sends != min(row.queued, 1) {
				t.Errorf("%d sends", f.Queue.Sends)
			}
			reason, _ := got.Line["reason"].(string)
			outcome := "queued"
			if row.queued == 0 {
				outcome = "reachable"
			}
			if got.Line["outcome"] != outcome || reason != row.reason || (got.Line["level"] == "WARN") != (row.reason != "") {
				t.Errorf("logged %v", got.Line)
			}
			if f.Metrics["Verified x-akeneo-request-signature"] != 1 || f.Metrics["Requests 2xx"] != 1 || f.Taken() != "1" {
				t.Errorf("counted %v", f.Metrics)
			}
			checkLeaks(t, f, r)
		})
	}
}

// inOrder says whether the parts stand in whole, one behind the other.
func inOrder(whole string, parts []string) bool {
	for _, part := range parts {
		_, rest, found := strings.Cut(whole, part)
		if !found {
			return false
		}
		whole = rest
	}
	return true
}
