package pim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	maxMessage    = 300              // bytes of the PIM's own sentence; longer ones are cut
	maxViolations = 100              // of one answer; the rest is left out
	throttledWait = 10 * time.Second // of a 429 that names no time
)

// Error is a call that the PIM refused or did not answer. Error holds no query, no body and no host.
type Error struct {
	Method     string
	Path       string // behind the origin
	Status     int    // 0: no answer
	Message    string // the PIM's own sentence, of at most 300 bytes; "" if it said none
	Violations []Violation

	retryAt   time.Time
	throttled bool
	tooLarge  bool // the answer exceeds what is read of one
	malformed bool // the answer is no JSON of the documented form
	cause     *outbound.Error
}

// Violation is a rule that a write breaks (Akeneo: "Responses", 422).
type Violation struct {
	Property  string `json:"property"`
	Message   string `json:"message"`
	Attribute string `json:"attribute"`
	Locale    string `json:"locale"`
	Scope     string `json:"scope"`
}

func (e *Error) Error() string {
	text := fmt.Sprintf("PIM: %s %s: ", e.Method, e.Path)
	switch {
	case e.tooLarge:
		return text + "the answer is too large"
	case e.malformed:
		return text + "the answer is not JSON of the documented form"
	case e.Status > 0:
		return fmt.Sprintf("%s%d", text, e.Status)
	case e.cause != nil:
		return text + e.cause.Error()
	}
	return text + "no answer"
}

func (e *Error) Unwrap() error {
	if e.cause == nil {
		return nil
	}
	return e.cause
}

// Permanent says that the same call would end the same way. A conflict (409) and an answer that a gateway gave in the
// PIM's place may pass.
func (e *Error) Permanent() bool {
	switch {
	case e.tooLarge:
		return true
	case e.malformed, e.throttled, e.Status == http.StatusConflict:
		return false
	case e.cause != nil:
		return e.cause.Permanent()
	}
	return false
}

// Throttled says that the PIM asked for a pause: it is busy, and nothing is wrong.
func (e *Error) Throttled() bool { return e.throttled }

// RetryAt is when the PIM wants to be called again; zero if it did not say.
func (e *Error) RetryAt() time.Time { return e.retryAt }

// Unmade says whether a call that ended with an error has certainly done nothing in the PIM, so that the same call cannot do
// it twice: the PIM refused it, or it never left. An answer that did not come or cannot be read, and a 5xx, say nothing.
func Unmade(err error) bool {
	if _, ok := errors.AsType[*TokenError](err); ok {
		return true // no call was made without a token
	}
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.unmade()
}

func (e *Error) unmade() bool {
	switch {
	case e.Status == 0:
		return e.cause != nil && e.cause.Unsent()
	case e.Status == http.StatusRequestTimeout:
		return false
	}
	return e.Status >= 300 && e.Status < 500
}

// TooLarge says that the call can succeed with fewer items: the PIM, or the edge before it, refused the size (413, and
// 403 where the body is large), or the answer exceeds what is read of one.
func (e *Error) TooLarge() bool { return e.tooLarge || e.Status == http.StatusRequestEntityTooLarge }

// NotFound says that the PIM does not have the entity, or hides it from this connection.
func (e *Error) NotFound() bool { return e.Status == http.StatusNotFound }

// gone says that the PIM does not have the entity, or hides it.
func gone(err error) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.NotFound()
}

// Reason is the error in words for a user. It names no host and no status.
func (e *Error) Reason() string {
	if reason := extensionReason(e.Status, e.Path); reason != "" {
		return reason
	}
	switch {
	case e.Message != "" && e.Permanent():
		return "the PIM refuses: " + e.Message
	case e.throttled:
		return "the PIM is busy"
	case e.tooLarge:
		return "the PIM's answer is too large"
	case e.Status == http.StatusUnauthorized:
		return "the PIM no longer accepts the connection"
	case e.Status == http.StatusForbidden:
		return "the PIM does not allow this to the connection"
	case e.Status == http.StatusNotFound:
		return notInPIM
	case e.Permanent():
		return "the PIM refuses the request"
	}
	return "the PIM does not answer"
}

// notInPIM is what a user reads of a product that the connection cannot read: deleted, or hidden by permissions.
const notInPIM = "not in the PIM, or hidden from this connection"

// failure makes an Error of what outbound returned.
func (c *Client) failure(r request, err error) error {
	call, ok := errors.AsType[*outbound.Error](err)
	if !ok {
		return err // the context's own
	}
	failed := &Error{Method: r.method, Path: r.path, Status: call.Status, retryAt: call.RetryAt(), cause: call}
	if failed.throttled = call.Throttled(); failed.throttled && failed.retryAt.IsZero() {
		failed.retryAt = c.config.Outbound.Now().Add(throttledWait)
	}
	failed.Message, failed.Violations = sentences(call.Body)
	return failed
}

// sentences reads the three forms of a refusal: plain, with a link to the documentation, and with violations (Akeneo:
// "Responses"). Bodies may be empty, or a gateway's HTML.
func sentences(body []byte) (string, []Violation) {
	var refusal struct {
		Message string      `json:"message"`
		Errors  []Violation `json:"errors"`
	}
	if json.Unmarshal(body, &refusal) != nil {
		return "", nil
	}
	violations := refusal.Errors[:min(len(refusal.Errors), maxViolations)]
	for i := range violations {
		violations[i].Message = outbound.Clean(violations[i].Message, maxMessage)
	}
	message := outbound.Clean(strings.TrimSuffix(refusal.Message, " Check the expected format on the API documentation."), maxMessage)
	if len(violations) > 0 && (message == "" || strings.HasPrefix(message, "Validation failed")) {
		message = violations[0].Message
		if more := len(violations) - 1; more > 0 {
			message = outbound.Clean(fmt.Sprintf("%s (and %d more)", message, more), maxMessage)
		}
	}
	return message, violations
}
