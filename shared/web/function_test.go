package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/web"
)

var clock = time.UnixMilli(1739948408500)

func now() time.Time { return clock }

// serve is a handler made of a function.
type serve func(context.Context, *web.Request) (web.Response, error)

func (s serve) ServeRequest(ctx context.Context, r *web.Request) (web.Response, error) {
	return s(ctx, r)
}

// answer is what API Gateway gets.
type answer struct {
	StatusCode int
	Headers    map[string]string
	Body       string
	Base64     bool `json:"isBase64Encoded"`
}

// logged is a log, read line by line.
type logged struct{ bytes.Buffer }

func (l *logged) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for decoder := json.NewDecoder(bytes.NewReader(l.Bytes())); ; {
		line := map[string]any{}
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
}

func invoke(t *testing.T, payload string, handler serve) (answer, *logged) {
	t.Helper()
	log := &logged{}
	function := web.New(web.Config{Function: "test", Handler: handler, MaxBody: 8, Log: slog.New(slog.NewJSONHandler(log, nil)), Now: now})
	got, err := function.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	return a, log
}

const get = `{"version":"2.0","rawPath":"/a/b","rawQueryString":"user[email]=julia%40example.com","headers":{"x":"1"},
	"requestContext":{"http":{"method":"GET"},"requestId":"req-1","stage":"prod","timeEpoch":1739948408000}}`

