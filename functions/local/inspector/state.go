package inspector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
)

// How much the state shows; the rest is left out.
const (
	shownJobs     = 500
	shownFailures = 20 // of one job
)

// State is what GET /_local/state answers.
type State struct {
	Jobs        []JobState         `json:"jobs"` // newest first
	Queues      map[string]Queue   `json:"queues"`
	DeadLetters []cloud.DeadLetter `json:"deadLetters"`
	Outbound    []Call             `json:"outbound"` // oldest first
	Events      map[string]int     `json:"events"`   // by outcome
	PIM         PIMCalls           `json:"pim"`
	Gaps        []ledger.Gap       `json:"gaps"` // times in which events were lost, newest first
}

// PIMCalls is how many calls were made to PIMs, and how many were saved since things came together.
type PIMCalls struct {
	Calls int `json:"calls"`
	Saved int `json:"saved"`
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
	Open      bool           `json:"open,omitempty"` // more may follow than the total counts
	Message   string         `json:"message"`
	Reason    string         `json:"reason"`
	Failures  []jobs.Failure `json:"failures"`
	Attempt   int            `json:"attempt"`
	Parent    string         `json:"parent"`
	Undoable  bool           `json:"undoable"`
	CreatedAt time.Time      `json:"createdAt"`
	Next      *time.Time     `json:"next,omitempty"` // of its next try, while it waits
	WaitsFor  *JobWait       `json:"waitsFor,omitempty"`
	UpdatedAt time.Time      `json:"updatedAt"`
	Files     []JobFile      `json:"files,omitempty"`
}

// JobFile is a file that a job made.
type JobFile struct {
	Name  string `json:"name"`
	URL   string `json:"url"`
	Bytes int64  `json:"bytes"`
}

// outcomes of events: the state names all of them, even while there are none.
var outcomes = []string{"received", "applied", "started", "failed", "duplicate", "stale", "self", "foreign", "unmatched", "shadow"}

// State reads the jobs, the queues and what was recorded.
func (i *Inspector) State(ctx context.Context) (State, error) {
	found, err := i.jobStates(ctx, shownJobs)
	if err != nil {
		return State{}, err
	}
	depth, err := i.config.Cloud.Jobs.Depth(ctx)
	if err != nil {
		return State{}, fmt.Errorf("count messages: %w", err)
	}
	events, err := i.config.Cloud.Events.Depth(ctx)
	if err != nil {
		return State{}, fmt.Errorf("count messages: %w", err)
	}
	letters, err := i.config.Cloud.DeadLetters(ctx)
	if err != nil {
		return State{}, fmt.Errorf("count dead letters: %w", err)
	}
	gaps, err := i.gaps(ctx)
	if err != nil {
		return State{}, fmt.Errorf("read gaps: %w", err)
	}
	state := State{
		Jobs:        found,
		Queues:      map[string]Queue{"jobs": Queue(depth), "events": Queue(events)},
		DeadLetters: letters,
		Outbound:    i.config.Recorder.Calls(),
		Events:      i.config.Recorder.Events(),
		PIM:         i.config.Recorder.PIMCalls(),
		Gaps:        gaps,
	}
	for _, outcome := range outcomes {
		state.Events[outcome] += 0
	}
	return state, nil
}

// gaps of all PIMs.
func (i *Inspector) gaps(ctx context.Context) ([]ledger.Gap, error) {
	all := []ledger.Gap{}
	for _, name := range slices.Sorted(maps.Keys(i.config.Extensions.PIMs)) {
		gaps, err := i.config.Cloud.Ledger.Gaps(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, gaps...)
	}
	return all, nil
}

// jobStates are the newest jobs, at most so many.
func (i *Inspector) jobStates(ctx context.Context, most int) ([]JobState, error) {
	all, err := i.config.Cloud.AllJobs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	states := []JobState{}
	for _, job := range all[:min(len(all), most)] {
		state, err := i.jobState(ctx, job.AsOf(time.Now()))
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

func (i *Inspector) jobState(ctx context.Context, job jobs.Job) (JobState, error) {
	state := JobState{
		ID: job.ID, Action: job.Action, Trigger: job.Trigger, Extension: job.Extension, Label: job.Label,
		User: job.User.Username, State: job.State, Done: job.Done, Failed: job.Failed, Total: job.Total, Open: job.Open() && !job.State.Ended(),
		Message: job.Message, Reason: job.Reason, Failures: []jobs.Failure{}, Attempt: job.Attempt, Parent: job.Parent, Undoable: job.Undoable(),
		CreatedAt: job.CreatedAt, UpdatedAt: job.UpdatedAt, WaitsFor: waitsFor(job),
	}
	for _, file := range job.Files {
		state.Files = append(state.Files, JobFile{Name: file.Name, URL: file.Link, Bytes: file.Bytes})
	}
	if job.State == jobs.Waiting && !job.NextTry.IsZero() {
		state.Next = &job.NextTry
	}
	if job.Failed > 0 {
		failures, err := i.config.Cloud.Store.Failures(ctx, job.ID, shownFailures)
		if err != nil {
			return JobState{}, fmt.Errorf("read failures: %w", err)
		}
		state.Failures = failures
	}
	return state, nil
}
