// Package contentfultest is Contentful's management API in memory, as far as App Actions need it: for tests and for
// the local system. It behaves as the vendor documents, and as his own client expects it to; how one App Action
// behaves is told by its Script.
package contentfultest

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
)

// Config is what an API needs.
type Config struct {
	Token        string         // the personal token that opens everything
	Organization string         // that the apps belong to
	App          string         // ID of the definition that the organization's routes are about
	Key          *rsa.PublicKey // of that app; nil: it has no access tokens
	TokenLife    time.Duration  // of access tokens; 0: 10 minutes
	Now          func() time.Time
}

// API is an http.Handler. It is safe for concurrent use.
type API struct {
	Config
	mux *http.ServeMux

	mu          sync.Mutex
	actions     []installed
	definitions []contentfulapi.Action
	made        int             // definitions
	apps        map[string]bool // environments that the app is installed in
	secret      string
	calls       []Call
	tokens      map[string]time.Time // access tokens, and their ends
	issued      int
	requests    []string
	free        int // requests before the throttled ones
	throttled   int
	throttle    http.Header
	fault       func(*http.Request) Fault
}

// Script says how an App Action behaves when it is called.
type Script struct {
	Result    any  // JSON of a call that succeeds
	Fails     bool // ends as failed
	Missing   int  // looks at the call that are answered 404, before it is known
	Takes     int  // looks that are answered processing; below 0: it never ends
	WithoutID bool // as in older versions: no ID and no status
	Silent    bool // an ID, and no status
	InSys     bool // as in newer versions: status, result and error in sys
	NoSecret  bool // its app has no signing secret: 409
	Forbidden bool // the caller may not: 403
}

type installed struct {
	environment string
	action      contentfulapi.Action
	script      Script
}

// Call is an App Action that was called.
type Call struct {
	ID          string
	Environment string
	App, Action string
	Parameters  map[string]any
	Looks       int

	script Script
}

// Fault is what goes wrong with a request.
type Fault int

// What can go wrong.
const (
	None    Fault = iota
	Lost          // the request is never seen
	Unheard       // it is worked, and its answer is lost
	Broken        // answered 502
)

// New returns an API without any action.
func New(config Config) *API {
	a := &API{Config: config, mux: http.NewServeMux(), tokens: map[string]time.Time{}}
	const environment = "/spaces/{space}/environments/{environment}"
	const definition = "/organizations/{organization}/app_definitions/{app}"
	a.mux.HandleFunc("GET "+environment+"/actions", a.available)
	a.mux.HandleFunc("POST "+environment+"/app_installations/{app}/access_tokens", a.accessToken)
	a.mux.HandleFunc("POST "+environment+"/app_installations/{app}/actions/{action}/calls", a.call)
	a.mux.HandleFunc("GET "+environment+"/app_installations/{app}/actions/{action}/calls/{call}", a.look)
	a.mux.HandleFunc("GET "+definition+"/actions", a.listDefinitions)
	a.mux.HandleFunc("POST "+definition+"/actions", a.createDefinition)
	a.mux.HandleFunc("PUT "+definition+"/actions/{action}", a.updateDefinition)
	a.mux.HandleFunc("DELETE "+definition+"/actions/{action}", a.deleteDefinition)
	a.mux.HandleFunc("GET "+environment+"/app_installations/{app}", a.installation)
	a.mux.HandleFunc("GET "+definition+"/signing_secret", a.readSecret)
	a.mux.HandleFunc("PUT "+definition+"/signing_secret", a.writeSecret)
	a.mux.HandleFunc("GET /organizations/{organization}/app_actions_categories", a.categories)
	return a
}

// Install makes an App Action available in an environment (SPACE/ENVIRONMENT).
func (a *API) Install(environment string, action contentfulapi.Action, script Script) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.actions = append(a.actions, installed{environment, action, script})
}

// InstallApp installs the app in an environment (SPACE/ENVIRONMENT).
func (a *API) InstallApp(environment string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.apps == nil {
		a.apps = map[string]bool{}
	}
	a.apps[environment] = true
}

