package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

const asksTranslator = `
actions:
  translate: {kind: forward, url: %q, callback: {within: 72h}, %s}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: translate}
`

// translator is a destination that refuses the first calls, takes the rest, and remembers what it got.
type translator struct {
	refuses int
	calls   []string // idempotency key and body
}

func (d *translator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.calls = append(d.calls, r.Header.Get("Idempotency-Key")+" "+string(body))
	if len(d.calls) <= d.refuses {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"failures":[{"index":2,"reason":"no words"}]}`)
}

// A translation over products: what is sent stays the same while the PIM changes, a failure by index is one of what was
// sent, and what the callback brings comes into the PIM, from where it can be taken back.
func TestATranslationComesBack(t *testing.T) {
	d := &translator{refuses: 2}
	server := httptest.NewServer(d)
	defer server.Close()
	w := newFixture(t, memory, fault{})
	w.loads(fmt.Sprintf(asksTranslator, server.URL, "read: {attributes: [name]}, write: {attributes: [name], locales: [fr_FR]}"))
	v := w.playWriting(fewGoods(60, 61, 62, 63))
	links := 0
	w.engine.Callback = func(_ context.Context, job, wait string, until time.Time) (string, error) {
		links++
		return fmt.Sprintf("https://functions.example.com/callbacks/%s/%s?%d", job, wait, links), nil
	}
	gone := jobs.Item{Type: jobs.Product, ID: "00000000-0000-4000-8000-000000000000"}
	id := w.pressed("translate", one(60), gone, one(61), one(62), one(63))
	for range 100 {
		if w.job(id).AtRest() {
			break
		}
		if !w.deliver() {
			w.clock.advance(time.Minute)
		}
		v.person(uuid(60), `{"name":[{"locale":"en_US","scope":null,"data":"Renamed `+fmt.Sprint(len(d.calls))+`"}]}`)
	}
	before := v.shown()
	job := w.job(id)
	if !job.AtRest() || len(d.calls) != 3 || d.calls[0] != d.calls[1] || d.calls[1] != d.calls[2] || !strings.HasPrefix(d.calls[0], id+"/0-4/") {
		t.Fatalf("%s, %d calls: %q", job.State, len(d.calls), d.calls)
	}
	_, text, _ := strings.Cut(d.calls[0], " ")
	var body struct {
		Items    []struct{ ID string }
		Callback struct{ URL, Until string }
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil || len(body.Items) != 4 || body.Callback.URL != job.Awaits.URL || body.Callback.Until != job.Awaits.Until.Format(time.RFC3339) {
		t.Errorf("%v: %+v, %+v", err, body, job.Awaits)
	}
	// By index 1 of what was sent: the item behind the one that is gone.
	callback := fmt.Sprintf(`{"failures":[{"index":1,"reason":"too long"}],"updates":[%s,%s,%s],"message":"2 of 4"}`, renamed(60, "fr_FR", "Un"), renamed(61, "fr_FR", "Deux"), renamed(63, "de_DE", "Vier"))
	if _, err := w.store.PutSignal(t.Context(), jobs.Signal{Job: id, Wait: "0-4", Kind: jobs.SignalCallback, Body: json.RawMessage(callback)}); err != nil {
		t.Fatal(err)
	}
	_ = w.queue.Send(t.Context(), jobs.Message(id, 0))
	w.drain()
	job, failures := v.ended(id)
	reasons := map[int]string{}
	for _, f := range failures {
		reasons[f.Index] = f.Reason
	}
	want := map[int]string{1: "not in the PIM", 2: "too long", 3: "no words", 4: "de_DE"}
	for index := range 5 {
		if !strings.Contains(reasons[index], want[index]) || (want[index] == "") != (reasons[index] == "") {
			t.Errorf("item %d: %q, want %q", index, reasons[index], want[index])
		}
	}
	if job.State != jobs.Partial || job.Done != 1 || job.Failed != 4 || job.Changed != 1 || job.Message != "2 of 4" || len(d.calls) != 3 {
		t.Errorf("%s, %d done, %d failed, %d changed, %q, %d calls", job.State, job.Done, job.Failed, job.Changed, job.Message, len(d.calls))
	}
	if got := v.shown(); !strings.Contains(got[uuid(60)], "Un") || strings.Contains(got[uuid(61)], "Deux") {
		t.Errorf("%s\n%s", got[uuid(60)], got[uuid(61)])
	}
	if undone, failures := v.undo(id); undone.State != jobs.Succeeded || !reflect.DeepEqual(before, v.shown()) {
		t.Errorf("undo: %s, %v", undone.State, failures)
	}
}

func renamed(n int, locale, name string) string {
	return fmt.Sprintf(`{"uuid":%q,"values":{"name":[{"locale":%q,"scope":null,"data":%q}]}}`, uuid(n), locale, name)
}

// A deployment without files or links says so at once, and sends nothing.
func TestWhatAWaitNeeds(t *testing.T) {
	for name, lacks := range map[string]func(*written){
		"no files": func(v *written) { v.engine.Files = nil },
		"no links": func(v *written) { v.engine.Callback = nil },
	} {
		d := &translator{}
		server := httptest.NewServer(d)
		defer server.Close()
		w := newFixture(t, memory, fault{})
		w.loads(fmt.Sprintf(asksTranslator, server.URL, "timeout: 10s"))
		v := w.playWriting(fewGoods(60))
		w.engine.Callback = func(context.Context, string, string, time.Time) (string, error) { return "https://x", nil }
		lacks(v)
		id := w.pressed("translate", one(60))
		w.drain()
		if job, failures := v.ended(id); job.State != jobs.Failed || len(d.calls) > 0 || len(failures) != 1 || !strings.Contains(failures[0].Reason, "this deployment") {
			t.Errorf("%s: %s, %v, %d calls", name, job.State, failures, len(d.calls))
		}
	}
}
