package platformtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/platformapi"
)

func (a *API) listSubscribers(*http.Request) (any, int, *refused) {
	list := []any{}
	for _, s := range a.subscribers {
		if s.status != platformapi.Deleted {
			list = append(list, a.showSubscriber(s))
		}
	}
	return list, http.StatusOK, nil
}

func (a *API) createSubscriber(r *http.Request) (any, int, *refused) {
	s := &subscriber{id: a.id("5b"), status: platformapi.Active, at: a.Now()}
	if no := read(r, &s.SubscriberRequest); no != nil {
		return nil, 0, no
	}
	if no := checkContact(s.Contact); no != nil {
		return nil, 0, no
	}
	if s.Name == "" {
		return nil, 0, &refused{http.StatusBadRequest, "name is missing"}
	}
	there := 0
	for _, other := range a.subscribers {
		if other.status == platformapi.Active {
			there++
		}
	}
	if there >= platformapi.MaxSubscribers {
		return nil, 0, &refused{http.StatusConflict, "the maximum number of subscribers is reached"}
	}
	a.subscribers = append(a.subscribers, s)
	return a.showSubscriber(s), http.StatusCreated, nil
}

func (a *API) updateSubscriber(r *http.Request) (any, int, *refused) {
	s, no := a.subscriber(r)
	if no != nil {
		return nil, 0, no
	}
	changed := s.SubscriberRequest
	changed.Contact = platformapi.Contact{} // whether it merges is not documented: this one does not
	if no := read(r, &changed); no != nil {
		return nil, 0, no
	}
	if no := checkContact(changed.Contact); no != nil {
		return nil, 0, no
	}
	s.SubscriberRequest = changed
	return a.showSubscriber(s), http.StatusOK, nil
}

func (a *API) listSubscriptions(r *http.Request) (any, int, *refused) {
	owner, no := a.subscriber(r)
	if no != nil {
		return nil, 0, no
	}
	list := []any{}
	for _, s := range a.subscriptions {
		if s.subscriber == owner.id && s.status != platformapi.Deleted {
			list = append(list, a.showSubscription(s))
		}
	}
	return list, http.StatusOK, nil
}

func (a *API) createSubscription(r *http.Request) (any, int, *refused) {
	owner, no := a.subscriber(r)
	if no != nil {
		return nil, 0, no
	}
	s := &subscription{id: a.id("5c"), subscriber: owner.id, status: platformapi.Active, at: a.Now()}
	if no := read(r, &s.SubscriptionRequest); no != nil {
		return nil, 0, no
	}
	there := 0
	for _, other := range a.subscriptions {
		if other.subscriber == owner.id && other.status != platformapi.Deleted {
			there++
		}
	}
	if no := a.check(s.SubscriptionRequest); no != nil {
		return nil, 0, no
	}
	if there >= platformapi.MaxSubscriptions {
		return nil, 0, &refused{http.StatusConflict, "the maximum number of subscriptions is reached"}
	}
	a.subscriptions = append(a.subscriptions, s)
	return a.showSubscription(s), http.StatusCreated, nil
}

func (a *API) updateSubscription(r *http.Request) (any, int, *refused) {
	s, no := a.subscription(r)
	if no != nil {
		return nil, 0, no
	}
	var change struct {
		Events []string `json:"events"`
		Config *struct {
			URL    string `json:"url"`
			Secret struct {
				Primary   string          `json:"primary"`
				Secondary json.RawMessage `json:"secondary"`
			} `json:"secret"`
		} `json:"config"`
	}
	if no := read(r, &change); no != nil {
		return nil, 0, no
	}
	changed := s.SubscriptionRequest
	if change.Events != nil {
		changed.Events = change.Events
	}
	if change.Config != nil {
		changed.Config.URL, changed.Config.Secret.Primary = change.Config.URL, change.Config.Secret.Primary
		if second := change.Config.Secret.Secondary; second != nil { // else the one that is there stays
			changed.Config.Secret.Secondary = ""
			if json.Unmarshal(second, &changed.Config.Secret.Secondary) != nil || string(second) == `""` {
				return nil, 0, &refused{http.StatusBadRequest, "a secret has the wrong length"}
			}
		}
	}
	if no := a.check(changed); no != nil {
		return nil, 0, no
	}
	s.SubscriptionRequest = changed
	return a.showSubscription(s), http.StatusOK, nil
}

func (a *API) deleteSubscription(r *http.Request) (any, int, *refused) {
	s, no := a.subscription(r)
	if no != nil {
		return nil, 0, no
	}
	s.status = platformapi.Deleted
	return a.showSubscription(s), http.StatusOK, nil
}

