package platformtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/platformapi"
)

func (a *API) listSubscribers(r *http.Request) (any, int, *refused) {
	list := []any{}
	for _, s := range a.subscribers {
		if s.status != platformapi.Deleted && s.client == clientOf(r) {
			list = append(list, a.showSubscriber(s))
		}
	}
	return list, http.StatusOK, nil
}

func (a *API) createSubscriber(r *http.Request) (any, int, *refused) {
	s := &subscriber{id: a.id("5b"), status: platformapi.Active, client: clientOf(r), at: a.Now()}
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
	if !a.Merge {
		changed.Contact = platformapi.Contact{}
	}
	changed.Contact.Channels = slices.Clone(changed.Contact.Channels)
	if no := read(r, &changed); no != nil {
		return nil, 0, no
	}
	if no := checkContact(changed.Contact); no != nil {
		return nil, 0, no
	}
	s.SubscriberRequest = changed
	return a.showSubscriber(s), http.StatusOK, nil
}

func (a *API) deleteSubscriber(r *http.Request) (any, int, *refused) {
	s, no := a.subscriber(r)
	if no != nil {
		return nil, 0, no
	}
	s.status = platformapi.Deleted
	for _, one := range a.subscriptions {
		if one.subscriber == s.id {
			one.status = platformapi.Deleted
		}
	}
	return a.showSubscriber(s), http.StatusOK, nil
}

