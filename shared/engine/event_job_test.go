package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const startsYAML = `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com"}}
actions:
  mark:   {kind: update, set: {ean: "{{.Event.ID}}"}, then: {succeeded: report}}
  shop:   {kind: forward, each: true, read: {attributes: [name]}, url: "%[1]s/shop/{{.Item.ID}}", write: {attributes: [ean]}}
  list:   {kind: export, format: csv, attributes: [name], name: list.csv, to: files, keep: 7d}
  report: {kind: notify, channel: json, url: "%[1]s/report", text: "{{.Outcome}}: {{.Done}} of {{.Total}}"}
subscriptions:
  each:   {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.created], action: mark}
  latest: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated], deliver: latest, action: mark}
  shop:   {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta, com.akeneo.pim.v1.product.deleted], deliver: latest, action: shop}
  list:   {pim: main, api: event-platform, events: [com.akeneo.pim.v1.family.updated], action: list}
extensions: {}
`

// starting is a fixture whose events start jobs.
func starting(t testing.TB, plan fault) (*fixture, *pimtest.PIM) { return startingOn(t, memory, plan) }

func startingOn(t testing.TB, b backing, plan fault) (*fixture, *pimtest.PIM) {
	b.yaml = startsYAML
	w := newFixture(t, b, plan)
	folder, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.engine.Files = folder
	return w, w.playPIM(large(4, 0))
}

