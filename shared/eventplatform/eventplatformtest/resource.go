package eventplatformtest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/eventplatform"
)

const redacted = "***redacted***"

// Subscriber is what was made, with the secret that no answer holds.
type Subscriber struct {
	ID, Name, Status string
	Contact          eventplatform.Contact
	At               time.Time
}

// Subscription is what was made, with the secrets that no answer holds.
type Subscription struct {
	ID, Subscriber, Status string
	Events                 []string
	Config                 Destination
	At                     time.Time
}

// Destination is config of a subscription of type https.
type Destination struct {
	URL     string            `json:"url"`
	Secret  Secret            `json:"secret"`
	Headers map[string]string `json:"headers"`
}

// Secret is secret of config. Secondary is left out or a whole secret: an empty one is too short.
type Secret struct {
	Primary   string  `json:"primary"`
	Secondary *string `json:"secondary"`
}

// Subscribers lists what is there.
func (a *API) Subscribers() []Subscriber {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.subscribers)
}

// Subscriptions lists what is there.
func (a *API) Subscriptions() []Subscription {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.subscriptions)
}

func values[T any](pointers []*T) []T {
	list := make([]T, len(pointers))
	for i, p := range pointers {
		list[i] = *p
	}
	return list
}

// AddSubscriber makes a subscriber without a request, whatever the limits, and gives its ID.
func (a *API) AddSubscriber(s Subscriber) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ID, s.At = a.id(), a.Now()
	if s.Status == "" {
		s.Status = eventplatform.Active
	}
	a.subscribers = append(a.subscribers, &s)
	return s.ID
}

// AddSubscription makes a subscription without a request, whatever the limits, and gives its ID.
func (a *API) AddSubscription(s Subscription) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.ID, s.At = a.id(), a.Now()
	if s.Status == "" {
		s.Status = eventplatform.Active
	}
	a.subscriptions = append(a.subscriptions, &s)
	return s.ID
}

// SetStatus makes a subscriber or a subscription what it was not.
func (a *API) SetStatus(id, status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.subscribers {
		if s.ID == id {
			s.Status = status
		}
	}
	for _, s := range a.subscriptions {
		if s.ID == id {
			s.Status = status
		}
	}
}

func (a *API) subscriber(w http.ResponseWriter, r *http.Request) *Subscriber {
	for _, s := range a.subscribers {
		if s.ID == r.PathValue("id") && s.Status != eventplatform.Deleted {
			return s
		}
	}
	refuse(w, http.StatusNotFound, "no such subscriber")
	return nil
}

func (a *API) subscription(w http.ResponseWriter, r *http.Request) *Subscription {
	for _, s := range a.subscriptions {
		if s.ID == r.PathValue("sid") && s.Subscriber == r.PathValue("id") {
			return s
		}
	}
	refuse(w, http.StatusNotFound, "no such subscription")
	return nil
}

func (a *API) showSubscriber(s *Subscriber) any {
	contact := s.Contact
	contact.WebhookSecret = ""
	return a.stamp(map[string]any{"id": s.ID, "name": s.Name, "status": s.Status, "contact": contact}, s.At)
}

func (a *API) showSubscription(s *Subscription) any {
	secret := map[string]any{"primary": redacted}
	if s.Config.Secret.Secondary != nil {
		secret["secondary"] = redacted
	}
	config := map[string]any{"url": s.Config.URL, "secret": secret}
	if len(s.Config.Headers) > 0 {
		headers := map[string]string{}
		for name := range s.Config.Headers {
			headers[name] = redacted
		}
		config["headers"] = headers
	}
	return a.stamp(map[string]any{"id": s.ID, "subscriber_id": s.Subscriber, "source": "pim", "type": "https", "status": s.Status, "events": s.Events, "config": config}, s.At)
}

func (a *API) listSubscribers(w http.ResponseWriter, _ *http.Request) {
	list := []any{}
	for _, s := range a.subscribers {
		if s.Status != eventplatform.Deleted {
			list = append(list, a.showSubscriber(s))
		}
	}
	answer(w, http.StatusOK, list)
}

func (a *API) listSubscriptions(w http.ResponseWriter, r *http.Request) {
	if a.subscriber(w, r) == nil {
		return
	}
	list := []any{}
	for _, s := range a.subscriptions {
		if s.Subscriber == r.PathValue("id") && (s.Status == eventplatform.Active || s.Status == eventplatform.Suspended) {
			list = append(list, a.showSubscription(s))
		}
	}
	answer(w, http.StatusOK, list)
}

func (a *API) getSubscriber(w http.ResponseWriter, r *http.Request) {
	if s := a.subscriber(w, r); s != nil {
		answer(w, http.StatusOK, a.showSubscriber(s))
	}
}

func (a *API) getSubscription(w http.ResponseWriter, r *http.Request) {
	if s := a.subscription(w, r); s != nil {
		answer(w, http.StatusOK, a.showSubscription(s))
	}
}

func (a *API) createSubscriber(w http.ResponseWriter, r *http.Request) {
	var body eventplatform.SubscriberRequest
	if !read(w, r, &body) {
		return
	}
	there := slices.DeleteFunc(slices.Clone(a.subscribers), func(s *Subscriber) bool { return s.Status != eventplatform.Active })
	switch problem := wrongContact(body.Contact); {
	case body.Name == "":
		refuse(w, http.StatusBadRequest, "name is required")
	case problem != "":
		refuse(w, http.StatusBadRequest, problem)
	case len(there) >= eventplatform.MaxSubscribers:
		refuse(w, http.StatusConflict, "the limit of subscribers is reached")
	default:
		s := &Subscriber{ID: a.id(), Name: body.Name, Status: eventplatform.Active, Contact: body.Contact, At: a.Now()}
		a.subscribers = append(a.subscribers, s)
		answer(w, http.StatusCreated, a.showSubscriber(s))
	}
}

// updateSubscriber replaces the contact, but for a secret that is not sent.
func (a *API) updateSubscriber(w http.ResponseWriter, r *http.Request) {
	var body eventplatform.SubscriberRequest
	s := a.subscriber(w, r)
	if s == nil || !read(w, r, &body) {
		return
	}
	if body.Contact.WebhookSecret == "" {
		body.Contact.WebhookSecret = s.Contact.WebhookSecret
	}
	if problem := wrongContact(body.Contact); problem != "" {
		refuse(w, http.StatusBadRequest, problem)
		return
	}
	s.Contact = body.Contact
	if body.Name != "" {
		s.Name = body.Name
	}
	answer(w, http.StatusOK, a.showSubscriber(s))
}

func wrongContact(c eventplatform.Contact) string {
	webhook := slices.Contains(c.Channels, "webhook")
	switch {
	case !strings.Contains(c.TechnicalEmail, "@"):
		return "contact.technical_email is not an e-mail address"
	case webhook && !strings.HasPrefix(c.WebhookURL, "https://"):
		return "contact.notification_webhook_url must be https"
	case webhook && wrongSecret(c.WebhookSecret):
		return "contact.notification_webhook_secret must have 16 to 256 characters"
	}
	return ""
}

func wrongSecret(secret string) bool {
	return len(secret) < eventplatform.MinSecret || len(secret) > eventplatform.MaxSecret
}
