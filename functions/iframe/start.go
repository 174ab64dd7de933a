package iframe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	maxItems = 500 // what the PIM lets a user select in its grid
	maxName  = 255 // bytes of a locale's or channel's code
)

// uuid is the form of a UUID, of whatever version (RFC 9562).
var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// asked is what the page sends to start a job or to repeat what failed of one.
type asked struct {
	Request string `json:"request"` // a UUID made per press: sent again, it finds the same job
	Action  string `json:"action"`
	Data    struct {
		ProductUUIDs      []string `json:"productUuids"`
		ProductModelCodes []string `json:"productModelCodes"`
		CategoryCodes     []string `json:"categoryCodes"`
	} `json:"data"`
	Context  surroundings `json:"context"`
	Language string       `json:"language"` // of the user, for the job's label
}

// surroundings are what the page knows of the PIM's.
type surroundings struct {
	Locale  string `json:"locale,omitempty"`
	Channel string `json:"channel,omitempty"`
}

// start runs one of the extension's actions on a selection that the page got from the PIM's. The PIM does not vouch
// for it: whoever may use the page may name any product.
func (h *Handler) start(ctx context.Context, c call) (web.Response, error) {
	if _, err := c.owner(); err != nil {
		return web.Response{}, err
	}
	wish, err := read(c.req.Body)
	if err != nil {
		return web.Response{}, err
	}
	if !slices.Contains(c.extension.Actions, wish.Action) {
		return web.Response{}, notOffered()
	}
	items, err := wish.items()
	if err != nil {
		return web.Response{}, err
	}
	around, err := json.Marshal(wish.Context)
	if err != nil {
		return web.Response{}, err
	}
	return h.submit(ctx, c, wish, jobs.Job{
		Action: wish.Action, Label: h.label(c.extension.PIM, wish.Action, wish.Language), Items: items, Context: around,
	})
}

// retry starts what failed of a job again, as a job of its own.
func (h *Handler) retry(ctx context.Context, c call) (web.Response, error) {
	job, err := h.mine(ctx, c)
	if err != nil {
		return web.Response{}, err
	}
	wish, err := read(c.req.Body)
	if err != nil {
		return web.Response{}, err
	}
	before := job.AsOf(h.config.Now())
	switch {
	case !slices.Contains(c.extension.Actions, job.Action):
		return web.Response{}, notOffered()
	case !retryable(c.extension, before):
		return web.Response{}, &web.Error{Code: web.Refused, Reason: "nothing_failed", Message: "Nothing of this job has failed."}
	}
	failures, err := h.config.Store.Failures(ctx, job.ID, 0)
	if err != nil {
		return web.Response{}, unreadable(err)
	}
	if err := json.Unmarshal(job.Context, &wish.Context); err != nil && len(job.Context) > 0 {
		wish.Context = surroundings{} // of another shape: only the once key is less exact
	}
	return h.submit(ctx, c, wish, jobs.Job{
		Action: job.Action, Label: job.Label, Items: left(job, failures), Context: job.Context, Params: job.Params, Parent: job.ID,
	})
}

// left are the items of a job that failed, and those that it never came to because its worker crashed or because it
// was never started.
func left(job jobs.Job, failures []jobs.Failure) []jobs.Item {
	var items []jobs.Item
	for _, failure := range failures {
		items = append(items, failure.Item)
	}
	return append(items, job.Items[min(job.Next, len(job.Items)):]...)
}

// submit starts a job, or finds the one that the same press or the same work has started.
func (h *Handler) submit(ctx context.Context, c call, wish asked, job jobs.Job) (web.Response, error) {
	job.ID = jobs.ID(c.extension.Name, []byte(c.user.UserUUID), []byte(wish.Request))
	job.Trigger, job.Extension, job.PIM = jobs.TriggerPanel, c.extension.Name, c.extension.PIM
	job.User = jobs.User{UUID: c.user.UserUUID}
	job.Correlation = c.req.ID
	if c.extension.Once {
		job.Once = jobs.OnceKey(c.extension.Name, job.Action, job.Items, wish.Context.Locale, wish.Context.Channel)
	}
	submitted, err := h.config.Jobs.Submit(ctx, job)
	if err != nil {
		return web.Response{}, notSubmitted(err)
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
		found := h.newListed(c.extension, submitted.Job)
		answer.Job = &found
	}
	return respond(answer)
}

// notSubmitted is the refusal of a start that became no job.
func notSubmitted(err error) error {
	if errors.Is(err, jobs.ErrTooLarge) {
		return &web.Error{Code: web.TooLarge, Reason: "job_too_large", Message: "The selection is too large for one job.", Err: err}
	}
	return &web.Error{Code: web.Unavailable, Reason: "job_not_started", Message: "This could not be started. Please try again.", Err: err}
}

func notOffered() error {
	return &web.Error{Code: web.Forbidden, Reason: "action_not_offered", Message: "This page does not offer that action."}
}

// read decodes a start strictly: what we do not know we would not do.
func read(body []byte) (asked, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var wish asked
	if err := decoder.Decode(&wish); err != nil {
		return asked{}, malformed("body_shape", "The body is not what this address takes.")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return asked{}, malformed("body_shape", "The body goes on after its end.")
	}
	if !uuid.MatchString(wish.Request) {
		return asked{}, malformed("request_invalid", "request must be a UUID.")
	}
	wish.Request = strings.ToLower(wish.Request)
	for _, code := range []string{wish.Context.Locale, wish.Context.Channel, wish.Language} {
		if len(code) > maxName || strings.ContainsFunc(code, unicode.IsControl) {
			return asked{}, malformed("context_invalid", "context holds what is no code.")
		}
	}
	return wish, nil
}

// items checks a selection and leaves out duplicates. UUIDs become lower case, so that one product is one item.
func (a asked) items() ([]jobs.Item, error) {
	var items []jobs.Item
	seen := map[jobs.Item]bool{}
	for _, group := range []struct {
		kind string
		ids  []string
	}{{jobs.Product, a.Data.ProductUUIDs}, {jobs.ProductModel, a.Data.ProductModelCodes}, {jobs.Category, a.Data.CategoryCodes}} {
		for _, id := range group.ids {
			item := jobs.Item{Type: group.kind, ID: id}
			if group.kind == jobs.Product {
				item.ID = strings.ToLower(id)
			}
			if !valid(item) {
				return nil, malformed("item_invalid", "The selection holds what is no "+strings.ReplaceAll(group.kind, "_", " ")+".")
			}
			if !seen[item] {
				seen[item] = true
				items = append(items, item)
			}
		}
	}
	switch n := len(items); {
	case n == 0:
		return nil, malformed("selection_empty", "Nothing is selected.")
	case n > maxItems:
		return nil, malformed("too_many_items", "At most 500 items can be sent at once.")
	}
	return items, nil
}

func valid(item jobs.Item) bool {
	if item.Type == jobs.Product {
		return uuid.MatchString(item.ID)
	}
	return item.ID != "" && len(item.ID) <= jobs.MaxCode && !strings.ContainsFunc(item.ID, unicode.IsControl)
}

// label is how users of a PIM know an action: by its button there, if it has one.
func (h *Handler) label(pim, action, locale string) string {
	if text := labels(h.config.Config, pim, action).In(locale); text != "" {
		return text
	}
	return action
}

// labels are an action's names by locale.
func labels(c *config.Config, pim, action string) config.Text {
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		if e := c.Extensions[name]; e.Type == "action" && e.Action == action && e.PIM == pim {
			return e.Label
		}
	}
	return config.Text{"default": action}
}
