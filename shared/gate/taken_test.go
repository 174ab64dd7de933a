package gate_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/web"
)

// counted is a sink, and what it has counted by name.
func counted() (*metric.Sink, map[string]float64) {
	sums := map[string]float64{}
	return metric.New(metric.Config{Writer: io.Discard, Function: "f", Now: time.Now, Observe: func(s metric.Sample) { sums[s.Name] += s.Value }}), sums
}

// What may have been the sender's counts; the whole internet does not.
func TestTaken(t *testing.T) {
	refused := func(code web.Code, reason string) error { return &web.Error{Code: code, Reason: reason} }
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"taken", nil, "1"},
		{"another secret", refused(web.Unproven, "signature_mismatch"), "0"},
		{"old", refused(web.Unproven, "timestamp_old"), "0"},
		{"no secret of ours", refused(web.Unproven, "no_proof_configured"), "0"},
		{"not queued", refused(web.Unavailable, "events_not_queued"), "0"},
		{"untyped", errors.New("x"), "0"},
		{"a path of nobody's", refused(web.Unproven, gate.Unknown), ""},
		{"another method", refused(web.Method, gate.MethodNotAllowed), ""},
		{"unsigned", refused(web.Unproven, "signature_missing"), ""},
		{"malformed", refused(web.Unproven, "signature_malformed"), ""},
	} {
		sink, sums := counted()
		g, _ := newGate(gate.Config{Metrics: sink}, current)
		_, err := g.Taken(func() (web.Response, error) { return web.Response{}, row.err })
		got := ""
		if value, there := sums["Taken"]; there {
			got = fmt.Sprint(value)
		}
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: counted %q, want %q; %v", row.name, got, row.want, err)
		}
	}
	sink, sums := counted()
	g, _ := newGate(gate.Config{Metrics: sink}, current)
	func() {
		defer func() { recover() }()
		g.Taken(func() (web.Response, error) { panic("x") })
	}()
	if value, there := sums["Taken"]; !there || value != 0 {
		t.Errorf("a panic: counted %v, %t", value, there)
	}
}

func TestQueued(t *testing.T) {
	down := errors.New("internal text of the queue")
	for _, row := range []struct {
		name   string
		err    error
		code   web.Code
		queued float64
	}{
		{"all", nil, "", 3},
		{"none", down, web.Unavailable, 0},
		{"one too large", queue.ErrTooLarge, web.TooLarge, 0},
		{"one not", &queue.PartialError{Failed: map[int]error{1: down}}, web.Unavailable, 2},
		{"one not, since it is too large", &queue.PartialError{Failed: map[int]error{1: queue.ErrTooLarge}}, web.TooLarge, 2},
		{"one lost, one too large", &queue.PartialError{Failed: map[int]error{0: down, 1: queue.ErrTooLarge}}, web.Unavailable, 1},
	} {
		sink, sums := counted()
		g, _ := newGate(gate.Config{Metrics: sink}, current)
		err := g.Queued(&web.Request{Log: &web.Line{}}, 3, row.err)
		refused, _ := errors.AsType[*web.Error](err)
		if _, there := sums["EventsReceived"]; there != (row.queued > 0) {
			t.Errorf("%s: counted %v: events that are none are no sample", row.name, sums)
		}
		if (err == nil) != (row.code == "") || refused != nil && (refused.Code != row.code || refused.Message != "") || sums["EventsReceived"] != row.queued {
			t.Errorf("%s: %v, counted %v", row.name, err, sums)
		}
	}
}
