package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// pressed is the time at which the tests' command lines run.
var pressed = time.Unix(1795410000, 0)

// Secrets that the local system takes.
const (
	actionSecret    = "the_secret_need_tobe_32_characthers_long"
	eventsAPISecret = "sample-secret-of-the-events-api-on-this-machine"
)

// send runs the command send.
func send(ctx context.Context, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	p := process{in: strings.NewReader(""), out: &stdout, errs: &stderr, variables: env.Read(func(string) (string, bool) { return "", false }), now: func() time.Time { return pressed }}
	code = run(ctx, p, append([]string{"send"}, args...))
	return code, stdout.String(), stderr.String()
}

// Without a URL, send prints what API Gateway hands a function.
func TestSendPrintsALambdaEvent(t *testing.T) {
	code, out, errs := send(t.Context(), "action-product-grid", "--age", "1m")
	var event senders.HTTPEvent
	if err := json.Unmarshal([]byte(out), &event); code != succeeded || err != nil {
		t.Fatalf("ends with %d: %s%v", code, errs, err)
	}
	verified, err := signature.VerifyAction(signature.ActionProof{Secrets: []string{actionSecret}}, event.Headers, []byte(event.Body))
	if err != nil || timestamp(t, verified.Body()) != pressed.Unix()-60 || event.RequestContext.TimeEpoch != pressed.UnixMilli() {
		t.Errorf("%v, %s", err, out)
	}
}

