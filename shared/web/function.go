package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/metric"
)

// AnswerTime is how long a request may take, counted from API Gateway's clock; then its context ends. Of those who wait
// for more than half a second, the PIM and the Event Platform give up after 5 s, and Lambda ends the function.
const AnswerTime = 4 * time.Second

// Config of a Function. All but Metrics are required.
type Config struct {
	Function string // its name in the log and in metrics
	Handler  Handler
	MaxBody  int // bytes of a request's body, base64 undone; more is 413
	Log      *slog.Logger
	Metrics  *metric.Sink // nil: none
	Now      func() time.Time
}

// Function is a Handler behind API Gateway. It is a lambda.Handler of aws-lambda-go.
type Function struct{ config Config }

// New returns a Function.
func New(config Config) *Function { return &Function{config: config} }

// Invoke answers one event of an HTTP API (payload 2.0). It returns no error: an invocation that fails would be
// answered by API Gateway's own text.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	start := f.config.Now()
	event, err := decodeEvent(payload)
	req := event.request(start)
	var response Response
	if err != nil {
		err = &Error{Code: Invalid, Reason: "event_invalid", Err: err}
	} else if req.Body, err = event.body(f.config.MaxBody); err == nil {
		inTime, cancel := context.WithTimeout(ctx, AnswerTime-start.Sub(req.Received))
		response, err = f.serve(inTime, req)
		cancel()
	}
	var refused *Error
	if err != nil {
		refused = asError(err)
		response = refused.response()
	}
	if response.Status == 0 {
		response.Status = http.StatusOK
	}
	response.Header = headers(response.Header, req.ID)
	f.report(ctx, req, response.Status, refused, start)
	return encodeReply(response)
}

// serve calls the handler; what it panics with becomes an error for the log.
func (f *Function) serve(ctx context.Context, req *Request) (response Response, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			req.Log.Add(slog.String("stack", string(debug.Stack())))
			err = &Error{Code: Internal, Reason: "panic", Err: fmt.Errorf("panic: %v", cause)}
		}
	}()
	return f.config.Handler.ServeRequest(ctx, req)
}

// asError makes an Error of any error; what is not one is our fault.
func asError(err error) *Error {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: Unavailable, Reason: "out_of_time", Err: err}
	}
	return &Error{Code: Internal, Reason: "internal", Err: err}
}

// headers are the handler's on top of what every answer carries.
func headers(own map[string]string, id string) map[string]string {
	all := map[string]string{
		"content-type":           "application/json",
		"cache-control":          "no-store",
		"x-content-type-options": "nosniff",
	}
	if id != "" {
		all["x-request-id"] = id
	}
	for name, value := range own {
		all[strings.ToLower(name)] = value
	}
	return all
}

// maxRoute is how much of a path the log keeps, in bytes: API Gateway takes 10 KB of it.
const maxRoute = 256

// route is a path as the log keeps it: without its query, and without an e-mail address, which a placeholder may have put
// there.
func route(path string) string {
	parts := strings.Split(path[:min(len(path), maxRoute)], "/")
	for i, part := range parts {
		if strings.Contains(part, "@") {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

// report writes the request's one log line and counts it.
func (f *Function) report(ctx context.Context, req *Request, status int, refused *Error, start time.Time) {
	now, line := f.config.Now(), req.Log
	reason, level := line.Reason, line.Level
	switch {
	case status >= 500:
		level = max(level, slog.LevelError)
	case refused != nil:
		level = max(level, slog.LevelWarn)
	}
	if refused != nil {
		reason = refused.Reason
	}
	attrs := append(make([]slog.Attr, 0, 12+len(line.attrs)),
		slog.String("function", f.config.Function),
		slog.String("method", req.Method),
		slog.String("route", route(req.Path)),
		slog.String("request_id", req.ID),
	)
	if line.Correlation != "" {
		attrs = append(attrs, slog.String("correlation", line.Correlation))
	}
	if reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	attrs = append(attrs, slog.Int("status", status))
	if line.Outcome != "" {
		attrs = append(attrs, slog.String("outcome", line.Outcome))
	}
	attrs = append(attrs, slog.Int64("duration_ms", max(0, now.Sub(start).Milliseconds())))
	attrs = append(attrs, line.attrs...)
	if refused != nil && refused.Err != nil {
		attrs = append(attrs, slog.String("error", refused.Err.Error()))
	}
	f.config.Log.LogAttrs(ctx, level, "request", attrs...)

	f.config.Metrics.Count("Requests", 1, metric.Dimension{Name: "Status", Value: strconv.Itoa(status/100) + "xx"})
	if refused != nil {
		f.config.Metrics.Count("Refused", 1, metric.Dimension{Name: "Reason", Value: reason})
	}
	f.config.Metrics.Duration("AckLatency", max(0, now.Sub(req.Received))) // what the sender waited: a cold start counts
}
