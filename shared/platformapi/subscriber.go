package platformapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// What a subscriber or a subscription can be. The list is open.
const (
	Active    = "active"
	Suspended = "suspended" // subscriptions alone: nothing is sent, and what happens meanwhile is lost
	Deleted   = "deleted"
	Revoked   = "revoked" // its connection is gone
)

// Subscriber is who listens to a PIM: one per PIM and connection.
type Subscriber struct {
	ID        string
	Name      string
	Subject   string // the PIM's URL
	Status    string
	Contact   Contact
	CreatedAt time.Time // zero if the platform did not say
	UpdatedAt time.Time
}

// Contact is whom the platform tells of suspensions (Akeneo: "Event Platform", "Notification webhooks").
type Contact struct {
	TechnicalEmail string   `json:"technical_email"`
	Channels       []string `json:"notification_channels,omitempty"` // email, webhook; none: email
	WebhookURL     string   `json:"notification_webhook_url,omitempty"`
	WebhookSecret  string   `json:"notification_webhook_secret,omitempty"` // never comes back
}

// SubscriberRequest is what a subscriber is made from.
type SubscriberRequest struct {
	Name    string  `json:"name"`
	Contact Contact `json:"contact"`
}

// UnmarshalJSON takes both spellings of the times.
func (s *Subscriber) UnmarshalJSON(text []byte) error {
	var read struct {
		ID      string  `json:"id"`
		Name    string  `json:"name"`
		Subject string  `json:"subject"`
		Status  string  `json:"status"`
		Contact Contact `json:"contact"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	var at times
	at.read(text)
	*s = Subscriber{ID: read.ID, Name: read.Name, Subject: read.Subject, Status: read.Status, Contact: read.Contact, CreatedAt: at.created, UpdatedAt: at.updated}
	return nil
}

// ListSubscribers lists the connection's subscribers, revoked ones included.
func (c *Client) ListSubscribers(ctx context.Context) ([]Subscriber, error) {
	var list []Subscriber
	err := c.do(ctx, request{step: stepListSubscribers, method: http.MethodGet, path: []string{"subscribers"}}, &list)
	return list, err
}

// CreateSubscriber makes a subscriber. Nothing stops it from making a second one of the same name.
func (c *Client) CreateSubscriber(ctx context.Context, s SubscriberRequest) (Subscriber, error) {
	var made Subscriber
	err := c.do(ctx, request{step: stepCreateSubscriber, method: http.MethodPost, path: []string{"subscribers"}, body: s, secret: s.Contact.secrets()}, &made)
	if err == nil && made.ID == "" {
		return made, unreadable(stepCreateSubscriber, http.StatusOK)
	}
	return made, err
}

// UpdateContact replaces a subscriber's contact. Send it whole, its secret too: whether the platform would merge a part
// of it is not documented.
func (c *Client) UpdateContact(ctx context.Context, id string, contact Contact) error {
	body := struct {
		Contact Contact `json:"contact"`
	}{contact}
	return c.do(ctx, request{step: stepUpdateSubscriber, method: http.MethodPatch, path: []string{"subscribers", id}, body: body, secret: contact.secrets()}, nil)
}

// DeleteSubscriber ends a subscriber and all its subscriptions for good. One that is gone already is no error.
func (c *Client) DeleteSubscriber(ctx context.Context, id string) error {
	return unlessGone(c.do(ctx, request{step: stepDeleteSubscriber, method: http.MethodDelete, path: []string{"subscribers", id}}, nil))
}

// secrets of a contact: what is nobody's business in a log.
func (c Contact) secrets() []string { return []string{c.TechnicalEmail, c.WebhookSecret} }
