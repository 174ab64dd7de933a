// Package iframe is our page inside the PIM and what it asks for (/iframe/{extension} and below): a user's jobs with
// their progress, what failed, and buttons to run an action on what the user looks at.
//
// The page itself is public and the same for everybody. All that is somebody's is given to the holder of a token of
// the PIM alone, which names the user, on every call: there is no cookie and no session of ours. What the page says of
// its surroundings (product, selection, locale) comes from the browser; nobody vouches for it.
package iframe

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/body"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/texts"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: a start of 500 items with codes of 255 bytes has 130 KB.
const MaxBody = 256 << 10

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing *secrets.Cache[secrets.Signing]
	Jobs    *jobs.Submitter
	Store   jobs.Store
	Samples bool // published sample secrets may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler answers the page and its calls. It is a web.Handler.
type Handler struct {
	config Config
	gate   *gate.Gate
	known  func(name string) bool
	pages  map[string]page // by extension
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{
		config: config, known: gate.Extensions(config.Config, "iframe"), pages: newPages(config.Config),
		gate: gate.New(gate.Config{Signing: config.Signing, Samples: config.Samples, Metrics: config.Metrics}),
	}
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
	path := gate.FindPath(req, "iframe", h.known)
	extension := h.config.Config.Extensions[path.Name]
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("extension", extension.Name))

	serve, job, methods := h.route(path, req)
	if methods == nil {
		return web.Response{}, &web.Error{Code: web.NotFound, Reason: "route_unknown"}
	}
	if err := gate.Method(req, methods...); err != nil {
		return web.Response{}, err
	}
	c := call{req: req, extension: extension, job: job}
	if file, ok := strings.CutPrefix(path.Rest, "assets/"); ok {
		return asset(file, req.Header["accept-encoding"])
	}
	if path.Rest == "" { // the page is public, so that whoever asks learns whether there is one
		if !path.Known {
			return web.Response{}, &web.Error{Code: web.NotFound, Reason: gate.Unknown}
		}
		return h.pages[path.Name].document(path.Slash), nil
	}
	token := bearer(req.Header["authorization"])
	var own []string
	err := h.gate.Prove(ctx, req, path, func(signing secrets.Signing) (refusal error) {
		own = signing.Extensions[path.Name].Secrets
		if refusal = h.gate.Open(signing, path.Name, false); refusal == nil {
			c.user, refusal = signature.VerifyJWT(own, token, h.config.Now())
		}
		return refusal
	})
	if err != nil {
		return web.Response{}, err
	}
	h.gate.Verified(req, "jwt", c.user.Secret)
	h.gate.Used(req, gate.UseOf(path.Name, own, c.user.Secret))
	req.Log.Add(slog.String("user", c.user.UserUUID))
	return serve(ctx, c)
}

// bearer is the token of an Authorization header (RFC 6750, section 2.1), "" if there is none.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.Trim(token, " ")
}

type serve func(context.Context, call) (web.Response, error)

// route finds who answers a call, the job that it is of, and the methods of its address; none: there is no such address.
func (h *Handler) route(path gate.Path, req *web.Request) (found serve, job string, methods []string) {
	part := strings.Split(path.Rest, "/")
	last := ""
	if part[0] == "jobs" && len(part) > 1 {
		job, last = part[1], strings.Join(part[2:], "/")
	}
	switch get, post := http.MethodGet, http.MethodPost; {
	case path.Rest == "" || part[0] == "assets" && len(part) > 1:
		return nil, "", []string{get}
	case path.Rest == "verify":
		return h.verify, "", []string{post}
	case path.Rest == "jobs" && req.Method == get:
		return h.list, "", []string{get, post}
	case path.Rest == "jobs":
		return h.start, "", []string{get, post}
	case len(part) == 2 && part[0] == "jobs":
		return h.show, job, []string{get}
	case last == "files":
		return h.files, job, []string{get}
	case last == "retry":
		return h.retry, job, []string{post}
	case last == "cancel":
		return h.cancel, job, []string{post}
	case last == "give-up":
		return h.endWait(jobs.SignalGiveUp), job, []string{post}
	case last == "as-done":
		return h.endWait(jobs.SignalAsDone), job, []string{post}
	case last == "undo":
		return h.undo, job, []string{post}
	}
	return nil, "", nil
}

