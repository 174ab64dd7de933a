package pimtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a PIM. A zero field is the documented limit (Akeneo: "Good practices", "Authentication").
type Limits struct {
	AtOnce    int           // calls of the connection; 4
	PerSecond int           // calls; 100
	TokenLife time.Duration // 1 h
}

func (l Limits) orDocumented() Limits {
	if l.AtOnce == 0 {
		l.AtOnce = 4
	}
	if l.PerSecond == 0 {
		l.PerSecond = 100
	}
	if l.TokenLife == 0 {
		l.TokenLife = time.Hour
	}
	return l
}

// access is who may call, and who calls now.
type access struct {
	tokens   map[string]time.Time // when each ends
	users    map[string]string    // of each token
	refresh  map[string]bool
	atOnce   int
	mostAt   int
	second   int64 // Unix
	inSecond int
}

// faults are what a test breaks on purpose.
type faults struct {
	throttle   int    // so many calls from now on are answered 429
	retryAfter string // with this header; "": none
	failing    []failing
	losing     []failing       // carried out, and answered by a gateway that has waited too long
	hidden     map[string]bool // ids that the connection may not see
	lagging    map[string]int  // ids that lists miss for so many more lists
	stale      map[string]*stale
	foreign    bool // links name another host
	emptyLists bool // empty maps are written []

	rights      map[string]Right // by id; others are owned
	drafts      map[string]bool  // ids of which the connection's user has a draft
	viewLocales map[string]bool
	cut         int // so many answers to batches end after cutAfter bytes
	cutAfter    int
}

// failing is a fault of calls whose path begins with prefix.
type failing struct {
	prefix string
	status int
	body   string
	times  int
}

// enter lets a call in, or refuses it. leave ends it.
func (p *PIM) enter(r *http.Request) (leave func(), refused *refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access.atOnce++
	p.access.mostAt = max(p.access.mostAt, p.access.atOnce)
	leave = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.access.atOnce--
	}
	if second := p.now().Unix(); second != p.access.second {
		p.access.second, p.access.inSecond = second, 0
	}
	p.access.inSecond++
	switch {
	case p.faults.throttle > 0:
		p.faults.throttle--
		return leave, &refusal{status: http.StatusTooManyRequests, retryAfter: p.faults.retryAfter, Message: "You have exceeded the limit of API requests per second."}
	case p.access.atOnce > p.limits.AtOnce:
		return leave, &refusal{status: http.StatusTooManyRequests, Message: "You have exceeded the limit of concurrent API requests."}
	case p.access.inSecond > p.limits.PerSecond:
		return leave, &refusal{status: http.StatusTooManyRequests, retryAfter: "1", Message: "You have exceeded the limit of API requests per second."}
	}
	for i := range p.faults.failing {
		if f := &p.faults.failing[i]; f.times > 0 && strings.HasPrefix(r.URL.Path, f.prefix) {
			f.times--
			return leave, &refusal{status: f.status, Message: f.body}
		}
	}
	return leave, nil
}

// MostAtOnce is the most calls that were under way at the same time.
func (p *PIM) MostAtOnce() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.access.mostAt
}

// Throttle answers the next so many calls 429, with a Retry-After header if it is not "".
func (p *PIM) Throttle(calls int, retryAfter string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.throttle, p.faults.retryAfter = calls, retryAfter
}

// Fail answers the next so many calls whose path begins with prefix with a status.
func (p *PIM) Fail(prefix string, status, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.failing = append(p.faults.failing, failing{prefix: prefix, status: status, body: http.StatusText(status), times: times})
}

// Lose carries out the next so many calls whose path begins with prefix, and gives the answer of a gateway that has waited
// too long.
func (p *PIM) Lose(prefix string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.losing = append(p.faults.losing, failing{prefix: prefix, times: times})
}

// loses says whether the answer to a call is lost.
func (p *PIM) loses(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.faults.losing {
		if f := &p.faults.losing[i]; f.times > 0 && strings.HasPrefix(r.URL.Path, f.prefix) {
			f.times--
			return true
		}
	}
	return false
}

// Hide keeps products and models from the connection, as permissions do; hidden false shows them again.
func (p *PIM) Hide(hidden bool, ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.faults.hidden[id] = hidden
	}
}

// Lag lets the next so many lists miss a product or model, as a search index does after a write.
func (p *PIM) Lag(id string, lists int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.lagging[id] = lists
}

// ForeignLinks writes links with another host, as a PIM behind a proxy does.
func (p *PIM) ForeignLinks(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.foreign = on
}

// EmptyLists writes [] for empty maps, as PHP does.
func (p *PIM) EmptyLists(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.emptyLists = on
}

// Revoke ends all tokens before their time.
func (p *PIM) Revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.access.tokens)
}

// serveToken grants tokens by password and by refresh (RFC 6749, 4.3 and 6).
func (p *PIM) serveToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ask struct {
		Grant    string `json:"grant_type"`
		Username string `json:"username"`
		Password string `json:"password"`
		Refresh  string `json:"refresh_token"`
	}
	id, secret, _ := r.BasicAuth()
	known := slices.IndexFunc(p.connections, func(c Connection) bool { return c.ClientID == id && c.ClientSecret == secret })
	switch {
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		(&refusal{status: http.StatusUnsupportedMediaType, Message: "The content type is not supported."}).write(w)
		return
	case known < 0:
		(&refusal{status: http.StatusUnprocessableEntity, Message: `Parameter "client_id" is missing or does not match any client, or secret is invalid`}).write(w)
		return
	case json.NewDecoder(r.Body).Decode(&ask) != nil:
		(&refusal{status: http.StatusBadRequest, Message: "Invalid json message received"}).write(w)
		return
	}
	switch {
	case ask.Grant == "password" && ask.Username == p.connections[known].Username && ask.Password == p.connections[known].Password:
	case ask.Grant == "refresh_token" && p.access.refresh[ask.Refresh]:
		delete(p.access.refresh, ask.Refresh)
	default:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "Invalid username and password combination"})
		return
	}
	token, refresh := random(), random()
	p.access.tokens[token] = p.now().Add(p.limits.TokenLife)
	p.access.users[token] = p.connections[known].Username
	if p.access.refresh == nil {
		p.access.refresh = map[string]bool{}
	}
	p.access.refresh[refresh] = true
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "expires_in": int(p.limits.TokenLife.Seconds()), "token_type": "bearer", "scope": nil, "refresh_token": refresh,
	})
}

// Client says which connection has a token, by its client ID: as the Event Platform asks the PIM.
func (p *PIM) Client(token string) (id string, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ends, given := p.access.tokens[token]; !given || !p.now().Before(ends) {
		return "", false
	}
	at := slices.IndexFunc(p.connections, func(c Connection) bool { return c.Username == p.access.users[token] })
	return p.connections[at].ClientID, true
}

// authorize checks a call's token.
func (p *PIM) authorize(r *http.Request) *refusal {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	defer p.mu.Unlock()
	if ends, known := p.access.tokens[token]; !ok || !known || !p.now().Before(ends) {
		return &refusal{status: http.StatusUnauthorized, Message: "The access token provided is invalid."}
	}
	return nil
}

func random() string {
	var bytes [24]byte
	_, _ = rand.Read(bytes[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(bytes[:])
}

// number reads a query parameter that must be a positive number.
func number(r *http.Request, name string, otherwise int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("%q is not a valid %s number.", text, name)}
	}
	return n, nil
}
