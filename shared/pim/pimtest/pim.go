// Package pimtest is a PIM in memory: its REST API over a believable catalogue, with the limits and the habits of the
// real one (Akeneo: "REST API", "Good practices", "Pagination"), for the local system and for tests. It is the same each
// time it is made.
//
// It is stricter than most PIMs on what a careful client never does, and it forgets everything when the process ends.
package pimtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config is what a PIM needs. All but Now have defaults.
type Config struct {
	Catalogue   *Catalogue   // nil: Goods
	Connections []Connection // none: Connect
	Now         func() time.Time
	Limits      Limits // zero: the documented ones
}

// Connection is who may ask for tokens.
type Connection struct{ ClientID, ClientSecret, Username, Password string }

// Connect is the connection of a PIM that is made without one. It opens nothing outside this process.
var Connect = Connection{ClientID: "1_local", ClientSecret: "local-secret", Username: "pim-functions", Password: "local-password"}

// PIM answers the REST API. It is an http.Handler and safe for concurrent use.
type PIM struct {
	now         func() time.Time
	connections []Connection
	limits      Limits
	mux         *http.ServeMux

	mu         sync.Mutex
	catalogue  *state
	access     access
	faults     faults
	extensions extensionsState
	calls      []Call

	executions []Execution
	launchForm LaunchForm
	onLaunch   func(Execution)
	started    []Started
}

// Call is one request as the PIM saw it.
type Call struct {
	Method    string
	Path      string
	Query     map[string][]string
	Body      []byte
	Status    int
	At        time.Time
	Throttled bool
}

// New returns a PIM.
func New(config Config) *PIM {
	if config.Catalogue == nil {
		config.Catalogue = Goods(config.Now())
	}
	if len(config.Connections) == 0 {
		config.Connections = []Connection{Connect}
	}
	p := &PIM{now: config.Now, connections: config.Connections, limits: config.Limits.orDocumented(), catalogue: newState(config.Catalogue)}
	p.access.tokens, p.access.users = map[string]time.Time{}, map[string]string{}
	p.faults = faults{hidden: map[string]bool{}, lagging: map[string]int{}, stale: map[string]*stale{}, rights: map[string]Right{}, drafts: map[string]bool{}, viewLocales: map[string]bool{}}
	p.mux = p.routes()
	return p
}

// routes are the calls that this PIM knows.
func (p *PIM) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/oauth/v1/token", p.serveToken)
	open := func(pattern string, answer func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, answer) })
	}
	open("GET /api/rest/v1/products-uuid", p.listEntities(products))
	open("GET /api/rest/v1/products-uuid/{id}", p.getEntity(products))
	open("GET /api/rest/v1/product-models", p.listEntities(models))
	open("GET /api/rest/v1/product-models/{id}", p.getEntity(models))
	mux.HandleFunc("PATCH /api/rest/v1/products-uuid", p.patchEntities(products))
	mux.HandleFunc("PATCH /api/rest/v1/products-uuid/{id}", p.patchEntity(products))
	mux.HandleFunc("PATCH /api/rest/v1/product-models", p.patchEntities(models))
	mux.HandleFunc("PATCH /api/rest/v1/product-models/{id}", p.patchEntity(models))
	for _, direction := range []string{"export", "import"} {
		mux.HandleFunc("POST /api/rest/v1/jobs/"+direction+"/{code}", p.launch(direction))
	}
	mux.HandleFunc("POST /api/rest/v1/workflows/executions", p.startWorkflows)
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		open("GET /api/rest/v1/"+resources[name].path, p.listResource(name))
		if one := resources[name].one; one != "" {
			open("GET /api/rest/v1/"+one, p.getResource(name))
		}
	}
	open("GET /api/rest/v1/measurement-families", func(*http.Request) (any, error) { return p.catalogue.MeasurementFamilies, nil })
	mux.HandleFunc("GET /api/rest/v1/media-files/{code...}", p.serveMedia)
	open("GET /api/rest/v1/system-information", func(*http.Request) (any, error) {
		return map[string]string{"version": "20260801000000", "edition": "Serenity"}, nil
	})
	open("GET /api/rest/v1/token-info", func(*http.Request) (any, error) {
		return map[string]string{"client_id": p.connections[0].ClientID}, nil
	})
	p.extensionRoutes(mux)
	open("/", func(*http.Request) (any, error) {
		return nil, &refusal{status: http.StatusNotFound, Message: "Not found."}
	})
	return mux
}

