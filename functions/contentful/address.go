package contentful

import (
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/web"
)

const root = "/contentful/"

// address is a request's path, taken apart.
type address struct {
	name  string // of the action; "" if the path names none
	own   string // the path as it is in this project, without what stands in front of it
	stage string // the path without its stage; API Gateway puts a named one in front of what it passes on
}

// split takes a path apart. A path that has a second spelling (empty segments, dots) names nothing: its twin would be
// another request with another signature.
func split(req *web.Request) address {
	path := req.Path
	if req.Stage != "" { // a stage may be named "contentful"
		if rest, ok := strings.CutPrefix(path, "/"+req.Stage+"/"); ok {
			path = "/" + rest
		}
	}
	at := strings.LastIndex(path, root)
	if at < 0 || slices.ContainsFunc(strings.Split(path[1:], "/"), func(segment string) bool {
		return segment == "" || segment == "." || segment == ".."
	}) {
		return address{}
	}
	return address{name: path[at+len(root):], own: path[at:], stage: path}
}

// called are the paths that Contentful may have called to reach this one, with the query. It signs the public path, and
// a function does not always see it: API Gateway adds a named stage, or a domain's mapping puts its base path in front.
func (a address) called(req *web.Request, base string) []string {
	query := ""
	if req.Query != "" {
		query = "?" + req.Query
	}
	if base = strings.Trim(base, "/"); base != "" {
		base = "/" + base
	}
	candidates := []string{req.Path, a.stage, a.own, base + a.own}
	if req.Stage != "" && req.Stage != "$default" {
		candidates = append(candidates, "/"+req.Stage+a.own)
	}
	var paths []string
	for _, path := range candidates {
		if path += query; !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
