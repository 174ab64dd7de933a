package eventsapi_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// examples are the vendor's own payloads.
func examples(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("testdata/*.json")
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
			d := newDesk()
			got := d.deliver(t, body)
			var sent struct{ Events []json.RawMessage }
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Fatal(err)
			}
			if got.status != 200 || got.body != "" || d.queue.sends != 1 {
				t.Fatalf("%d %q, %d sends", got.status, got.body, d.queue.sends)
			}
			queued := d.queue.Messages()
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
			if got.line["events"] != float64(len(queued)) || d.metrics["EventsReceived"] != float64(len(queued)) {
				t.Errorf("%d messages, logged %v, counted %v", len(queued), got.line["events"], d.metrics)
			}
		})
	}
}

func TestTwoDeliveriesOfTheSameBytesAreTwo(t *testing.T) {
	d := newDesk()
	body := delivery(event("a"), event("b"))
	first, second := d.deliver(t, body), d.deliver(t, body)
	deliveries := map[string]bool{}
	for i, message := range d.queue.Messages() {
		id := first.header.Get("X-Request-Id")
		if i > 1 {
			id = second.header.Get("X-Request-Id")
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
	if first.line["correlation"] != first.header.Get("X-Request-Id") || first.line["outcome"] != "queued" {
		t.Errorf("logged %v", first.line)
	}
}

func TestRecordedSampleWithoutRequestID(t *testing.T) {
	d := newDesk()
	body := delivery(event("a"))
	now := strconv.FormatInt(time.Now().Unix(), 10)
	payload, _ := json.Marshal(map[string]any{"version": "2.0", "rawPath": "/prod/events-api/main", "body": body, "isBase64Encoded": true, // []byte becomes base64
		"headers":        map[string]string{"X-Akeneo-Request-Timestamp": now, "x-akeneo-request-signature": signature.SignEventsAPI(secretNew, now, body)},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "stage": "prod"}})
	answer, err := d.function().Invoke(t.Context(), payload)
	if err != nil || !strings.Contains(string(answer), `"statusCode":200`) {
		t.Fatalf("%s %v", answer, err)
	}
	if queued := d.queue.Messages(); len(queued) != 1 || queued[0].Attributes["delivery"] == "#0" {
		t.Errorf("queued %v", queued)
	}
}

func TestAcceptedRequests(t *testing.T) {
	ten := slices.Repeat([]string{event("a")}, 10)
	for _, row := range []struct {
		name, body string
		path       string // "": /events-api/main
		secret     string // "": the first
		queued     int
		outcome    string
		reason     string
	}{
		{"one event", string(delivery(event("a"))), "", "", 1, "queued", ""},
		{"ten", string(delivery(ten...)), "", "", 10, "queued", ""},
		{"eleven: kept, with a warning", string(delivery(append(ten, event("b"))...)), "", "", 11, "queued", "more_events_than_documented"},
		{"the old secret during a rotation", string(delivery(event("a"))), "", secretOld, 1, "queued", ""},
		{"a final slash", string(delivery(event("a"))), "/events-api/main/", "", 1, "queued", ""},
		{"a base path in front", string(delivery(event("a"))), "/akeneo/v1/events-api/main", "", 1, "queued", ""},
		{"a query is ignored", string(delivery(event("a"))), "/events-api/main?x=/events-api/other", "", 1, "queued", ""},
		{"a good secret beside an empty one", string(delivery(event("a"))), "/events-api/half", secretOld, 1, "queued", ""},
		{"the PIM's test of the address", "", "", "", 0, "reachable", ""},
		{"an action that is new", `{"events":[{"action":"product.sung","event_id":"a"}]}`, "", "", 1, "queued", ""},
		{"an odd event among good ones costs them nothing", string(delivery(event("a"), "null", "[]", `"x"`, "{}")), "", "", 5, "queued", ""},
		{"keys beside events", `{"version":2,"events":[{}]}`, "", "", 1, "queued", ""},
		{"white space", " {\n\"events\" : [ {} ]\r\n}\t", "", "", 1, "queued", ""},
		{"text that is not UTF-8, which SQS refuses", "{\"events\":[{\"author\":\"\xff\xfe\"}]}", "", "", 1, "queued", ""},
		{"a character that SQS refuses", "{\"events\":[{\"author\":\"\ufffe\"}]}", "", "", 1, "queued", ""},
		{"an event of 2 MB, which is compressed", `{"events":[{"author":"` + strings.Repeat("a", 2<<20) + `"}]}`, "", "", 1, "queued", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			path, secret := row.path, row.secret
			if path == "" {
				path = "/events-api/main"
			}
			if secret == "" {
				secret = secretNew
			}
			r := request(path, []byte(row.body), secret, d.now())
			got := d.send(t, r)
			if got.status != 200 || got.body != "" {
				t.Errorf("%d %s, %v", got.status, got.body, got.line)
			}
			if bodies := d.bodies(); len(bodies) != row.queued || d.metrics["EventsReceived"] != float64(row.queued) {
				t.Errorf("%d messages, %v", len(bodies), d.metrics)
			} else if !inOrder(row.body, bodies) {
				t.Errorf("the queue holds other bytes: %.200q", bodies)
			}
			if d.queue.sends != min(row.queued, 1) {
				t.Errorf("%d sends", d.queue.sends)
			}
			reason, _ := got.line["reason"].(string)
			if got.line["outcome"] != row.outcome || reason != row.reason || (got.line["level"] == "WARN") != (row.reason != "") {
				t.Errorf("logged %v", got.line)
			}
			checkLeaks(t, d, r)
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

// unprovenText is what every caller gets who is not proven, byte for byte.
const unprovenText = `{"success":false,"message":"The request could not be verified.","error":"unproven"}`

func TestRefusedRequests(t *testing.T) {
	good := string(delivery(event("a")))
	drop := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	method := func(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
	for _, row := range []struct {
		name, body string
		path       string // "": /events-api/main
		secret     string // "": the first
		age        time.Duration
		change     func(*http.Request)
		status     int
		reason     string
	}{
		{"no signature", good, "", "", 0, drop("X-Akeneo-Request-Signature"), 401, "signature_missing"},
		{"no timestamp", good, "", "", 0, drop("X-Akeneo-Request-Timestamp"), 401, "timestamp_missing"},
		{"malformed signature", good, "", "", 0, set("X-Akeneo-Request-Signature", "sha256="), 401, "signature_malformed"},
		{"malformed timestamp", good, "", "", 0, set("X-Akeneo-Request-Timestamp", "now"), 401, "timestamp_malformed"},
		{"zeros", good, "", "", 0, set("X-Akeneo-Request-Signature", strings.Repeat("0", 64)), 401, "signature_mismatch"},
		{"another timestamp than the signed one", good, "", "", time.Second, set("X-Akeneo-Request-Timestamp", "1602565368"), 401, "signature_mismatch"},
		{"another PIM's secret", good, "", secretOther, 0, nil, 401, "signature_mismatch"},
		{"unsigned empty body", "", "", "", 0, drop("X-Akeneo-Request-Signature"), 401, "signature_missing"},
		{"ten minutes old", good, "", "", 10 * time.Minute, nil, 401, "timestamp_old"},
		{"ten minutes ahead", good, "", "", -10 * time.Minute, nil, 401, "timestamp_ahead"},
		{"the PIM's test, ten minutes old", "", "", "", 10 * time.Minute, nil, 401, "timestamp_old"},
		{"nonsense that is not even proven", "{", "", secretOther, 0, nil, 401, "signature_mismatch"},
		{"a PIM that the file does not name", good, "/events-api/stranger", "", 0, nil, 401, "pim_unknown"},
		{"no PIM", good, "/events-api/", "", 0, nil, 401, "pim_unknown"},
		{"no PIM, no slash", good, "/events-api", "", 0, nil, 401, "pim_unknown"},
		{"more path", good, "/events-api/main/x", "", 0, nil, 401, "pim_unknown"},
		{"a doubled slash", good, "/events-api//main", "", 0, nil, 401, "pim_unknown"},
		{"a PIM without secrets", good, "/events-api/none", "", 0, nil, 401, "no_proof_configured"},
		{"an empty secret", good, "/events-api/empty", "\x00", 0, nil, 401, "no_proof_configured"},
		{"a short secret", good, "/events-api/short", "15-characters..", 0, nil, 401, "no_proof_configured"},
		{"a published sample", good, "/events-api/sample", sampleOurs, 0, nil, 401, "no_proof_configured"},

		{"not JSON", "{", "", "", 0, nil, 400, "body_malformed"},
		{"white space alone", " ", "", "", 0, nil, 400, "body_malformed"},
		{"an array", "[{}]", "", "", 0, nil, 400, "body_malformed"},
		{"a form", "events=1", "", "", 0, nil, 400, "body_malformed"},
		{"nested 100,000 deep", `{"events":` + strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5) + "}", "", "", 0, nil, 400, "body_malformed"},
		{"events that are an object", `{"events":{}}`, "", "", 0, nil, 400, "body_malformed"},
		{"no events", `{"events":[]}`, "", "", 0, nil, 400, "events_missing"},
		{"null for events", `{"events":null}`, "", "", 0, nil, 400, "events_missing"},
		{"an object without events", "{}", "", "", 0, nil, 400, "events_missing"},
		{"null", "null", "", "", 0, nil, 400, "events_missing"},
		{"an event alone", event("a"), "", "", 0, nil, 400, "events_missing"},
		{"a byte more than Lambda takes", strings.Repeat(" ", eventsapi.MaxBody+1), "", "", 0, nil, 413, "body_too_large"},
		{"6 MiB of nothing", strings.Repeat(" ", eventsapi.MaxBody), "", "", 0, nil, 400, "body_malformed"},

		{"GET", good, "", "", 0, method("GET"), 405, "method_not_allowed"},
		{"HEAD", good, "", "", 0, method("HEAD"), 405, "method_not_allowed"},
		{"PUT", good, "", "", 0, method("PUT"), 405, "method_not_allowed"},
		{"DELETE of nothing", good, "/events-api/stranger", "", 0, method("DELETE"), 405, "method_not_allowed"},
		{"OPTIONS", good, "", "", 0, method("OPTIONS"), 405, "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			path, secret := row.path, row.secret
			if path == "" {
				path = "/events-api/main"
			}
			if secret == "" {
				secret = secretNew
			}
			r := request(path, []byte(row.body), secret, d.now().Add(-row.age))
			if row.change != nil {
				row.change(r)
			}
			got := d.send(t, r)
			if got.status != row.status || got.line["reason"] != row.reason || got.line["status"] != float64(row.status) {
				t.Errorf("got %d %v, want %d %s", got.status, got.line["reason"], row.status, row.reason)
			}
			if row.status == 401 && got.body != unprovenText {
				t.Errorf("a 401 of its own: %s", got.body)
			}
			if row.status == 405 && got.header.Get("Allow") != "POST" {
				t.Errorf("405 without allow: %v", got.header)
			}
			if (got.line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
				t.Errorf("logged as %v", got.line["level"])
			}
			if d.queue.sends != 0 || d.metrics["EventsReceived"] != 0 {
				t.Errorf("%d sends, %v", d.queue.sends, d.metrics)
			}
			checkLeaks(t, d, r)
		})
	}
}

func TestSamplesAreAllowedLocally(t *testing.T) {
	d := newDesk()
	d.samples = true
	if got := d.send(t, request("/events-api/sample", delivery(event("a")), sampleOurs, d.now())); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSecretRotatedBetweenTwoRequests(t *testing.T) {
	const rotated = "rotated-secret-that-is-long-enough"
	d := newDesk()
	if got := d.deliver(t, delivery(event("a"))); got.status != 200 || d.vault.refreshes != 0 {
		t.Fatalf("before: %d after %d fetches", got.status, d.vault.refreshes)
	}
	signing := document()
	signing.EventsAPI["main"] = []string{rotated}
	d.vault.rotated = &signing
	if got := d.send(t, request("/events-api/main", delivery(event("b")), rotated, d.now())); got.status != 200 || d.vault.refreshes != 1 {
		t.Errorf("after: %d after %d fetches", got.status, d.vault.refreshes)
	}
	if got := d.deliver(t, delivery(event("c"))); got.status != 401 {
		t.Errorf("the old one: %d", got.status)
	}
	if len(d.bodies()) != 2 {
		t.Errorf("%d messages", len(d.bodies()))
	}
}

func TestNoSecretsToBeHad(t *testing.T) {
	d := newDesk()
	d.vault.err = errors.New("throttled")
	got := d.deliver(t, delivery(event("a")))
	if got.status != 503 || got.line["reason"] != "secrets_unavailable" || strings.Contains(got.body, "throttled") || d.queue.sends != 0 {
		t.Errorf("%d %s, %v", got.status, got.body, got.line)
	}
}
