package local

import (
	"slices"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// How much the page remembers.
const (
	keptLines    = 300
	keptRefusals = 50
	keptCalls    = 2000 // a try may want to count them
)

// Refusal is a request that was refused, with the reasons that its sender is not told.
type Refusal struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`
	Reason string    `json:"reason"`
	Why    []string  `json:"why"`
}

// Call is a call that the worker has made.
type Call struct {
	Action         string    `json:"action"`
	Method         string    `json:"method"`
	URL            string    `json:"url"`
	Status         int       `json:"status"` // 0: no answer
	Items          int       `json:"items"`
	IdempotencyKey string    `json:"idempotencyKey"`
	At             time.Time `json:"at"`
	Milliseconds   int64     `json:"milliseconds"`
}

// Recorder remembers what happened, for the page. Safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	lines    []Line // oldest first, like the others
	refusals []Refusal
	calls    []Call
	events   map[string]int // by outcome
}

func newRecorder() *Recorder { return &Recorder{events: map[string]int{}} }

func (r *Recorder) log(line Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = keep(r.lines, line, keptLines)
}

func (r *Recorder) refused(refusal Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals = keep(r.refusals, refusal, keptRefusals)
}

// called is for outbound.Config.Observe.
func (r *Recorder) called(call outbound.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = keep(r.calls, Call{
		Action: call.Action, Method: call.Method, URL: call.URL, Status: call.Status, Items: call.Items,
		IdempotencyKey: call.IdempotencyKey, At: call.At, Milliseconds: call.Duration.Milliseconds(),
	}, keptCalls)
}

// published is for publish.LogConfig.Observe: a bus is called, too.
func (r *Recorder) published(entry publish.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = keep(r.calls, Call{
		Action: "publish", Method: "PUT", URL: "bus:" + entry.Source + "/" + entry.DetailType, Status: 200, At: time.Now(),
	}, keptCalls)
}

// measured is for metric.Config.Observe: it counts events that were received, and by outcome.
func (r *Recorder) measured(sample metric.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sample.Name == "EventsReceived" {
		r.events["received"] += int(sample.Value)
	}
	if sample.Name != "Events" {
		return
	}
	for _, dimension := range sample.Dimensions {
		if dimension.Name == "Outcome" {
			r.events[dimension.Value] += int(sample.Value)
		}
	}
}

// line finds the newest line of a request.
func (r *Recorder) line(requestID string) (Line, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range slices.Backward(r.lines) {
		if line.Attrs["request_id"] == requestID {
			return line, true
		}
	}
	return Line{}, false
}

// keep appends to what is remembered, and forgets the oldest beyond most.
func keep[T any](all []T, one T, most int) []T {
	if len(all) >= most {
		all = slices.Delete(all, 0, len(all)-most+1)
	}
	return append(all, one)
}

// newest copies what is remembered, newest first, at most so many.
func newest[T any](all []T, most int) []T {
	copied := slices.Clone(all[max(0, len(all)-most):])
	slices.Reverse(copied)
	if copied == nil {
		copied = []T{}
	}
	return copied
}
