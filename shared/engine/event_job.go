package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// What an event starts. An action that waits, writes to the PIM or makes files is done by a job, which has checkpoints, an
// undo and files; the event's outcome is then that it was started. The job's ID is derived from the events, so that it is one
// job however often this is repeated.

// startJob starts the job of one event for a subscription.
func (w *eventWork) startJob(ctx context.Context, s config.Subscription, last bool) error {
	if w.gathering.late(s, w.event) { // its action could not be opened a moment ago
		w.open(w.Now().Add(shortestWait))
		return nil
	}
	id := jobs.ID(s.Name, []byte(w.entry.Key))
	items := eventItems(w.event.Kind, w.event.EntityID)
	started, err := w.startFor(ctx, s, id, items, []*pimevent.Event{&w.event}, w.delivery.Attributes[pimevent.AttributeCorrelation])
	if err != nil {
		return err
	}
	return w.record(ctx, func(e ledger.Entry) ledger.Entry { return started.on(e, s) }, last)
}

// started is what became of the attempt to start a job.
type started struct {
	job    string
	reason string // why there is none: trying again cannot help
}

func (r started) on(e ledger.Entry, s config.Subscription) ledger.Entry {
	if r.reason != "" {
		return e.With(s.Name, ledger.Failed, r.reason, "")
	}
	return e.Begin(s.Name, r.job).With(s.Name, ledger.Started, "", "")
}

// startFor records the job of events about items, one event each, and sends its message.
func (i *Invocation) startFor(ctx context.Context, s config.Subscription, id string, items []jobs.Item, events []*pimevent.Event, correlation string) (started, error) {
	told, err := contextFor(items, events)
	if err == nil {
		err = i.start(ctx, jobs.Job{
			ID: id, Trigger: jobs.TriggerEvent, Action: s.Action, Label: s.Name, PIM: s.PIM, Items: items,
			Context: told, Params: json.RawMessage("{}"), User: jobs.User{Username: s.Name}, Correlation: correlation,
		})
	}
	if errors.Is(err, jobs.ErrTooLarge) {
		return started{reason: "the event is larger than a job can hold"}, nil
	}
	if err != nil {
		return started{}, fmt.Errorf("start the job of an event: %w", err)
	}
	return started{job: id}, nil
}

// start starts one job for a chunk of entities. It has their marks until it ends.
//
// Each event notes the job before it is recorded. An event that comes again, since nobody noted its outcome, finds by that
// whether it is in the job: so it starts no other.
func (g *group) start(ctx context.Context, chunk []*entity) {
	chunk = g.join(ctx, chunk)
	if len(chunk) == 0 {
		return
	}
	keys := make([][]byte, len(chunk))
	for n, e := range chunk {
		keys[n] = []byte(e.newest().entry.Key + " " + e.item.ID)
	}
	slices.SortFunc(keys, bytes.Compare)
	id := jobs.ID(g.s.Name, keys...)
	taken := g.take(ctx, chunk, func(*entity) string { return heldBy(id) })
	taken = g.intend(ctx, taken, id)
	if len(taken) == 0 {
		return
	}
	items, events := make([]jobs.Item, len(taken)), make([]*pimevent.Event, len(taken))
	for n, e := range taken {
		items[n], events[n] = e.item, &e.newest().event
	}
	result, err := g.startFor(ctx, g.s, id, items, events, taken[0].newest().delivery.Attributes[pimevent.AttributeCorrelation])
	outcome := settled{outcome: ledger.Started, cause: err}
	if result.reason != "" {
		outcome = settled{outcome: ledger.Failed, reason: result.reason}
		g.several(len(taken), func(n int) { _ = g.releaseMark(ctx, taken[n].mark, outcome) }) // it is decided once the job is found not to be there
	}
	for _, e := range taken {
		e.settle(outcome, outcome)
	}
}

