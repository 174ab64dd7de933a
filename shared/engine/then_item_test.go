package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

const thenByItem = `
actions:
  send: {kind: script, then: {succeeded: all, partial: some, failed: none, done: go-on, not_done: mend}}
  all:   {kind: notify, channel: json, url: "%[1]s/all", text: "{{.Outcome}} {{.Done}}/{{.Total}}"}
  some:  {kind: notify, channel: json, url: "%[1]s/some", text: "{{.Outcome}} {{.Done}}/{{.Total}}"}
  none:  {kind: notify, channel: json, url: "%[1]s/none", text: "{{.Outcome}} {{.Done}}/{{.Total}}"}
  go-on: {kind: forward, url: "%[1]s/go-on"}
  mend:  {kind: forward, url: "%[1]s/mend"}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Check}, action: send}
subscriptions:
  first: {pim: main, api: event-platform, events: ["com.akeneo.pim.v1.*"], action: send}
`

// thenScript works in batches of two; the items with these indices fail.
func thenScript(failing ...int) *script {
	return &script{batch: 2, run: func(_ context.Context, run engine.Run) (result engine.Result, _ error) {
		for i := range max(len(run.Items), 1) {
			if slices.Contains(failing, run.First+i) {
				if len(run.Items) == 0 {
					return result, engine.Permanent("no", nil)
				}
				result.Failures = append(result.Failures, engine.Failure{Index: i, Reason: "no"})
			}
		}
		return result, nil
	}}
}

func (w *fixture) toldInOrder() string {
	told := strings.Split(w.told(), "; ")
	slices.Sort(told)
	return strings.Join(told, "; ")
}

func TestWhatFollowsByItem(t *testing.T) {
	for _, c := range []struct {
		name    string
		items   int
		failing []int
		want    string
	}{
		{"all succeed", 3, nil, "/all succeeded 3/3 x1; /go-on product/p0 x1; /go-on product/p1 x1; /go-on product/p2 x1"},
		{"some fail", 4, []int{1, 2}, "/go-on product/p0 x1; /go-on product/p3 x1; /mend product/p1 x1; /mend product/p2 x1; /some partial 2/4 x1"},
		{"all fail", 2, []int{0, 1}, "/mend product/p0 x1; /mend product/p1 x1; /none failed 0/2 x1"},
		{"no items", 0, nil, "/all succeeded 0/0 x1"},
		{"no items, and it fails", 0, []int{0}, "/none failed 0/0 x1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t, thenScript(c.failing...).backing(), fault{})
			w.loads(fmt.Sprintf(thenByItem, w.destination.URL))
			id, _ := w.press("send", c.items)
			w.drain()
			if got := w.toldInOrder(); got != c.want {
				t.Errorf("told %q\nwant %q", got, c.want)
			}
			if job := w.job(id); len(job.ThenDue) > 0 {
				t.Errorf("still due: %v", job.ThenDue)
			}
		})
	}
}

// One action may follow both of the end and of the items: these are two jobs.
func TestOneActionFollowsTwice(t *testing.T) {
	w := newFixture(t, thenScript(1).backing(), fault{})
	w.loads(strings.NewReplacer("done: go-on, not_done: mend", "done: mend, not_done: mend", "partial: some", "partial: mend").Replace(fmt.Sprintf(thenByItem, w.destination.URL)))
	w.press("send", 3)
	w.drain()
	if got := w.toldInOrder(); got != "/mend product/p0 x1; /mend product/p1 x2; /mend product/p2 x1" {
		t.Errorf("told %q", got)
	}
}

func TestACancelledJobIsFollowedByNothing(t *testing.T) {
	var w *fixture
	var id string
	s := &script{batch: 1, run: func(context.Context, engine.Run) (engine.Result, error) {
		_, err := jobs.Cancel(w.Context(), w.store, id, w.clock.Now)
		return engine.Result{Failures: []engine.Failure{{Index: 0, Reason: "no"}}}, err
	}}
	w = newFixture(t, s.backing(), fault{})
	w.loads(fmt.Sprintf(thenByItem, w.destination.URL))
	id, _ = w.press("send", 3)
	w.drain()
	if got := w.told(); got != "" || w.job(id).State != jobs.Cancelled {
		t.Errorf("%s, told %q", w.job(id).State, got)
	}
}

