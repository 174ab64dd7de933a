package eventplatformtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/eventplatform"
)

func (a *API) createSubscription(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Source  string      `json:"source"`
		Subject string      `json:"subject"`
		Events  []string    `json:"events"`
		Type    string      `json:"type"`
		Config  Destination `json:"config"`
	}
	subscriber := a.subscriber(w, r)
	if subscriber == nil || !read(w, r, &body) {
		return
	}
	there := slices.DeleteFunc(slices.Clone(a.subscriptions), func(s *Subscription) bool {
		return s.Subscriber != subscriber.ID || (s.Status != eventplatform.Active && s.Status != eventplatform.Suspended)
	})
	switch problem := wrongSubscription(body.Events, body.Config); {
	case body.Source != "pim" || body.Type != "https" || !eventplatform.SamePIM(body.Subject, a.PIM):
		refuse(w, http.StatusBadRequest, "source, type or subject is not valid")
	case problem != "":
		refuse(w, http.StatusBadRequest, problem)
	case len(there) >= eventplatform.MaxSubscriptions:
		refuse(w, http.StatusConflict, "the limit of subscriptions is reached")
	default:
		s := &Subscription{ID: a.id(), Subscriber: subscriber.ID, Status: eventplatform.Active, Events: body.Events, Config: body.Config, At: a.Now()}
		a.subscriptions = append(a.subscriptions, s)
		answer(w, http.StatusCreated, a.showSubscription(s))
	}
}

// updateSubscription replaces what is sent, config as a whole: the hardest that the vendor's pages leave open.
func (a *API) updateSubscription(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Events []string     `json:"events"`
		Config *Destination `json:"config"`
	}
	s := a.subscription(w, r)
	if s == nil || !read(w, r, &body) {
		return
	}
	changed := *s
	if body.Events != nil {
		changed.Events = body.Events
	}
	if body.Config != nil {
		changed.Config = *body.Config
	}
	if problem := wrongSubscription(changed.Events, changed.Config); problem != "" {
		refuse(w, http.StatusBadRequest, problem)
		return
	}
	*s = changed
	answer(w, http.StatusOK, a.showSubscription(s))
}

func wrongSubscription(events []string, to Destination) string {
	for _, name := range events {
		if !eventplatform.Known(name) {
			return fmt.Sprintf("events: %q is not a known event type", name)
		}
	}
	switch {
	case len(events) == 0:
		return "events is required"
	case !strings.HasPrefix(to.URL, "https://"):
		return "config.url must be https"
	case wrongSecret(to.Secret.Primary):
		return "config.secret.primary must have 16 to 256 characters"
	case to.Secret.Secondary != nil && wrongSecret(*to.Secret.Secondary):
		return "config.secret.secondary must have 16 to 256 characters"
	}
	return ""
}

func (a *API) suspend(w http.ResponseWriter, r *http.Request) {
	a.move(w, r, eventplatform.Suspended)
}
func (a *API) resume(w http.ResponseWriter, r *http.Request) { a.move(w, r, eventplatform.Active) }

// move changes the status of a subscription that is not gone.
func (a *API) move(w http.ResponseWriter, r *http.Request, status string) {
	s := a.subscription(w, r)
	switch {
	case s == nil:
	case s.Status != eventplatform.Active && s.Status != eventplatform.Suspended:
		refuse(w, http.StatusConflict, "the subscription is "+s.Status)
	default:
		s.Status = status
		answer(w, http.StatusAccepted, a.showSubscription(s))
	}
}
