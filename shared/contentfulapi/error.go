package contentfulapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Error is a call that brought no answer to work with. It says nothing of tokens, parameters or bodies.
type Error struct {
	Step   string // what the call was for: "call App Action"
	Status int    // 0: no answer
	ID     string // Contentful's own name of the error: AccessTokenInvalid, RateLimitExceeded, …; may be empty

	unmade    bool
	permanent bool
	retryAt   time.Time
	reason    string
	cause     error
}

func (e *Error) Error() string {
	text := e.Step + ": " + e.reason
	if e.ID != "" {
		text += " (" + e.ID + ")"
	}
	if e.cause != nil {
		text = fmt.Sprintf("%s: %v", text, e.cause)
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Refused says that Contentful has certainly not done what was asked, so that asking again cannot do it twice: it
// answered so, or the request never left. An answer that did not come, and a 5xx, say nothing.
func (e *Error) Refused() bool { return e.unmade }

// Permanent says that the same call would end the same way.
func (e *Error) Permanent() bool { return e.permanent }

// Throttled says that Contentful asked for a pause (429).
func (e *Error) Throttled() bool { return e.Status == http.StatusTooManyRequests }

// RetryAt is when Contentful wants to be called again; zero if it did not say.
func (e *Error) RetryAt() time.Time { return e.retryAt }

// Reason is the error in words for a user: what is wrong, and what to do.
func (e *Error) Reason() string { return e.reason }

// remedies say what to do, by status, where a step has no words of its own (remedy).
var remedies = map[int]string{
	http.StatusUnauthorized:    `Contentful refused our token (401): put a valid token, or the app's private key, under "contentful" in the connection secret`,
	http.StatusForbidden:       "Contentful does not allow this (403): install both the calling and the providing app in this environment, and let the token's owner use them",
	http.StatusNotFound:        "Contentful does not know this (404): check space, environment, app and App Action, and that the providing app is installed there",
	http.StatusTooManyRequests: "Contentful asks for a pause (429)",
}

// remedy says what a user can do about a status. wrong names the parameters that Contentful complains of.
func remedy(step string, status int, wrong string) string {
	switch {
	case step == stepCall && status == http.StatusConflict:
		return "the app that provides this App Action has no valid signing secret (409): its owner sets one in the app's security settings"
	case step == stepCall && status == http.StatusUnprocessableEntity:
		return "Contentful refused the parameters (422): compare them with those that the App Action takes" + wrong
	case step == stepToken && status == http.StatusUnauthorized:
		return `Contentful refused the app's key (401): put the private key whose public half the app has, and that app's ID, under "contentful" in the connection secret`
	case step == stepToken && (status == http.StatusForbidden || status == http.StatusNotFound):
		return fmt.Sprintf("Contentful gives the app no token (%d): install it in this environment, and check its ID in the connection secret", status)
	case status == http.StatusConflict:
		return "somebody else changed this in Contentful meanwhile (409): look at it and try again"
	case status == http.StatusUnprocessableEntity:
		return "Contentful refused the values (422): correct them" + wrong
	}
	return remedies[status]
}

// resetHeader holds seconds until the next call is allowed (Contentful, "API rate limits").
const resetHeader = "X-Contentful-Ratelimit-Reset"

// failure makes an Error of what outbound says. The context's own errors stay what they are.
func (c *Client) failure(step string, err error) error {
	call, ok := errors.AsType[*outbound.Error](err)
	if !ok {
		return err
	}
	failed := &Error{
		Step: step, Status: call.Status, permanent: call.Permanent(), retryAt: call.RetryAt(), reason: call.Reason(),
		unmade: call.Status != 0 && call.Status < 500, cause: call.Unwrap(),
	}
	if call.Status == 0 {
		failed.unmade = call.Unsent()
		return failed
	}
	refused := refusal(call.Body)
	failed.ID = refused.id
	if text := remedy(step, call.Status, refused.wrong); text != "" {
		failed.reason = text
	}
	if failed.retryAt.IsZero() && failed.Throttled() {
		failed.retryAt = c.reset(call.Header.Get(resetHeader))
	}
	return failed
}

// reset reads the header in which Contentful says how long to pause. Without it a second is what the API's limits
// are counted by.
func (c *Client) reset(value string) time.Time {
	seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	if err != nil || seconds == 0 {
		seconds = 1
	}
	return c.Outbound.Now().Add(min(time.Duration(seconds)*time.Second, 24*time.Hour))
}

// refused is what is kept of a refusal.
type refused struct{ id, wrong string }

var namePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

// refusal reads the body of a refusal. Only names are taken over: of the error, and of the fields it complains of. The
// texts beside them can quote what was sent.
func refusal(body []byte) refused {
	var parsed struct {
		Sys struct {
			ID string `json:"id"`
		} `json:"sys"`
		Details json.RawMessage `json:"details"`
	}
	if json.Unmarshal(body, &parsed) != nil {
		return refused{}
	}
	var s refused
	if namePattern.MatchString(parsed.Sys.ID) {
		s.id = parsed.Sys.ID
	}
	var details struct {
		Errors []struct {
			Name string `json:"name"`
			Path []any  `json:"path"`
		} `json:"errors"`
	}
	if json.Unmarshal(parsed.Details, &details) != nil {
		return s
	}
	var fields []string
	for _, wrong := range details.Errors {
		if len(wrong.Path) == 0 || len(fields) == 5 {
			continue
		}
		field, ok := wrong.Path[len(wrong.Path)-1].(string)
		if !ok || !namePattern.MatchString(field) {
			continue
		}
		if namePattern.MatchString(wrong.Name) {
			field += " (" + wrong.Name + ")"
		}
		fields = append(fields, field)
	}
	if len(fields) > 0 {
		s.wrong = ": " + strings.Join(fields, ", ")
	}
	return s
}

// NotFound says whether an error is Contentful's 404.
func NotFound(err error) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.Status == http.StatusNotFound
}
