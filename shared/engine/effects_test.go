package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// What a turn writes, sends, deletes and counts, by the answer of its run: for a job of three items in batches of two, and
// for an event that two subscriptions want, one after the other. The verdicts themselves are TestWhatFollowsAnAnswer's.
func TestTheEffectsOfATurn(t *testing.T) {
	refused := engine.Permanent("no", nil)
	busy := func(now time.Time) error {
		return &engine.ThrottledError{Until: now.Add(time.Hour), Reason: "slow down"}
	}
	answers := map[string]func(now time.Time) (engine.Result, error){
		"done":    func(time.Time) (engine.Result, error) { return engine.Result{}, nil },
		"refused": func(time.Time) (engine.Result, error) { return engine.Result{}, refused },
		"failing": func(time.Time) (engine.Result, error) { return engine.Result{}, errors.New("down") },
		"busy":    func(now time.Time) (engine.Result, error) { return engine.Result{}, busy(now) },
		"later": func(time.Time) (engine.Result, error) {
			return engine.Result{State: json.RawMessage(`{}`)}, &engine.LaterError{After: 10 * time.Minute}
		},
	}
	ended := func(outcome string) string { return "JobsEnded " + outcome }
	for _, c := range []struct {
		answer     string
		at         string // of the job: "", "stop" asked, "late" in the turn
		job        string // what is written, in order
		jobSent    string
		jobCounted string
		event      string
		eventSent  string
		eventCount string
	}{
		{"done", "", "running 0/3, running 2/3, succeeded 3/3 with a follow-up due, succeeded 3/3", "report", ended("succeeded"), ", applied, applied", "", "applied"},
		{"done", "late", "running 0/3, waiting 2/3", "turn 2 after 0s", "", "", "", ""},
		{"done", "stop", "running 0/3, running 0/3, cancelled 2/3", "", ended("cancelled"), "", "", ""},
		{"refused", "", "running 0/3, running 2/3, failed 3/3 with a follow-up due, failed 3/3", "report", ended("failed"), ", failed, failed", "letter", "failed"},
		{"refused", "stop", "running 0/3, running 0/3, cancelled 2/3", "", ended("cancelled"), "", "", ""},
		{"failing", "", "running 0/3, waiting 0/3", "turn 2 after 5s", "TriesFailed 1, DownAge 0", ", ", "turn 1 after 5s", "TriesFailed 2, DownAge 0"},
		{"failing", "stop", "running 0/3, running 0/3, cancelled 0/3", "turn 2 after 5s", "TriesFailed 1, DownAge 0, " + ended("cancelled"), "", "", ""},
		{"busy", "", "running 0/3, waiting 0/3", "turn 2 after 15m0s", "TriesFailed 1, DownAge 0", ", ", "turn 1 after 15m0s", "TriesFailed 2, DownAge 0"},
		{"busy", "stop", "running 0/3, running 0/3, cancelled 0/3", "turn 2 after 15m0s", "TriesFailed 1, DownAge 0, " + ended("cancelled"), "", "", ""},
		{"later", "", "running 0/3, waiting 0/3", "turn 2 after 10m0s", "", ", , , ", "turn 1 after 10m0s", ""},
		{"later", "stop", "running 0/3, running 0/3, cancelled 0/3", "turn 2 after 10m0s", ended("cancelled"), "", "", ""},
	} {
		t.Run("a job, "+c.answer+" "+c.at, func(t *testing.T) {
			var w *fixture
			s := &script{batch: 2, run: func(ctx context.Context, run engine.Run) (engine.Result, error) {
				switch c.at {
				case "stop":
					if _, err := jobs.Cancel(ctx, w.store, run.Job, w.clock.Now); err != nil {
						t.Error(err)
					}
				case "late":
					w.clock.advance(61 * time.Second)
				}
				return answers[c.answer](w.clock.Now())
			}}
			w = newFixture(t, s.backing(), fault{})
			id, _ := w.press("script", 3)
			r := w.record()
			w.deliver()
			if got := strings.Join(r.jobs[id], ", "); got != c.job {
				t.Errorf("written %q, want %q", got, c.job)
			}
			if got := r.sent(w); got != c.jobSent {
				t.Errorf("sent %q, want %q", got, c.jobSent)
			}
			if got := w.counted(); got != c.jobCounted {
				t.Errorf("counted %q, want %q", got, c.jobCounted)
			}
			if c.jobSent == "" || c.jobSent == "report" { // the message is deleted: what is left are new ones
				w.drain()
			}
		})
		if c.at != "" {
			continue
		}
		t.Run("an event, "+c.answer, func(t *testing.T) {
			var w *fixture
			s := &script{run: func(context.Context, engine.Run) (engine.Result, error) { return answers[c.answer](w.clock.Now()) }}
			w = newFixture(t, s.backing(), fault{})
			w.receive(pimevent.EventPlatform, platform("e1", "product.deleted", product, w.clock.Now()))
			r := w.record()
			messages, _ := w.events.Receive(t.Context(), 1, 0)
			w.invoke(messages)
			if got := strings.Join(r.events, ", "); got != c.event {
				t.Errorf("written %q, want %q", got, c.event)
			}
			if got := r.sent(w); got != c.eventSent {
				t.Errorf("sent %q, want %q", got, c.eventSent)
			}
			if got := w.counted(); got != c.eventCount {
				t.Errorf("counted %q, want %q", got, c.eventCount)
			}
		})
	}
}

