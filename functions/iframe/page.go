package iframe

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html"
	"path"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/web"
)

//go:embed page
var files embed.FS

// scripts are the parts of the page's one script, in the order in which they need each other.
var scripts = []string{"texts.js", "pim.js", "api.js", "surroundings.js", "view.js", "page.js"}

// The page's files. Their names hold a digest of what they hold, so that a browser may keep them for good.
var (
	style  = newFile("page.css", "text/css; charset=utf-8", source("page.css"))
	script = newFile("page.js", "text/javascript; charset=utf-8", joined(scripts))
)

// file is one that the page loads.
type file struct {
	name    string // with the digest
	kind    string // its content type
	text    []byte
	gzipped []byte // API Gateway does not compress
}

func newFile(name, kind string, text []byte) file {
	digest := sha256.Sum256(text)
	ext := path.Ext(name)
	return file{
		name: strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(digest[:6]) + ext,
		kind: kind, text: text, gzipped: compress(text),
	}
}

func compress(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text) // cannot fail: a buffer takes everything
	w.Close()
	return b.Bytes()
}

func source(name string) []byte {
	text, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // cannot happen: it is embedded
	}
	return text
}

// joined is one script of several, with names of its own.
func joined(names []string) []byte {
	var b bytes.Buffer
	b.WriteString("'use strict';\n{\n")
	for _, name := range names {
		b.Write(source(name))
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// asset answers with one of the page's files.
func asset(name, acceptEncoding string) (web.Response, error) {
	for _, f := range []file{style, script} {
		if f.name != name {
			continue
		}
		response := web.Response{Body: f.text, Header: map[string]string{
			"content-type": f.kind, "cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding",
			"cross-origin-resource-policy": "same-origin", "referrer-policy": "no-referrer",
		}}
		if strings.Contains(acceptEncoding, "gzip") {
			response.Header["content-encoding"], response.Body = "gzip", f.gzipped
		}
		return response, nil
	}
	return web.Response{}, &web.Error{Code: web.NotFound, Reason: "asset_unknown"}
}

// page is the document of one extension. It is the same for every user and every query, which it reads by itself.
type page struct {
	policy      string
	plain, deep []byte // without and with a slash at the end of its address
}

// about is what the page knows from the start.
type about struct {
	PIM     string       `json:"pim"` // origin: the one it speaks with
	Label   config.Text  `json:"label"`
	Actions []actionName `json:"actions"`
	Select  string       `json:"select,omitempty"` // what the actions are over where nothing is selected
}

type actionName struct {
	Name  string      `json:"name"`
	Label config.Text `json:"label"`
}

// newPages makes the documents of all extensions that are pages.
func newPages(c *config.Config) map[string]page {
	pages := map[string]page{}
	for name, extension := range c.Extensions {
		if extension.Type == "iframe" {
			pages[name] = newPage(c, extension)
		}
	}
	return pages
}

func newPage(c *config.Config, extension config.Extension) page {
	pim := c.PIMs[extension.PIM].URL
	knows := about{PIM: pim, Label: extension.Label, Actions: []actionName{}, Select: extension.Select}
	for _, action := range extension.Actions {
		knows.Actions = append(knows.Actions, actionName{action, labels(c, extension.PIM, action)})
	}
	text, err := json.Marshal(knows)
	if err != nil {
		panic(err) // cannot happen: strings, and maps of them
	}
	// What is relative to /iframe/NAME begins at /iframe/, to /iframe/NAME/ there. Relative addresses hold whatever
	// stage or base path stands in front.
	write := func(base string) []byte {
		return []byte(strings.NewReplacer(
			"{{title}}", html.EscapeString(extension.Label.In("")),
			"{{about}}", html.EscapeString(string(text)),
			"{{style}}", base+"assets/"+style.name,
			"{{script}}", base+"assets/"+script.name,
		).Replace(string(source("page.html"))))
	}
	return page{
		policy: "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors " + pim,
		plain: write(extension.Name + "/"), deep: write(""),
	}
}

// document answers with the page. Its address holds personal data: it is neither kept nor told to anybody.
func (p page) document(slash bool) web.Response {
	body := p.plain
	if slash {
		body = p.deep
	}
	return web.Response{Body: body, Header: map[string]string{
		"content-type":            "text/html; charset=utf-8",
		"content-security-policy": p.policy,
		"cache-control":           "no-store",
		"referrer-policy":         "no-referrer",
		"x-content-type-options":  "nosniff",
	}}
}