// Define adds an App Action to the app as somebody else has done, and returns its ID.
func (a *API) Define(action contentfulapi.Action) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.define(action).ID
}

func (a *API) define(action contentfulapi.Action) contentfulapi.Action {
	a.made++
	action.ID, action.App = fmt.Sprintf("action%d", a.made), a.App
	a.definitions = append(a.definitions, action)
	return action
}

// Definitions are the app's App Actions.
func (a *API) Definitions() []contentfulapi.Action {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.definitions)
}

// Secret is the app's signing secret; "": it has none.
func (a *API) Secret() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.secret
}

// Throttle answers n requests with 429 and these headers, after some more that are worked.
func (a *API) Throttle(after, n int, headers http.Header) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free, a.throttled, a.throttle = after, n, headers
}

// Break asks fault what goes wrong with each request from now on; nil: nothing does.
func (a *API) Break(fault func(*http.Request) Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = fault
}

// RevokeTokens ends all access tokens, before their time.
func (a *API) RevokeTokens() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens)
}

// Calls lists what was called, in order.
func (a *API) Calls() []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Requests lists the method and path of all requests, in order.
func (a *API) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Issued is how many access tokens were given.
func (a *API) Issued() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	fault := None
	if a.fault != nil {
		fault = a.fault(r)
	}
	throttled := fault == None && a.free == 0 && a.throttled > 0
	a.free = max(a.free-1, 0)
	if fault != Lost {
		a.requests = append(a.requests, r.Method+" "+r.URL.Path)
	}
	if throttled {
		a.throttled--
		for name, values := range a.throttle {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
	}
	a.mu.Unlock()
	switch {
	case fault == Lost:
		panic(http.ErrAbortHandler)
	case fault == Broken:
		w.WriteHeader(http.StatusBadGateway)
	case throttled:
		refuse(w, http.StatusTooManyRequests, "RateLimitExceeded", nil)
	case fault == Unheard:
		a.mux.ServeHTTP(deaf{}, r)
		panic(http.ErrAbortHandler)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

// deaf is a client that has hung up.
type deaf struct{}

func (deaf) Header() http.Header            { return http.Header{} }
func (deaf) Write(text []byte) (int, error) { return len(text), nil }
func (deaf) WriteHeader(int)                {}

// proven says whether a request may go on, and answers it if not. An access token opens its environment alone.
func (a *API) proven(w http.ResponseWriter, r *http.Request, environment string) bool {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if a.Token != "" && token == a.Token {
		return true
	}
	ends, known := a.tokens[environment+" "+token]
	if environment != "" && known && a.Now().Before(ends) {
		return true
	}
	refuse(w, http.StatusUnauthorized, "AccessTokenInvalid", nil)
	return false
}

func environmentOf(r *http.Request) string {
	return r.PathValue("space") + "/" + r.PathValue("environment")
}

func refuse(w http.ResponseWriter, status int, id string, details any) {
	answer(w, status, map[string]any{
		"sys": map[string]any{"type": "Error", "id": id}, "message": "what went wrong, in words for developers", "details": details,
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("contentfultest: %v", err))
	}
	w.Header().Set("Content-Type", "application/vnd.contentful.management.v1+json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// page answers with the part of a collection that was asked for.
func page(w http.ResponseWriter, r *http.Request, items []any) {
	skip, limit := 0, 100
	_, _ = fmt.Sscan(r.URL.Query().Get("skip"), &skip)
	_, _ = fmt.Sscan(r.URL.Query().Get("limit"), &limit)
	total := len(items)
	items = items[min(skip, total):min(skip+limit, total)]
	answer(w, http.StatusOK, map[string]any{"sys": map[string]any{"type": "Array"}, "total": total, "skip": skip, "limit": limit, "items": items})
}

// link is a reference to another resource.
func link(kind, id string) any {
	return map[string]any{"sys": map[string]any{"type": "Link", "linkType": kind, "id": id}}
}