// ServeHTTP answers one call, within the limits and faults that are set.
func (p *PIM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := &recorder{ResponseWriter: w, status: http.StatusOK}
	w.Header().Set("Date", p.now().UTC().Format(http.TimeFormat))
	call := Call{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), At: p.now()}
	leave, refused := p.enter(r)
	defer leave()
	if refused != nil {
		call.Throttled = refused.status == http.StatusTooManyRequests
		refused.write(recorder)
	} else if p.loses(r) {
		p.mux.ServeHTTP(lost{http.Header{}}, r)
		(&refusal{status: http.StatusGatewayTimeout, Message: "Gateway timeout"}).write(recorder)
	} else {
		p.mux.ServeHTTP(recorder, r)
	}
	call.Status = recorder.status
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
	if len(p.calls) > maxCalls {
		p.calls = slices.Clone(p.calls[len(p.calls)-maxCalls/2:])
	}
}

// maxCalls is how many calls are kept; the oldest go.
const maxCalls = 20_000

// Calls are the calls so far whose path begins with prefix.
func (p *PIM) Calls(prefix string) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Call
	for _, call := range p.calls {
		if strings.HasPrefix(call.Path, prefix) {
			found = append(found, call)
		}
	}
	return found
}

// serve answers a call of the REST API whose token is good.
func (p *PIM) serve(w http.ResponseWriter, r *http.Request, answer func(*http.Request) (any, error)) {
	if refused := p.authorize(r); refused != nil {
		refused.write(w)
		return
	}
	if accept := r.Header.Get("Accept"); accept != "" && accept != "application/json" && !strings.Contains(accept, "*/*") {
		(&refusal{status: http.StatusNotAcceptable, Message: `"` + accept + `" in "Accept" header is not valid. Only "application/json" is allowed.`}).write(w)
		return
	}
	p.mu.Lock()
	body, err := answer(r)
	p.mu.Unlock()
	if err != nil {
		refused, ok := err.(*refusal)
		if !ok {
			refused = &refusal{status: http.StatusInternalServerError, Message: "Internal server error"}
		}
		refused.write(w)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

// refusal is an error that the PIM answers with.
type refusal struct {
	status     int
	retryAfter string
	Message    string
	Errors     []violation
	documented bool
}

type violation struct {
	Property  string `json:"property"`
	Message   string `json:"message"`
	Attribute string `json:"attribute,omitempty"`
	Locale    any    `json:"locale"`
	Scope     any    `json:"scope"`
}

func (r *refusal) Error() string { return r.Message }

// body is a refusal in one of its three forms (Akeneo: "Responses").
func (r *refusal) body() map[string]any {
	body := map[string]any{"code": r.status, "message": r.Message}
	if r.documented {
		body["message"] = r.Message + " Check the expected format on the API documentation."
		body["_links"] = map[string]any{"documentation": map[string]string{"href": "https://api.akeneo.com/api-reference.html"}}
	}
	if len(r.Errors) > 0 {
		body["errors"] = r.Errors
	}
	return body
}

func (r *refusal) write(w http.ResponseWriter) {
	if r.retryAfter != "" {
		w.Header().Set("Retry-After", r.retryAfter)
	}
	writeJSON(w, r.status, r.body())
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // cannot happen: the catalogue came from JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the caller is gone
}

// lost is where an answer goes that nobody gets.
type lost struct{ header http.Header }

func (l lost) Header() http.Header            { return l.header }
func (l lost) Write(text []byte) (int, error) { return len(text), nil }
func (l lost) WriteHeader(int)                {}

// recorder keeps the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
