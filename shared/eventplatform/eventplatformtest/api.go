// Package eventplatformtest is the Event Platform's management API in memory, for tests and for trying things out. It has
// the documented limits and refusals, redacts secrets as the platform does, and adds the slash to a PIM's address that
// the platform may add.
package eventplatformtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/eventplatform"
)

// Config is what an API needs.
type Config struct {
	PIM       string // the PIM's URL
	ClientID  string // of the connection
	CamelCase bool   // the times are spelled as in 2024: createdAt
	Now       func() time.Time
}

// API is an http.Handler, for one PIM and one connection. It is safe for concurrent use.
type API struct {
	Config
	mux *http.ServeMux

	mu            sync.Mutex
	tokens        map[string]bool
	issued        int
	ids           int
	subscribers   []*Subscriber
	subscriptions []*Subscription
	requests      []string
	fault         func(*http.Request) Fault
}

// Fault is what goes wrong with a request: Unheard, or the status of an answer to a request that was not worked.
type Fault int

// What can go wrong.
const (
	None    Fault = 0
	Unheard Fault = -1 // it is worked, and its answer is lost
)

// New returns an API that nobody has subscribed at.
func New(config Config) *API {
	a := &API{Config: config, mux: http.NewServeMux(), tokens: map[string]bool{}}
	for route, handle := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /subscribers":                                   a.listSubscribers,
		"POST /subscribers":                                  a.createSubscriber,
		"GET /subscribers/{id}":                              a.getSubscriber,
		"PATCH /subscribers/{id}":                            a.updateSubscriber,
		"GET /subscribers/{id}/subscriptions":                a.listSubscriptions,
		"POST /subscribers/{id}/subscriptions":               a.createSubscription,
		"GET /subscribers/{id}/subscriptions/{sid}":          a.getSubscription,
		"PATCH /subscribers/{id}/subscriptions/{sid}":        a.updateSubscription,
		"POST /subscribers/{id}/subscriptions/{sid}/suspend": a.suspend,
		"POST /subscribers/{id}/subscriptions/{sid}/resume":  a.resume,
	} {
		a.mux.HandleFunc(route, handle)
	}
	return a
}

// Issue makes an access token that is taken until ExpireTokens.
func (a *API) Issue() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.issued++
	token := fmt.Sprintf("access-token-number-%d", a.issued)
	a.tokens[token] = true
	return token
}

// ExpireTokens ends all access tokens.
func (a *API) ExpireTokens() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens)
}

// Issued is how many access tokens there were.
func (a *API) Issued() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued
}

// Break asks fault what goes wrong with each request from now on; nil: nothing does.
func (a *API) Break(fault func(*http.Request) Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = fault
}

// Requests lists the method and path of all requests, in order.
func (a *API) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Writes lists the requests that were not for reading.
func (a *API) Writes() []string {
	return slices.DeleteFunc(a.Requests(), func(request string) bool { return strings.HasPrefix(request, http.MethodGet) })
}

// ServeHTTP implements http.Handler. Requests are worked one after the other.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r.Method+" "+r.URL.Path)
	fault := None
	if a.fault != nil {
		fault = a.fault(r)
	}
	switch {
	case fault == Unheard:
		a.mux.ServeHTTP(deaf{}, r)
		panic(http.ErrAbortHandler)
	case fault != None:
		refuse(w, int(fault), "the detail about the error")
	case !a.tokens[r.Header.Get("X-PIM-TOKEN")] || r.Header.Get("X-PIM-CLIENT-ID") != a.ClientID || !eventplatform.SamePIM(r.Header.Get("X-PIM-URL"), a.PIM):
		refuse(w, http.StatusUnauthorized, "Unauthorized")
	case r.Method != http.MethodGet && r.ContentLength > 0 && r.Header.Get("Content-Type") != "application/json":
		refuse(w, http.StatusBadRequest, "the body is not JSON")
	default:
		a.mux.ServeHTTP(w, r)
	}
}

// deaf is a client that has hung up.
type deaf struct{}

func (deaf) Header() http.Header            { return http.Header{} }
func (deaf) Write(text []byte) (int, error) { return len(text), nil }
func (deaf) WriteHeader(int)                {}

// id is a UUID that the API gives to what is made.
func (a *API) id() string {
	a.ids++
	return fmt.Sprintf("01905a84-a3b7-766e-a49f-%012d", a.ids)
}

// stamp adds what all answers have.
func (a *API) stamp(body map[string]any, at time.Time) map[string]any {
	created, updated := "created_at", "updated_at"
	if a.CamelCase {
		created, updated = "createdAt", "updatedAt"
	}
	body["subject"] = strings.TrimRight(a.PIM, "/") + "/"
	body[created], body[updated] = at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano)
	return body
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"errors": []any{map[string]any{"message": message}}})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("eventplatformtest: %v", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// read decodes a body into out, and answers if it cannot.
func read(w http.ResponseWriter, r *http.Request, out any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		refuse(w, http.StatusBadRequest, "the body is not what was expected: "+err.Error())
		return false
	}
	return true
}
