package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clientError is an error of a client that says by method what it means.
type clientError struct {
	permanent, throttled, silent bool
	until                        time.Time
}

func (clientError) Error() string        { return "POST erp.example.com answered 418" }
func (clientError) Reason() string       { return "the destination has a problem" }
func (e clientError) Permanent() bool    { return e.permanent }
func (e clientError) Throttled() bool    { return e.throttled }
func (e clientError) Silent() bool       { return e.silent }
func (e clientError) RetryAt() time.Time { return e.until }

// TestWhatFollowsAnAnswer is the specification of decide: what a run began with, what it answered, and the time, give one verdict. The
// standing is of a job of five items in batches of two unless a row says otherwise; retry.for is an hour.
func TestWhatFollowsAnAnswer(t *testing.T) {
	down := errors.New("down")
	pause := func(d time.Duration) error { return clientError{throttled: true, until: noon.Add(d)} }
	failures := func(indexes ...int) (f []Failure) {
		for _, i := range indexes {
			f = append(f, Failure{Index: i, Reason: "no price"})
		}
		return f
	}
	type change func(*standing, *moment)
	left := func(left, batch int) change {
		return func(s *standing, _ *moment) { s.left, s.batch = left, batch }
	}
	stop := func(s *standing, _ *moment) { s.stop = true }
	over := func(_ *standing, m *moment) { m.over = true }
	more := func(s *standing, _ *moment) { s.more = true }
	unfinished := func(s *standing, _ *moment) { s.unfinished = true }
	since := func(tries int, ago time.Duration) change {
		return func(s *standing, _ *moment) { s.tries, s.downSince = tries, noon.Add(-ago) }
	}
	asked := func(d time.Duration) change { return func(s *standing, _ *moment) { s.asked = d } }
	state := json.RawMessage(`{"call":"1"}`)
	for _, c := range []struct {
		name   string
		given  []change
		answer answer
		want   string
	}{
		// All is well.
		{"a batch is done", nil, answerOf(Result{}, nil, 2, false), "goes on, 2 through"},
		{"a batch is done, and some of it failed", nil, answerOf(Result{Failures: failures(0, 1, 1, 7, -1)}, nil, 2, false), "goes on, 2 through, failed 0 1"},
		{"the last batch is done", []change{left(2, 2)}, answerOf(Result{Message: "sent"}, nil, 2, false), `ends, 2 through, "sent"`},
		{"a batch of none is done", []change{left(0, 0)}, answerOf(Result{}, nil, 0, false), "ends"},
		{"a batch is done after failed tries", []change{since(3, 59*time.Minute), asked(time.Hour)}, answerOf(Result{}, nil, 2, false), "goes on, 2 through"},
		{"a batch is done, and the time is used up", []change{over}, answerOf(Result{}, nil, 2, false), "waits 0s, 2 through"},
		{"the last batch is done, and the time is used up", []change{left(2, 2), over}, answerOf(Result{}, nil, 2, false), "ends, 2 through"},
		{"a part of a batch is through", nil, answerOf(Result{Done: 1, Failures: failures(0, 1)}, nil, 2, false), "goes on, 1 through, failed 0"},
		{"a part of the last batch is through", []change{left(2, 2)}, answerOf(Result{Done: 1}, nil, 2, false), "goes on, 1 through"},
		{"more than there is", nil, answerOf(Result{Done: 9}, nil, 2, false), "goes on, 2 through"},

		// Others are asked, and tell later.
		{"others are asked", nil, answer{class: awaits, began: true, state: state, until: noon.Add(72 * time.Hour)}, `waits 72h0m0s held for a signal, state {"call":"1"}`},
		{"others are asked after failed tries", []change{since(3, time.Minute), asked(time.Hour)}, answer{class: awaits, began: true, until: noon.Add(time.Hour)}, "waits 1h0m0s held for a signal"},
		{"others are asked, and a user asked to stop", []change{stop}, answer{class: awaits, began: true, until: noon.Add(time.Hour)}, "stops"},
		{"the signal came too late", nil, answer{class: refused, began: true, code: jobs.ReasonNoSignal, reason: "nothing came", early: []jobs.EarlyFailure{{Index: 1, Reason: "no price"}}}, `goes on no_signal, 2 through, failed 0 1, "nothing came"`},

		// What runs have kept is still to be made into something.
		{"the last batch is done, and something is left to do", []change{left(2, 2), unfinished}, answerOf(Result{}, nil, 2, false), "goes on, 2 through"},
		{"the same, and the time is used up", []change{left(2, 2), unfinished, over}, answerOf(Result{}, nil, 2, false), "waits 0s, 2 through"},
		{"the same, and a user asked to stop", []change{left(2, 2), unfinished, stop}, answerOf(Result{}, nil, 2, false), "stops, 2 through"},

		// Pages of a selection follow that are not counted.
		{"a page is through", []change{left(2, 2), more}, answerOf(Result{}, nil, 2, false), "goes on, 2 through"},
		{"a page is through, and the time is used up", []change{left(2, 2), more, over}, answerOf(Result{}, nil, 2, false), "waits 0s, 2 through"},
		{"a page is through, and a user asked to stop", []change{left(2, 2), more, stop}, answerOf(Result{}, nil, 2, false), "stops, 2 through"},
		{"a page of none came to hand", []change{left(0, 0), more}, answer{class: done}, "goes on"},
		{"the last page was of none", []change{left(0, 0)}, answer{class: done}, "ends"},
		{"a page cannot be read", []change{left(0, 0), more}, notBegun(down, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, internal, "a passing problem", keeps state`},
		{"a page cannot be read for an hour", []change{left(0, 0), more, since(8, time.Hour)}, notBegun(down, false), `ends gave_up, counted down 1h0m0s, internal, "a passing problem, and the time for trying again is over"`},
		{"a page can never be read", []change{left(0, 0), more}, notBegun(clientError{permanent: true}, false), `ends permanent, "the destination has a problem"`},
		{"a page is refused", []change{left(2, 2), more}, answerOf(Result{}, Permanent("no", nil), 2, false), `goes on permanent, 2 through, failed 0 1, "no"`},
		{"no page is tried any more", []change{left(2, 2), more, since(8, time.Hour)}, answerOf(Result{}, down, 2, false), `ends gave_up, 2 through, failed 0 1, counted down 1h0m0s, internal, "a passing problem, and the time for trying again is over"`},

		// The destination does not work.
		{"the first failed try", nil, answerOf(Result{}, down, 2, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, internal, "a passing problem", keeps state`},
		{"a client's failed try", nil, answerOf(Result{}, clientError{}, 2, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, destination_down, "the destination has a problem", keeps state`},
		{"no answer in time", nil, answerOf(Result{}, clientError{silent: true}, 2, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, no_answer, "the destination has a problem", keeps state`},
		{"the run's own time is used up", nil, answerOf(Result{}, context.DeadlineExceeded, 2, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, no_answer, "no answer in time", keeps state`},
		{"a failed try behind a part", []change{since(3, 59*time.Minute)}, answerOf(Result{Done: 1}, down, 2, false), `waits 5s, 1 through, try 1 down 0s, gives up in 1h0m0s, internal, "a passing problem"`},
		{"a failed try behind the whole", nil, answerOf(Result{Done: 2}, down, 2, false), "goes on, 2 through"},
		{"a failed try shortly before the end of patience", []change{since(1, 59*time.Minute+59*time.Second)}, answerOf(Result{}, down, 2, false), `waits, try 2 down 59m59s, gives up in 1s, internal, "a passing problem", keeps state`},
		{"a failed try at the end of patience", []change{since(8, time.Hour)}, answerOf(Result{}, down, 2, false), `ends gave_up, 5 through, failed 0 1 2 3 4, counted down 1h0m0s, internal, "a passing problem, and the time for trying again is over"`},
		{"the same, of a batch of none", []change{left(0, 0), since(8, time.Hour)}, answerOf(Result{}, down, 0, false), `ends gave_up, counted down 1h0m0s, internal, "a passing problem, and the time for trying again is over"`},
		{"the action is not known", nil, notBegun(ErrUnknownAction, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, unknown_action, "this version does not know the action", keeps state`},
		{"the action is not known for an hour", []change{since(8, time.Hour)}, notBegun(ErrUnknownAction, false), `ends gave_up, 5 through, failed 0 1 2 3 4, counted down 1h0m0s, unknown_action, "this version does not know the action, and the time for trying again is over"`},

		// It asks for a pause.
		{"a pause of an hour", nil, answerOf(Result{}, pause(time.Hour), 2, false), `waits 1h0m0s held, try 1 down -1h0m0s, asked 1h0m0s, gives up in 2h0m0s, destination_busy, "the destination has a problem", keeps state`},
		{"by a kind's own error", nil, answerOf(Result{}, &ThrottledError{Until: noon.Add(time.Minute), Reason: "slow down"}, 2, false), `waits 1m0s held, try 1 down -1m0s, asked 1m0s, gives up in 1h1m0s, destination_busy, "slow down", keeps state`},
		{"a pause of a second: no faster than other tries", nil, answerOf(Result{}, pause(time.Second), 2, false), `waits 5s held, try 1 down -1s, asked 1s, gives up in 1h0m1s, destination_busy, "the destination has a problem", keeps state`},
		{"a pause of no length", nil, answerOf(Result{}, clientError{throttled: true}, 2, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, destination_busy, "the destination has a problem", keeps state`},
		{"a pause that is over", nil, answerOf(Result{}, pause(-time.Hour), 2, false), `waits 5s, try 1 down 0s, gives up in 1h0m0s, destination_busy, "the destination has a problem", keeps state`},
		{"a pause of a year counts as a day", nil, answerOf(Result{}, pause(365*24*time.Hour), 2, false), `waits 24h0m0s held, try 1 down -24h0m0s, asked 24h0m0s, gives up in 25h0m0s, destination_busy, "the destination has a problem", keeps state`},
		{"a pause while it is down: the pause is no down-time", []change{since(1, 40*time.Minute)}, answerOf(Result{}, pause(30*time.Minute), 2, false), `waits 30m0s held, try 2 down 10m0s, asked 30m0s, gives up in 50m0s, destination_busy, "the destination has a problem", keeps state`},
		{"pauses of three days together", []change{since(3, 0), asked(48 * time.Hour)}, answerOf(Result{}, pause(24*time.Hour), 2, false), `waits 24h0m0s held, try 4 down -24h0m0s, asked 72h0m0s, gives up in 25h0m0s, destination_busy, "the destination has a problem", keeps state`},
		{"and a minute more", []change{since(3, 0), asked(72 * time.Hour)}, answerOf(Result{}, pause(time.Minute), 2, false), `ends gave_up, 5 through, failed 0 1 2 3 4, counted down 0s, destination_busy, "the destination has a problem, and the time for trying again is over"`},

		// It refuses.
		{"a batch is refused", nil, answerOf(Result{}, Permanent("no", nil), 2, false), `goes on permanent, 2 through, failed 0 1, "no"`},
		{"the rest of a batch is refused", nil, answerOf(Result{Done: 1}, Permanent("no", nil), 2, false), `goes on permanent, 2 through, failed 1, "no"`},
		{"the last batch is refused", []change{left(2, 2)}, answerOf(Result{}, clientError{permanent: true}, 2, false), `ends permanent, 2 through, failed 0 1, "the destination has a problem"`},
		{"a batch of none is refused", []change{left(0, 0)}, answerOf(Result{}, Permanent("no", nil), 0, false), `ends permanent, "no"`},
		{"a mistake of the configuration: nothing can begin", nil, notBegun(fmt.Errorf("open: %w", &config.Problem{Message: `auth "erp" is not there`, Remedy: "add it"}), false), `ends permanent, 5 through, failed 0 1 2 3 4, configuration, "the configuration has a mistake: auth "erp" is not there; add it"`},

		// Nothing is wrong, and the kind goes on later.
		{"a state is to be written down", nil, answerOf(Result{State: state}, &LaterError{Reason: "in review"}, 2, false), `goes on, "in review", state {"call":"1"}`},
		{"a state is to be written down, and the time is used up", []change{over}, answerOf(Result{State: state}, &LaterError{}, 2, false), `waits 0s, state {"call":"1"}`},
		{"in two hours", []change{since(3, 59*time.Minute)}, answerOf(Result{State: state}, &LaterError{After: 2 * time.Hour, Reason: "in review"}, 2, false), `waits 2h0m0s held, "in review", state {"call":"1"}`},
		{"in a year: in two weeks, records do not live that long", nil, answerOf(Result{}, &LaterError{After: 365 * 24 * time.Hour}, 2, false), "waits 336h0m0s held"},
		{"the state of a part", nil, answerOf(Result{Done: 1, State: state}, &LaterError{After: time.Minute}, 2, false), `waits 1m0s held, 1 through, state {"call":"1"}`},
		{"a state that is too large", nil, answerOf(Result{State: json.RawMessage(`"` + strings.Repeat("x", jobs.MaxKindState) + `"`)}, &LaterError{}, 2, false), `goes on permanent, 2 through, failed 0 1, internal, "the action's state has 8194 bytes and 8192 are kept: it cannot go on without doing its work twice"`},
		{"a state that is no JSON", nil, answerOf(Result{State: json.RawMessage(`{`)}, &LaterError{}, 2, false), `goes on permanent, 2 through, failed 0 1, internal, "the action's state is not JSON: it cannot go on without doing its work twice"`},

		// The process stops.
		{"nothing was run", nil, answer{class: idle}, "waits 0s, keeps state"},
		{"nothing could be run", nil, notBegun(down, true), "waits 0s, keeps state"},
		{"in the middle of a run", []change{since(2, time.Minute)}, answerOf(Result{}, context.Canceled, 2, true), "waits, try 2 down 1m0s, interrupted, keeps state"},
		{"and the run had come to an end", nil, answerOf(Result{}, nil, 2, true), "goes on, 2 through"},
		{"and the run had begun something outside", nil, answerOf(Result{State: state}, &LaterError{After: time.Minute}, 2, true), `waits 1m0s held, state {"call":"1"}`},

		// A user asks to stop.
		{"stop, and nothing was run", []change{stop}, answer{class: idle}, "stops, keeps state"},
		{"stop, and a batch is done", []change{stop}, answerOf(Result{}, nil, 2, false), "stops, 2 through"},
		{"stop, and the last batch is done", []change{stop, left(2, 2)}, answerOf(Result{}, nil, 2, false), "ends, 2 through"},
		{"stop, and the try failed", []change{stop}, answerOf(Result{}, down, 2, false), `stops, try 1 down 0s, gives up in 1h0m0s, internal, "a passing problem", keeps state`},
		{"stop, and a pause was asked for", []change{stop}, answerOf(Result{}, pause(time.Hour), 2, false), `stops, try 1 down -1h0m0s, asked 1h0m0s, gives up in 2h0m0s, destination_busy, "the destination has a problem", keeps state`},
		{"stop, and a batch was refused", []change{stop}, answerOf(Result{}, Permanent("no", nil), 2, false), `stops permanent, 2 through, failed 0 1, "no"`},
		{"stop, and the kind goes on later", []change{stop}, answerOf(Result{State: state}, &LaterError{After: time.Minute}, 2, false), `stops, state {"call":"1"}`},
		{"stop, and the process stops", []change{stop}, answerOf(Result{}, context.Canceled, 2, true), "stops, interrupted, keeps state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, m := standing{left: 5, batch: 2, patience: time.Hour}, moment{now: noon}
			for _, change := range c.given {
				change(&s, &m)
			}
			if got := inWords(decide(s, c.answer, m)); got != c.want {
				t.Errorf("\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// inWords is a verdict as the table writes it. Of a wait that is left to chance it says only that it is one.
func inWords(v verdict) string {
	words := []string{map[next]string{goesOn: "goes on", waits: "waits", ends: "ends", stops: "stops"}[v.next]}
	if d := v.at.Sub(noon); v.next == waits && (v.tries < 2 || v.held) {
		words[0] += " " + d.String()
	}
	if v.next == waits && v.held {
		words[0] += " held"
	}
	if v.next == waits && v.asks {
		words[0] += " for a signal"
	}
	if v.reason != "" {
		words[0] += " " + v.reason
	}
	if v.through > 0 {
		words = append(words, fmt.Sprint(v.through, " through"))
	}
	if len(v.failures) > 0 {
		list := "failed"
		for _, f := range v.failures {
			list += fmt.Sprint(" ", f.Index)
		}
		words = append(words, list)
	}
	if v.tries > 0 {
		words = append(words, fmt.Sprintf("try %d down %s", v.tries, noon.Sub(v.downSince)))
	} else if v.failedTry {
		words = append(words, fmt.Sprint("counted down ", v.down))
	}
	if v.asked > 0 {
		words = append(words, fmt.Sprint("asked ", v.asked))
	}
	if !v.givesUpAt.IsZero() {
		words = append(words, fmt.Sprint("gives up in ", v.givesUpAt.Sub(noon)))
	}
	if v.cause != "" {
		words = append(words, v.cause)
	}
	if v.message != "" {
		words = append(words, `"`+v.message+`"`)
	}
	if v.interrupted {
		words = append(words, "interrupted")
	}
	if len(v.state) > 0 {
		words = append(words, "state "+string(v.state))
	}
	if v.keepsState && v.next != goesOn && v.next != ends {
		words = append(words, "keeps state")
	}
	return strings.Join(words, ", ")
}
