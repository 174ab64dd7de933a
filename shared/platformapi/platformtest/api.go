// Package platformtest is the Event Platform's management API in memory, with the token route of the PIM that it
// belongs to: for tests and for the local system. It behaves as the vendor documents, redacts secrets as the platform does, and quotes in its
// refusals what a careless one would.
package platformtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// Base is where the management API begins.
const Base = "/api/v1"

// Config is what an API needs.
type Config struct {
	Credential pim.Credential // of the only connection, unless Client is set

	// Client says which connection has a token, by its client ID, where the tokens are another's: a PIM's.
	Client func(token string) (id string, known bool)

	Unticked  bool          // the connection may not use the Event Platform
	TokenLife time.Duration // 0: an hour
	Older     bool          // times are spelled as in 2024, and the PIM's URL gets a slash
	Success   int           // status of every success; 0: the documented ones
	Merge     bool          // an update merges the members of config and contact; else it replaces them as a whole
	Silent    bool          // changes are answered 204, without a body
	Now       func() time.Time
}

// API is an http.Handler. It is safe for concurrent use.
type API struct {
	Config
	mux *http.ServeMux

	mu            sync.Mutex
	url           string // the PIM's
	tokens        map[string]time.Time
	made          int // IDs and tokens
	subscribers   []*subscriber
	subscriptions []*subscription
	logs          []log
	requests      []string
	fail          func(*http.Request) int
}

type subscriber struct {
	id, status, client string
	at                 time.Time
	platformapi.SubscriberRequest
}

type subscription struct {
	id, subscriber, status string
	at                     time.Time
	platformapi.SubscriptionRequest
}

// log is an entry of the logs.
type log struct {
	subscription, kind, reason, message string
	code                                int
	at                                  time.Time
}

// refused is an answer that is not a 2xx.
type refused struct {
	status  int
	message string
}

// New returns an API where nobody has subscribed.
func New(config Config) *API {
	a := &API{Config: config, mux: http.NewServeMux(), tokens: map[string]time.Time{}}
	a.mux.HandleFunc("POST /api/oauth/v1/token", a.token)
	const one, many = Base + "/subscribers/{subscriber}", Base + "/subscribers/{subscriber}/subscriptions"
	for pattern, work := range map[string]func(*http.Request) (any, int, *refused){
		"GET " + Base + "/subscribers":            a.listSubscribers,
		"POST " + Base + "/subscribers":           a.createSubscriber,
		"PATCH " + one:                            a.updateSubscriber,
		"DELETE " + one:                           a.deleteSubscriber,
		"GET " + Base + "/logs":                   a.listLogs,
		"GET " + many:                             a.listSubscriptions,
		"POST " + many:                            a.createSubscription,
		"PATCH " + many + "/{subscription}":       a.updateSubscription,
		"DELETE " + many + "/{subscription}":      a.deleteSubscription,
		"POST " + many + "/{subscription}/resume": a.resume,
	} {
		a.mux.HandleFunc(pattern, a.managed(work))
	}
	return a
}

// At says at which URL the PIM is.
func (a *API) At(url string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.url = url
}

// Expire ends all access tokens.
func (a *API) Expire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens)
}

// Fail answers the requests of the management API with what fail says: a status; 0: as if there were no fail.
func (a *API) Fail(fail func(*http.Request) int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = fail
}

// Set gives a status to a subscription; "": to all of them.
func (a *API) Set(id, status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.subscriptions {
		if id == "" || s.id == id {
			s.status = status
		}
	}
}

// AddSubscriber makes a subscriber as somebody else would, and returns its ID.
func (a *API) AddSubscriber(name, status string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addSubscriber(name, status, a.Credential.ClientID)
}

// AddSubscriberOf makes a subscriber as another connection of the PIM would, and returns its ID.
func (a *API) AddSubscriberOf(client, name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addSubscriber(name, platformapi.Active, client)
}

func (a *API) addSubscriber(name, status, client string) string {
	s := &subscriber{id: a.id("5b"), status: status, client: client, at: a.Now()}
	s.Name, s.Contact.TechnicalEmail = name, "somebody@example.com"
	a.subscribers = append(a.subscribers, s)
	return s.id
}

// Hold holds a connection's subscriber with its subscriptions, as if it had made them.
func (a *API) Hold(client string, request platformapi.SubscriberRequest, subscriptions ...platformapi.SubscriptionRequest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &subscriber{id: a.id("5b"), status: platformapi.Active, client: client, at: a.Now(), SubscriberRequest: request}
	a.subscribers = append(a.subscribers, s)
	for _, one := range subscriptions {
		a.subscriptions = append(a.subscriptions, &subscription{id: a.id("5c"), subscriber: s.id, status: platformapi.Active, at: a.Now(), SubscriptionRequest: one})
	}
}

// AddSubscription makes a subscription as somebody else would, and returns its ID.
func (a *API) AddSubscription(owner, url string, events ...string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &subscription{id: a.id("5c"), subscriber: owner, status: platformapi.Active, at: a.Now()}
	s.SubscriptionRequest = platformapi.NewSubscription(a.url, events, platformapi.Destination{URL: url})
	a.subscriptions = append(a.subscriptions, s)
	return s.id
}

// Adorn gives all subscriptions a filter and a header of their own.
func (a *API) Adorn(filter, header string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.subscriptions {
		s.Filter, s.Config.Headers = filter, map[string]string{header: "set-by-hand"}
	}
}

