package gate

import (
	"net/url"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Path is a request's path, taken apart. The zero value is a path that is not the function's.
type Path struct {
	Name  string // what stands behind the route's word, still escaped: a name of the configuration if Known
	Rest  string // what follows the name and a slash
	Slash bool   // a slash follows the name
	Own   string // the path from the route's word on, without what stands in front of it
	Known bool
}

// FindPath finds what a request names behind a route's word ("actions"). API Gateway says what its route's {proxy+} has
// matched; where a route has none, a stage, a domain's mapping and a proxy's prefix may stand in front. The word may
// stand more than once, as a stage, as a prefix, and in what the PIM writes for its placeholders: the first that a name
// known to the configuration follows counts, else the first.
func FindPath(req *web.Request, word string, known func(name string) bool) Path {
	if req.Proxy != "" {
		return proxied(req, word, known)
	}
	var first *Path
	for _, path := range []string{behindStage(req), req.Path} {
		for at := 0; ; {
			next := strings.Index(path[at:], "/"+word+"/")
			if next < 0 {
				break
			}
			at += next + 1
			found := Path{Own: path[at-1:]}
			found.Name, found.Rest, found.Slash = strings.Cut(path[at+len(word)+1:], "/")
			if found.Known = known(found.Name); found.Known {
				return found
			}
			if first == nil {
				first = &found
			}
		}
	}
	if first == nil {
		return Path{}
	}
	return *first
}

// behindStage is the path without a named stage, which API Gateway puts in front.
func behindStage(req *web.Request) string {
	if rest, ok := strings.CutPrefix(req.Path, "/"+req.Stage+"/"); ok {
		return "/" + rest
	}
	return req.Path
}

// proxied is the path that API Gateway's route has matched. Only the path tells whether the rest is still escaped.
func proxied(req *web.Request, word string, known func(string) bool) Path {
	found := Path{Own: "/" + word + "/" + req.Proxy}
	found.Name, found.Rest, found.Slash = strings.Cut(req.Proxy, "/")
	found.Known = known(found.Name)
	if plain, err := url.PathUnescape(req.Proxy); err == nil && !strings.HasSuffix(req.Path, req.Proxy) && strings.HasSuffix(req.Path, plain) {
		found.Own = "/" + word + "/" + plain
		if rest, ok := strings.CutPrefix(plain, found.Name+"/"); ok {
			found.Rest = rest
		}
	}
	return found
}

// Extensions is what a function knows: the extensions of its type.
func Extensions(c *config.Config, kind string) func(name string) bool {
	return func(name string) bool {
		extension, there := c.Extensions[name]
		return there && extension.Type == kind
	}
}
