// Package publish is the kind of action that puts events on an EventBridge bus: rules there start whatever listens,
// such as an approval workflow. One event per job (more only when it would exceed EventBridge's size limit).
package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Limits of Amazon EventBridge's PutEvents (AWS: "Amazon EventBridge quotas", "Calculating PutEvents event entry size";
// 1 MB since January 2026, 256 KB before). The event that a rule sees is larger than its entry by its envelope, which
// targets count too: what is put leaves room for it.
const (
	maxEntries = 10                  // entries of one call
	maxCall    = 1<<20 - maxEnvelope // bytes of one call's entries together: source, detail type and detail
	// maxEnvelope holds id, version, account, time, region, resources and the names of the fields.
	maxEnvelope = 4 << 10
	defaultSrc  = "pim-functions"
	maxRead     = 100 // items of a batch whose products are read
)

// Entry is one event for a bus.
type Entry struct {
	Bus        string // "": the deployment's
	Source     string
	DetailType string
	Detail     []byte // a JSON object
}

// size is what EventBridge counts ("Calculating PutEvents event entry size").
func (e Entry) size() int { return len(e.Source) + len(e.DetailType) + len(e.Detail) }

// ErrRefused marks an entry that the bus will not take however often it is put.
var ErrRefused = errors.New("event refused")

// Bus takes events. Safe for concurrent use.
type Bus interface {
	// Put puts entries on their buses and returns one error per entry, nil where it is stored durably; an error that
	// is ErrRefused cannot be helped by putting again. The second result is an error of the call as a whole: then
	// nothing is known of any entry.
	Put(ctx context.Context, entries []Entry) ([]error, error)
}

// Kind makes publish actions.
type Kind struct{ Bus Bus }

// options are the keys of a publish action in extensions.yaml.
type options struct {
	DetailType string        `yaml:"detail_type"`
	Source     string        `yaml:"source"`
	Bus        string        `yaml:"bus"`
	Detail     string        `yaml:"detail"`
	Read       *engine.Reads `yaml:"read"` // nil: no products

	Callback *outcome.Callback `yaml:"callback"` // nil: an event that the bus has taken is the end
}

// plan is a checked configuration.
type plan struct {
	options
	detail *template.Body // nil: what forward would post, with the idempotency key
}

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, err := parse(section)
	return err
}

// parse reads the section and reports all its mistakes at once.
func parse(section config.Section) (plan, error) {
	p := plan{options: options{Source: defaultSrc}}
	problems := []error{section.Decode(&p.options), template.Misplaced(section, "detail_type", "source", "bus")}
	if p.DetailType == "" || len(p.DetailType) > 128 {
		problems = append(problems, section.Errorf("detail_type", "add detail_type: Approval requested", "a publish action needs a detail_type of at most 128 bytes"))
	}
	if p.Source == "" || len(p.Source) > 256 || strings.HasPrefix(p.Source, "aws.") {
		problems = append(problems, section.Errorf("source", "use a name of your own", "source %q", p.Source))
	}
	problems = append(problems, p.Callback.Check(section))
	if p.Detail != "" {
		if p.Callback != nil && !strings.Contains(p.Detail, ".Callback.URL") {
			problems = append(problems, section.Errorf("callback", `name it in the detail: {"answer_to": "{{.Callback.URL}}"}`, "nothing that is published holds the address of the callback"))
		}
		var err error
		p.detail, err = template.Scope{Reads: p.Read, Callback: p.Callback != nil}.ParseBody(p.Detail, "application/json")
		problems = append(problems, template.Problems(section, "detail", err))
	}
	return p, errors.Join(problems...)
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	p, err := parse(section)
	if err != nil { // its text may hold a value of the secret, which Check has not seen
		return nil, section.Errorf("detail_type", "look at what the action takes from there", "a value of the connection secret does not fit the action")
	}
	return &action{bus: k.Bus, plan: p}, nil
}

type action struct {
	bus Bus
	plan
}

// Batch is all items, or as many as are read from the PIM in one call.
func (a *action) Batch() int {
	if a.Read != nil && a.Callback == nil {
		return maxRead
	}
	return 0
}

// Reads implements engine.Reader.
func (a *action) Reads() *engine.Reads { return a.Read }

// Waits implements engine.Waiter.
func (a *action) Waits() *engine.Waits { return a.Callback.Waits(jobs.WaitCallback, nil) }

// Run publishes one event, or as many as it takes to stay within EventBridge's limits. EventBridge takes no
// idempotency key: the default detail holds it as idempotencyKey, for consumers to drop duplicates by.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Signal != nil {
		return outcome.Called(run, nil)
	}
	var entries []Entry
	var err error
	if a.Callback == nil {
		entries, err = a.entries(run)
	} else {
		entries, err = a.asking(ctx, run)
	}
	if err != nil {
		return engine.Result{}, err
	}
	problems, err := a.bus.Put(ctx, entries)
	if err != nil {
		return engine.Result{}, fmt.Errorf("put events: %w", err)
	}
	if problem := errors.Join(problems...); errors.Is(problem, ErrRefused) {
		return engine.Result{}, engine.Permanent("the event bus refused the event", problem)
	} else if problem != nil {
		return engine.Result{}, fmt.Errorf("put events: %w", problem)
	}
	return engine.Result{Wait: a.Callback != nil}, nil
}

// asking makes the one event of a job that waits for its callback: the same at every try.
func (a *action) asking(ctx context.Context, run engine.Run) ([]Entry, error) {
	detail, err := run.Keep(ctx, func() ([]byte, error) { return a.content(run) })
	if err != nil {
		return nil, err
	}
	entry := Entry{Bus: a.options.Bus, Source: a.Source, DetailType: a.DetailType, Detail: detail}
	if entry.size() > maxCall {
		return nil, engine.Permanent("the event is too large for the event bus, and one that waits for an answer is not divided: select fewer items", nil)
	}
	return []Entry{entry}, nil
}

// entries makes the run's event; one that is too large is halved by its items.
func (a *action) entries(run engine.Run) ([]Entry, error) {
	detail, err := a.content(run)
	if err != nil {
		return nil, err
	}
	entry := Entry{Bus: a.options.Bus, Source: a.Source, DetailType: a.DetailType, Detail: detail}
	if entry.size() <= maxCall {
		return []Entry{entry}, nil
	}
	if len(run.Items) < 2 {
		return nil, engine.Permanent("the event is too large for the event bus", nil)
	}
	first, second := run.Halves()
	entries, err := a.entries(first)
	if err != nil {
		return nil, err
	}
	rest, err := a.entries(second)
	return append(entries, rest...), err
}

func (a *action) content(run engine.Run) ([]byte, error) {
	if a.detail == nil {
		return template.JSON(run, true)
	}
	text, err := a.detail.Execute(run)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		return nil, engine.Permanent("the event's detail is not a JSON object: nothing was sent", nil)
	}
	return text, nil
}
