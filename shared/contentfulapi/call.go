package contentfulapi

import (
	"context"
	"encoding/json"
	"net/http"
)

const (
	stepCall = "call App Action"
	stepLook = "look at the call"
)

// Status of a call.
type Status string

const (
	Unreported Status = ""           // this version of the API does not say
	Processing Status = "processing" // not ended
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
)

// Call is an App Action that was called.
type Call struct {
	ID     string // "": this version of the API has none, and what came of the call cannot be asked for
	Status Status
	Result json.RawMessage // of a call that succeeded: any JSON, as the app answered it; may be nil
	Error  CallError       // of a call that failed
}

// CallError says why a call failed, in the app's words: text from outside, not to be trusted.
type CallError struct {
	ID         string
	Message    string
	StatusCode int // that the app answered; 0: none
}

// callOutcome is where a call's outcome stands: in sys in newer versions of the API, beside it in older ones.
type callOutcome struct {
	Status Status          `json:"status"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		link
		Message    string `json:"message"`
		StatusCode int    `json:"statusCode"`
	} `json:"error"`
}

// UnmarshalJSON implements json.Unmarshaler. A status that this package does not know is one that has not ended.
func (c *Call) UnmarshalJSON(text []byte) error {
	var body struct {
		Sys struct {
			ID string `json:"id"`
			callOutcome
		} `json:"sys"`
		callOutcome
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return err
	}
	outcome := body.Sys.callOutcome
	if outcome.Status == Unreported {
		outcome.Status = body.Status
	}
	if outcome.Result == nil {
		outcome.Result = body.Result
	}
	if outcome.Error == nil {
		outcome.Error = body.Error
	}
	*c = Call{Status: outcome.Status}
	if ValidID(body.Sys.ID) {
		c.ID = body.Sys.ID
	}
	switch outcome.Status {
	case Succeeded:
		c.Result = outcome.Result
	case Failed:
		if outcome.Error != nil {
			c.Error = CallError{ID: outcome.Error.Sys.ID, Message: outcome.Error.Message, StatusCode: outcome.Error.StatusCode}
		}
	case Unreported:
	default:
		c.Status = Processing
	}
	return nil
}

// Call calls an App Action of an app that is installed in the environment. Contentful takes no idempotency key: the
// same call made twice runs the action twice. Only after an error that is Refused is it known not to have been made.
func (c *Client) Call(ctx context.Context, environment Environment, app, action string, parameters map[string]any) (Call, error) {
	if parameters == nil {
		parameters = map[string]any{}
	}
	var call Call
	err := c.do(ctx, request{
		step: stepCall, method: http.MethodPost, path: environment.installation(app, "actions", action, "calls"),
		body: map[string]any{"parameters": parameters}, environment: &environment,
	}, &call)
	return call, err
}

// Look reads a call again, to see whether it has ended. For a moment after it was made a call can be unknown (an
// Error of status 404).
func (c *Client) Look(ctx context.Context, environment Environment, app, action, call string) (Call, error) {
	var found Call
	err := c.do(ctx, request{
		step: stepLook, method: http.MethodGet, path: environment.installation(app, "actions", action, "calls", call), environment: &environment,
	}, &found)
	return found, err
}
