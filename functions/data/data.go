// Package data answers the PIM's data components (GET /data/{extension}/{id}): what we have done with one product,
// product model or category lately, and what the PIM told us of it; or, with lookup, what a destination says of it now.
// The PIM shows the JSON as it is, to read only.
//
// It reads our own records, and destinations with credentials of its own; it never calls the PIM, and nothing here can
// act there.
package data

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/texts"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: the PIM sends none.
const MaxBody = 1 << 10

// latest is how many jobs, and how many events, an answer holds.
const latest = 5

// Config of a Handler. All but Metrics are required.
type Config struct {
	Config  *config.Config
	Signing *secrets.Cache[secrets.Signing]
	Jobs    jobs.Store
	Ledger  ledger.Store
	Lookups *Lookups
	Samples bool // published sample credentials may prove: on a developer's machine only
	Now     func() time.Time
	Metrics *metric.Sink
}

// Handler answers data components. It is a web.Handler.
type Handler struct {
	config Config
	gate   *gate.Gate
	known  func(name string) bool
}

// New returns a Handler.
func New(config Config) *Handler {
	return &Handler{
		config: config, known: gate.Extensions(config.Config, "data_component"),
		gate: gate.New(gate.Config{Signing: config.Signing, Credentials: true, Samples: config.Samples, Metrics: config.Metrics}),
	}
}

// ServeRequest answers one look: 200 with what we know, which may be nothing, or with what came of a lookup; 400 if the address names no entity (the
// PIM writes nothing where a placeholder has no value), 401, 405, and 503 if our records or the secrets cannot be read.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	if err := gate.Method(req, http.MethodGet); err != nil {
		return web.Response{}, err
	}
	path := gate.FindPath(req, "data", h.known)
	extension := h.config.Config.Extensions[path.Name]
	req.Log.Correlation = req.ID
	req.Log.Add(slog.String("extension", extension.Name))

	var proven signature.Verified
	var own secrets.Extension
	err := h.gate.Prove(ctx, req, path, func(signing secrets.Signing) (refusal error) {
		own = secrets.Extension{Credentials: signing.Extensions[path.Name].Credentials} // the PIM signs nothing here
		if refusal = h.gate.Open(signing, path.Name, extension.Unsigned); refusal == nil {
			proven, refusal = signature.VerifyAction(gate.ActionProof(own, extension.Unsigned), req.Header, req.Body)
		}
		return refusal
	})
	if err != nil {
		return web.Response{}, err
	}
	h.gate.Verified(req, proven.Variant(), proven.Secret())
	h.gate.Used(req, gate.UseOfCredential(path.Name, own.Credentials, proven.Credential()))

	if extension.Lookup != nil {
		return h.lookUp(ctx, req, extension, path.Rest)
	}

	// The rest of the path is what a placeholder of the configured URL has put there. A code may hold slashes.
	kind, id := jobs.ProductModel, path.Rest
	if extension.ID == "uuid" {
		kind, id = jobs.Product, strings.TrimSuffix(id, "/")
	}
	item, ok := jobs.NewItem(kind, id)
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

// lookUp answers with what a destination says, or with a sentence: what the PIM shows of another status is not documented.
func (h *Handler) lookUp(ctx context.Context, req *web.Request, extension config.Extension, id string) (web.Response, error) {
	got := h.config.Lookups.ask(ctx, extension, id)
	req.Log.Add(slog.String("lookup", got.outcome))
	if got.err != nil {
		req.Log.Add(slog.String("lookup_error", got.err.Error()))
	}
	if got.outcome == found {
		return web.Response{Body: got.body}, nil
	}
	locale := h.config.Config.PIMs[extension.PIM].Locale
	body, err := json.Marshal(map[string]string{"message": texts.Say(got.outcome, locale, nil, texts.Values{Label: extension.Label.In(locale)})})
	if err != nil {
		return web.Response{}, fmt.Errorf("encode answer: %w", err)
	}
	return web.Response{Body: body}, nil
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
const open ledger.Outcome = "open"

// look reads what we know of an entity, newest first: jobs of it alone, and events; and when events were lost. Times are
// in UTC and whole seconds, so that they sort as text too.
func (h *Handler) look(ctx context.Context, pim, entity string) (answer, error) {
	recent, _, jobsErr := h.config.Jobs.List(ctx, jobs.Query{Entity: entity, Limit: latest})
	entries, eventsErr := h.config.Ledger.Recent(ctx, entity, latest)
	gaps, gapsErr := h.config.Ledger.Gaps(ctx, pim)
	if err := errors.Join(jobsErr, eventsErr, gapsErr); err != nil {
		return answer{}, err
	}
	a := answer{Jobs: make([]job, len(recent)), Events: make([]event, len(entries))}
	locale, now := h.config.Config.PIMs[pim].Locale, h.config.Now()
	for i, j := range recent {
		j = j.AsOf(now)
		a.Jobs[i] = job{
			Action: texts.Label(j), State: j.State, Message: texts.Status(j, locale, texts.Of(h.config.Config, j, locale, now)),
			User: texts.User(j.User), StartedAt: second(j.CreatedAt), UpdatedAt: second(j.UpdatedAt), ID: j.ID,
		}
	}
	for i, entry := range entries {
		a.Events[i] = event{
			Type: entry.Type, Outcome: cmp.Or(entry.Outcome, open), Failures: failures(entry),
			SentAt: second(entry.Time), ReceivedAt: second(entry.CreatedAt),
		}
	}
	for _, lost := range gaps[:min(len(gaps), latest)] {
		a.Lost = append(a.Lost, gap{From: second(lost.From), To: second(lost.To), Reason: lost.Reason})
	}
	return a, nil
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// failures are the reasons that still hold: a subscription that was tried again and succeeded keeps none.
func failures(entry ledger.Entry) map[string]string {
	still := map[string]string{}
	for subscription, reason := range entry.Reasons {
		switch entry.Outcomes[subscription] {
		case ledger.Failed:
			still[subscription] = reason
		case "":
			if entry.Outcome == "" || entry.Outcome == ledger.Failed { // a try that failed, and another may come
				still[subscription] = reason
			}
		}
	}
	return still
}
