// Package iframe is our page inside the PIM and what it asks for (/iframe/{extension} and below): a user's jobs with
// their progress, what failed, and buttons to run an action on what the user looks at.
//
// The page itself is public and the same for everybody. All that is somebody's is given to the holder of a token of
// the PIM alone, which names the user, on every call: there is no cookie and no session of ours. What the page says of
// its surroundings (product, selection, locale) comes from the browser; nobody vouches for it.
package iframe

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: a start of 500 items with codes of 255 bytes has 130 KB.
const MaxBody = 256 << 10

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing secrets.Holder[secrets.Signing]
	Jobs    *jobs.Submitter
	Store   jobs.Store
	Samples bool // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler answers the page and its calls. It is a web.Handler.
type Handler struct {
	config Config
	pages  map[string]page // by extension
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{config: config, pages: newPages(config.Config)}
}

// call is one call of the page, with the user whom its token proves.
type call struct {
	req       *web.Request
	extension config.Extension
	user      signature.JWT
	job       string // the ID that the path names
}

// ServeRequest answers the page and its files to everybody, and the rest to whom the PIM's token proves: 200; 400;
// 401; 403 if the page does not offer what is asked for; 404, also for a job of somebody else; 405; 413; and 503 if a
// job could not be recorded or queued, or if no secret could be had: asking again is safe then.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	name, rest, slash := split(req)
	extension, known := h.config.Config.Extensions[name]
	if !known || extension.Type != "iframe" {
		return web.Response{}, &web.Error{Code: web.NotFound, Reason: "extension_unknown"}
	}
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("extension", name))

	if rest == "" {
		if err := method(req, http.MethodGet); err != nil {
			return web.Response{}, err
		}
		return h.pages[name].document(slash), nil
	}
	if file, ok := strings.CutPrefix(rest, "assets/"); ok {
		if err := method(req, http.MethodGet); err != nil {
			return web.Response{}, err
		}
		return asset(file, req.Header["accept-encoding"])
	}
	serve, job, err := h.route(req, rest)
	if err != nil {
		return web.Response{}, err
	}
	user, err := h.prove(ctx, extension, req)
	if err != nil {
		return web.Response{}, err
	}
	return serve(ctx, call{req: req, extension: extension, user: user, job: job})
}

// split parts a path: the extension's name and what follows it. A slash at the end of the page's own address is
// fine, but what is relative to it begins elsewhere.
func split(req *web.Request) (name, rest string, slash bool) {
	path := req.Path
	if req.Stage != "" { // a stage may be named "iframe"
		if rest, ok := strings.CutPrefix(path, "/"+req.Stage+"/"); ok {
			path = "/" + rest
		}
	}
	_, path, _ = strings.Cut(path, "/iframe/")
	return strings.Cut(path, "/")
}

type serve func(context.Context, call) (web.Response, error)

// route finds who answers a call.
func (h *Handler) route(req *web.Request, rest string) (found serve, job string, err error) {
	routes := map[string]serve{} // by method
	part := strings.Split(rest, "/")
	switch {
	case rest == "verify":
		routes[http.MethodPost] = h.verify
	case rest == "jobs":
		routes[http.MethodGet], routes[http.MethodPost] = h.list, h.start
	case len(part) == 2 && part[0] == "jobs":
		routes[http.MethodGet] = h.show
	case len(part) == 3 && part[0] == "jobs" && part[2] == "retry":
		routes[http.MethodPost] = h.retry
	case len(part) == 3 && part[0] == "jobs" && part[2] == "cancel":
		routes[http.MethodPost] = h.cancel
	default:
		return nil, "", &web.Error{Code: web.NotFound, Reason: "route_unknown"}
	}
	if len(part) > 1 {
		job = part[1]
	}
	methods := make([]string, 0, len(routes))
	for name := range routes {
		methods = append(methods, name)
	}
	slices.Sort(methods)
	if err := method(req, methods...); err != nil {
		return nil, "", err
	}
	return routes[req.Method], job, nil
}

// method refuses what is not among the methods of a route.
func method(req *web.Request, allowed ...string) error {
	if slices.Contains(allowed, req.Method) {
		return nil
	}
	return &web.Error{Code: web.Method, Reason: "method_not_allowed", Header: map[string]string{"allow": strings.Join(allowed, ", ")}}
}
