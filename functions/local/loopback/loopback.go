// Package loopback is what the pages of this machine share: they answer to this machine alone, load nothing from
// anybody else, and speak JSON. Nothing of it is on AWS.
package loopback

import (
	"io/fs"
	"net"
	"net/http"
	"strings"
)

// Guard answers this machine alone, and gives each answer the headers of a page that loads nothing from anybody else.
// Frames is the origin whose pages may be embedded; "": none.
func Guard(frames string, next http.Handler) http.Handler {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if frames != "" {
		policy += "; frame-src " + frames
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !own(r) {
			Refuse(w, http.StatusForbidden, "forbidden", "This page and its routes answer to this machine alone.")
			return
		}
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// own reports whether a request comes from this machine's own page, or from no page. The Host shows a name that was
// made to resolve to this machine (DNS rebinding), the Origin another page.
func own(r *http.Request) bool {
	switch Host(r) {
	case "localhost", "127.0.0.1", "::1":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	return (origin == "" || origin == "http://"+r.Host) && r.Header.Get("Sec-Fetch-Site") != "cross-site"
}

// Host is the name that a request was sent to, without its port.
func Host(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.Trim(host, "[]")
}

// contentTypes of the pages' files, by what their names end in.
var contentTypes = map[string]string{
	"html": "text/html; charset=utf-8",
	"css":  "text/css; charset=utf-8",
	"js":   "text/javascript; charset=utf-8",
}

// File serves one file. It panics if the file is not there: the files are embedded.
func File(files fs.FS, name string) http.HandlerFunc {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	contentType := contentTypes[name[strings.LastIndexByte(name, '.')+1:]]
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(text)
	}
}
