package outbound

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type kind int

const (
	answered    kind = iota // with a status that is not 2xx
	late                    // no complete answer in time
	unreachable             // no connection, or it broke
	blocked                 // not a public address
	insecure                // not HTTPS
	malformed               // not a URL
)

// Error is a call that brought no 2xx. It says nothing of path, query, header or body: those may hold secrets.
type Error struct {
	Method string
	Host   string
	Status int // 0: no answer

	// With Request.KeepErrorBody: what the other side said. Never part of Error() or Reason().
	Body   []byte
	Header http.Header

	kind    kind
	retryAt time.Time
	cause   error
}

func (e *Error) Error() string {
	text := strings.TrimSpace(e.Method + " " + e.Reason())
	if e.cause != nil {
		text = fmt.Sprintf("%s: %v", text, e.cause)
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Permanent says that the same call would end the same way: the destination has refused it, or it may not be made.
func (e *Error) Permanent() bool {
	switch e.kind {
	case answered:
		return e.Status < 500 && !e.passing()
	case late, unreachable: // a certificate too: it may be renewed
		return false
	}
	return true
}

// passing are the 4xx that ask to come again (RFC 9110, RFC 6585, RFC 8470).
func (e *Error) passing() bool {
	return e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooEarly || e.Status == http.StatusTooManyRequests
}

// Throttled says that the destination asked for a pause.
func (e *Error) Throttled() bool {
	return e.Status == http.StatusTooManyRequests || (e.Status == http.StatusServiceUnavailable && !e.retryAt.IsZero())
}

// RetryAt is when the destination wants to be called again; zero if it did not say.
func (e *Error) RetryAt() time.Time { return e.retryAt }

// Reason is the error in words for a user.
func (e *Error) Reason() string {
	switch e.kind {
	case late:
		return e.Host + " did not answer in time"
	case unreachable:
		return e.Host + " could not be reached"
	case blocked:
		return e.Host + " is not a public address"
	case insecure:
		return e.Host + " is not called over HTTPS"
	case malformed:
		return e.Host + " is not valid"
	}
	if e.Status >= 300 && e.Status < 400 {
		return fmt.Sprintf("%s answered with a redirect (%d), which is not followed", e.Host, e.Status)
	}
	return fmt.Sprintf("%s answered %d", e.Host, e.Status)
}

// retryAfter reads the header in both its forms (RFC 9110, 10.2.3). What makes no sense, or lies in the past, is as
// if it were not there; nobody can ask for more than a day.
func retryAfter(value string, now time.Time) time.Time {
	const longest = 24 * time.Hour
	value = strings.TrimSpace(value)
	if value == "" {
		return time.Time{}
	}
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return now.Add(min(time.Duration(seconds)*time.Second, longest))
	}
	at, err := http.ParseTime(value)
	if err != nil || !at.After(now) {
		return time.Time{}
	}
	if at.After(now.Add(longest)) {
		return now.Add(longest)
	}
	return at
}
