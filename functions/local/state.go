package local

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// How much the state and the page show.
const (
	shownJobs     = 500
	shownFailures = 20 // of one job
	viewedJobs    = 30
	viewedCalls   = 50
	viewedLines   = 100
)

// State is what GET /_local/state answers.
type State struct {
	Jobs        []JobState       `json:"jobs"` // newest first
	Queues      map[string]Queue `json:"queues"`
	DeadLetters []DeadLetter     `json:"deadLetters"`
	Outbound    []Call           `json:"outbound"` // oldest first
	Events      map[string]int   `json:"events"`   // by outcome
	Gaps        []ledger.Gap     `json:"gaps"`     // times in which events were lost, newest first
}

// Queue is how many messages a queue holds.
type Queue struct {
	Visible  int `json:"visible"`
	InFlight int `json:"inFlight"`
	Delayed  int `json:"delayed"`
}

// JobState is a job as a reader sees it now.
type JobState struct {
	ID        string         `json:"id"`
	Action    string         `json:"action"`
	Trigger   string         `json:"trigger"`
	Extension string         `json:"extension"`
	Label     string         `json:"label"`
	User      string         `json:"user"`
	State     jobs.State     `json:"state"`
	Done      int            `json:"done"`
	Failed    int            `json:"failed"`
	Total     int            `json:"total"`
	Message   string         `json:"message"`
	Reason    string         `json:"reason"`
	Failures  []jobs.Failure `json:"failures"`
	Attempt   int            `json:"attempt"`
	Parent    string         `json:"parent"`
	CreatedAt time.Time      `json:"createdAt"`
	UpdatedAt time.Time      `json:"updatedAt"`
}

// outcomes of events, all of which the state names even while there are none.
var outcomes = []string{"received", "applied", "failed", "duplicate", "stale", "self", "foreign", "unmatched", "shadow"}

// State reads all that there is.
func (s *System) State(ctx context.Context) (State, error) {
	found, err := s.jobStates(ctx, shownJobs)
	if err != nil {
		return State{}, err
	}
	depth, err := s.jobs.Depth(ctx)
	if err != nil {
		return State{}, fmt.Errorf("count messages: %w", err)
	}
	events, err := s.events.Depth(ctx)
	if err != nil {
		return State{}, fmt.Errorf("count messages: %w", err)
	}
	letters, err := s.deadLetters(ctx)
	if err != nil {
		return State{}, fmt.Errorf("look at dead letters: %w", err)
	}
	gaps, err := s.allGaps(ctx)
	if err != nil {
		return State{}, fmt.Errorf("read gaps: %w", err)
	}
	state := State{
		Jobs:        found,
		Queues:      map[string]Queue{"jobs": queueOf(depth), "events": queueOf(events)},
		DeadLetters: letters,
		Events:      map[string]int{},
		Gaps:        gaps,
	}
	for _, outcome := range outcomes {
		state.Events[outcome] = 0
	}
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	maps.Copy(state.Events, s.recorder.events)
	state.Outbound = append([]Call{}, s.recorder.calls...)
	return state, nil
}

func (s *System) allGaps(ctx context.Context) ([]ledger.Gap, error) {
	all := []ledger.Gap{}
	for _, pim := range slices.Sorted(maps.Keys(s.config.PIMs)) {
		gaps, err := s.gaps.Gaps(ctx, pim)
		if err != nil {
			return nil, err
		}
		all = append(all, gaps...)
	}
	return all, nil
}

func queueOf(depth queue.Depth) Queue { return Queue(depth) }

func (s *System) jobStates(ctx context.Context, most int) ([]JobState, error) {
	all, err := s.allJobs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	states := []JobState{}
	for _, job := range all[:min(len(all), most)] {
		job = job.AsOf(time.Now())
		state := JobState{
			ID: job.ID, Action: job.Action, Trigger: job.Trigger, Extension: job.Extension, Label: job.Label,
			User: job.User.Username, State: job.State, Done: job.Done, Failed: job.Failed, Total: job.Total,
			Message: job.Message, Reason: job.Reason, Failures: []jobs.Failure{}, Attempt: job.Attempt, Parent: job.Parent,
			CreatedAt: job.CreatedAt, UpdatedAt: job.UpdatedAt,
		}
		if job.Failed > 0 {
			if state.Failures, err = s.store.Failures(ctx, job.ID, shownFailures); err != nil {
				return nil, fmt.Errorf("read failures: %w", err)
			}
		}
		states = append(states, state)
	}
	return states, nil
}

// View is all that the page shows.
type View struct {
	State
	Backing    string          `json:"backing"`
	PIM        string          `json:"pim"` // where its pages are
	Extensions []ExtensionView `json:"extensions"`
	AppActions []AppAction     `json:"appActions"`
	Refusals   []Refusal       `json:"refusals"` // newest first, like the others
	Lines      []Line          `json:"lines"`
	Switch     Mode            `json:"switch"`
	Received   []Delivery      `json:"received"`
}

// ExtensionView is an extension as the page lists it.
type ExtensionView struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Label     string   `json:"label"`
	Action    string   `json:"action"`
	Kind      string   `json:"kind"`
	Positions []string `json:"positions"`
}

// View reads what the page shows: the newest of everything.
func (s *System) View(ctx context.Context) (View, error) {
	state, err := s.State(ctx)
	if err != nil {
		return View{}, err
	}
	view := View{State: state, Backing: s.name, PIM: s.simulator.URL(), AppActions: s.appActions()}
	view.Jobs = view.Jobs[:min(len(view.Jobs), viewedJobs)]
	view.Outbound = newest(view.Outbound, viewedCalls)
	view.Switch, view.Received = s.destination.Look()
	for _, extension := range slices.SortedFunc(maps.Values(s.config.Extensions), byTypeAndName) {
		view.Extensions = append(view.Extensions, ExtensionView{
			Name: extension.Name, Type: extension.Type, Label: extension.Label.In("en_US"), Action: extension.Action,
			Kind: s.config.Actions[extension.Action].Kind, Positions: extension.Positions,
		})
	}
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	view.Refusals = newest(s.recorder.refusals, keptRefusals)
	view.Lines = newest(s.recorder.lines, viewedLines)
	return view, nil
}

// byTypeAndName puts the buttons first: the types' names are in that order.
func byTypeAndName(a, b config.Extension) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
}
