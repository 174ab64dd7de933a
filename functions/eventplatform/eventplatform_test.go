package eventplatform_test

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
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// examples are the vendor's own payloads, by file name.
func examples(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("../../events/event-platform/*.json")
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

func TestEveryExampleIsQueuedInThePlatformsOwnBytes(t *testing.T) {
	for name, body := range examples(t) {
		if strings.Contains(name, "notification") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			got := f.deliver(t, body)
			if got.Status != 200 || got.Body != "" || f.Queue.Sends != 1 || got.Line["level"] != "INFO" {
				t.Fatalf("%d %q, %d sends, %v", got.Status, got.Body, f.Queue.Sends, got.Line)
			}
			queued := f.Queue.Messages()
			if len(queued) != 1 || string(queued[0].Body) != strings.TrimSpace(string(body)) {
				t.Fatalf("%d messages, or other bytes", len(queued))
			}
			attributes := queued[0].Attributes
			decoded := pimevent.Decode(attributes[pimevent.AttributeAPI], attributes[pimevent.AttributePIM], queued[0].Body)
			if decoded.API != "event-platform" || decoded.PIM != "main" || decoded.Type == "" || decoded.ID == "" {
				t.Errorf("decoded as %+v", decoded)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	f := newFixture()
	body := "[" + event("a") + "," + event("b") + "]"
	first := f.deliver(t, []byte(body))
	again := f.deliver(t, []byte(body))
	for i, message := range f.Queue.Messages() {
		id := first.Header.Get("X-Request-Id")
		if i > 1 {
			id = again.Header.Get("X-Request-Id")
		}
		want := map[string]string{"api": "event-platform", "pim": "main", "correlation": id, "delivery": id + "#" + strconv.Itoa(i%2), "received": message.Attributes["received"]}
		if !maps.Equal(message.Attributes, want) || id == "" {
			t.Errorf("attributes %v, want %v", message.Attributes, want)
		}
		if received, err := time.Parse(time.RFC3339Nano, message.Attributes["received"]); err != nil || time.Since(received) > time.Minute {
			t.Errorf("received %q", message.Attributes["received"])
		}
	}
	if len(f.Bodies()) != 4 || first.Line["correlation"] != first.Header.Get("X-Request-Id") {
		t.Errorf("%d messages, logged %v", len(f.Bodies()), first.Line)
	}
}

func TestAcceptedRequests(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	move := func(first string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set(secondary, r.Header.Get(primary))
			r.Header.Set(primary, first)
		}
	}
	one := event("a")
	const odd = "body_kept_as_it_is"
	hundred := "[" + strings.TrimSuffix(strings.Repeat("{},", 100), ",") + "]"
	for _, row := range []struct {
		name, body string
		path       string // "": /event-platform/main
		secret     string // "": the first
		change     func(*http.Request)
		header     string // that proved; "": the primary one
		queued     []string
		reason     string // of a warning
	}{
		{name: "one event", body: one, queued: []string{one}},
		{name: "the old secret during a rotation", body: one, secret: secretOld, queued: []string{one}},
		{name: "a good secret beside an empty one", body: one, path: "/event-platform/half", secret: secretOld, queued: []string{one}},
		{name: "primary wrong, secondary right", body: one, change: move(strings.Repeat("0", 64)), header: secondary, queued: []string{one}},
		{name: "content type application/json", body: one, change: set("Content-Type", "application/json; charset=utf-8"), queued: []string{one}},
		{name: "a body that API Gateway puts in base64", body: one, change: set("Content-Type", "application/octet-stream"), queued: []string{one}},
		{name: "without a content type", body: one, change: func(r *http.Request) { r.Header.Del("Content-Type") }, queued: []string{one}},
		{name: "a final slash", body: one, path: "/event-platform/main/", queued: []string{one}},
		{name: "a base path in front", body: one, path: "/akeneo/v1/event-platform/main", queued: []string{one}},
		{name: "a query is ignored", body: one, path: "/event-platform/main?x=/event-platform/other", queued: []string{one}},

		{name: "an array", body: "[" + one + " , " + event("b") + "]", queued: []string{one, event("b")}},
		{name: "an array of a hundred", body: hundred, queued: strings.Split(strings.Trim(hundred, "[]"), ",")},
		{name: "odd elements of an array", body: `[null,[],"x",` + one + `]`, queued: []string{"null", "[]", `"x"`, one}},
		{name: "white space around", body: "\n " + one + "\r\n", queued: []string{one}},
		{name: "without an id", body: `{"specversion":"1.0","type":"x"}`, queued: []string{`{"specversion":"1.0","type":"x"}`}},
		{name: "an unknown type", body: `{"id":"a","type":"com.akeneo.pim.v9.unicorn.born"}`, queued: []string{`{"id":"a","type":"com.akeneo.pim.v9.unicorn.born"}`}},
		{name: "a time in the future", body: `{"id":"a","time":"2999-01-01T00:00:00Z"}`, queued: []string{`{"id":"a","time":"2999-01-01T00:00:00Z"}`}},
		{name: "a time of long ago", body: `{"id":"a","time":"1999-01-01T00:00:00Z"}`, queued: []string{`{"id":"a","time":"1999-01-01T00:00:00Z"}`}},
		{name: "a time that is none", body: `{"id":7,"time":"tomorrow","data":[]}`, queued: []string{`{"id":7,"time":"tomorrow","data":[]}`}},
		{name: "an event of 2 MB, which is compressed", body: `{"x":"` + strings.Repeat("a", 2<<20) + `"}`, queued: []string{`{"x":"` + strings.Repeat("a", 2<<20) + `"}`}},
		{name: "a character that SQS refuses", body: "{\"x\":\"\ufffe\"}", queued: []string{"{\"x\":\"\ufffe\"}"}},
		{name: "text that is not UTF-8", body: "{\"x\":\"\xff\"}", queued: []string{"{\"x\":\"\xff\"}"}},

		{name: "not JSON", body: "{", queued: []string{"{"}, reason: odd},
		{name: "bytes", body: "\x00\xff", queued: []string{"\x00\xff"}, reason: odd},
		{name: "a text", body: `"x"`, queued: []string{`"x"`}, reason: odd},
		{name: "null", body: "null", queued: []string{"null"}, reason: odd},
		{name: "an empty array", body: "[]", queued: []string{"[]"}, reason: odd},
		{name: "an array of a hundred and one", body: "[7," + hundred[1:], queued: []string{"[7," + hundred[1:]}, reason: odd},
		{name: "nested 100,000 deep", body: strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5), queued: []string{strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5)}, reason: odd},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			path, secret, header := row.path, row.secret, row.header
			if path == "" {
				path = "/event-platform/main"
			}
			if secret == "" {
				secret = secretNew
			}
			if header == "" {
				header = primary
			}
			r := request(path, []byte(row.body), secret)
			if row.change != nil {
				row.change(r)
			}
			got := f.Send(t, r)
			if got.Status != 200 || got.Body != "" || got.Line["outcome"] != "queued" {
				t.Errorf("%d %s, %v", got.Status, got.Body, got.Line)
			}
			if bodies := f.Bodies(); !slices.Equal(bodies, row.queued) {
				t.Errorf("the queue holds %.200q", bodies)
			}
			if f.Queue.Sends != 1 || f.Metrics["EventsReceived"] != float64(len(row.queued)) || got.Line["events"] != float64(len(row.queued)) {
				t.Errorf("%d sends, %v", f.Queue.Sends, f.Metrics)
			}
			reason, _ := got.Line["reason"].(string)
			if reason != row.reason || (got.Line["level"] == "WARN") != (row.reason != "") || got.Line["header"] != strings.ToLower(header) {
				t.Errorf("logged %v", got.Line)
			}
			if f.Metrics["Verified "+strings.ToLower(header)] != 1 || f.Metrics["Requests 2xx"] != 1 || f.Taken() != "1" {
				t.Errorf("counted %v", f.Metrics)
			}
			checkLeaks(t, f, r)
		})
	}
}

