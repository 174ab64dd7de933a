package local

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// Simulator plays the PIM in a browser: product pages, a grid, and the extensions of extensions.yaml where the PIM
// would show them. It has an origin of its own, so that an embedded page is as foreign to it as on AWS: the PIM is at
// 127.0.0.1, its extensions are at localhost.
type Simulator struct {
	system    *System
	catalogue *pimtest.Catalogue
	listener  net.Listener
	server    *http.Server
}

//go:embed simulator
var simulatorPage embed.FS

// newSimulator listens, and serves nothing yet.
func newSimulator(system *System, port int) (*Simulator, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken: set PIM_PORT to one that is free, or not at all", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the PIM's pages: %w", err)
	}
	s := &Simulator{system: system, catalogue: pimtest.New(), listener: listener}
	s.server = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	return s, nil
}

// URL is the PIM's origin.
func (s *Simulator) URL() string {
	return "http://127.0.0.1:" + strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port)
}

func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string][2]string{
		"GET /{$}":     {"index.html", "text/html; charset=utf-8"},
		"GET /pim.css": {"pim.css", "text/css; charset=utf-8"},
		"GET /pim.js":  {"pim.js", "text/javascript; charset=utf-8"},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			text, err := simulatorPage.ReadFile("simulator/" + file[0])
			if err != nil {
				panic(err) // cannot happen: it is embedded
			}
			w.Header().Set("Content-Type", file[1])
			w.Write(text)
		})
	}
	mux.HandleFunc("GET /pim", s.servePIM)
	mux.HandleFunc("POST /pim/press/{extension}", s.servePress)
	mux.HandleFunc("POST /pim/token/{extension}", s.serveToken)
	mux.HandleFunc("GET /pim/data/{extension}/{id}", s.serveData)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "not_found", "The PIM has nothing at this address.")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !own(r) {
			refuse(w, http.StatusForbidden, "forbidden", "This page and its routes answer to this machine alone.")
			return
		}
		if name, _, err := net.SplitHostPort(r.Host); err != nil || name != "127.0.0.1" { // the origin that embedded pages know
			http.Redirect(w, r, s.URL()+"/", http.StatusFound)
			return
		}
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src "+
			s.system.BrowserURL()+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// Installed is an extension as the PIM knows it.
type Installed struct {
	Name      string            `json:"name"`
	Type      string            `json:"type"`
	Positions []string          `json:"positions"`
	Label     map[string]string `json:"label"`
	URL       string            `json:"url"` // of a page or a link
	ID        string            `json:"id"`  // of a data component: uuid or code
}

// servePIM tells the page all that the PIM holds.
func (s *Simulator) servePIM(w http.ResponseWriter, _ *http.Request) {
	installed := []Installed{}
	for _, e := range slices.SortedFunc(maps.Values(s.system.config.Extensions), byTypeAndName) {
		if e.Status == "inactive" {
			continue
		}
		one := Installed{Name: e.Name, Type: e.Type, Positions: e.Positions, Label: e.Label, URL: e.URL, ID: e.ID}
		if e.Type == "iframe" {
			one.URL = s.system.BrowserURL() + "/iframe/" + e.Name
		}
		installed = append(installed, one)
	}
	respond(w, struct {
		*pimtest.Catalogue
		Extensions []Installed `json:"extensions"`
		Users      []User      `json:"users"`
		Locales    []string    `json:"locales"`
		Channels   []string    `json:"channels"`
		Desk       string      `json:"desk"`
	}{s.catalogue, installed, users, pimtest.Locales, pimtest.Channels, s.system.BrowserURL()})
}

// servePress is a button: the PIM's server posts to us, signed.
func (s *Simulator) servePress(w http.ResponseWriter, r *http.Request) {
	extension, ok := s.extension(w, r, "action")
	var press Press
	if !ok || !read(w, r, &press) {
		return
	}
	if len(press.Products)+len(press.Models) > mostItems {
		refuse(w, http.StatusBadRequest, "invalid", "The PIM sends at most 500 products and models.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pimPatience)
	defer cancel()
	pressed, err := s.system.Press(ctx, extension, press)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		respond(w, map[string]any{"success": false, "message": "The PIM gave up: no answer within " + pimPatience.String() + "."})
	case err != nil:
		refuse(w, http.StatusBadGateway, "not_sent", err.Error())
	default:
		respond(w, map[string]any{"success": pressed.Status < 300, "status": pressed.Status, "message": pressed.Message()})
	}
}

// pimPatience is how long the PIM waits for the answer to a press (Akeneo help, "Action extension").
const pimPatience = 5 * time.Second

// serveToken signs a JWT for an embedded page, as the PIM does: times are fractions of seconds.
func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	extension, ok := s.extension(w, r, "iframe")
	var asked struct {
		User    string  `json:"user"`
		Seconds float64 `json:"seconds"` // until it expires; 0: an hour
	}
	if !ok || !read(w, r, &asked) {
		return
	}
	if asked.Seconds == 0 {
		asked.Seconds = time.Hour.Seconds()
	}
	signing, err := s.system.signing.Get(r.Context())
	if err != nil || len(signing.Extensions[extension.Name].Secrets) == 0 {
		refuse(w, http.StatusConflict, "no_secret", "The signing document has no secret for this extension.")
		return
	}
	respond(w, map[string]string{"token": token(signing.Extensions[extension.Name].Secrets[0], user(asked.User), time.Now(), asked.Seconds)})
}

// token is a JWT as the PIM makes it, without a line of the code that verifies it.
func token(secret string, user User, now time.Time, seconds float64) string {
	issued := float64(now.UnixMicro()) / 1e6
	claims, err := json.Marshal(map[string]any{
		"jti": rand.Text(), "iat": json.Number(strconv.FormatFloat(issued, 'f', 6, 64)),
		"exp": json.Number(strconv.FormatFloat(issued+seconds, 'f', 6, 64)), "userId": "1", "userUuid": user.UUID,
	})
	if err != nil {
		panic(err) // cannot happen: strings and numbers
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// serveData is a data component: the PIM's server asks us, with the credential.
func (s *Simulator) serveData(w http.ResponseWriter, r *http.Request) {
	extension, ok := s.extension(w, r, "data_component")
	if !ok {
		return
	}
	status, body, err := s.system.getData(r.Context(), extension.Name, r.PathValue("id"))
	if err != nil {
		refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

// getData sends what the PIM would for a data component.
func (s *System) getData(ctx context.Context, extension, id string) (status int, body []byte, err error) {
	signing, err := s.signing.Get(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("get signing secrets: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/data/"+extension+"/"+url.PathEscape(id), nil)
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	own := signing.Extensions[extension]
	own.Secrets = nil // nothing signs a GET
	prove(request.Header, own, NoMistake, nil)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("ask for data: %w", err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, body, err
}

// extension finds the one that a path names, or answers.
func (s *Simulator) extension(w http.ResponseWriter, r *http.Request, kind string) (config.Extension, bool) {
	extension, known := s.system.config.Extensions[r.PathValue("extension")]
	if !known || extension.Type != kind {
		refuse(w, http.StatusNotFound, "not_found", "The PIM has no such extension.")
		return config.Extension{}, false
	}
	return extension, true
}
