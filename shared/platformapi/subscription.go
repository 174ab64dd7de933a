package platformapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Subscription is what a subscriber listens to and where it is sent.
type Subscription struct {
	ID         string
	Subscriber string // ID
	Subject    string // the PIM's URL
	Status     string
	Type       string // https, pubsub, kafka
	URL        string // of type https
	Events     []string
	Filter     string
	Identifier bool      // events of products carry the product's identifier
	Headers    []string  // names of its own headers; their values never come back
	Secondary  bool      // it has a second secret
	CreatedAt  time.Time // zero if the platform did not say
	UpdatedAt  time.Time
}

// Secret is what the platform signs deliveries with: 16 to 256 characters each. With an empty Secondary a subscription
// has one secret alone: a new one is made without it, and an update takes the one away that is there.
type Secret struct {
	Primary   string `json:"primary"`
	Secondary string `json:"secondary,omitempty"`
}

// Destination is where a subscription of type https sends to, and how it proves who it is. It is sent whole or not at
// all: whether the platform would merge a part of it is not documented, and what it gave out is redacted.
type Destination struct {
	URL    string `json:"url"`
	Secret Secret `json:"secret"`

	// Headers are added to what is sent: at most 5, names of letters, digits and -, values of plain characters (Akeneo:
	// "Event Platform", "Concepts"). With none a subscription is made without any; an update takes those away that are there.
	Headers map[string]string `json:"headers,omitempty"`
}

// SubscriptionRequest is what a subscription of type https is made from.
type SubscriptionRequest struct {
	Source  string      `json:"source"` // pim
	Subject string      `json:"subject"`
	Events  []string    `json:"events"` // full types: the platform knows no wildcards
	Type    string      `json:"type"`   // https
	Config  Destination `json:"config"`

	Filter     string `json:"filter,omitempty"`                  // of at most 500 characters
	Identifier bool   `json:"send_product_identifier,omitempty"` // events of products carry the product's identifier
}

// NewSubscription is the request for a subscription of a PIM's events, sent to a URL.
func NewSubscription(pim string, events []string, to Destination) SubscriptionRequest {
	return SubscriptionRequest{Source: "pim", Subject: pim, Events: events, Type: "https", Config: to}
}

// SubscriptionChange is what an update changes. What is nil stays as it is.
type SubscriptionChange struct {
	Events     []string
	Filter     *string // "": none
	Identifier *bool
	Config     *Destination
}

// UnmarshalJSON takes both spellings of the times, and leaves what is redacted behind.
func (s *Subscription) UnmarshalJSON(text []byte) error {
	var read struct {
		ID         string   `json:"id"`
		Subscriber string   `json:"subscriber_id"`
		Subject    string   `json:"subject"`
		Status     string   `json:"status"`
		Type       string   `json:"type"`
		Events     []string `json:"events"`
		Filter     string   `json:"filter"`
		Identifier bool     `json:"send_product_identifier"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	var settings struct {
		Config struct {
			URL     string          `json:"url"`
			Headers json.RawMessage `json:"headers"`
			Secret  struct {
				Secondary string `json:"secondary"`
			} `json:"secret"`
		} `json:"config"`
	}
	_ = json.Unmarshal(text, &settings) // other types have other settings
	*s = Subscription{
		ID: read.ID, Subscriber: read.Subscriber, Subject: read.Subject, Status: read.Status, Type: read.Type, URL: settings.Config.URL,
		Events: read.Events, Filter: read.Filter, Identifier: read.Identifier, Headers: names(settings.Config.Headers), Secondary: settings.Config.Secret.Secondary != "",
	}
	var at times
	at.read(text)
	s.CreatedAt, s.UpdatedAt = at.created, at.updated
	return nil
}

// ListSubscriptions lists a subscriber's subscriptions, suspended ones included.
func (c *Client) ListSubscriptions(ctx context.Context, subscriber string) ([]Subscription, error) {
	var list []Subscription
	err := c.do(ctx, request{step: stepListSubscriptions, method: http.MethodGet, path: subscriptions(subscriber)}, &list)
	return list, err
}

// CreateSubscription makes a subscription. It begins to send after several minutes.
func (c *Client) CreateSubscription(ctx context.Context, subscriber string, s SubscriptionRequest) (Subscription, error) {
	var made Subscription
	err := c.do(ctx, request{step: stepCreateSubscription, method: http.MethodPost, path: subscriptions(subscriber), body: s, secret: s.Config.secrets()}, &made)
	if err == nil && made.ID == "" {
		return made, unreadable(stepCreateSubscription, http.StatusOK)
	}
	return made, err
}

// UpdateSubscription changes a subscription. It takes several minutes to reach what sends.
func (c *Client) UpdateSubscription(ctx context.Context, subscriber, id string, change SubscriptionChange) error {
	var secrets []string
	if change.Config != nil {
		secrets = change.Config.secrets()
	}
	return c.do(ctx, request{step: stepUpdateSubscription, method: http.MethodPatch, path: subscriptions(subscriber, id), body: change, secret: secrets}, nil)
}

// MarshalJSON writes the body of an update. Where there is no second secret it says null, which the platform's schema
// allows: left out, the old one might stay, and go on proving after a rotation. It says null of headers likewise.
func (c SubscriptionChange) MarshalJSON() ([]byte, error) {
	type secret struct {
		Primary   string  `json:"primary"`
		Secondary *string `json:"secondary"`
	}
	type destination struct {
		URL     string            `json:"url"`
		Secret  secret            `json:"secret"`
		Headers map[string]string `json:"headers"`
	}
	body := struct {
		Events     []string     `json:"events,omitempty"`
		Filter     *string      `json:"filter,omitempty"`
		Identifier *bool        `json:"send_product_identifier,omitempty"`
		Config     *destination `json:"config,omitempty"`
	}{Events: c.Events, Filter: c.Filter, Identifier: c.Identifier}
	if to := c.Config; to != nil {
		body.Config = &destination{URL: to.URL, Secret: secret{Primary: to.Secret.Primary}, Headers: to.Headers}
		if len(to.Headers) == 0 {
			body.Config.Headers = nil
		}
		if to.Secret.Secondary != "" {
			body.Config.Secret.Secondary = &to.Secret.Secondary
		}
	}
	return encode(body)
}

// ResumeSubscription lets a suspended subscription send again, from now on. The platform may revoke one that is
// resumed again and again while its cause remains (Akeneo: "Event Platform", "Key platform behaviors").
func (c *Client) ResumeSubscription(ctx context.Context, subscriber, id string) error {
	path := append(subscriptions(subscriber, id), "resume")
	return c.do(ctx, request{step: stepResume, method: http.MethodPost, path: path}, nil)
}

// DeleteSubscription ends a subscription for good. One that is gone already is no error.
func (c *Client) DeleteSubscription(ctx context.Context, subscriber, id string) error {
	return unlessGone(c.do(ctx, request{step: stepDeleteSubscription, method: http.MethodDelete, path: subscriptions(subscriber, id)}, nil))
}

func subscriptions(subscriber string, id ...string) []string {
	return append([]string{"subscribers", subscriber, "subscriptions"}, id...)
}

// secrets of a destination: its own, and the values of its headers.
func (d Destination) secrets() []string {
	return append(slices.Collect(maps.Values(d.Headers)), d.Secret.Primary, d.Secret.Secondary)
}
