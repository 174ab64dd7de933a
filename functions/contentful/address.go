package contentful

import (
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/web"
)

// address finds the action that a path names. A path that has a second spelling (empty segments, dots) names nothing: its
// twin would be another request with another signature.
func (h *Handler) address(req *web.Request) gate.Path {
	path := gate.FindPath(req, "contentful", h.known)
	if path.Slash || slices.ContainsFunc(strings.Split(strings.TrimPrefix(req.Path, "/"), "/"), func(segment string) bool {
		return segment == "" || segment == "." || segment == ".."
	}) {
		return gate.Path{}
	}
	return path
}

// called are the paths that Contentful may have called to reach this one, with the query. It signs the public path, and
// a function does not always see it: API Gateway adds a named stage, or a domain's mapping puts its base path in front.
func called(req *web.Request, own, base string) []string {
	query := ""
	if req.Query != "" {
		query = "?" + req.Query
	}
	if base = strings.Trim(base, "/"); base != "" {
		base = "/" + base
	}
	candidates := []string{req.Path, own, base + own}
	if req.Stage != "" && req.Stage != "$default" {
		candidates = append(candidates, "/"+req.Stage+own, strings.TrimPrefix(req.Path, "/"+req.Stage))
	}
	var paths []string
	for _, path := range candidates {
		if path += query; !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
