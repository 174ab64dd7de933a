package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func put(t *testing.T, b bench, signal jobs.Signal) jobs.Signal {
	t.Helper()
	there, err := b.PutSignal(t.Context(), signal)
	if err != nil {
		t.Fatal(err)
	}
	return there
}

func firstSignal(t *testing.T, b bench) {
	if _, err := b.Signal(t.Context(), "job-1", "0-99"); !errors.Is(err, jobs.ErrNoSignal) {
		t.Errorf("before: %v", err)
	}
	first := jobs.Signal{
		Job: "job-1", Wait: "0-99", Kind: jobs.SignalCallback, At: noon, Digest: "d", Body: json.RawMessage(`{"message":"<é>"}`), File: "signal/job-1/0-99/d",
		User: jobs.User{UUID: "u"}, Code: "a", Cause: "b", Reason: "c",
	}
	if there := put(t, b, first); !reflect.DeepEqual(there, first) {
		t.Errorf("written %+v", there)
	}
	for name, second := range map[string]jobs.Signal{"the same": first, "another": {Job: "job-1", Wait: "0-99", Kind: jobs.SignalTimeout, At: noon}} {
		if there := put(t, b, second); !reflect.DeepEqual(there, first) {
			t.Errorf("%s: %+v holds the place", name, there)
		}
	}
	if read, err := b.Signal(t.Context(), "job-1", "0-99"); err != nil || !reflect.DeepEqual(read, first) {
		t.Errorf("read %+v, %v", read, err)
	}
}

func otherSignals(t *testing.T, b bench) {
	put(t, b, jobs.Signal{Job: "job-1", Wait: "0-99", Kind: jobs.SignalCancel, At: noon})
	for _, other := range [][2]string{{"job-1", "100-199"}, {"job-1", "0-9"}, {"job-1#0", "-99"}, {"job", "0-99"}} {
		if _, err := b.Signal(t.Context(), other[0], other[1]); !errors.Is(err, jobs.ErrNoSignal) {
			t.Errorf("%q: %v", other, err)
		}
	}
	if _, err := b.PutSignal(t.Context(), jobs.Signal{Job: "job-1", Wait: "0-0", Kind: jobs.SignalCallback, Body: json.RawMessage(`"` + strings.Repeat("x", jobs.MaxSignalBody) + `"`)}); !errors.Is(err, jobs.ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
	for _, none := range []jobs.Signal{{Wait: "0-0", Kind: "x"}, {Job: "j", Kind: "x"}, {Job: "j", Wait: "0-0"}, {Job: strings.Repeat("j", 65), Wait: "0-0", Kind: "x"}} {
		if _, err := b.PutSignal(t.Context(), none); err == nil {
			t.Errorf("%+v was written", none)
		}
	}
}

func signalRace(t *testing.T, b bench) {
	var all sync.WaitGroup
	there := make([]jobs.Signal, 20)
	for n := range there {
		all.Go(func() {
			there[n], _ = b.PutSignal(t.Context(), jobs.Signal{Job: "job-1", Wait: "0-0", Kind: jobs.SignalCallback, At: noon, Digest: fmt.Sprint(n)})
		})
	}
	all.Wait()
	for n, one := range there {
		if one.Digest == "" || one.Digest != there[0].Digest {
			t.Errorf("%d found %q, the first %q", n, one.Digest, there[0].Digest)
		}
	}
}

func signalLife(t *testing.T, b bench) {
	signal := jobs.Signal{Job: "job-1", Wait: "0-0", Kind: jobs.SignalAsDone, At: noon}
	put(t, b, signal)
	b.pass(jobs.MaxWithin + jobs.Life)
	if there := put(t, b, jobs.Signal{Job: "job-1", Wait: "0-0", Kind: jobs.SignalTimeout, At: noon}); there.Kind != jobs.SignalAsDone {
		t.Errorf("%+v", there)
	}
	b.pass(jobs.Life)
	if _, err := b.Signal(t.Context(), "job-1", "0-0"); !errors.Is(err, jobs.ErrNoSignal) {
		t.Errorf("after its life: %v", err)
	}
}

func rests(t *testing.T, b bench) {
	job := create(t, b, jobs.Job{ID: "rests", Turn: 3})
	for _, row := range []struct {
		turn, want int64
		err        error
	}{{5, 5, nil}, {5, 5, jobs.ErrConflict}, {4, 5, jobs.ErrConflict}, {6, 6, nil}} {
		if err := b.Rest(t.Context(), "rests", row.turn); !errors.Is(err, row.err) {
			t.Errorf("turn %d: %v", row.turn, err)
		}
		if got := load(t, b, "rests"); got.Turn != row.want || got.Version != job.Version {
			t.Errorf("turn %d at version %d, want %d at %d", got.Turn, got.Version, row.want, job.Version)
		}
	}
	job.Turn = 9
	if _, err := b.Save(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if got := load(t, b, "rests"); got.Turn != 9 {
		t.Errorf("after a save: turn %d", got.Turn)
	}
	if err := b.Rest(t.Context(), "nobody", 1); err != nil {
		t.Errorf("no job: %v", err)
	}
	b.pass(time.Second)
}
