package local

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
)

func TestAPressIsDeliveredOnce(t *testing.T) {
	f := open(t)
	id := f.started("export_to_erp", pim.Press{Position: "pim.product-grid.action-bar", Items: 300})
	job := f.job(id, jobs.Succeeded)
	if job.Done != 300 || job.Total != 300 || job.User != "julia" || job.Label != "Export to ERP" || job.Action != "send-to-erp" {
		t.Errorf("job %+v", job)
	}
	var keys []string
	received := f.destination.Received()
	for _, delivery := range received {
		if !delivery.Applied || delivery.Path != "/products" || delivery.Items != 100 {
			t.Errorf("delivery %+v", delivery)
		}
		keys = append(keys, delivery.IdempotencyKey)
	}
	if want := []string{id + "/200-299", id + "/100-199", id + "/0-99"}; !slices.Equal(keys, want) {
		t.Errorf("the destination received %q, want %q", keys, want)
	}
	state := f.state()
	if len(state.Outbound) != 3 || state.Outbound[0].Action != "send-to-erp" || state.Outbound[0].Status != 200 || state.Outbound[0].IdempotencyKey != id+"/0-99" {
		t.Errorf("outbound %+v", state.Outbound)
	}
	f.until("the queue is empty", func() bool { return f.state().Queues["jobs"] == inspector.Queue{} })
}

func TestStateHasTheNamesThatOthersRead(t *testing.T) {
	f := open(t)
	f.job(f.started("check_in_erp", pim.Press{}), jobs.Succeeded)
	_, answer := f.call("GET", "/_local/state", "", nil)
	var state map[string]json.RawMessage
	if err := json.Unmarshal([]byte(answer), &state); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"jobs", "queues", "deadLetters", "outbound", "events"} {
		if text := string(state[key]); text == "" || text == "null" {
			t.Errorf("%s: %q", key, text)
		}
	}
	for _, part := range []string{`"inFlight":`, `"visible":`, `"delayed":`, `"idempotencyKey":`, `"done":1,"failed":0,"total":1`, `"received":0`, `"deadLetters":[]`} {
		if !strings.Contains(answer, part) {
			t.Errorf("state has no %s: %s", part, answer)
		}
	}
}

func TestADestinationThatIsDownIsWaitedFor(t *testing.T) {
	f := open(t)
	f.post("/_local/switch", `{"mode":"down"}`)
	id := f.started("export_to_erp", pim.Press{})
	waiting := f.job(id, jobs.Waiting)
	if !strings.Contains(waiting.Message, "the destination has a problem") {
		t.Errorf("it waits because %q", waiting.Message)
	}
	if waiting.Next == nil || !waiting.Next.After(waiting.UpdatedAt) {
		t.Errorf("it is tried next at %v", waiting.Next)
	}
	f.until("its message is delayed", func() bool { return f.state().Queues["jobs"] == inspector.Queue{Delayed: 1} })

	f.post("/_local/switch", `{"mode":"refuse"}`)
	f.post("/_local/wake", "")
	failed := f.job(id, jobs.Failed)
	if failed.Failed != 1 || len(failed.Failures) != 1 || !strings.Contains(failed.Failures[0].Reason, "the destination refused the request") {
		t.Errorf("job %+v", failed)
	}
}

func TestOneItemFails(t *testing.T) {
	f := open(t)
	f.post("/_local/switch", `{"mode":"one-item"}`)
	job := f.job(f.started("export_to_erp", pim.Press{Position: "pim.product-grid.action-bar"}), jobs.Partial)
	if job.Done != 2 || job.Failed != 1 || job.Failures[0].Reason != "no price in the ERP" {
		t.Errorf("job %+v", job)
	}
	f.until("the team was told", func() bool {
		received := f.destination.Received()
		return slices.ContainsFunc(received, func(delivery destination.Delivery) bool {
			return delivery.Path == "/slack" && strings.Contains(delivery.Excerpt, "Export to ERP: partial (2 of 3)")
		})
	})
}

func TestTheSameItemsMeetTheRunningJob(t *testing.T) {
	f := open(t)
	f.post("/_local/switch", `{"mode":"down"}`)
	id := f.started("export_to_erp", pim.Press{Same: true})
	if again := f.started("export_to_erp", pim.Press{Same: true}); again != id { // the same bytes, or a second later the once key
		t.Errorf("a second press started %s beside %s", again, id)
	}
	if other := f.started("export_to_erp", pim.Press{}); other == id {
		t.Error("new items met the running job")
	}
}

