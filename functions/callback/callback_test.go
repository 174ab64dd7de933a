package callback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/callback"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	current  = "the-current-secret-of-links-32-characters"
	previous = "the-previous-secret-of-links-32-characters"
	job      = "translate-AAAAAAAAAAAAAAAAAAAAAA"
	good     = `{"status":"succeeded","updates":[{"uuid":"p1","values":{"name":[{"locale":"fr_FR","scope":null,"data":"Un"}]}}]}`
)

var now = time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC)

// fixtures is a callback function behind API Gateway.
type fixtures struct {
	*fixture.Fixture
	at       time.Time
	down     error // of the secret
	storeErr error
	lost     bool // the signal is written, and its answer is lost
	filesErr error
	kept     map[string][]byte // files by key
}

func (f *fixtures) source(context.Context, string) ([]byte, error) {
	if f.down != nil {
		return nil, f.down
	}
	return json.Marshal(map[string]any{"current": current, "previous": previous})
}

type source func(context.Context, string) ([]byte, error)

func (s source) Get(ctx context.Context, id string) ([]byte, error) { return s(ctx, id) }

// PutSignal implements callback.Signals.
func (f *fixtures) PutSignal(ctx context.Context, signal jobs.Signal) (jobs.Signal, error) {
	if f.storeErr != nil && !f.lost {
		return jobs.Signal{}, f.storeErr
	}
	there, err := f.Store.PutSignal(ctx, signal)
	if f.storeErr != nil {
		return jobs.Signal{}, f.storeErr
	}
	return there, err
}

// Put implements address.Putter.
func (f *fixtures) Put(_ context.Context, key string, content []byte, _ string) error {
	f.kept[key] = bytes.Clone(content)
	return f.filesErr
}

func newFixture(t *testing.T) *fixtures {
	t.Helper()
	f := &fixtures{at: now, kept: map[string][]byte{}}
	clock := func() time.Time { return f.at }
	f.Fixture = fixture.New("callback", callback.MaxBody, secrets.Signing{}, clock)
	cache := secrets.NewCache(secrets.CacheConfig[secrets.Links]{Source: source(f.source), Parse: secrets.ParseLinks, Now: clock})
	f.Handler = func() web.Handler {
		return callback.New(callback.Config{Links: cache, Signals: f, Files: f, Queue: f.Queue, Now: clock, Metrics: f.Sink()})
	}
	return f
}

// link is the path and query of an address that a destination got.
func link(secret, kind, job, wait string) string {
	at := address.Link("https://x.example.com", secret, signature.Link{Kind: kind, Job: job, Name: wait, Until: now.Add(72 * time.Hour)})
	return strings.Replace(strings.TrimPrefix(at, "https://x.example.com"), "/files/", "/callbacks/", 1)
}

func (f *fixtures) post(t *testing.T, target, body string) fixture.Answer {
	t.Helper()
	return f.Send(t, httptest.NewRequest("POST", target, strings.NewReader(body)))
}

// woken is how many messages wake the job.
func (f *fixtures) woken(t *testing.T) (n int) {
	t.Helper()
	for _, m := range f.Queue.Messages() {
		if id, turn, err := jobs.ParseMessage(m.Body); err != nil || id != job || turn != 0 {
			t.Errorf("message %s", m.Body)
		}
		n++
	}
	return n
}

// signal is what holds the place; its kind is "" if nothing does.
func (f *fixtures) signal(t *testing.T) jobs.Signal {
	t.Helper()
	there, err := f.Store.Signal(t.Context(), job, "0-1")
	if err != nil && !errors.Is(err, jobs.ErrNoSignal) {
		t.Fatal(err)
	}
	return there
}

