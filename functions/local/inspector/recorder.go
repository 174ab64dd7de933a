package inspector

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/recent"
	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// How much is kept.
const (
	keptLines    = 300
	keptRefusals = 50
	keptCalls    = 2000 // whoever tries things out may want to count them
)

// Refusal is a request that was refused, with the reasons that its sender does not learn.
type Refusal struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`
	Reason string    `json:"reason"`
	Why    []string  `json:"why"`
}

// Call is a call that the worker made.
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

// Recorder keeps what happens, for the state and the page. Safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	lines    recent.List[Line]
	refusals recent.List[Refusal]
	calls    recent.List[Call]
	events   map[string]int     // by outcome
	uses     map[[2]string]Used // by list and fingerprint
	notRead  map[string]NotRead // by document
	pim      PIMCalls
}

// NewRecorder is a Recorder that has seen nothing.
func NewRecorder() *Recorder {
	return &Recorder{
		lines: recent.New[Line](keptLines), refusals: recent.New[Refusal](keptRefusals), calls: recent.New[Call](keptCalls),
		events: map[string]int{}, uses: map[[2]string]Used{}, notRead: map[string]NotRead{},
	}
}

func (r *Recorder) logged(line Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines.Add(line)
}

func (r *Recorder) refused(refusal Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals.Add(refusal)
}

// Called is for outbound.Config.Observe.
func (r *Recorder) Called(call outbound.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls.Add(Call{
		Action: call.Action, Method: call.Method, URL: call.URL, Status: call.Status, Items: call.Items,
		IdempotencyKey: call.IdempotencyKey, At: call.At, Milliseconds: call.Duration.Milliseconds(),
	})
}

// Started records an execution of a state machine that began.
func (r *Recorder) Started(execution statemachine.Execution) {
	r.Called(outbound.Call{
		Action: "state-machine", Method: "START", URL: execution.Machine + ":" + execution.Name, Status: 200, At: time.Now(),
	})
}

// Published is for publish.LogConfig.Observe: what is put on the bus is listed among the calls.
func (r *Recorder) Published(entry publish.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls.Add(Call{
		Action: "publish", Method: "PUT", URL: "bus:" + entry.Source + "/" + entry.DetailType, Status: 200, At: time.Now(),
	})
}

// Mailed is for notify.FolderConfig.Observe: e-mail is listed among the calls, without its addresses.
func (r *Recorder) Mailed(m notify.Mail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls.Add(Call{
		Action: "e-mail", Method: "PUT", URL: fmt.Sprintf("mail:%s (%d recipients)", m.Subject, len(m.To)), Status: 200, IdempotencyKey: m.Key, At: time.Now(),
	})
}

// Measured is for metric.Config.Observe: it counts the events that were received, those that ended by outcome, uses of
// secrets, and the calls to PIMs.
func (r *Recorder) Measured(sample metric.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used(sample)
	switch sample.Name {
	case "EventsReceived":
		r.events["received"] += int(sample.Value)
	case "PIMCalls":
		r.pim.Calls += int(sample.Value)
	case "PIMCallsSaved":
		r.pim.Saved += int(sample.Value)
	case "Events":
		for _, dimension := range sample.Dimensions {
			if dimension.Name == "Outcome" {
				r.events[dimension.Value] += int(sample.Value)
			}
		}
	}
}

// Lines are the log, newest first.
func (r *Recorder) Lines() []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines.Newest(keptLines)
}

// Refusals are the requests that were refused, newest first.
func (r *Recorder) Refusals() []Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusals.Newest(keptRefusals)
}

// Calls are the calls that the worker made, oldest first.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls.Oldest()
}

// Events counts by outcome; received counts all.
func (r *Recorder) Events() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.events)
}

// PIMCalls counts the calls to PIMs.
func (r *Recorder) PIMCalls() PIMCalls {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pim
}

// line finds the newest line of a request.
func (r *Recorder) line(requestID string) (Line, bool) {
	for _, line := range r.Lines() {
		if line.Attrs["request_id"] == requestID {
			return line, true
		}
	}
	return Line{}, false
}