// TestAFaultAnywhereStartsEachFollowUpOnce: all are due in the write that ends the job, and cleared when all are sent.
func TestAFaultAnywhereStartsEachFollowUpOnce(t *testing.T) {
	for name, c := range map[string]struct {
		items   int
		failing []int
		want    string
	}{
		"partial":   {3, []int{1}, "/go-on product/p0 x1; /go-on product/p2 x1; /mend product/p1 x1; /some partial 2/3 x1"},
		"succeeded": {1, nil, "/all succeeded 1/1 x1; /go-on product/p0 x1"},
		"failed":    {1, []int{0}, "/mend product/p0 x1; /none failed 0/1 x1"},
	} {
		scenario := func(t *testing.T, plan fault) *faults {
			w := newFixture(t, thenScript(c.failing...).backing(), fault{})
			w.loads(fmt.Sprintf(thenByItem, w.destination.URL))
			id, _ := w.press("send", c.items)
			w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
			w.drain()
			count := &faults{count: w.faults.count, names: w.faults.names}
			if got := w.toldInOrder(); got != c.want {
				t.Errorf("told %q\nwant %q", got, c.want)
			}
			if job := w.job(id); len(job.ThenDue) > 0 || !job.State.Ended() {
				t.Errorf("%s, still due: %v", job.State, job.ThenDue)
			}
			if n := w.dead(); n > 0 {
				t.Errorf("%d dead letters", n)
			}
			return count
		}
		clean := scenario(t, fault{})
		if clean.count < 15 {
			t.Fatalf("%s: only %d operations", name, clean.count)
		}
		for at := 1; at <= clean.count; at++ {
			for _, way := range []fault{{at: at}, {at: at, after: true}, {at: at, crash: true}, {at: at, after: true, crash: true}} {
				t.Run(fmt.Sprintf("%s/%d %s after=%v crash=%v", name, at, clean.names[at-1], way.after, way.crash), func(t *testing.T) { scenario(t, way) })
			}
		}
	}
}

// An event is about one entity, which goes on by item like a job's.
func TestWhatFollowsAnEventByItem(t *testing.T) {
	for _, c := range []struct {
		name, kind, data string
		failing          []int
		want             string
	}{
		{"applied", "product.updated", product, nil, "/all succeeded 1/1 x1; /go-on product/p1 x1"},
		{"failed", "product.updated", product, []int{0}, "/mend product/p1 x1; /none failed 0/1 x1"},
		{"of what is no item", "attribute.updated", `"attribute":{"code":"a"},"author":{"identifier":"julia","type":"user"}`, nil, "/all succeeded 1/1 x1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t, thenScript(c.failing...).backing(), fault{})
			w.loads(fmt.Sprintf(thenByItem, w.destination.URL))
			w.receive(pimevent.EventPlatform, platform("e1", c.kind, c.data, w.clock.Now()))
			w.drainEvents()
			w.drain()
			if got := w.toldInOrder(); got != c.want {
				t.Errorf("told %q\nwant %q", got, c.want)
			}
			if entry, err := w.ledger.Get(t.Context(), "event-platform/main/e1"); err != nil || len(entry.ThenDue) > 0 {
				t.Errorf("still due: %v, %v", slices.Collect(maps.Keys(entry.ThenDue)), err)
			}
		})
	}
}

// What the first wave recorded as due follows the job's end.
func TestAFollowUpOfTheFirstWaveIsStarted(t *testing.T) {
	w := newFixture(t, thenScript().backing(), fault{})
	w.loads(fmt.Sprintf(thenByItem, w.destination.URL))
	id, _ := w.press("send", 2)
	job := w.job(id)
	job.State, job.Done, job.Next = jobs.Succeeded, 2, 2
	if err := json.Unmarshal([]byte(`"all"`), &job.ThenDue); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Save(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if follow := w.job(jobs.ID("all", []byte(id), []byte(jobs.Succeeded))); follow.State != jobs.Succeeded || w.told() != "/all succeeded 2/2 x1" {
		t.Errorf("%s, told %q", follow.State, w.told())
	}
	for _, text := range []string{`""`, `null`, `{}`} {
		if err := json.Unmarshal([]byte(text), &job.ThenDue); err != nil || len(job.ThenDue) > 0 {
			t.Errorf("%s: %v, %v", text, job.ThenDue, err)
		}
	}
}
