package credential_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	clientSecret = "shop:s3cr%t+value"
	wanted       = "catalogue.write catalogue.read"
)

// shop is a destination that takes tokens, and the server that gives them.
type shop struct {
	*httptest.Server
	mu       sync.Mutex
	now      time.Time
	life     any              // expires_in; nil: not said
	inBody   bool             // the client's credentials are taken in the body alone
	give     http.HandlerFunc // nil: as documented
	take     func(token string) int
	given    int      // tokens
	asked    int      // for tokens
	calls    []string // tokens that calls came with
	valid    map[string]bool
	problems []string
}

func newShop(t *testing.T) *shop {
	s := &shop{now: time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC), life: 3600, valid: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/oauth/token", s.token)
	mux.HandleFunc("/products", s.products)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(func() {
		for _, problem := range s.problems {
			t.Error(problem)
		}
	})
	return s
}

func (s *shop) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.give != nil {
		s.give(w, r)
		return
	}
	_ = r.ParseForm()
	id, secret, inHeader := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if s.inBody {
		id, secret, inHeader = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), true
	}
	w.Header().Set("Content-Type", "application/json")
	if !inHeader || id != "shop" || secret != clientSecret {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"error":"invalid_client","error_description":"unknown: %s"}`, clientSecret)
		return
	}
	if r.Method != http.MethodPost || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") != wanted {
		s.problems = append(s.problems, fmt.Sprintf("asked for a token by %s with %v", r.Method, r.PostForm))
	}
	s.given++
	token := fmt.Sprintf("token-%d", s.given)
	s.valid[token] = true
	answer := map[string]any{"access_token": token, "token_type": "bearer"}
	if s.life != nil {
		answer["expires_in"] = s.life
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *shop) products(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var token string
	_, _ = fmt.Sscanf(r.Header.Get("Authorization"), "Bearer %s", &token)
	s.calls = append(s.calls, token)
	status := http.StatusOK
	if !s.valid[token] {
		status = http.StatusUnauthorized
	}
	if s.take != nil {
		status = s.take(token)
	}
	w.WriteHeader(status)
}

// revoke makes all tokens worthless.
func (s *shop) revoke() { s.valid = map[string]bool{} }

func (s *shop) client() *credential.Client {
	return credential.New(outbound.New(outbound.Config{AllowPrivate: true, Now: func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}}))
}

func (s *shop) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// credential is the client's, with another secret where one is given.
func (s *shop) credential(t *testing.T, secret string) credential.Credential {
	t.Helper()
	document, _ := json.Marshal(map[string]any{"oauth2": map[string]string{"token_url": s.URL + "/oauth/token", "client_id": "shop", "client_secret": secret, "scope": wanted}})
	return parse(t, string(document))
}

func parse(t *testing.T, document string) credential.Credential {
	t.Helper()
	c, err := credential.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put makes one call.
func (s *shop) put(t *testing.T, client *credential.Client, c credential.Credential) error {
	t.Helper()
	_, err := client.Do(t.Context(), c, outbound.Request{Method: http.MethodPut, URL: s.URL + "/products", Body: []byte("{}")})
	return err
}
