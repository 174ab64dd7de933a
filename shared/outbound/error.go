package outbound

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
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
	malformed               // not a URL, or a header that HTTP does not allow
)

// Error is a call that brought no 2xx. Its texts hold no path, query, header or credential, and Error() nothing of
// what the other side answered: that text can hold anything, and Error() is logged.
type Error struct {
	Method string
	Host   string
	Status int // 0: no answer

	// With Request.KeepErrorBody: what the other side answered. Never part of Error().
	Body   []byte
	Header http.Header

	kind    kind
	retryAt time.Time
	detail  string
	cause   error
}

// Error is for logs: method, host, and status or cause.
func (e *Error) Error() string {
	text := strings.TrimSpace(e.Method + " " + e.Summary())
	if e.cause != nil {
		text += ": " + describe(e.cause)
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Summary is the error in words for those who run this: with host and status.
func (e *Error) Summary() string {
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
	if e.redirect() {
		return fmt.Sprintf("%s answered with a redirect (%d), which is not followed", e.Host, e.Status)
	}
	return fmt.Sprintf("%s answered %d", e.Host, e.Status)
}

// Reason is the error in words for a user: without host and status, with what the destination says of it (Detail).
func (e *Error) Reason() string {
	reason := e.sentence()
	if e.detail != "" {
		reason += ": " + e.detail
	}
	return reason
}

func (e *Error) sentence() string {
	switch {
	case e.kind == late:
		return "the destination did not answer in time"
	case e.kind == unreachable:
		return "the destination could not be reached"
	case e.kind == blocked:
		return "the destination's address is not a public one"
	case e.kind == insecure:
		return "the destination is not called over HTTPS"
	case e.kind == malformed:
		return "the request to the destination is not valid"
	case e.redirect():
		return "the destination answered with a redirect, which is not followed"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusProxyAuthRequired:
		return "the destination did not accept our credentials"
	case e.Status == http.StatusForbidden:
		return "the destination does not allow this"
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone:
		return "the destination does not know this address"
	case e.Status == http.StatusRequestEntityTooLarge:
		return "the destination refused the request as too large"
	case e.Throttled():
		return "the destination asked for a pause"
	case e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		return "the destination asked to try again"
	case e.Status >= 500:
		return "the destination has a problem"
	}
	return "the destination refused the request"
}

// Detail is what the destination says of its refusal: see the function of that name. "" where it says nothing, or
// without Request.KeepErrorBody.
func (e *Error) Detail() string { return e.detail }

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

func (e *Error) redirect() bool { return e.Status >= 300 && e.Status < 400 }

// Throttled says that the destination asked for a pause.
func (e *Error) Throttled() bool {
	return e.Status == http.StatusTooManyRequests || (e.Status == http.StatusServiceUnavailable && !e.retryAt.IsZero())
}

// Unauthorized says that the destination does not accept the credentials: 401. Fresh ones can help.
func (e *Error) Unauthorized() bool { return e.Status == http.StatusUnauthorized }

// Silent says that the destination could be reached and gave no complete answer in time.
func (e *Error) Silent() bool { return e.kind == late }

// Unsent says that the request never left: it may not be made, or no connection was. An error without a Status that is not
// Unsent says nothing of what the destination did.
func (e *Error) Unsent() bool {
	switch e.kind {
	case blocked, insecure, malformed:
		return true
	case answered:
		return false
	}
	if dial, ok := errors.AsType[*net.OpError](e.cause); ok && dial.Op == "dial" {
		return true
	}
	_, distrusted := errors.AsType[*tls.CertificateVerificationError](e.cause)
	return distrusted
}

// Down says that the destination cannot be reached, or answers with a problem of its own (5xx) and asks for no pause.
func (e *Error) Down() bool {
	return e.kind == unreachable || e.kind == answered && e.Status >= 500 && !e.Throttled()
}

// RetryAt is when the destination wants to be called again; zero if it did not say.
func (e *Error) RetryAt() time.Time { return e.retryAt }