// The platform comes again 5, 10 and 20 minutes after it was not answered. Nothing signed says when it sent.
func TestTheSameBytesAfter35Minutes(t *testing.T) {
	f := newFixture()
	body := []byte(event("a"))
	r := request("/event-platform/main", body, secretNew)
	if got := f.Send(t, r); got.Status != 200 {
		t.Fatalf("%d", got.Status)
	}
	later := f.Now().Add(35 * time.Minute)
	f.Now = func() time.Time { return later }
	again := request("/event-platform/main", body, secretNew)
	again.Header = r.Header.Clone()
	if got := f.Send(t, again); got.Status != 200 || len(f.Bodies()) != 2 {
		t.Errorf("%d with %d queued", got.Status, len(f.Bodies()))
	}
}

func TestNotifications(t *testing.T) {
	for _, kind := range []string{"subscription.suspended.system", "subscription.suspended.user", "subscription.revoked", "subscription.resumed", "subscription.of-tomorrow"} {
		t.Run(kind, func(t *testing.T) {
			body := []byte(`{"notification_type":"` + kind + `","timestamp":"2026-04-29T12:34:56Z","subscription_id":"018e1ec5-29da-78ad-aae6-92065b9ca2a6",` +
				`"subscriber_id":"018e1ec5-29da-78ad-aae6-92065b9ca2a5","destination":"https://hooks.example.com/event-platform/main","events":["com.akeneo.pim.v1.product.created"],"subject":"https://example.com/"}`)
			f := newFixture()
			r := request("/event-platform/main/notifications", body, secretNotice)
			got := f.Send(t, r)
			queued := f.Queue.Messages()
			if got.Status != 200 || len(queued) != 1 || string(queued[0].Body) != string(body) {
				t.Fatalf("%d with %d queued", got.Status, len(queued))
			}
			if queued[0].Attributes["api"] != "notifications" || queued[0].Attributes["pim"] != "main" {
				t.Errorf("attributes %v", queued[0].Attributes)
			}
			decoded := pimevent.Decode(queued[0].Attributes["api"], queued[0].Attributes["pim"], queued[0].Body)
			if decoded.Notice == nil || decoded.Notice.Type != kind || decoded.Notice.Subscription == "" {
				t.Errorf("decoded as %+v", decoded)
			}
			checkLeaks(t, f, r)
		})
	}
}