func TestACallbackIsRecordedAndTheJobIsWoken(t *testing.T) {
	f := newFixture(t)
	to := link(current, "callback", job, "0-1")
	answer := f.post(t, to, good)
	there := f.signal(t)
	if answer.Status != 200 || answer.Body != `{"received":true}` || there.Kind != jobs.SignalCallback || string(there.Body) != good || there.At != now || f.woken(t) != 1 {
		t.Fatalf("%d %s: %+v, woken %d times", answer.Status, answer.Body, there, f.woken(t))
	}
	// The same bytes are the same callback, by whatever secret and however late; others are not.
	for _, late := range []time.Duration{0, 71 * time.Hour, 10 * 24 * time.Hour} {
		f.at = now.Add(late)
		for _, secret := range []string{current, previous} {
			if again := f.post(t, link(secret, "callback", job, "0-1"), good); again.Status != 200 || again.Body != answer.Body {
				t.Errorf("after %s: %d %s", late, again.Status, again.Body)
			}
		}
		for _, other := range []string{`{}`, good + " ", `{"status":"failed"}`} {
			if got := f.post(t, to, other); got.Status != 409 || got.Line["reason"] != "signal_differs" {
				t.Errorf("%q after %s: %d %v", other, late, got.Status, got.Line["reason"])
			}
		}
	}
	if after := f.signal(t); after.Digest != there.Digest {
		t.Errorf("afterwards %+v", after)
	}
	query, _ := url.ParseQuery(to[strings.Index(to, "?")+1:])
	f.NoLeaks(t, query.Get("proof"), current, "fr_FR", "Un\"")
}

func TestWhoIsRefused(t *testing.T) {
	f := newFixture(t)
	to := link(current, "callback", job, "0-1")
	path, query, _ := strings.Cut(to, "?")
	for _, row := range []struct {
		name, method, target, body string
		status                     int
		reason                     string
	}{
		{"another proof", "POST", path + "?until=1772707320&proof=" + strings.Repeat("A", 43), good, 401, "signature_mismatch"},
		{"no proof", "POST", path + "?until=1772707320", good, 401, "signature_missing"},
		{"no query", "POST", path, good, 401, "signature_missing"},
		{"another until", "POST", strings.Replace(to, "until=1", "until=2", 1), good, 401, "signature_mismatch"},
		{"another job", "POST", strings.Replace(to, "AA/", "AB/", 1), good, 401, "signature_mismatch"},
		{"another wait", "POST", strings.Replace(to, "/0-1?", "/2-3?", 1), good, 401, "signature_mismatch"},
		{"no wait", "POST", "/callbacks/" + job + "?" + query, good, 401, "signature_mismatch"},
		{"no job", "POST", "/callbacks/?" + query, good, 401, "signature_mismatch"},
		{"a file's proof", "POST", link(current, "files", job, "0-1"), good, 401, "signature_mismatch"},
		{"nobody's secret", "POST", link("another-secret-that-nobody-knows-32-chars", "callback", job, "0-1"), good, 401, "signature_mismatch"},
		{"malformed and unproven", "POST", path, "hello", 401, "signature_missing"},
		{"GET", "GET", to, "", 405, "method_not_allowed"},
		{"PUT", "PUT", to, good, 405, "method_not_allowed"},
		{"a byte too many", "POST", to, `{"message":"` + strings.Repeat("a", callback.MaxBody-13) + `"}`, 413, "body_too_large"},
		{"nothing", "POST", to, ``, 422, "body_empty"},
		{"no JSON", "POST", to, `hello`, 422, "body_not_json"},
		{"a list", "POST", to, `[]`, 422, "body_not_object"},
		{"cut", "POST", to, good[:40], 422, "body_not_json"},
		{"an unknown field", "POST", to, `{"state":"done"}`, 422, "body_unknown"},
		{"a name twice", "POST", to, `{"message":"a","message":"b"}`, 422, "duplicate_key"},
		{"another type", "POST", to, `{"updates":{}}`, 422, "body_shape"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := f.Send(t, httptest.NewRequest(row.method, row.target, strings.NewReader(row.body)))
			if answer.Status != row.status || answer.Line["reason"] != row.reason {
				t.Errorf("%d %v, want %d %s", answer.Status, answer.Line["reason"], row.status, row.reason)
			}
			if row.status == 401 && answer.Body != fixture.Unproven {
				t.Errorf("the unproven learn %s", answer.Body)
			}
		})
	}
	if f.signal(t).Kind != "" || f.woken(t) != 0 || len(f.kept) > 0 {
		t.Errorf("something was written: %+v", f.signal(t))
	}
	if answer := f.post(t, "/pim/prod"+to, good); answer.Status != 200 {
		t.Errorf("a good one right afterwards: %d %s", answer.Status, answer.Body)
	}
}

