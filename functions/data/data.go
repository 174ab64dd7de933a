// Package data answers the PIM's data components (GET /data/{extension}/{id}): what we have done with one product,
// product model or category lately, and what the PIM told us of it. The PIM shows the JSON as it is, to read only.
//
// It reads our own records and nothing else; nothing here can act in the PIM.
package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: the PIM sends none.
const MaxBody = 1 << 10

// latest is how many jobs, and how many events, an answer holds.
const latest = 5

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing secrets.Holder[secrets.Signing]
	Jobs    jobs.Store
	Ledger  ledger.Store
	Samples bool // published sample credentials may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler answers data components. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config: config} }

// ServeRequest answers one look: 200 with what we know, which may be nothing; 400 if the address names no entity (the
// PIM writes nothing where a placeholder has no value), 401, 404, 405, and 503 if our records or the secrets cannot be
// read.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	name, id := split(req)
	extension, known := h.config.Config.Extensions[name]
	if !known || extension.Type != "data_component" {
		return web.Response{}, &web.Error{Code: web.NotFound, Reason: "extension_unknown"}
	}
	if req.Method != http.MethodGet {
		return web.Response{}, &web.Error{Code: web.Method, Reason: "method_not_allowed", Header: map[string]string{"allow": http.MethodGet}}
	}
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("extension", name))
	if err := h.prove(ctx, extension, req); err != nil {
		return web.Response{}, err
	}
	item, ok := newItem(extension.ID, id)
	if !ok {
		return web.Response{}, &web.Error{Code: web.Invalid, Reason: "entity_invalid", Message: "The address names no " + extension.ID + "."}
	}
	answer, err := h.look(ctx, extension.PIM, jobs.Entity(extension.PIM, item))
	if err != nil {
		return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "records_unavailable", Err: err}
	}
	req.Log.Add(slog.Int("jobs", len(answer.Jobs)), slog.Int("events", len(answer.Events)))
	body, err := json.Marshal(answer)
	if err != nil {
		return web.Response{}, fmt.Errorf("encode answer: %w", err)
	}
	return web.Response{Body: body}, nil
}

// split parts a path: the extension's name, and the rest, which a placeholder of the configured URL has put there. A
// code may hold slashes.
func split(req *web.Request) (name, id string) {
	path := req.Path
	if req.Stage != "" { // a stage may be named "data"
		if rest, ok := strings.CutPrefix(path, "/"+req.Stage+"/"); ok {
			path = "/" + rest
		}
	}
	_, path, _ = strings.Cut(path, "/data/")
	name, id, _ = strings.Cut(path, "/")
	return name, id
}

// uuid is the form of a UUID, of whatever version (RFC 9562).
var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// newItem is the entity that an id names: a product by its UUID, a product model by its code.
func newItem(by, id string) (jobs.Item, bool) {
	if by == "uuid" {
		id = strings.ToLower(strings.TrimSuffix(id, "/"))
		return jobs.Item{Type: jobs.Product, ID: id}, uuid.MatchString(id)
	}
	return jobs.Item{Type: jobs.ProductModel, ID: id}, id != "" && len(id) <= jobs.MaxCode && !strings.ContainsFunc(id, unicode.IsControl)
}

// answer is what the PIM shows. Names are words, because users read them.
type answer struct {
	Jobs   []job   `json:"jobs"`
	Events []event `json:"events"`
	Lost   []gap   `json:"events_lost,omitempty"` // of the whole PIM
}

// gap is a time in which the PIM's events did not reach us.
type gap struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero"` // none: they still do not
	Reason string    `json:"reason,omitempty"`
}

type job struct {
	Action    string     `json:"action"`
	State     jobs.State `json:"state"`
	Message   string     `json:"message,omitempty"`
	User      string     `json:"user,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	ID        string     `json:"job_id"`
}

type event struct {
	Type       string            `json:"type"`
	Outcome    ledger.Outcome    `json:"outcome"`
	Failures   map[string]string `json:"failures,omitempty"` // by subscription
	SentAt     time.Time         `json:"sent_at,omitzero"`
	ReceivedAt time.Time         `json:"received_at"`
}

// open is the outcome of an event that has none yet.
const open = "open"

// look reads what we know of an entity, newest first: jobs of it alone, and events; and when events were lost.
func (h *Handler) look(ctx context.Context, pim, entity string) (answer, error) {
	found, _, jobsErr := h.config.Jobs.List(ctx, jobs.Query{Entity: entity, Limit: latest})
	entries, eventsErr := h.config.Ledger.Recent(ctx, entity, latest)
	gaps, gapsErr := h.config.Ledger.Gaps(ctx, pim)
	if err := errors.Join(jobsErr, eventsErr, gapsErr); err != nil {
		return answer{}, err
	}
	a := answer{Jobs: make([]job, len(found)), Events: make([]event, len(entries))}
	for i, j := range found {
		j = j.AsOf(h.config.Now())
		a.Jobs[i] = job{
			Action: j.Label, State: j.State, Message: j.Message, User: j.User.Username,
			StartedAt: j.CreatedAt.Truncate(time.Second), UpdatedAt: j.UpdatedAt.Truncate(time.Second), ID: j.ID,
		}
		if j.Label == "" {
			a.Jobs[i].Action = j.Action
		}
		if strings.Contains(j.User.Username, "@") { // an e-mail address is nobody else's business
			a.Jobs[i].User = ""
		}
	}
	for i, entry := range entries {
		a.Events[i] = event{
			Type: entry.Type, Outcome: entry.Outcome, Failures: entry.Reasons,
			SentAt: entry.Time.Truncate(time.Second), ReceivedAt: entry.CreatedAt.Truncate(time.Second),
		}
		if entry.Outcome == "" {
			a.Events[i].Outcome = open
		}
	}
	for _, lost := range gaps[:min(len(gaps), latest)] {
		a.Lost = append(a.Lost, gap{From: lost.From.Truncate(time.Second), To: lost.To.Truncate(time.Second), Reason: lost.Reason})
	}
	return a, nil
}