// A signed empty body brings nothing: it asks whether we can be reached, as the PIM's test of the Events API does.
func TestASignedEmptyBodyIsAnsweredAndNotKept(t *testing.T) {
	for path, secret := range map[string]string{"/event-platform/main": secretNew, "/event-platform/main/notifications": secretNotice} {
		f := newFixture()
		got := f.Send(t, request(path, nil, secret))
		if got.Status != 200 || got.Body != "" || got.Line["outcome"] != "reachable" || len(f.Bodies()) > 0 || f.Queue.Sends > 0 {
			t.Errorf("%s: %d %v, %q", path, got.Status, got.Line, f.Bodies())
		}
		if got := f.Send(t, request(path, nil, "another-secret-of-thirty-two-characters")); got.Status != 401 {
			t.Errorf("%s, signed by somebody else: %d", path, got.Status)
		}
	}
}

// During a rotation, and only then, each use is counted by what proved: an operator's own probe is none.
func TestUsesAreCountedWhileThereAreTwoSecrets(t *testing.T) {
	f := newFixture()
	for _, secret := range []string{secretNew, secretOld, secretOld} {
		f.Send(t, request("/event-platform/main", []byte(event("a")), secret))
	}
	probe := request("/event-platform/main", nil, secretOld)
	probe.Header.Set("X-Pim-Functions-Probe", "1")
	f.Send(t, probe)
	f.Send(t, request("/event-platform/main/notifications", nil, secretNotice))
	want := map[string]float64{"SecretUsed event-platform.main " + secrets.Fingerprint(secretNew): 1, "SecretUsed event-platform.main " + secrets.Fingerprint(secretOld): 2}
	for name, count := range f.Metrics {
		if strings.HasPrefix(name, "SecretUsed") && count != want[name] {
			t.Errorf("counted %s %g times, want %v", name, count, want)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v of %v", want, f.Metrics)
	}
}

func TestOddNotificationsAreKeptInOnePiece(t *testing.T) {
	for _, body := range []string{"[{},{}]", "{", "null"} {
		f := newFixture()
		got := f.Send(t, request("/event-platform/main/notifications", []byte(body), secretNotice))
		if got.Status != 200 || !slices.Equal(f.Bodies(), []string{body}) {
			t.Errorf("%q: %d, %q", body, got.Status, f.Bodies())
		}
	}
}

func TestNotificationsHaveASecretOfTheirOwn(t *testing.T) {
	body := examples(t)["notification-resumed.json"]
	for _, row := range []struct {
		name, path, secret string
		status             int
		reason             string
	}{
		{"its own", "/event-platform/main/notifications", secretNotice, 200, ""},
		{"its own, a final slash", "/event-platform/main/notifications/", secretNotice, 200, ""},
		{"that of the events", "/event-platform/main/notifications", secretNew, 401, "signature_mismatch"},
		{"an event with that of the notifications", "/event-platform/main", secretNotice, 401, "signature_mismatch"},
		{"of a PIM that has none for them", "/event-platform/other/notifications", secretOther, 401, "no_proof_configured"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			got := f.Send(t, request(row.path, body, row.secret))
			if reason, _ := got.Line["reason"].(string); got.Status != row.status || reason != row.reason || (f.Queue.Sends == 1) != (row.status == 200) {
				t.Errorf("%d %v, %d sends", got.Status, got.Line["reason"], f.Queue.Sends)
			}
		})
	}
}

func TestSamplesAreAllowedLocally(t *testing.T) {
	f := newFixture()
	f.samples = true
	if got := f.Send(t, request("/event-platform/sample", []byte(event("a")), sampleOurs)); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// A sample has no request id, and a stage may be named as the route is.
func TestRecordedSample(t *testing.T) {
	f := newFixture()
	body := []byte(event("a"))
	payload, _ := json.Marshal(map[string]any{"version": "2.0", "rawPath": "/event-platform/event-platform/main", "body": body, "isBase64Encoded": true, // []byte becomes base64
		"headers":        map[string]string{primary: signature.SignEventPlatform(secretNew, body)},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "stage": "event-platform"}})
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
