package platformapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// What calls are for, in errors.
const (
	stepListSubscribers    = "list subscribers"
	stepCreateSubscriber   = "create subscriber"
	stepUpdateSubscriber   = "update subscriber"
	stepDeleteSubscriber   = "delete subscriber"
	stepListSubscriptions  = "list subscriptions"
	stepCreateSubscription = "create subscription"
	stepUpdateSubscription = "update subscription"
	stepDeleteSubscription = "delete subscription"
	stepResume             = "resume subscription"
	stepLogs               = "read logs"
)

// Error is a call that did not do what it was for. It says nothing of tokens, secrets or bodies.
type Error struct {
	Step   string // what the call was for: "create subscription"
	Status int    // 0: no answer

	// Messages are what the platform answers, for whoever sits at the keyboard: without messages that quote a secret, and not
	// part of Error(), which may be logged.
	Messages []string

	permanent bool
	retryAt   time.Time
	reason    string
	cause     error
}

func (e *Error) Error() string {
	text := e.Step + ": " + e.reason
	if e.cause != nil {
		text = fmt.Sprintf("%s: %v", text, e.cause)
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Permanent says that the same call would end the same way.
func (e *Error) Permanent() bool { return e.permanent }

// RetryAt is when the platform wants to be called again; zero if it did not say.
func (e *Error) RetryAt() time.Time { return e.retryAt }

// Reason is the error in words for a user: what is wrong, and what to do.
func (e *Error) Reason() string { return e.reason }

// failure makes an Error of what outbound says. The context's own errors stay what they are.
func failure(step string, err error, secrets []string) error {
	call, ok := errors.AsType[*outbound.Error](err)
	if !ok {
		return err
	}
	failed := &Error{
		Step: step, Status: call.Status, Messages: messages(call.Body, secrets), permanent: call.Permanent(), retryAt: call.RetryAt(),
		reason: call.Summary(), cause: call.Unwrap(),
	}
	if text := remedy(step, call.Status); text != "" {
		failed.reason = text
	}
	return failed
}

// unlessGone leaves out that what was to be deleted is not there.
func unlessGone(err error) error {
	if failed, ok := errors.AsType[*Error](err); ok && failed.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// remedy says what a user can do about a status.
func remedy(step string, status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if strings.HasSuffix(step, "subscriber") {
			return fmt.Sprintf("the Event Platform refused the subscriber (%d): check technical_email of the PIM in extensions.yaml, and that the public URL is https", status)
		}
		return fmt.Sprintf("the Event Platform refused the subscription (%d): check the event types in extensions.yaml against the vendor's list, and that the public URL is https and public", status)
	case http.StatusUnauthorized:
		return "the Event Platform refused the connection's token (401): check client_id and url of the PIM, and that the connection still exists there"
	case http.StatusForbidden:
		return "the connection may not use the Event Platform (403): tick Event Platform in the PIM, under Connect > Connection settings > the connection"
	case http.StatusNotFound:
		return "the Event Platform does not know this (404): it was deleted, or belongs to another connection of the PIM"
	case http.StatusConflict:
		switch step {
		case stepCreateSubscriber:
			return fmt.Sprintf("the Event Platform takes no further subscriber (409): a PIM has at most %d; delete one that is not used, or name one to use", MaxSubscribers)
		case stepCreateSubscription:
			return fmt.Sprintf("the Event Platform takes no further subscription (409): a subscriber has at most %d; delete one that is not used, or declare fewer with more events each", MaxSubscriptions)
		case stepResume:
			return "the subscription cannot be resumed (409): it was deleted; run pimctl apply again, which makes a new one"
		}
		return "somebody else changed this at the Event Platform meanwhile (409): look at it and try again"
	case http.StatusTooManyRequests:
		return "the Event Platform asks for a pause (429): try again in a minute"
	}
	return ""
}

const (
	mostSaid    = 5   // messages
	longestSaid = 300 // characters of one
)

// messages reads the messages of a refusal: {"errors":[{"message"}]}. A gateway answers in HTML, of which nothing is kept.
func messages(body []byte, secrets []string) []string {
	var refusal struct {
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &refusal) != nil {
		return nil
	}
	var messages []string
	for _, one := range refusal.Errors {
		text := strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, one.Message)
		if text == "" || quotes(text, secrets) {
			continue
		}
		if runes := []rune(text); len(runes) > longestSaid {
			text = string(runes[:longestSaid]) + "…"
		}
		if messages = append(messages, text); len(messages) == mostSaid {
			break
		}
	}
	return messages
}

// quotes says whether a text holds a secret, or enough of one to matter.
func quotes(text string, secrets []string) bool {
	const enough = 8
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		size := min(enough, len(secret))
		for i := range len(secret) - size + 1 {
			if strings.Contains(text, secret[i:i+size]) {
				return true
			}
		}
	}
	return false
}

// names are the keys of an object, sorted; none of anything else.
func names(object json.RawMessage) []string {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(members))
}