// started are the jobs that events have started, oldest first.
func (w *fixture) started() (found []jobs.Job) {
	w.Helper()
	var all []jobs.Job
	switch store := w.store.(faultyStore).Store.(type) {
	case *jobs.Memory:
		all = store.All()
	default: // the table has no list of them: those that the events' entries name
		known := map[string]bool{}
		for id := range 5 {
			entry, _ := w.ledger.Get(w.Context(), fmt.Sprintf("event-platform/main/%d", id))
			for _, name := range entry.Jobs {
				if !known[name] {
					known[name], all = true, append(all, w.job(name))
				}
			}
		}
	}
	for _, job := range all {
		if job.Trigger == jobs.TriggerEvent {
			found = append(found, job)
		}
	}
	slices.SortFunc(found, func(a, b jobs.Job) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return found
}

func updated(w *fixture, id string, n int) string {
	return platform(id, "product.updated", about(uuid(n)), w.clock.Now())
}

func ean(p *pimtest.PIM, n int) string {
	for _, shown := range p.Shown().Products {
		if shown.UUID == uuid(n) && len(shown.Values["ean"]) > 0 {
			return strings.Trim(string(shown.Values["ean"][0].Data), `"`)
		}
	}
	return ""
}

// A write that an event asks for is a job's, so that it has its undo. Its follow-up is the job's, once.
func TestAWriteThatAnEventStartsHasItsUndo(t *testing.T) {
	w, played := starting(t, fault{})
	w.receive(pimevent.EventPlatform, platform("123", "product.created", about(uuid(1)), w.clock.Now()))
	w.together()
	if w.outcome("123") != ledger.Started || w.count("started") != 1 {
		t.Fatalf("outcome %s", w.outcome("123"))
	}
	w.drain()
	begun := w.started()
	if len(begun) != 1 || begun[0].State != jobs.Succeeded || begun[0].Label != "each" || begun[0].User.Username != "each" || begun[0].Changed != 1 || ean(played, 1) != "123" {
		t.Fatalf("%+v; ean %q", begun, ean(played, 1))
	}
	if got := w.destination.applied; got["/report succeeded: 1 of 1"] != 1 || len(got) != 1 {
		t.Errorf("told %v", got)
	}
	entry, _ := w.ledger.Get(t.Context(), "event-platform/main/123")
	if entry.Jobs["each"] != begun[0].ID {
		t.Errorf("the event's record has the job %q, want %q", entry.Jobs["each"], begun[0].ID)
	}
	if _, err := w.submitter.Undo(t.Context(), begun[0].ID, jobs.User{}); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if ean(played, 1) != "" {
		t.Errorf("undo leaves %q", ean(played, 1))
	}
}

// Under latest, events of several products start one job, and what comes meanwhile waits for its end.
func TestAJobHasTheMarksOfItsProductsUntilItEnds(t *testing.T) {
	w, played := starting(t, fault{})
	w.receive(pimevent.EventPlatform, updated(w, "1", 1), updated(w, "2", 2), updated(w, "3", 1))
	w.together()
	if begun := w.started(); len(begun) != 1 || begun[0].Total != 2 || w.count("started") != 3 {
		t.Fatalf("%+v, %d started", begun, w.count("started"))
	}
	w.clock.advance(10 * time.Minute)
	w.receive(pimevent.EventPlatform, updated(w, "4", 1), updated(w, "5", 3), updated(w, "6", 1))
	w.together()
	if begun := w.started(); len(begun) != 2 || begun[1].Total != 1 || w.outcome("4") != ledger.Stale || w.outcome("5") != ledger.Started || w.outcome("6") != "" {
		t.Fatalf("%d jobs; 4 %q, 5 %q, 6 %q", len(begun), w.outcome("4"), w.outcome("5"), w.outcome("6"))
	}
	// The longer it waits, the less often it looks.
	looks := 0
	for range 24 * 60 {
		w.clock.advance(time.Minute)
		messages, _ := w.events.Receive(t.Context(), 10, 0)
		if len(messages) > 0 {
			looks++
			w.invoke(messages)
		}
	}
	if looks > 24*4+8 || w.outcome("6") != "" {
		t.Errorf("%d looks in a day; 6 %q", looks, w.outcome("6"))
	}
	w.drain()
	w.drainEvents()
	w.drain()
	if begun := w.started(); len(begun) != 3 || begun[2].Total != 1 || w.outcome("6") != ledger.Started || ean(played, 1) != "6" || ean(played, 2) != "2" || ean(played, 3) != "5" {
		t.Errorf("%d jobs; 6 %q; ean %q, %q, %q", len(begun), w.outcome("6"), ean(played, 1), ean(played, 2), ean(played, 3))
	}
}

// A shop that writes back is told of deletions, by a job as of anything else; and of a state that search does not show yet.
func TestAJobKnowsWhatItsEventsTell(t *testing.T) {
	w, played := starting(t, fault{})
	sent := w.noteRequests(nil)
	played.Delete(uuid(1))
	played.Set(uuid(2), "name", "old")
	played.Stale(uuid(2), 3)
	w.clock.advance(time.Minute)
	played.Set(uuid(2), "name", "fresh")
	w.receive(pimevent.EventPlatform, platform("d", "product.deleted", about(uuid(1)), w.clock.Now()), w.delta("u", uuid(2)), w.delta("n", uuid(9)))
	w.together()
	w.drain()
	var got []string
	for _, r := range sent.sent {
		if told := fmt.Sprint(r.body["context"]); r.method == "POST" && told != "map[]" {
			t.Errorf("context %s", told)
		}
		got = append(got, r.method+" "+r.path[len(r.path)-1:]+fmt.Sprint(strings.Contains(fmt.Sprint(r.body["items"]), "fresh")))
	}
	slices.Sort(got)
	if want := []string{"DELETE 1false", "POST 2true"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	if begun := w.started(); len(begun) != 1 || begun[0].State != jobs.Partial || begun[0].Failed != 1 {
		t.Errorf("%+v", begun)
	}
}

func TestAnEventStartsAnExport(t *testing.T) {
	w, _ := starting(t, fault{})
	w.receive(pimevent.EventPlatform, platform("f", "family.updated", `"family":{"code":"shoes"}`, w.clock.Now()))
	w.together()
	w.drain()
	if begun := w.started(); len(begun) != 1 || begun[0].State != jobs.Succeeded || len(begun[0].Files) != 1 || w.outcome("f") != ledger.Started {
		t.Errorf("%+v; %s", begun, w.outcome("f"))
	}
}

func TestAnEventThatIsTooLargeForAJobLeavesItsName(t *testing.T) {
	w, _ := starting(t, fault{})
	w.receive(pimevent.EventPlatform, platform("9", "product.updated", about(uuid(1))+`,"text":"`+strings.Repeat("x", 300<<10)+`"`, w.clock.Now()))
	w.together()
	w.drain()
	if begun := w.started(); len(begun) != 1 || begun[0].State != jobs.Succeeded {
		t.Errorf("%+v", begun)
	}
}

// A failure at any operation, before it or after it, with or without the process: each event is started, its product is in
// one job, and that job succeeds.
func TestAFailureAtAnyOperationOfAStart(t *testing.T) {
	scenario := func(t *testing.T, b backing, plan fault) *faults {
		w, played := startingOn(t, b, fault{})
		w.receive(pimevent.EventPlatform, updated(w, "1", 1), updated(w, "2", 2), updated(w, "3", 1), platform("4", "product.created", about(uuid(3)), w.clock.Now()))
		w.faults.plan, w.faults.count, w.faults.names = plan, 0, nil
		for range 40 {
			w.together()
			for w.deliver() {
			}
			if depth, _ := w.events.Depth(t.Context()); depth == (queue.Depth{}) && w.inQueues() == 0 {
				break
			}
			w.clock.advance(time.Minute)
		}
		count, names := w.faults.count, w.faults.names
		w.faults.plan = fault{}
		in := map[string]int{}
		for _, job := range w.started() {
			if job = w.job(job.ID); job.State != jobs.Succeeded {
				t.Errorf("job %s of %d: %s %s", job.ID, job.Total, job.State, job.Reason)
			}
			whole, _ := w.store.Load(t.Context(), job.ID)
			for _, item := range whole.Items {
				in[item.ID]++
			}
		}
		noted := map[string]bool{} // events of product 1 that came apart may have started two
		for _, id := range []string{"1", "3"} {
			entry, _ := w.ledger.Get(t.Context(), "event-platform/main/"+id)
			if entry.Outcome == ledger.Started {
				noted[entry.Jobs["latest"]] = true
			}
		}
		for n, want := range map[int]string{1: "3", 2: "2", 3: "4"} {
			if n == 1 && in[uuid(n)] == len(noted) {
				in[uuid(n)] = 1
			}
			if in[uuid(n)] != 1 || ean(played, n) != want {
				t.Errorf("product %d is in %d jobs, and its ean is %q", n, in[uuid(n)], ean(played, n))
			}
		}
		for _, id := range []string{"1", "2", "3", "4"} {
			if got := w.outcome(id); got != ledger.Started && !(id == "1" && got == ledger.Stale) {
				t.Errorf("event %s: %q", id, got)
			}
		}
		if n := len(w.letters.Messages()) + w.dead(); n > 0 {
			t.Errorf("%d dead letters", n)
		}
		w.faults.count, w.faults.names = count, names
		return w.faults
	}
	sweepBackings(t, 25, scenario)
}