// verify tells the page whom its token proves, and until when.
func (h *Handler) verify(_ context.Context, c call) (web.Response, error) {
	c.req.Log.Outcome = "verified"
	return respond(struct {
		UserID    string    `json:"userId"`
		UserUUID  string    `json:"userUuid"`
		ExpiresAt time.Time `json:"expiresAt"`
	}{c.user.UserID, c.user.UserUUID, c.user.Expires})
}

// start runs one of the extension's actions on what is selected in the PIM's page, or where nothing is, on what the
// extension's own selection finds. The PIM does not vouch for the first: whoever may use the page may name any product.
func (h *Handler) start(ctx context.Context, c call) (web.Response, error) {
	if _, err := c.owner(); err != nil {
		return web.Response{}, err
	}
	wish, err := parse(c.req.Body)
	if err != nil {
		return web.Response{}, err
	}
	if !slices.Contains(c.extension.Actions, wish.action) {
		return web.Response{}, notOffered()
	}
	job := jobs.Job{Action: wish.action, Label: h.label(c.extension.PIM, wish.action, wish.language)}
	switch e := c.extension; {
	case wish.find == "":
		job.Items, err = wish.items()
	case wish.find != e.Select:
		err = notOffered()
	case len(wish.selected) > 0:
		err = body.Malformed("selection_and_items", "Send what is selected, or select, not both.")
	default: // each of the page's actions goes on from its own last run
		job.Select = &jobs.Select{Name: e.Select, Mark: jobs.MarkKey("page", e.Declared+"/"+wish.action, e.PIM, e.Select)}
	}
	if err != nil {
		return web.Response{}, err
	}
	if job.Context, err = json.Marshal(wish.around); err != nil {
		return web.Response{}, err
	}
	return h.submit(ctx, c, wish, job)
}

// submit starts a job, or finds the one that the same press or the same work has started.
func (h *Handler) submit(ctx context.Context, c call, wish wish, job jobs.Job) (web.Response, error) {
	job.ID = jobs.ID(c.extension.Name, []byte(c.user.UserUUID), []byte(wish.request))
	job.Trigger, job.Extension, job.PIM = jobs.TriggerPanel, c.extension.Name, c.extension.PIM
	job.User = jobs.User{UUID: c.user.UserUUID}
	job.Correlation = c.req.ID
	switch e := c.extension; {
	case !e.Once:
	case e.OnceForAll:
		job.Once = jobs.OnceKeyOf(e.Name, "", e.PIM, "")
	case job.Select != nil && job.Parent != "":
		job.Once = jobs.OnceKeyOf(e.Name, job.Action, e.PIM, "retry/"+job.Parent)
	case job.Select != nil:
		job.Once = jobs.OnceKeyOf(e.Name, job.Action, e.PIM, job.Select.Name)
	default:
		job.Once = jobs.OnceKey(e.Name, job.Action, job.Items, wish.around.Locale, wish.around.Channel)
	}
	submitted, err := h.config.Jobs.Submit(ctx, job)
	switch {
	case errors.Is(err, jobs.ErrTooLarge):
		return web.Response{}, &web.Error{Code: web.TooLarge, Reason: "job_too_large", Err: err, Message: texts.Say("too_large", wish.language, nil, texts.Values{})}
	case err != nil:
		return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "job_not_started", Err: err, Message: texts.Say("page_unavailable", wish.language, nil, texts.Values{})}
	}
	c.req.Log.Outcome = string(submitted.Verdict)
	c.req.Log.Add(slog.String("job", submitted.Job.ID), slog.Int("items", len(job.Items)))
	h.config.Metrics.Count("Submitted", 1, metric.Dimension{Name: "Verdict", Value: string(submitted.Verdict)})

	answer := struct {
		Verdict jobs.Verdict `json:"verdict"`
		Since   time.Time    `json:"since"`
		Job     *listed      `json:"job,omitempty"` // not if it is another user's
	}{Verdict: submitted.Verdict, Since: submitted.Job.CreatedAt}
	if c.owns(submitted.Job) {
		found := h.newListed(c, submitted.Job)
		answer.Job = &found
	}
	return respond(answer)
}
