// Package platformapi speaks to the management API of Akeneo's Event Platform: who listens to a PIM (subscribers), to
// what, and where it is sent (subscriptions). What the platform then sends is received elsewhere.
//
// It repeats nothing by itself, but for one renewal of a token that has ended. A call whose answer did not come may
// have been worked: list before creating again.
package platformapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// DefaultBase is the platform's management API (Akeneo: "Event Platform", "Getting started").
const DefaultBase = "https://event.prd.sdk.akeneo.cloud/api/v1"

// Limits of the platform (Akeneo: "Event Platform", "Limitations", "Authentication and authorization").
const (
	MaxSubscribers   = 20  // of a PIM
	MaxSubscriptions = 20  // of a subscriber
	MinSecret        = 16  // characters
	MaxSecret        = 256 // characters
	MaxFilter        = 500 // characters
	MaxHeaders       = 5   // of a subscription's own
)

const maxAnswer = 1 << 20 // bytes: twenty subscriptions with all that they listen to

// Config is what a Client needs.
type Config struct {
	Outbound *outbound.Client
	Base     string // "": DefaultBase
	PIM      string // the PIM's URL, scheme included
	ClientID string // of the PIM's connection, for which "Event Platform" is ticked

	// Token gives an access token of that connection. refused is the one that was just answered 401; "" if there is
	// none.
	Token func(ctx context.Context, refused string) (string, error)
}

// Client speaks for one PIM and one connection. It is safe for concurrent use.
type Client struct{ Config }

// New returns a Client. It fails where no call could be made.
func New(config Config) (*Client, error) {
	if config.Base == "" {
		config.Base = DefaultBase
	}
	for name, address := range map[string]string{"base": config.Base, "PIM": config.PIM} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%s is not an address, as https://HOST", name)
		}
	}
	if config.ClientID == "" {
		return nil, errors.New("the connection has no client_id: put it under pims in the connection secret")
	}
	config.Base = strings.TrimSuffix(config.Base, "/")
	return &Client{Config: config}, nil
}

// idPattern is what may become part of a URL: the platform's own IDs are UUIDs.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// request is one call of the API.
type request struct {
	step   string // for errors: what it is for
	method string
	path   []string
	query  url.Values
	body   any      // nil: none
	secret []string // what must not come back in an error
}

// do makes a call and reads its answer into out (nil: nothing is read). Any 2xx is success: pages and practice differ in
// which one it is.
func (c *Client) do(ctx context.Context, r request, out any) error {
	for i, part := range r.path {
		if i%2 == 1 && !idPattern.MatchString(part) {
			return &Error{Step: r.step, permanent: true, reason: fmt.Sprintf("%q is not an ID of the Event Platform", part)}
		}
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = encode(r.body); err != nil {
			return &Error{Step: r.step, permanent: true, reason: "the request could not be written", cause: err}
		}
	}
	target := c.Base + "/" + strings.Join(r.path, "/")
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	refused := ""
	for {
		token, err := c.Token(ctx, refused)
		if err != nil {
			return fmt.Errorf("%s: %w", r.step, err)
		}
		answer, err := c.Outbound.Do(ctx, outbound.Request{
			Method: r.method, URL: target, Body: body, MaxBody: maxAnswer, KeepErrorBody: true,
			Header: http.Header{
				"X-Pim-Url": {c.PIM}, "X-Pim-Token": {token}, "X-Pim-Client-Id": {c.ClientID},
				"Content-Type": {"application/json"}, "Accept": {"application/json"},
			},
		})
		if err == nil {
			if out != nil && json.Unmarshal(answer.Body, out) != nil {
				return unreadable(r.step, answer.Status)
			}
			return nil
		}
		failed := failure(r.step, err, append(r.secret, token))
		if own, ok := errors.AsType[*Error](failed); ok && own.Status == http.StatusUnauthorized && refused == "" {
			refused = token
			continue
		}
		return failed
	}
}

// unreadable is an answer that says nothing of what was certainly done.
func unreadable(step string, status int) *Error {
	return &Error{Step: step, Status: status, reason: "the Event Platform's answer could not be read: list what is there before trying again"}
}

// encode writes JSON as it was meant: no escapes for HTML.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// SamePIM compares the addresses of two PIMs. The platform may add a slash to the one that it was given.
func SamePIM(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// times are when something was made and last changed. The platform has two spellings, and may leave them out.
type times struct{ created, updated time.Time }

func (t *times) read(text []byte) {
	var both struct {
		Created string `json:"created_at"`
		Updated string `json:"updated_at"`
		Older   string `json:"createdAt"`
		Newer   string `json:"updatedAt"`
	}
	_ = json.Unmarshal(text, &both) // an odd time is no reason to lose the rest
	t.created, t.updated = moment(both.Created, both.Older), moment(both.Updated, both.Newer)
}

func moment(spellings ...string) time.Time {
	for _, text := range spellings {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at
		}
	}
	return time.Time{}
}
