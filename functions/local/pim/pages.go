package pim

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
	"github.com/pim-functions/pim-functions/shared/senders"
)

//go:embed page
var files embed.FS

func (p *PIM) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", loopback.File(files, "page/index.html"))
	mux.HandleFunc("GET /pim.css", loopback.File(files, "page/pim.css"))
	mux.HandleFunc("GET /pim.js", loopback.File(files, "page/pim.js"))
	mux.HandleFunc("GET /pim", p.serveAll)
	mux.HandleFunc("POST /pim/press/{extension}", p.servePress)
	mux.HandleFunc("POST /pim/token/{extension}", p.serveToken)
	mux.HandleFunc("GET /pim/data/{extension}/{id...}", p.serveData)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		loopback.Refuse(w, http.StatusNotFound, "not_found", "The PIM has nothing at this address.")
	})
	return loopback.Guard(p.config.Frames, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loopback.Host(r) != "127.0.0.1" { // the origin that embedded pages know
			http.Redirect(w, r, p.URL()+"/", http.StatusFound)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// ServeHTTP serves the PIM's REST API, that of its Event Platform, its pages, and what they ask the PIM's server for.
func (p *PIM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, platformtest.Base+"/"):
		p.config.Platform.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/api/"):
		p.config.REST.ServeHTTP(w, r)
	default:
		p.routes.ServeHTTP(w, r)
	}
}

// ByTypeAndName lists extensions in the order in which pages show them: buttons first, since the types' names are in
// that order.
func ByTypeAndName(extensions *config.Config) []config.Extension {
	return slices.SortedFunc(maps.Values(extensions.Extensions), func(a, b config.Extension) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
}

// serveAll tells the page all that the PIM holds.
func (p *PIM) serveAll(w http.ResponseWriter, _ *http.Request) {
	loopback.Respond(w, struct {
		pimtest.Shown
		Extensions []Installed    `json:"extensions"`
		Users      []senders.User `json:"users"`
		Inspector  string         `json:"inspector"` // its address
	}{p.config.REST.Shown(), p.installed(), Users, p.config.Frames})
}

// patience is how long the PIM waits for the answer to a press (Akeneo help, "Action extension").
const patience = 5 * time.Second

// servePress is a button: the PIM's server posts to the function, signed.
func (p *PIM) servePress(w http.ResponseWriter, r *http.Request) {
	extension, ok := p.extension(w, r, "action")
	var press Press
	if !ok || !loopback.Decode(w, r, &press) {
		return
	}
	if len(press.Products)+len(press.Models) > maxItems {
		loopback.Refuse(w, http.StatusBadRequest, "invalid", "The PIM sends at most 500 products and models.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	pressed, err := p.Press(ctx, extension, press)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		loopback.Respond(w, map[string]any{"success": false, "message": "The PIM gave up: no answer within " + patience.String() + "."})
	case err != nil:
		loopback.Refuse(w, http.StatusBadGateway, "not_sent", err.Error())
	default:
		loopback.Respond(w, map[string]any{"success": pressed.Status < 300, "status": pressed.Status, "message": pressed.Message()})
	}
}

// serveToken makes a token for an embedded page.
func (p *PIM) serveToken(w http.ResponseWriter, r *http.Request) {
	extension, ok := p.extension(w, r, "iframe")
	var asked struct {
		User    string  `json:"user"`
		Seconds float64 `json:"seconds"` // until it expires; 0: an hour
	}
	if !ok || !loopback.Decode(w, r, &asked) {
		return
	}
	signing, err := p.config.Signing.Get(r.Context())
	own := p.own(signing, extension)
	if err != nil || len(own.Secrets) == 0 {
		loopback.Refuse(w, http.StatusConflict, "no_secret", "The signing document has no secret for this extension.")
		return
	}
	loopback.Respond(w, map[string]string{"token": senders.Iframe{
		Extension: extension.Name, Secret: own.Secrets[0], User: user(asked.User).UUID,
		At: time.Now(), Life: time.Duration(asked.Seconds * float64(time.Second)),
	}.Token()})
}

// serveData is a data component: the PIM's server gets the data, with the extension's credential.
func (p *PIM) serveData(w http.ResponseWriter, r *http.Request) {
	extension, ok := p.extension(w, r, "data_component")
	if !ok {
		return
	}
	signing, err := p.config.Signing.Get(r.Context())
	if err != nil {
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	sender := senders.Data{Extension: extension.Name, Credential: credential(p.own(signing, extension))}
	status, body, err := p.send(r.Context(), sender.Request(r.PathValue("id")))
	if err != nil {
		loopback.Refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

// extension finds the extension that a path names, or answers.
func (p *PIM) extension(w http.ResponseWriter, r *http.Request, kind string) (config.Extension, bool) {
	extension, known := p.config.Extensions.Extensions[r.PathValue("extension")]
	if !known || extension.Type != kind {
		loopback.Refuse(w, http.StatusNotFound, "not_found", "The PIM has no such extension.")
		return config.Extension{}, false
	}
	return extension, true
}