// recording is what a fixture's stores were asked to write since.
type recording struct {
	jobs   map[string][]string // by ID: state, checkpoint, and whether a follow-up is due
	events []string            // outcomes of the subscription "every", or of the event
}

// record notes what is written from now on.
func (w *fixture) record() *recording {
	r := &recording{jobs: map[string][]string{}}
	w.engine.Config.Store = recordingStore{w.engine.Config.Store, r}
	w.store = w.engine.Config.Store
	w.engine.Config.Ledger = recordingLedger{w.engine.Config.Ledger, r}
	return r
}

type recordingStore struct {
	jobs.Store
	*recording
}

func (s recordingStore) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (jobs.Job, error) {
	saved, err := s.Store.Save(ctx, job, failures...)
	if err == nil {
		text := fmt.Sprintf("%s %d/%d", job.State, job.Next, job.Total)
		if len(job.ThenDue) > 0 {
			text += " with a follow-up due"
		}
		s.jobs[job.ID] = append(s.jobs[job.ID], text)
	}
	return saved, err
}

type recordingLedger struct {
	ledger.Store
	*recording
}

func (l recordingLedger) Save(ctx context.Context, entry ledger.Entry) (ledger.Entry, error) {
	saved, err := l.Store.Save(ctx, entry)
	if err == nil && !(entry.Ended() && !entry.Letter && len(l.events) > 2) { // the write that a letter is sent says nothing new
		outcome := entry.Outcome
		if outcome == "" {
			outcome = entry.Outcomes["every"] + entry.Outcomes["other"]
		}
		l.events = append(l.events, string(outcome))
	}
	return saved, err
}

// sent is what the queues hold, without the message in work.
func (r *recording) sent(w *fixture) string {
	var sent []string
	for _, q := range w.memories {
		for _, m := range q.Messages() {
			delay := w.delays[string(m.Body)+m.Attributes[engine.TurnAttribute]]
			id, turn, err := jobs.ParseMessage(m.Body)
			switch {
			case m.Receives > 0:
			case m.Attributes[engine.RedriveAttribute] != "":
				sent = append(sent, "letter")
			case err == nil && strings.HasPrefix(id, "report"):
				sent = append(sent, "report")
			case err == nil:
				sent = append(sent, fmt.Sprintf("turn %d after %s", turn, delay))
			default:
				sent = append(sent, fmt.Sprintf("turn %s after %s", m.Attributes[engine.TurnAttribute], delay))
			}
		}
	}
	return strings.Join(sent, ", ")
}

// counted is what the metrics say of tries and of ends.
func (w *fixture) counted() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var counted []string
	if tries := w.samples["TriesFailed"]; len(tries) > 0 {
		counted = append(counted, fmt.Sprintf("TriesFailed %d, DownAge %.0f", len(tries), slices.Max(w.samples["DownAge"])))
	}
	counted = append(counted, slices.Sorted(maps.Keys(w.endings))...)
	return strings.Join(counted, ", ")
}