// Where the sender signs no time, an event that lies ready stays good: events/lambda has it for sam local invoke -e.
func TestReadyEventsAreWhatSendPrints(t *testing.T) {
	ready, err := events.FS.ReadDir("lambda")
	if err != nil || len(ready) < 6 {
		t.Fatalf("%d events lie ready, %v", len(ready), err)
	}
	for _, entry := range ready {
		want, err := events.FS.ReadFile("lambda/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		code, out, errs := send(t.Context(), strings.TrimSuffix(entry.Name(), ".json"))
		if code != succeeded || out != string(want) {
			t.Errorf("events/lambda/%s is not what send prints at %s (%s); it prints\n%s", entry.Name(), pressed.UTC(), errs, out)
		}
	}
}

func timestamp(t *testing.T, body []byte) int64 {
	t.Helper()
	var payload struct{ Timestamp int64 }
	if err := json.Unmarshal(body, &payload); err != nil {
		t.Fatal(err)
	}
	return payload.Timestamp
}

// received is what the other side of send saw.
type received struct {
	method, path string
	header       map[string]string
	body         []byte
}

// receiver answers with status and keeps what it was sent.
func receiver(t *testing.T, status int) (base string, posts func() []received) {
	t.Helper()
	var mu sync.Mutex
	var seen []received
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		header := map[string]string{}
		for name, values := range r.Header {
			header[strings.ToLower(name)] = strings.Join(values, ",")
		}
		mu.Lock()
		seen = append(seen, received{r.Method, r.URL.Path, header, body})
		mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, `{"success":true}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []received {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func TestSend(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		secret    string        // that must prove; "" for actionSecret
		variant   string        // header that must prove
		refused   string        // instead: why it must not
		age       time.Duration // of the timestamp
		extension string
		times     int
	}{
		{name: "as it is", variant: "signature", extension: "export_to_erp", times: 1},
		{name: "older header", args: []string{"--header", "X-Akeneo-Signature"}, variant: "x-akeneo-signature", extension: "export_to_erp", times: 1},
		{name: "no header", args: []string{"--header=none"}, refused: "signature_missing", extension: "export_to_erp", times: 1},
		{name: "another extension and secret", args: []string{"--extension", "other", "--secret", "se'c\"r$et\n"}, secret: "se'c\"r$et\n", variant: "signature", extension: "other", times: 1},
		{name: "wrong secret", args: []string{"--secret=wrong"}, refused: "signature_mismatch", extension: "export_to_erp", times: 1},
		{name: "tampered", args: []string{"--tamper"}, refused: "signature_mismatch", extension: "export_to_erp", times: 1},
		{name: "old", args: []string{"--age", "10m"}, variant: "signature", age: 10 * time.Minute, extension: "export_to_erp", times: 1},
		{name: "ahead", args: []string{"--age", "-10m"}, variant: "signature", age: -10 * time.Minute, extension: "export_to_erp", times: 1},
		{name: "three times, new items", args: []string{"--times", "3", "--fresh"}, variant: "signature", extension: "export_to_erp", times: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, posts := receiver(t, 200)
			args := append(slices.Clone(test.args), "action-product-grid", base) // flags first
			if len(test.args) == 2 {
				args = slices.Concat([]string{"action-product-grid", test.args[0], test.args[1], base}) // and in between
			}
			code, out, errs := send(t.Context(), args...)
			if code != succeeded || errs != "" {
				t.Fatalf("ends with %d: %s", code, errs)
			}
			if !strings.Contains(out, "200 OK in ") || !strings.Contains(out, `{"success":true}`) {
				t.Errorf("prints %s", out)
			}
			got := posts()
			if len(got) != test.times {
				t.Fatalf("sent %d times, want %d", len(got), test.times)
			}
			for _, p := range got {
				if p.method != "POST" || p.path != "/actions/"+test.extension || p.header["content-type"] != "application/json" {
					t.Errorf("%s %s with %v", p.method, p.path, p.header)
				}
				if !bytes.Equal(p.body, got[0].body) {
					t.Error("not the same bytes again")
				}
				if at := timestamp(t, p.body); test.refused == "" && at != pressed.Add(-test.age).Unix() {
					t.Errorf("timestamp %d", at)
				}
				secret := actionSecret
				if test.secret != "" {
					secret = test.secret
				}
				verified, err := signature.VerifyAction(signature.ActionProof{Secrets: []string{secret}}, p.header, p.body)
				if test.refused == "" && (err != nil || verified.Variant() != test.variant) {
					t.Errorf("proven by %q, %v; want %q", verified.Variant(), err, test.variant)
				}
				if test.refused != "" && (err == nil || err.Error() != "unproven: "+test.refused) {
					t.Errorf("got %v, want %s", err, test.refused)
				}
			}
		})
	}
}

func TestRefusalEndsWithOne(t *testing.T) {
	for _, status := range []int{301, 307, 401, 503} {
		base, posts := receiver(t, status)
		code, out, _ := send(t.Context(), "action-product-header", base+"/stage/", "--times=2")
		if code != failed || !strings.Contains(out, `{"success":true}`) {
			t.Errorf("%d: ends with %d and prints %s", status, code, out)
		}
		if got := posts(); len(got) != 2 || got[0].path != "/stage/actions/export_to_erp" {
			t.Errorf("%d: sent %d times to %q", status, len(got), got[0].path)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	code, _, errs := send(t.Context(), "action-product-header", server.URL)
	if code != failed || !strings.Contains(errs, "make run") {
		t.Errorf("ends with %d: %s", code, errs)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	code, _, errs := send(ctx, "action-product-header", server.URL)
	if code != failed || errs != "interrupted\n" {
		t.Errorf("ends with %d: %q", code, errs)
	}
}

func TestTheCommandLineOfSend(t *testing.T) {
	for _, test := range []struct {
		name string
		args string
		code int
		out  string // is printed
		errs string // is complained of
	}{
		{"list", "--list", succeeded, "action-product-grid ", ""},
		{"list by sender", "--list", succeeded, "notifications of the Event Platform:\n  event-platform-notification-resumed ", ""},
		{"list of what is printed", "--list", succeeded, "only printed:\n  forwarded-event ", ""},
		{"list beside a name", "action-product-grid --list", succeeded, "worker-jobs ", ""},
		{"list of events", "--list", succeeded, "event-platform-product-updated-delta                 an event: com.akeneo.pim.v1.product.updated.delta", ""},
		{"list of notifications", "--list", succeeded, "a notification: subscription.suspended.system", ""},
		{"list of requests", "--list", succeeded, "a request with 10 events: product.created and others", ""},
		{"list as JSON", "--list --json", succeeded, `"name": "worker-jobs"`, ""},
		{"help", "--help", succeeded, "--age duration", ""},
		{"help after a name", "action-product-grid -h", succeeded, "Usage:", ""},
		{"worker's event", "worker-jobs", succeeded, `"eventSource": "aws:sqs"`, ""},
		{"worker's job", "worker-jobs", succeeded, `"body": "{\"job\":`, ""},
		{"forwarded body", "forwarded-job", succeeded, `"job": "export_to_erp-`, ""},
		{"forwarded event", "forwarded-event", succeeded, `"subscription": "catalogue"`, ""},
		{"another extension's", "data-product --extension other", succeeded, `"rawPath": "/data/other/`, ""},
		{"another PIM's", "events-api-ten --pim other", succeeded, `"rawPath": "/events-api/other"`, ""},
		{"nothing", "", misused, "", "missing NAME"},
		{"wrong name", "action-product-gird", misused, "", "did you mean action-product-grid,"},
		{"a wrong event", "event-platform-product-update-delta", misused, "", "did you mean event-platform-product-updated-delta,"},
		{"too much", "action-product-grid http://localhost x", misused, "", "accepts at most 2"},
		{"wrong URL", "action-product-grid localhost:8080", misused, "", "want one like http://localhost:8080"},
		{"URL of another scheme", "action-product-grid ftp://localhost", misused, "", "want one like"},
		{"sending what nobody sends", "worker-jobs http://localhost", misused, "", "only printed"},
		{"unknown flag", "action-product-grid --bogus", misused, "", "unknown flag: --bogus"},
		{"unknown header", "action-product-grid --header x-signature", misused, "", "want one of signature,"},
		{"header of another sender", "event-platform-product-updated --header x-akeneo-signature", misused, "", "want one of x-akeneo-signature-primary, x-akeneo-signature-secondary, none"},
		{"header of what nothing proves", "iframe-page --header authorization", misused, "", "want one of none"},
		{"secret of what nothing proves", "iframe-page --secret x", misused, "", "nothing proves iframe-page"},
		{"tampering with what nothing proves", "iframe-page --tamper", misused, "", "nothing proves iframe-page"},
		{"tampering beside a token", "iframe-start --tamper", misused, "", "a token proves who sends iframe-start"},
		{"tampering beside a credential", "data-product --tamper", misused, "", "a token proves"},
		{"empty secret", "action-product-grid --secret=", misused, "", "secret is empty"},
		{"empty extension", "action-product-grid --extension=", misused, "", "name is empty"},
		{"JSON without a list", "action-product-grid --json", misused, "", "--json belongs to --list"},
		{"no times", "action-product-grid http://localhost --times 0", misused, "", "at least 1"},
		{"times without URL", "action-product-grid --times 2", misused, "", "need a URL"},
		{"load without URL", "event-platform-product-updated --rate 10", misused, "", "need a URL"},
		{"twice without URL", "event-platform-product-updated --duplicate", misused, "", "need a URL"},
		{"the same bytes at a rate", "event-platform-product-updated http://localhost --rate 10 --times 2", misused, "", "want one of them"},
		{"too fast", "event-platform-product-updated http://localhost --rate 1001", misused, "", "want 1 to 1000"},
		{"too long", "event-platform-product-updated http://localhost --rate 1 --for 11m", misused, "", "at most 10m0s"},
		{"shuffled without a load", "event-platform-product-updated http://localhost --shuffle", misused, "", "belong to --rate"},
		{"age that is none", "action-product-grid --age old", misused, "", "--age"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := send(t.Context(), strings.Fields(test.args)...)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errs, test.errs) {
				t.Errorf("ends with %d, prints %q, complains %q", code, out, errs)
			}
			if (code == succeeded) != (errs == "") {
				t.Errorf("ends with %d and complains %q", code, errs)
			}
		})
	}
}
