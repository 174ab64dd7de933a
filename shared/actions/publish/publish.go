// Package publish is the kind of action that puts events on an EventBridge bus: rules there start whatever listens,
// such as an approval workflow. One event per job (more only when it would exceed EventBridge's size limit).
package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// Limits of Amazon EventBridge's PutEvents.
const (
	maxEntries = 10        // entries of one call
	maxCall    = 256 << 10 // bytes of one call's entries together: source, detail type and detail
	defaultSrc = "pim-functions"
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
	DetailType string `yaml:"detail_type"`
	Source     string `yaml:"source"`
	Bus        string `yaml:"bus"`
	Detail     string `yaml:"detail"`
}

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, _, err := decode(section)
	return err
}

func decode(section config.Section) (options, *template.Template, error) {
	o := options{Source: defaultSrc}
	if err := section.Decode(&o); err != nil {
		return o, nil, err
	}
	switch {
	case o.DetailType == "" || len(o.DetailType) > 128:
		return o, nil, section.Errorf("detail_type", "add detail_type: Approval requested", "a publish action needs a detail_type of at most 128 bytes")
	case o.Source == "" || len(o.Source) > 256 || strings.HasPrefix(o.Source, "aws."):
		return o, nil, section.Errorf("source", "use a name of your own", "source %q", o.Source)
	case o.Detail == "":
		return o, nil, nil
	}
	detail, err := template.Parse(o.Detail)
	if err != nil {
		return o, nil, section.Errorf("detail", "correct the template", "detail: %v", err)
	}
	return o, detail, nil
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	o, detail, err := decode(section)
	if err != nil {
		return nil, err
	}
	return &action{bus: k.Bus, options: o, detail: detail}, nil
}

type action struct {
	bus Bus
	options
	detail *template.Template // nil: what forward would post, with the idempotency key
}

func (a *action) Batch() int { return 0 }

// Run publishes one event, or as many as it takes to stay within EventBridge's limits. EventBridge takes no
// idempotency key: the default detail holds it as idempotencyKey, for consumers to drop duplicates by.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	entries, err := a.entries(run)
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
	return engine.Result{}, nil
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
	half := len(run.Items) / 2
	first, second := run, run
	first.Items, first.Key = run.Items[:half], run.Key+"a"
	second.Items, second.Key = run.Items[half:], run.Key+"b"
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
	text, err := a.detail.Execute(run, nil)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return nil, engine.Permanent("the event's detail is not a JSON object", nil)
	}
	return []byte(text), nil
}