// One row decides: what a user or the time has ended is over, and what comes after its time ends the wait itself.
func TestWhoComesSecond(t *testing.T) {
	for _, row := range []struct {
		first  string // kind of the signal that is there
		late   bool
		status int
		then   string // kind that holds the place
	}{
		{jobs.SignalTimeout, false, 410, jobs.SignalTimeout},
		{jobs.SignalCancel, false, 410, jobs.SignalCancel},
		{jobs.SignalGiveUp, false, 410, jobs.SignalGiveUp},
		{jobs.SignalEnded, false, 410, jobs.SignalEnded},
		{jobs.SignalAsDone, false, 409, jobs.SignalAsDone},
		{jobs.SignalTimeout, true, 410, jobs.SignalTimeout},
		{"", true, 410, jobs.SignalTimeout},
	} {
		f := newFixture(t)
		if row.first != "" {
			if _, err := f.Store.PutSignal(t.Context(), jobs.Signal{Job: job, Wait: "0-1", Kind: row.first}); err != nil {
				t.Fatal(err)
			}
		}
		if row.late {
			f.at = now.Add(72 * time.Hour)
		}
		answer := f.post(t, link(current, "callback", job, "0-1"), good)
		if answer.Status != row.status || f.signal(t).Kind != row.then || f.woken(t) != 1 {
			t.Errorf("after %q, late %v: %d, %s", row.first, row.late, answer.Status, f.signal(t).Kind)
		}
	}
}

// What is too long for a signal lies in a file before the signal says so.
func TestALongCallback(t *testing.T) {
	f := newFixture(t)
	long := `{"message":"` + strings.Repeat("a", 4<<20) + `"}`
	to := link(current, "callback", job, "0-1")
	f.filesErr = errors.New("down: not for callers")
	if answer := f.post(t, to, long); answer.Status != 503 || answer.Line["reason"] != "body_not_stored" || f.signal(t).Kind != "" {
		t.Errorf("the file cannot be written: %d %s", answer.Status, answer.Body)
	}
	f.filesErr = nil
	for range 2 {
		if answer := f.post(t, to, long); answer.Status != 200 {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
	}
	there := f.signal(t)
	if string(f.kept[there.File]) != long || len(f.kept) != 1 || there.Body != nil || !strings.HasPrefix(there.File, "signal/"+job+"/0-1/") {
		t.Errorf("%d files, %+v", len(f.kept), there)
	}
}

// Success is said only of what is durable; whoever is told nothing says it again, and it counts once.
func TestWhatIsAway(t *testing.T) {
	down := errors.New("down: not for callers")
	for name, row := range map[string]struct {
		fail   func(*fixtures)
		reason string
	}{
		"the secret":                      {func(f *fixtures) { f.down = down }, "secrets_unavailable"},
		"the records":                     {func(f *fixtures) { f.storeErr = down }, "signal_not_recorded"},
		"the records, after the write":    {func(f *fixtures) { f.storeErr, f.lost = down, true }, "signal_not_recorded"},
		"the queue":                       {func(f *fixtures) { f.Queue.Before = refuse }, "job_not_woken"},
		"the queue, after it took it":     {func(f *fixtures) { f.Queue.Before = takeAndRefuse(f.Queue) }, "job_not_woken"},
		"the queue of what is too late":   {func(f *fixtures) { f.Queue.Before, f.at = refuse, now.Add(100*time.Hour) }, "job_not_woken"},
		"the records of what is too late": {func(f *fixtures) { f.storeErr, f.at = down, now.Add(100*time.Hour) }, "signal_not_recorded"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			row.fail(f)
			to := link(current, "callback", job, "0-1")
			answer := f.post(t, to, good)
			if answer.Status != 503 || answer.Line["reason"] != row.reason || strings.Contains(answer.Body, "not for callers") {
				t.Fatalf("%d %s %v", answer.Status, answer.Body, answer.Line["reason"])
			}
			f.down, f.storeErr, f.Queue.Before = nil, nil, nil
			want := 200
			if f.at != now {
				want = 410
			}
			f.at = f.at.Add(time.Minute)
			if again := f.post(t, to, good); again.Status != want || f.woken(t) == 0 {
				t.Errorf("again: %d %s", again.Status, again.Body)
			}
		})
	}
}

func refuse(context.Context, int, []queue.Message) error { return errors.New("down: not for callers") }

// takeAndRefuse loses the answer of a send.
func takeAndRefuse(q *fixture.Queue) func(context.Context, int, []queue.Message) error {
	return func(ctx context.Context, _ int, messages []queue.Message) error {
		_ = q.Memory.Send(ctx, messages...)
		return errors.New("down: not for callers")
	}
}