func TestARefusalIsExplainedHereAlone(t *testing.T) {
	f := open(t)
	for _, c := range []struct {
		mistake pim.Mistake
		reason  string
		why     string
	}{
		{pim.Tampered, "signature_mismatch", "no secret matches"},
		{pim.OtherSecret, "signature_mismatch", "well formed"},
		{pim.NoSignature, "signature_missing", "header signature: missing"},
		{pim.Old, "timestamp_old", "outside the window of 5m0s"},
	} {
		t.Run(string(c.mistake), func(t *testing.T) {
			pressed := f.press("export_to_erp", pim.Press{Mistake: c.mistake})
			if pressed.Status != http.StatusUnauthorized || strings.Contains(pressed.Answer, c.reason) {
				t.Errorf("answer %d %s", pressed.Status, pressed.Answer)
			}
			view, err := f.inspector.View(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := view.Refusals[0]
			if got.Reason != c.reason || !strings.Contains(strings.Join(got.Why, "\n"), c.why) || got.Path != "/actions/export_to_erp" {
				t.Errorf("refusal %+v", got)
			}
			text, err := json.Marshal(view)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "the_secret_need_tobe") {
				t.Error("the page shows a secret")
			}
		})
	}
	if status, _ := f.call("POST", "/actions/nobody", "{}", nil); status != 401 {
		t.Errorf("unknown extension: %d", status)
	}
	view, err := f.inspector.View(t.Context())
	if err != nil || view.Refusals[0].Reason != "name_unknown" || !strings.Contains(strings.Join(view.Refusals[0].Why, "\n"), `no action extension "nobody"`) {
		t.Errorf("refusal %+v, %v", view.Refusals[0], err)
	}
	if len(f.state().Jobs) != 0 {
		t.Error("a refused press became a job")
	}
}

func TestARefusedEventIsExplained(t *testing.T) {
	f := open(t)
	const event = `{"specversion":"1.0","id":"one"}`
	for _, c := range []struct {
		path   string
		header map[string]string
		reason string
		why    string
	}{
		{"/event-platform/main", map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform("sample-primary-secret-of-the-event-platform", []byte(event+"\n"))}, "signature_mismatch", "matches secret 0 over the body with a newline after it"},
		{"/event-platform/main/notifications", map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform("sample-primary-secret-of-the-event-platform", []byte(event))}, "signature_mismatch", "no secret matches"},
		{"/event-platform/other", nil, "name_unknown", `no PIM "other"`},
		{"/event-platfrom/main", nil, "name_unknown", "nothing is at this address"},
		{"/events-api/main", map[string]string{"x-akeneo-request-signature": signature.SignEventsAPI("sample-secret-of-the-events-api-on-this-machine", "1700000000", []byte(event)), "x-akeneo-request-timestamp": "1700000000"}, "timestamp_old", "signed at 2023-11-14T22:13:20Z: outside the window"},
	} {
		if status, answer := f.call("POST", c.path, event, c.header); status != 401 || strings.Contains(answer, c.reason) {
			t.Errorf("%s: %d %s", c.path, status, answer)
		}
		view, err := f.inspector.View(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := view.Refusals[0]; got.Reason != c.reason || !strings.Contains(strings.Join(got.Why, "\n"), c.why) {
			t.Errorf("%s: refusal %+v", c.path, got)
		}
	}
}

func TestARedriveFinishesADeadLetter(t *testing.T) {
	f := open(t)
	job, err := f.cloud.Store.Create(t.Context(), jobs.Job{
		ID: "export_to_erp-dead", Action: "send-to-erp", Trigger: jobs.TriggerAction, Extension: "export_to_erp", PIM: "main",
		Items: []jobs.Item{{Type: jobs.Product, ID: "one"}}, Total: 1, State: jobs.Recorded, CreatedAt: time.Now(),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cloud.JobLetters.Send(t.Context(), jobs.Message(job.ID, 0)); err != nil {
		t.Fatal(err)
	}
	if letters := f.state().DeadLetters; len(letters) != 1 || letters[0].Job != job.ID {
		t.Fatalf("dead letters %+v", letters)
	}
	if answer := f.post("/_local/redrive", ""); answer != `{"moved":1}` {
		t.Errorf("redrive answers %s", answer)
	}
	f.job(job.ID, jobs.Succeeded)
	if letters := f.state().DeadLetters; len(letters) != 0 {
		t.Errorf("dead letters %+v", letters)
	}
}

func TestStopSaysWhatIsLeft(t *testing.T) {
	f := open(t)
	f.post("/_local/switch", `{"mode":"down"}`)
	f.job(f.started("export_to_erp", pim.Press{}), jobs.Waiting)
	system, err := Open(t.Context(), Options{Lookup: none, Log: f.log})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	if got := system.Stop(); got != "Stopped. Jobs ended: 0. Nothing is left." {
		t.Errorf("says %q", got)
	}
	if got := f.left(t.Context()); !strings.Contains(got, "Jobs ended: 0. Left: 1 waiting; that was in memory") {
		t.Errorf("says %q", got)
	}
}