func TestRequest(t *testing.T) {
	var got web.Request
	invoke(t, `{"rawPath":"/prod/é","pathParameters":{"proxy":"é"},"rawQueryString":"a=%20","cookies":["a=1","b=2"],"headers":{"X-Twice":"2","x-twice":"1","signature":"s"},
		"requestContext":{"http":{"method":"POST"},"requestId":"req-1","stage":"prod","timeEpoch":1739948408000},"body":"{\"é\":1}"}`,
		func(_ context.Context, r *web.Request) (web.Response, error) { got = *r; return web.Response{}, nil })
	got.Log = nil
	want := web.Request{Method: "POST", Path: "/prod/é", Proxy: "é", Query: "a=%20", ID: "req-1", Stage: "prod", Received: time.UnixMilli(1739948408000), Body: []byte(`{"é":1}`),
		Header: map[string]string{"x-twice": "2,1", "signature": "s", "cookie": "a=1; b=2"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestJunkInEvent(t *testing.T) {
	for name, payload := range map[string]string{
		"nothing":           `{}`,
		"null":              `null`,
		"nulls":             `{"rawPath":null,"headers":null,"requestContext":null,"body":null,"isBase64Encoded":null}`,
		"other types":       `{"rawPath":7,"headers":[],"requestContext":{"http":"x","timeEpoch":"soon","requestId":{}},"body":{},"isBase64Encoded":"yes"}`,
		"a number a header": `{"headers":{"content-length":5,"x":"1"}}`,
		"an array":          `[]`,
		"unknown fields":    `{"pathParameters":{"a":"b"},"stageVariables":7}`,
		"odd parameters":    `{"pathParameters":{"proxy":7}}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := invoke(t, payload, func(_ context.Context, r *web.Request) (web.Response, error) {
				if len(r.Body) != 0 || r.Header == nil || !r.Received.Equal(clock) {
					t.Errorf("request %+v", r)
				}
				return web.Response{}, nil
			})
			if got.StatusCode != 200 {
				t.Errorf("answered %d", got.StatusCode)
			}
		})
	}
}

// The time of an answer is API Gateway's, unless that clock cannot be of this request.
func TestTheContextEndsInTime(t *testing.T) {
	for name, row := range map[string]struct {
		age, left time.Duration
		received  time.Duration // before now
	}{
		"at once":                   {0, 4 * time.Second, 0},
		"after a cold start":        {2500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond},
		"too late":                  {5 * time.Second, 0, 5 * time.Second},
		"no time":                   {-1, 4 * time.Second, 0},
		"a sample, a minute old":    {time.Minute, 4 * time.Second, 0},
		"a sample, years old":       {1e5 * time.Hour, 4 * time.Second, 0},
		"a clock that is ahead":     {-time.Hour, 4 * time.Second, 0},
		"a clock a moment ahead":    {-time.Millisecond, 4 * time.Second, 0},
		"the last moment there was": {30 * time.Second, 0, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			start, epoch := time.Now(), time.Now().Add(-row.age).UnixMilli()
			if row.age == -1 {
				epoch = 0
			}
			handler := serve(func(ctx context.Context, r *web.Request) (web.Response, error) {
				if got := start.Sub(r.Received); got != row.received {
					t.Errorf("%s: received %s ago, want %s", name, got, row.received)
				}
				<-ctx.Done()
				return web.Response{}, ctx.Err()
			})
			function := web.New(web.Config{Function: "test", Handler: handler, MaxBody: 8, Log: slog.New(slog.DiscardHandler), Now: time.Now})
			got, err := function.Invoke(t.Context(), fmt.Appendf(nil, `{"requestContext":{"timeEpoch":%d}}`, epoch))
			if took := time.Since(start); err != nil || took != row.left || !strings.Contains(string(got), `"statusCode":503`) {
				t.Errorf("%s: %s after %s, want %s", name, got, took, row.left)
			}
		})
	}
}

func TestNoAddressInALoggedPath(t *testing.T) {
	_, log := invoke(t, `{"rawPath":"/actions/export/julia@example.com/x"}`, func(context.Context, *web.Request) (web.Response, error) { return web.Response{}, nil })
	if route := log.lines(t)[0]["route"]; route != "/actions/export/…/x" {
		t.Errorf("logged %v", route)
	}
}

func TestRefusals(t *testing.T) {
	body := func(text string, encoded bool) string {
		quoted, _ := json.Marshal(text)
		return fmt.Sprintf(`{"body":%s,"isBase64Encoded":%t}`, quoted, encoded)
	}
	b64 := base64.StdEncoding.EncodeToString
	secret := errors.New("internal text")
	fail := func(err error) serve {
		return func(context.Context, *web.Request) (web.Response, error) { return web.Response{}, err }
	}
	fixed := `{"success":false,"message":"The request could not be verified.","error":"unproven"}`
	for _, row := range []struct {
		name    string
		payload string
		handler serve
		status  int
		reason  string
		body    string // "": not compared
	}{
		{"not JSON", `hello`, nil, 400, "event_invalid", ""},
		{"empty payload", ``, nil, 400, "event_invalid", ""},
		{"body of the largest size", body("12345678", false), fail(nil), 200, "", ""},
		{"body a byte too large", body("123456789", false), nil, 413, "body_too_large", `{"success":false,"message":"The request is too large.","error":"too_large"}`},
		{"base64 of the largest size", body(b64([]byte("12345678")), true), fail(nil), 200, "", ""},
		{"base64 a byte too large", body(b64([]byte("123456789")), true), nil, 413, "body_too_large", ""},
		{"base64 far too large and not base64 at all", body(strings.Repeat("!", 100), true), nil, 413, "body_too_large", ""},
		{"base64 that is none", body("!!!!", true), nil, 400, "base64_invalid", ""},
		{"base64 without its padding", body("YQ", true), nil, 400, "base64_invalid", ""},
		{"typed", get, fail(&web.Error{Code: web.Invalid, Reason: "odd", Message: "<odd> & more", Err: secret}), 400, "odd", `{"success":false,"message":"\u003codd\u003e \u0026 more","error":"invalid"}`},
		{"out of time", get, fail(fmt.Errorf("step: %w", context.DeadlineExceeded)), 503, "out_of_time", ""},
		{"typed and wrapped", get, fail(fmt.Errorf("step: %w", &web.Error{Code: web.NotFound, Reason: "odd"})), 404, "odd", ""},
		{"unproven", get, fail(&web.Error{Code: web.Unproven, Reason: "odd", Err: secret}), 401, "odd", fixed},
		{"unproven, whatever the message", get, fail(&web.Error{Code: web.Unproven, Reason: "other", Message: "because"}), 401, "other", fixed},
		{"forbidden", get, fail(&web.Error{Code: web.Forbidden, Reason: "odd"}), 403, "odd", ""},
		{"method", get, fail(&web.Error{Code: web.Method, Reason: "odd"}), 405, "odd", ""},
		{"refused", get, fail(&web.Error{Code: web.Refused, Reason: "odd"}), 422, "odd", ""},
		{"unavailable", get, fail(&web.Error{Code: web.Unavailable, Reason: "odd", Err: secret}), 503, "odd", ""},
		{"unknown code", get, fail(&web.Error{Code: "new", Reason: "odd", Message: "internal text"}), 500, "odd", `{"success":false,"message":"Something went wrong on our side.","error":"internal"}`},
		{"untyped", get, fail(secret), 500, "internal", `{"success":false,"message":"Something went wrong on our side.","error":"internal"}`},
		{"panic", get, func(context.Context, *web.Request) (web.Response, error) { panic("internal text") }, 500, "panic", `{"success":false,"message":"Something went wrong on our side.","error":"internal"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.handler == nil {
				row.handler = func(context.Context, *web.Request) (web.Response, error) {
					t.Error("the handler was called")
					return web.Response{}, nil
				}
			}
			got, log := invoke(t, row.payload, row.handler)
			if got.StatusCode != row.status {
				t.Errorf("status %d, want %d", got.StatusCode, row.status)
			}
			if row.body != "" && got.Body != row.body {
				t.Errorf("body %s, want %s", got.Body, row.body)
			}
			if strings.Contains(got.Body, "internal text") {
				t.Errorf("internal text left: %s", got.Body)
			}
			lines := log.lines(t)
			if len(lines) != 1 {
				t.Fatalf("%d log lines: %s", len(lines), log)
			}
			if reason, _ := lines[0]["reason"].(string); reason != row.reason || lines[0]["status"] != float64(row.status) {
				t.Errorf("logged %v", lines[0])
			}
		})
	}
}

func TestEveryRefusalSaysSo(t *testing.T) {
	for _, code := range []web.Code{web.Invalid, web.Unproven, web.Forbidden, web.NotFound, web.Method, web.TooLarge, web.Refused, web.Internal, web.Unavailable} {
		got, _ := invoke(t, get, func(context.Context, *web.Request) (web.Response, error) {
			return web.Response{}, &web.Error{Code: code, Reason: "odd", Header: map[string]string{"Allow": "POST"}}
		})
		var refusal struct {
			Success *bool
			Message string
			Error   web.Code
		}
		if err := json.Unmarshal([]byte(got.Body), &refusal); err != nil || refusal.Success == nil || *refusal.Success || refusal.Message == "" || refusal.Error != code {
			t.Errorf("%s: %s (%v)", code, got.Body, err)
		}
		for name, want := range map[string]string{"content-type": "application/json", "x-request-id": "req-1", "cache-control": "no-store", "x-content-type-options": "nosniff", "allow": "POST"} {
			if got.Headers[name] != want {
				t.Errorf("%s: header %s is %q, want %q", code, name, got.Headers[name], want)
			}
		}
	}
}

func TestAnswer(t *testing.T) {
	got, _ := invoke(t, get, func(context.Context, *web.Request) (web.Response, error) {
		return web.Response{Status: 201, Header: map[string]string{"Content-Type": "text/html", "cache-control": "private"}, Body: []byte("<p>é")}, nil
	})
	if got.StatusCode != 201 || got.Body != "<p>é" || got.Base64 || got.Headers["content-type"] != "text/html" || got.Headers["cache-control"] != "private" {
		t.Errorf("got %+v", got)
	}
	got, _ = invoke(t, get, func(context.Context, *web.Request) (web.Response, error) {
		return web.Response{Body: []byte{0xff, 0}}, nil
	})
	if got.StatusCode != 200 || got.Body != "/wA=" || !got.Base64 {
		t.Errorf("bytes: %+v", got)
	}
}

func TestLogLineAndMetrics(t *testing.T) {
	var samples []string
	log := &logged{}
	function := web.New(web.Config{Function: "test", MaxBody: 8, Log: slog.New(slog.NewJSONHandler(log, nil)), Now: now,
		Metrics: metric.New(metric.Config{Writer: io.Discard, Function: "test", Now: now, Observe: func(s metric.Sample) {
			samples = append(samples, fmt.Sprintf("%s %v %v", s.Name, s.Value, s.Dimensions[1:]))
		}}),
		Handler: serve(func(_ context.Context, r *web.Request) (web.Response, error) {
			r.Log.Correlation, r.Log.Outcome, r.Log.Level = "corr-1", "started", slog.LevelError
			r.Log.Add(slog.String("job", "j-1"))
			return web.Response{}, &web.Error{Code: web.Forbidden, Reason: "not_allowed", Err: errors.New("why")}
		})})
	if _, err := function.Invoke(t.Context(), []byte(get)); err != nil {
		t.Fatal(err)
	}
	line := log.lines(t)[0]
	delete(line, "time")
	got, _ := json.Marshal(line)
	const want = `{"correlation":"corr-1","duration_ms":0,"error":"why","function":"test","job":"j-1","level":"ERROR","method":"GET","msg":"request","outcome":"started","reason":"not_allowed","request_id":"req-1","route":"/a/b","status":403}`
	if string(got) != want {
		t.Errorf("logged %s\nwant   %s", got, want)
	}
	if got, want := strings.Join(samples, ", "), "Requests 1 [{Status 4xx}], Refused 1 [{Reason not_allowed}], AckLatency 500 []"; got != want {
		t.Errorf("metrics %s, want %s", got, want)
	}
}
