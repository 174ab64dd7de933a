package local

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

//go:embed page
var page embed.FS

// liveEvery is how often the page's stream looks for something new.
const liveEvery = 250 * time.Millisecond

// ServeHTTP sends a request where API Gateway would, or to the page. It is no http.ServeMux, which redirects paths
// that are unclean: API Gateway never does.
func (s *System) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	below := func(route string) bool { return path == route || strings.HasPrefix(path, route+"/") }
	switch {
	case below("/actions"):
		s.action.ServeHTTP(w, r)
	case below("/iframe"):
		s.iframe.ServeHTTP(w, r)
	case below("/contentful"):
		s.contentful.ServeHTTP(w, r)
	case below("/data"):
		s.data.ServeHTTP(w, r)
	case path == "/" || path == "/style.css" || path == "/app.js" || strings.HasPrefix(path, "/_local/"):
		s.control.ServeHTTP(w, r)
	case below("/events-api"):
		s.eventsAPI.ServeHTTP(w, r)
	default: // as on AWS: a mistyped path must not suspend a subscription
		s.eventPlatform.ServeHTTP(w, r)
	}
}

// controlRoutes are those of this machine alone. A page of another origin must neither use nor read them, whatever
// its name resolves to.
func (s *System) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", asset("index.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /app.js", asset("app.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /_local/state", s.serveState)
	mux.HandleFunc("GET /_local/live", s.serveLive)
	mux.HandleFunc("POST /_local/press/{extension}", s.servePress)
	mux.HandleFunc("POST /_local/events", s.serveEvents)
	mux.HandleFunc("POST /_local/appaction/{action}", s.serveAppAction)
	mux.HandleFunc("POST /_local/redrive", s.serveRedrive)
	mux.HandleFunc("POST /_local/wake", s.serveWake)
	mux.HandleFunc("POST /_local/switch", s.serveSwitch)
	mux.Handle("/_local/destination/", s.destination)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "not_found", "There is nothing at this address.")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !own(r) {
			refuse(w, http.StatusForbidden, "forbidden", "This page and its routes answer to this machine alone.")
			return
		}
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// own says whether a request comes from this machine's own page, or from no page. The Host tells a name that was
// made to resolve to us (DNS rebinding), the Origin another page.
func own(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	switch strings.Trim(host, "[]") {
	case "localhost", "127.0.0.1", "::1":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	return (origin == "" || origin == "http://"+r.Host) && r.Header.Get("Sec-Fetch-Site") != "cross-site"
}

func asset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, err := page.ReadFile("page/" + name)
		if err != nil {
			panic(err) // cannot happen: it is embedded
		}
		w.Header().Set("Content-Type", contentType)
		w.Write(text)
	}
}

func (s *System) serveState(w http.ResponseWriter, r *http.Request) {
	state, err := s.State(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	respond(w, state)
}

// serveLive is a stream of server-sent events: all that the page shows, whenever something of it has changed.
func (s *System) serveLive(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	ticker := time.NewTicker(liveEvery)
	defer ticker.Stop()
	for last := ""; ; {
		view, err := s.View(r.Context())
		if err != nil {
			s.log.Error("page cannot be made", "reason", "view_failed", "error", err.Error())
			return
		}
		text, err := json.Marshal(view)
		if err != nil {
			s.log.Error("page cannot be made", "reason", "view_failed", "error", err.Error())
			return
		}
		if string(text) != last {
			last = string(text)
			if _, err := fmt.Fprintf(w, "data: %s\n\n", last); err != nil {
				return
			}
			http.NewResponseController(w).Flush()
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-s.stopping:
			return
		}
	}
}

func (s *System) servePress(w http.ResponseWriter, r *http.Request) {
	extension, known := s.config.Extensions[r.PathValue("extension")]
	if !known || extension.Type != "action" {
		refuse(w, http.StatusNotFound, "not_found", "There is no such button.")
		return
	}
	var press Press
	if !read(w, r, &press) {
		return
	}
	pressed, err := s.Press(r.Context(), extension, press)
	if err != nil {
		refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	respond(w, pressed)
}

func (s *System) serveEvents(w http.ResponseWriter, r *http.Request) {
	var sending Sending
	if !read(w, r, &sending) {
		return
	}
	sent, err := s.SendEvents(r.Context(), sending)
	if err != nil {
		refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	respond(w, sent)
}

// serveRedrive moves the dead letters that are there now back to their queues. Those that fail again meanwhile stay.
func (s *System) serveRedrive(w http.ResponseWriter, r *http.Request) {
	var moved int
	for _, redrive := range []queue.Redrive{
		{Letters: s.letters, Work: s.jobs, Now: time.Now},
		{Letters: s.eventLetters, Work: s.events, Attributes: map[string]string{engine.RedriveAttribute: "1"}, Now: time.Now},
	} {
		done, err := redrive.Run(r.Context())
		if err != nil {
			refuse(w, http.StatusInternalServerError, "internal", err.Error())
			return
		}
		moved += done.Moved
	}
	s.log.Info("dead letters redriven", "moved", moved)
	respond(w, map[string]int{"moved": moved})
}

// serveWake sends a message for each job that waits, so that nobody at the page has to. The one that was sent with a
// delay comes as well: a second message is harmless.
func (s *System) serveWake(w http.ResponseWriter, r *http.Request) {
	all, err := s.allJobs(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	var messages []queue.Message
	for _, job := range all {
		if job.State == jobs.Waiting {
			messages = append(messages, jobs.Message(job.ID))
		}
	}
	if err := s.jobs.Send(r.Context(), messages...); err != nil {
		refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	respond(w, map[string]int{"woken": len(messages)})
}

func (s *System) serveSwitch(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Mode Mode `json:"mode"`
	}
	if !read(w, r, &asked) {
		return
	}
	if err := s.destination.Switch(asked.Mode); err != nil {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	s.log.Info("destination switched", "mode", string(asked.Mode))
	respond(w, asked)
}

// read decodes a small JSON body strictly; no body is an empty one. It answers what it cannot read.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return false
	}
	return true
}

func respond(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(text)
}

// refuse answers in the form of package web's refusals.
func refuse(w http.ResponseWriter, status int, code, message string) {
	text, err := json.Marshal(struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
		Error   string `json:"error"`
	}{false, message, code})
	if err != nil {
		panic(err) // cannot happen: a bool and two strings
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}