func (a *API) listLogs(r *http.Request) (any, int, *refused) {
	items := []any{}
	for _, one := range slices.Backward(a.logs) {
		if asked := r.URL.Query().Get("subscription_id"); asked != "" && asked != one.subscription {
			continue
		}
		items = append(items, map[string]any{
			"log_id": "f32a1b1a-98df-4d5c-9e93-75e213678b3e", "log_type": one.kind, "timestamp": one.at.Format(time.RFC3339Nano), "subscriber_id": "",
			"subscription_id": one.subscription, "error_type": "failed delivery", "error_reason": one.reason, "error_code": one.code, "error_message": one.message,
		})
	}
	return map[string]any{"items": items}, http.StatusOK, nil
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
		Events     []string `json:"events"`
		Filter     *string  `json:"filter"`
		Identifier *bool    `json:"send_product_identifier"`
		Config     *struct {
			URL    string `json:"url"`
			Secret struct {
				Primary   string          `json:"primary"`
				Secondary json.RawMessage `json:"secondary"`
			} `json:"secret"`
			Headers json.RawMessage `json:"headers"`
		} `json:"config"`
	}
	if no := read(r, &change); no != nil {
		return nil, 0, no
	}
	changed := s.SubscriptionRequest
	if change.Events != nil {
		changed.Events = change.Events
	}
	if change.Filter != nil {
		changed.Filter = *change.Filter
	}
	if change.Identifier != nil {
		changed.Identifier = *change.Identifier
	}
	if to := change.Config; to != nil {
		if !a.Merge {
			changed.Config = platformapi.Destination{}
		}
		changed.Config.URL, changed.Config.Secret.Primary = to.URL, to.Secret.Primary
		if second := to.Secret.Secondary; second != nil { // else the one that is there stays
			changed.Config.Secret.Secondary = ""
			if json.Unmarshal(second, &changed.Config.Secret.Secondary) != nil || string(second) == `""` {
				return nil, 0, &refused{http.StatusBadRequest, "a secret has the wrong length"}
			}
		}
		if to.Headers != nil {
			changed.Config.Headers = nil
			if json.Unmarshal(to.Headers, &changed.Config.Headers) != nil {
				return nil, 0, &refused{http.StatusBadRequest, "headers are no object"}
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
	for _, s := range a.subscriptions {
		if s.id == r.PathValue("subscription") && s.status == platformapi.Deleted {
			return nil, 0, &refused{http.StatusConflict, "the subscription is deleted"}
		}
	}
	s, no := a.subscription(r)
	if no != nil {
		return nil, 0, no
	}
	s.status = platformapi.Active
	return a.showSubscription(s), http.StatusAccepted, nil
}

func (a *API) subscriber(r *http.Request) (*subscriber, *refused) {
	for _, s := range a.subscribers {
		switch {
		case s.id != r.PathValue("subscriber") || s.status == platformapi.Deleted:
		case s.client != clientOf(r):
			return nil, &refused{http.StatusForbidden, "Not allowed to perform this action"}
		default:
			return s, nil
		}
	}
	return nil, &refused{http.StatusNotFound, "no such subscriber"}
}

func (a *API) subscription(r *http.Request) (*subscription, *refused) {
	if _, no := a.subscriber(r); no != nil {
		return nil, no
	}
	for _, s := range a.subscriptions {
		if s.id == r.PathValue("subscription") && s.subscriber == r.PathValue("subscriber") && s.status != platformapi.Deleted {
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
	case slices.Contains(c.Channels, "webhook") && !public(c.WebhookURL):
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
	case !public(s.Config.URL):
		return &refused{http.StatusBadRequest, "config.url must be https"}
	case !long(s.Config.Secret.Primary) || s.Config.Secret.Secondary != "" && !long(s.Config.Secret.Secondary):
		return &refused{http.StatusBadRequest, "a secret has the wrong length: " + s.Config.Secret.Primary}
	case strings.Contains(s.Config.Secret.Primary+s.Config.Secret.Secondary, redactedMark):
		return &refused{http.StatusBadRequest, "a redacted secret was written back"}
	case utf8.RuneCountInString(s.Filter) > platformapi.MaxFilter || strings.Contains(s.Filter, "'"):
		return &refused{http.StatusBadRequest, "the filter is not valid"}
	case len(s.Config.Headers) > platformapi.MaxHeaders:
		return &refused{http.StatusBadRequest, "too many headers"}
	}
	for name, value := range s.Config.Headers {
		if !headerName.MatchString(name) || forbidden.MatchString(name) || !headerValue.MatchString(value) || strings.Contains(value, redactedMark) {
			return &refused{http.StatusBadRequest, "header " + name + " is not valid"}
		}
	}
	for _, event := range s.Events {
		if !slices.Contains(platformapi.Types(), event) {
			return &refused{http.StatusBadRequest, "unknown event type " + event}
		}
	}
	return nil
}

// Rules of a subscription's own headers (Akeneo: "Event Platform", "Concepts").
var (
	headerName  = regexp.MustCompile(`^[a-zA-Z0-9-]{1,128}$`)
	headerValue = regexp.MustCompile(`^[ -~]{0,256}$`)
	forbidden   = regexp.MustCompile(`(?i)^(content-type|user-agent|x-correlation-id|host|authorization|cookie|x-akeneo-signature-.*)$`)
)

const redactedMark = "***redacted***"

// clientOf is the connection that a request names, which was held against its token.
func clientOf(r *http.Request) string { return r.Header.Get("X-PIM-CLIENT-ID") }

// public says whether the platform can send to an address: over HTTPS, and within the local system on this machine.
func public(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://localhost:")
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
	secret := map[string]string{"primary": redactedMark}
	if s.Config.Secret.Secondary != "" {
		secret["secondary"] = redactedMark
	}
	settings := map[string]any{"url": s.Config.URL, "secret": secret}
	shown := map[string]any{"id": s.id, "subscriber_id": s.subscriber, "source": s.Source, "type": s.Type, "status": s.status, "events": s.Events, "config": settings}
	if len(s.Config.Headers) > 0 {
		headers := map[string]string{}
		for name := range s.Config.Headers {
			headers[name] = redactedMark
		}
		settings["headers"] = headers
	}
	if s.Filter != "" {
		shown["filter"] = s.Filter
	}
	if s.Identifier {
		shown["send_product_identifier"] = true
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
