package credential

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

const theServer = "the destination's token server"

// TokenError is a token that could not be had. Its texts hold nothing of what was sent, and of the answer one of the codes
// of RFC 6749 at most. It wraps no *outbound.Error: the destination itself was not called.
type TokenError struct {
	reason        string
	summary       string // for logs: with host and status
	refusesClient bool   // what we sent of ourselves was not accepted
	permanent     bool
	throttled     bool
	silent        bool
	retryAt       time.Time
}

// Error is for logs.
func (e *TokenError) Error() string {
	if e.summary == "" {
		return "get a token: " + e.reason
	}
	return "get a token: " + e.summary
}

// Reason is for users: no host, no status.
func (e *TokenError) Reason() string { return e.reason }

// Permanent says that trying again cannot help.
func (e *TokenError) Permanent() bool { return e.permanent }

// Unauthorized says that the client was refused: other credentials can help.
func (e *TokenError) Unauthorized() bool { return e.refusesClient }

// Throttled says that the token server asked for a pause.
func (e *TokenError) Throttled() bool { return e.throttled }

// RetryAt is when that pause ends; zero if it did not say.
func (e *TokenError) RetryAt() time.Time { return e.retryAt }

// Silent says that the token server gave no complete answer in time.
func (e *TokenError) Silent() bool { return e.silent }

// codes are what a token server may answer (RFC 6749, 5.2).
var codes = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}

// tokenError says what the library's error means, without its text: that holds what the server answered.
func tokenError(err error) *TokenError {
	failed, isAnswer := errors.AsType[*outbound.Error](err)
	if !isAnswer {
		refused, isRefusal := errors.AsType[*oauth2.RetrieveError](err) // with a status of success
		if isRefusal && slices.Contains(codes, refused.ErrorCode) {
			return &TokenError{reason: theServer + " refused to give a token: " + refused.ErrorCode, permanent: true, refusesClient: refused.ErrorCode == "invalid_client"}
		}
		return &TokenError{reason: theServer + " answered with something that is no token"}
	}
	sentence := strings.TrimSuffix(failed.Reason(), ": "+failed.Detail()) // the detail may repeat what was sent
	t := &TokenError{
		reason:  strings.Replace(sentence, "the destination", theServer, 1),
		summary: failed.Error(), permanent: failed.Permanent(), throttled: failed.Throttled(), retryAt: failed.RetryAt(), silent: failed.Silent(),
	}
	var answer struct {
		Code string `json:"error"`
	}
	if json.Unmarshal(failed.Body, &answer) == nil && slices.Contains(codes, answer.Code) {
		t.reason += ": " + answer.Code
		t.summary += " " + answer.Code
	}
	t.refusesClient = failed.Unauthorized() || answer.Code == "invalid_client" || failed.Status == 400 && answer.Code == "invalid_request"
	return t
}
