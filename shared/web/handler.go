// Package web is the HTTP edge: it turns what API Gateway sends (HTTP API, payload 2.0) into a Request, a
// handler's error into status and fixed text, and every request into one log line. It holds no route table and no
// business rule.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Request is one HTTP request as it reached API Gateway.
type Request struct {
	Method   string
	Path     string            // rawPath, decoded by API Gateway, with the stage in front if the stage has a name
	Proxy    string            // what a route's {proxy+} has matched; "" where the route has none
	Query    string            // rawQueryString, as sent
	Header   map[string]string // names in lower case; repeated headers joined by commas, as API Gateway does
	Body     []byte            // the exact bytes received, base64 undone
	ID       string            // API Gateway's request id
	Stage    string            // "$default" or a named stage
	Received time.Time         // by API Gateway's clock (timeEpoch): at most 30 s ago, never ahead
	Log      *Line             // what the request's log line will say
}

// Response is what a handler answers.
type Response struct {
	Status int               // 0: 200
	Header map[string]string // names in lower case; Content-Type is application/json unless set
	Body   []byte
}

// Handler answers requests of one function. Its context ends when AnswerTime is up. A panic or an untyped error becomes a
// 500 with a fixed text; the context's end, a 503.
type Handler interface {
	ServeRequest(context.Context, *Request) (Response, error)
}

// Code is what kind of refusal an Error is; it alone decides the status.
type Code string

const (
	Invalid     Code = "invalid"            // 400
	Unproven    Code = "unproven"           // 401
	Forbidden   Code = "forbidden"          // 403
	NotFound    Code = "not_found"          // 404
	Method      Code = "method_not_allowed" // 405
	Gone        Code = "gone"               // 410
	TooLarge    Code = "too_large"          // 413
	Conflict    Code = "conflict"           // 409
	Refused     Code = "refused"            // 422
	Internal    Code = "internal"           // 500
	Unavailable Code = "unavailable"        // 503
)

// Error is a typed refusal. Message and Header reach the caller, Reason (a stable snake_case code) and Err only the
// log. An empty Message becomes the Code's own text; Unproven always has that text, so that a refusal tells an
// unproven caller nothing.
type Error struct {
	Code    Code
	Reason  string
	Message string
	Err     error
	Header  map[string]string
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Reason)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Reason, e.Err)
}
func (e *Error) Unwrap() error { return e.Err }

// Line collects the attributes of a request's one log line. Never give it a secret, token, signature, e-mail or body.
type Line struct {
	Reason      string // stable code: why refused, or how accepted; "" when an Error says it
	Outcome     string
	Correlation string     // what the request's later steps are found by
	Level       slog.Level // at least this level; an Error and its status may raise it
	attrs       []slog.Attr
}

// Add puts an attribute on the line.
func (l *Line) Add(attrs ...slog.Attr) { l.attrs = append(l.attrs, attrs...) }