// Change changes a subscription as somebody does behind our back.
func (a *API) Change(id string, change func(*platformapi.SubscriptionRequest)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.subscriptions {
		if s.id == id {
			change(&s.SubscriptionRequest)
		}
	}
}

// Log writes an entry of the logs about a delivery that failed, as the platform does before it suspends a subscription.
func (a *API) Log(subscription, reason, message string, code int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logs = append(a.logs, log{subscription: subscription, kind: "error", reason: reason, message: message, code: code, at: a.Now()})
}

// Held is one subscriber or subscription as the platform holds it, secrets included.
type Held struct {
	ID, Status, Client, Subscriber string // Subscriber: its ID; "" of a subscriber itself
	Name                           string
	Contact                        platformapi.Contact
	Subscription                   platformapi.SubscriptionRequest
}

// All are all subscribers, then all subscriptions, those that were deleted left out.
func (a *API) All() []Held {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Held
	for _, s := range a.subscribers {
		if s.status != platformapi.Deleted {
			all = append(all, Held{ID: s.id, Status: s.status, Client: s.client, Name: s.Name, Contact: s.Contact})
		}
	}
	for _, s := range a.subscriptions {
		if s.status != platformapi.Deleted {
			all = append(all, Held{ID: s.id, Status: s.status, Subscriber: s.subscriber, Subscription: s.SubscriptionRequest})
		}
	}
	return all
}

// Subscribers lists what was asked for, secrets included.
func (a *API) Subscribers() []platformapi.SubscriberRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []platformapi.SubscriberRequest
	for _, s := range a.subscribers {
		list = append(list, s.SubscriberRequest)
	}
	return list
}

// Subscriptions lists what was asked for, secrets included.
func (a *API) Subscriptions() []platformapi.SubscriptionRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []platformapi.SubscriptionRequest
	for _, s := range a.subscriptions {
		list = append(list, s.SubscriptionRequest)
	}
	return list
}

// Requests lists the method and path of all requests of the management API, in order.
func (a *API) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Writes are those of Requests that change something.
func (a *API) Writes() []string {
	return slices.DeleteFunc(a.Requests(), func(call string) bool { return strings.HasPrefix(call, http.MethodGet+" ") })
}

// ServeHTTP implements http.Handler. Requests are worked one after the other.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mux.ServeHTTP(w, r)
}

// token is the PIM's token route, for the password grant.
func (a *API) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	var body struct {
		Grant    string `json:"grant_type"`
		Username string `json:"username"`
		Password string `json:"password"`
	}
	own := a.Credential
	switch {
	case read(r, &body) != nil || body.Grant != "password":
		answer(w, http.StatusBadRequest, map[string]any{"code": 400, "message": "Invalid grant_type parameter or parameter missing"})
		return
	case id != own.ClientID || secret != own.ClientSecret:
		answer(w, http.StatusUnprocessableEntity, map[string]any{"code": 422, "message": `Parameter "client_id" is missing or does not match any client, or secret is invalid`})
		return
	case body.Username != own.Username || body.Password != own.Password:
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "Invalid username and password combination"})
		return
	}
	life := a.TokenLife
	if life == 0 {
		life = time.Hour
	}
	token := a.id("T0PSECRET-access-token")
	a.tokens[token] = a.Now().Add(life)
	answer(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": int(life / time.Second), "token_type": "bearer"})
}

// managed is a route of the management API.
func (a *API) managed(work func(*http.Request) (any, int, *refused)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.requests = append(a.requests, r.Method+" "+r.URL.Path)
		if a.fail != nil {
			if status := a.fail(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		no := a.proven(r)
		var body any
		var status int
		if no == nil {
			body, status, no = work(r)
		}
		switch {
		case no != nil:
			answer(w, no.status, map[string]any{"errors": []any{map[string]string{"message": no.message}}})
		case a.Silent && (r.Method == http.MethodPatch || r.Method == http.MethodDelete || status == http.StatusAccepted):
			w.WriteHeader(http.StatusNoContent)
		case a.Success != 0:
			answer(w, a.Success, body)
		default:
			answer(w, status, body)
		}
	}
}

// client is the connection that has a token.
func (a *API) client(token string) (id string, known bool) {
	if a.Client != nil {
		return a.Client(token)
	}
	ends, known := a.tokens[token]
	return a.Credential.ClientID, known && a.Now().Before(ends)
}

// proven says what is wrong with a request's headers.
func (a *API) proven(r *http.Request) *refused {
	client, known := a.client(r.Header.Get("X-PIM-TOKEN"))
	switch {
	case !known, r.Header.Get("X-PIM-CLIENT-ID") != client, !platformapi.SamePIM(r.Header.Get("X-PIM-URL"), a.url):
		return &refused{http.StatusUnauthorized, "the token is not valid for this PIM and client"}
	case a.Unticked:
		return &refused{http.StatusForbidden, "the connection may not use the Event Platform"}
	case r.ContentLength != 0 && r.Header.Get("Content-Type") != "application/json":
		return &refused{http.StatusBadRequest, "the body is not JSON"}
	}
	return nil
}

// id is one that was not given before.
func (a *API) id(prefix string) string {
	a.made++
	return fmt.Sprintf("%s-%012d", prefix, a.made)
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("platformtest: %v", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
