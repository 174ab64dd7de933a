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

	"github.com/pim-functions/pim-functions/shared/signature"
)

// command runs one command line.
func command(ctx context.Context, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, pressed, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestLambdaEvent(t *testing.T) {
	for _, s := range actions(t) {
		t.Run(s.name, func(t *testing.T) {
			code, out, errs := command(t.Context(), s.name)
			if code != done {
				t.Fatalf("ends with %d: %s", code, errs)
			}
			var event lambdaEvent
			decoder := json.NewDecoder(strings.NewReader(out))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&event); err != nil {
				t.Fatal(err)
			}
			proof := signature.ActionProof{Secrets: []string{sampleSecret}}
			verified, err := signature.VerifyAction(proof, event.Headers, []byte(event.Body))
			if err != nil {
				t.Fatal(err)
			}
			if verified.Variant() != "signature" {
				t.Errorf("proven by %q", verified.Variant())
			}
			if err := signature.Window(pressed, timestamp(t, verified.Body()), 0); err != nil {
				t.Error(err)
			}
			if event.Version != "2.0" || event.RawPath != "/actions/export_to_erp" || event.PathParameters["proxy"] != "export_to_erp" {
				t.Errorf("version %q, path %q, parameters %q", event.Version, event.RawPath, event.PathParameters)
			}
			if c := event.RequestContext; c.HTTP.Method != "POST" || c.Stage != "$default" || c.TimeEpoch != pressed.UnixMilli() || c.RequestID == "" {
				t.Errorf("request context %+v", c)
			}
		})
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

// post is what the other side of send saw.
type post struct {
	method, path string
	header       map[string]string
	body         []byte
}

// receiver answers with status and keeps what it was sent.
func receiver(t *testing.T, status int) (base string, posts func() []post) {
	t.Helper()
	var mu sync.Mutex
	var seen []post
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		header := map[string]string{}
		for name, values := range r.Header {
			header[strings.ToLower(name)] = strings.Join(values, ",")
		}
		mu.Lock()
		seen = append(seen, post{r.Method, r.URL.Path, header, body})
		mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, `{"success":true}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []post {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func TestSend(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		secret    string        // that must prove; "" for sampleSecret
		variant   string        // header that must prove
		refused   string        // instead: why it must not
		age       time.Duration // of the timestamp
		extension string
		times     int
	}{
		{name: "as it is", variant: "signature", extension: "export_to_erp", times: 1},
		{name: "older header", args: []string{"--header", "X-Akeneo-Signature"}, variant: "x-akeneo-signature", extension: "export_to_erp", times: 1},
		{name: "no header", args: []string{"--header=none"}, refused: "signature_missing", extension: "export_to_erp", times: 1},
		{name: "another extension and secret", args: []string{"--extension", "other", "-secret", "se'c\"r$et\n"}, secret: "se'c\"r$et\n", variant: "signature", extension: "other", times: 1},
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
			code, out, errs := command(t.Context(), args...)
			if code != done || errs != "" {
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
				secret := sampleSecret
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
		code, out, _ := command(t.Context(), "action-product-header", base+"/stage/", "--times=2")
		if code != refused || !strings.Contains(out, `{"success":true}`) {
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
	code, _, errs := command(t.Context(), "action-product-header", server.URL)
	if code != refused || !strings.Contains(errs, "make run") {
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
	code, _, errs := command(ctx, "action-product-header", server.URL)
	if code != interrupted || errs != "events: interrupted\n" {
		t.Errorf("ends with %d: %q", code, errs)
	}
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		name string
		args string
		code int
		out  string // must be printed
		errs string // must be complained
	}{
		{"list", "--list", done, "action-product-grid ", ""},
		{"list by sender", "--list", done, "notifications of the Event Platform:\n  event-platform-notification-resumed ", ""},
		{"list of what is printed", "--list", done, "only printed:\n  forwarded-event ", ""},
		{"list beside a name", "action-product-grid --list", done, "worker-jobs ", ""},
		{"help", "--help", done, "--age duration", ""},
		{"help after a name", "action-product-grid -h", done, "usage: ", ""},
		{"worker's event", "worker-jobs", done, `"eventSource": "aws:sqs"`, ""},
		{"forwarded body", "forwarded-job", done, `"job": "export_to_erp-`, ""},
		{"forwarded event", "forwarded-event", done, `"subscription": "catalogue"`, ""},
		{"nothing", "", misused, "", "which sample?"},
		{"wrong name", "action-product-gird", misused, "", "did you mean action-product-grid,"},
		{"too much", "action-product-grid http://localhost x", misused, "", `"x" is too much`},
		{"wrong URL", "action-product-grid localhost:8080", misused, "", "want one like http://localhost:8080"},
		{"URL of another scheme", "action-product-grid ftp://localhost", misused, "", "want one like"},
		{"sending what nobody sends", "worker-jobs http://localhost", misused, "", "only printed"},
		{"unknown flag", "action-product-grid --bogus", misused, "", "-bogus"},
		{"unknown header", "action-product-grid --header x-signature", misused, "", "want one of signature,"},
		{"header of another sender", "event-platform-product-updated --header x-akeneo-signature", misused, "", "want one of x-akeneo-signature-primary, x-akeneo-signature-secondary, none"},
		{"empty secret", "action-product-grid --secret=", misused, "", "secret is empty"},
		{"empty extension", "action-product-grid --extension=", misused, "", "name is empty"},
		{"no times", "action-product-grid http://localhost --times 0", misused, "", "at least 1"},
		{"times without URL", "action-product-grid --times 2", misused, "", "need a URL"},
		{"load without URL", "event-platform-product-updated --rate 10", misused, "", "need a URL"},
		{"twice without URL", "event-platform-product-updated --duplicate", misused, "", "need a URL"},
		{"the same bytes at a rate", "event-platform-product-updated http://localhost --rate 10 --times 2", misused, "", "want one of them"},
		{"too fast", "event-platform-product-updated http://localhost --rate 1001", misused, "", "want 1 to 1000"},
		{"too long", "event-platform-product-updated http://localhost --rate 1 --for 11m", misused, "", "at most 10m0s"},
		{"shuffled without a load", "event-platform-product-updated http://localhost --shuffle", misused, "", "belong to --rate"},
		{"a wrong event", "event-platform-product-update-delta", misused, "", "did you mean event-platform-product-updated-delta,"},
		{"list of events", "--list", done, "event-platform-product-updated-delta                 an event: com.akeneo.pim.v1.product.updated.delta", ""},
		{"list of notifications", "--list", done, "a notification: subscription.suspended.system", ""},
		{"list of requests", "--list", done, "a request with 10 events: product.created and others", ""},
		{"age that is none", "action-product-grid --age old", misused, "", "-age"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := command(t.Context(), strings.Fields(test.args)...)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errs, test.errs) {
				t.Errorf("ends with %d, prints %q, complains %q", code, out, errs)
			}
			if (code == done) != (errs == "") {
				t.Errorf("ends with %d and complains %q", code, errs)
			}
		})
	}
}