func (a *API) resume(r *http.Request) (any, int, *refused) {
	s, no := a.subscription(r)
	switch {
	case no != nil:
		return nil, 0, no
	case s.status == platformapi.Deleted:
		return nil, 0, &refused{http.StatusConflict, "the subscription is deleted"}
	}
	s.status = platformapi.Active
	return a.showSubscription(s), http.StatusAccepted, nil
}

func (a *API) subscriber(r *http.Request) (*subscriber, *refused) {
	for _, s := range a.subscribers {
		if s.id == r.PathValue("subscriber") {
			return s, nil
		}
	}
	return nil, &refused{http.StatusNotFound, "no such subscriber"}
}

func (a *API) subscription(r *http.Request) (*subscription, *refused) {
	for _, s := range a.subscriptions {
		if s.id == r.PathValue("subscription") && s.subscriber == r.PathValue("subscriber") {
			return s, nil
		}
	}
	return nil, &refused{http.StatusNotFound, "no such subscription"}
}

func read(r *http.Request, into any) *refused {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if decoder.Decode(into) != nil {
		return &refused{http.StatusBadRequest, "the body is not what it should be"}
	}
	return nil
}

func checkContact(c platformapi.Contact) *refused {
	switch {
	case !strings.Contains(c.TechnicalEmail, "@"):
		return &refused{http.StatusBadRequest, fmt.Sprintf("technical_email %s is not an e-mail address", c.TechnicalEmail)}
	case slices.Contains(c.Channels, "webhook") && !strings.HasPrefix(c.WebhookURL, "https://"):
		return &refused{http.StatusBadRequest, "notification_webhook_url must be https"}
	case slices.Contains(c.Channels, "webhook") && !long(c.WebhookSecret):
		return &refused{http.StatusBadRequest, fmt.Sprintf("notification_webhook_secret %s has the wrong length", c.WebhookSecret)}
	}
	return nil
}

func (a *API) check(s platformapi.SubscriptionRequest) *refused {
	switch {
	case s.Source != "pim" || s.Type != "https" || len(s.Events) == 0:
		return &refused{http.StatusBadRequest, "source, type or events are missing"}
	case !platformapi.SamePIM(s.Subject, a.url):
		return &refused{http.StatusBadRequest, "subject is another PIM"}
	case !strings.HasPrefix(s.Config.URL, "https://"):
		return &refused{http.StatusBadRequest, "config.url must be https"}
	case !long(s.Config.Secret.Primary) || s.Config.Secret.Secondary != "" && !long(s.Config.Secret.Secondary):
		return &refused{http.StatusBadRequest, "a secret has the wrong length: " + s.Config.Secret.Primary}
	}
	for _, event := range s.Events {
		if !slices.Contains(platformapi.Types(), event) {
			return &refused{http.StatusBadRequest, "unknown event type " + event}
		}
	}
	return nil
}

func long(secret string) bool {
	return len(secret) >= platformapi.MinSecret && len(secret) <= platformapi.MaxSecret
}

func (a *API) showSubscriber(s *subscriber) map[string]any {
	contact := map[string]any{"technical_email": s.Contact.TechnicalEmail}
	if len(s.Contact.Channels) > 0 {
		contact["notification_channels"] = s.Contact.Channels
	}
	if s.Contact.WebhookURL != "" {
		contact["notification_webhook_url"] = s.Contact.WebhookURL
	}
	return a.dated(map[string]any{"id": s.id, "name": s.Name, "status": s.status, "contact": contact}, s.at)
}

func (a *API) showSubscription(s *subscription) map[string]any {
	secret := map[string]string{"primary": "***redacted***"}
	if s.Config.Secret.Secondary != "" {
		secret["secondary"] = "***redacted***"
	}
	settings := map[string]any{"url": s.Config.URL, "secret": secret}
	shown := map[string]any{"id": s.id, "subscriber_id": s.subscriber, "source": s.Source, "type": s.Type, "status": s.status, "events": s.Events, "config": settings}
	if s.header != "" {
		settings["headers"] = map[string]string{s.header: "***redacted***"}
	}
	if s.filter != "" {
		shown["filter"] = s.filter
	}
	return a.dated(shown, s.at)
}

// dated adds the times and the PIM's URL in the chosen spelling.
func (a *API) dated(object map[string]any, at time.Time) map[string]any {
	created, updated, subject := "created_at", "updated_at", a.url
	if a.Older {
		created, updated, subject = "createdAt", "updatedAt", a.url+"/"
	}
	object[created], object[updated], object["subject"] = at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano), subject
	return object
}