// intend notes the job on the record of each event. Entities of which that fails are left out of the job.
func (g *group) intend(ctx context.Context, entities []*entity, id string) (noted []*entity) {
	missed := make([]error, len(entities))
	g.several(len(entities), func(n int) {
		for _, t := range entities[n].of {
			err := t.eventWork.record(ctx, func(e ledger.Entry) ledger.Entry { return e.Begin(g.s.Name, id) }, false)
			missed[n] = errors.Join(missed[n], err)
		}
	})
	for n, e := range entities {
		if missed[n] == nil {
			noted = append(noted, e)
			continue
		}
		_ = g.releaseMark(ctx, e.mark, settled{outcome: ledger.Stale}) // else it ends by itself
		e.settle(settled{cause: missed[n]}, settled{cause: missed[n]})
	}
	return noted
}

// join settles the entities that are in a job already which one of their events has noted, and returns the others.
func (g *group) join(ctx context.Context, entities []*entity) (others []*entity) {
	type found struct {
		job jobs.Job
		err error
	}
	known := map[string]found{}
	for _, e := range entities {
		id := e.newest().job(g.s)
		if id == "" {
			others = append(others, e)
			continue
		}
		f, looked := known[id]
		if !looked {
			f.job, f.err = g.Store.Load(ctx, id)
			known[id] = f
		}
		switch {
		case errors.Is(f.err, jobs.ErrNotFound), f.err == nil && !slices.Contains(f.job.Items, e.item):
			others = append(others, e)
		case f.err != nil:
			missed := settled{cause: fmt.Errorf("read the job of an event: %w", f.err)}
			e.settle(missed, missed)
		default:
			there := settled{outcome: ledger.Started, cause: g.sendJob(ctx, id, f.job.Turn, 0, 0)} // its message may not have been sent
			e.settle(there, there)
		}
	}
	return others
}

// job is the job that the event has noted for a subscription; "": none.
func (w *eventWork) job(s config.Subscription) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entry.Jobs[s.Name]
}

const (
	maxTold  = 200 << 10 // bytes of all events that a job's record keeps
	maxEvent = 16 << 10  // of one; of a larger one its name is kept
)

// contextFor is the context of a job that events start: the events themselves, by type and ID of their items.
func contextFor(items []jobs.Item, events []*pimevent.Event) (json.RawMessage, error) {
	told, api := map[string]json.RawMessage{}, ""
	size := 0
	for n, item := range items {
		raw := json.RawMessage(events[n].Raw)
		if len(raw) > maxEvent || size+len(raw) > maxTold || !json.Valid(raw) {
			raw = named(events[n])
		}
		size += len(raw)
		api = events[n].API
		told[item.Type+"/"+item.ID] = raw
	}
	return json.Marshal(map[string]any{"events": told, "api": api})
}

// named is an event without what changed.
func named(event *pimevent.Event) json.RawMessage {
	at := event.Time.Format(time.RFC3339Nano)
	short := map[string]any{"id": event.ID, "type": event.Type, "time": at}
	if event.API == pimevent.EventsAPI {
		short = map[string]any{"event_id": event.ID, "action": event.Type, "event_datetime": at}
	}
	text, _ := json.Marshal(short) // three texts
	return text
}

// causes are what events told of the items of a job that they started, and the context without it; nil of another job.
func causes(job jobs.Job, items []jobs.Item) (context json.RawMessage, causes []Cause) {
	var told struct {
		API    string                     `json:"api"`
		Events map[string]json.RawMessage `json:"events"`
	}
	if job.Trigger != jobs.TriggerEvent || json.Unmarshal(job.Context, &told) != nil {
		return contextOf(job), nil
	}
	causes = make([]Cause, len(items))
	for n, item := range items {
		raw, there := told.Events[item.Type+"/"+item.ID]
		if !there {
			continue
		}
		event := pimevent.Decode(told.API, job.PIM, raw)
		causes[n] = Cause{Event: &event, Began: job.CreatedAt, events: 1}
		if event.Kind == "" || event.Kind == item.Type && event.EntityID == item.ID {
			causes[n].Deleted, causes[n].Reached = event.Deletion(), event.Reached()
		}
	}
	return contextOf(job), causes
}

// contextOf is a job's context as actions see it: without what its events told, which they have by item.
func contextOf(job jobs.Job) json.RawMessage {
	if job.Trigger == jobs.TriggerEvent {
		return json.RawMessage("{}")
	}
	return job.Context
}
