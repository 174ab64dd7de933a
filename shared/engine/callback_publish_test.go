package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// approvals is a bus whose first put fails after it took the event.
type approvals struct{ details []string }

func (b *approvals) Put(_ context.Context, entries []publish.Entry) ([]error, error) {
	for _, entry := range entries {
		b.details = append(b.details, string(entry.Detail))
	}
	if len(b.details) == 1 {
		return nil, errors.New("the answer is lost")
	}
	return make([]error, len(entries)), nil
}

// An event that asks for an approval carries the address, the same at every put; what comes there ends the job.
func TestAnApprovalComesBack(t *testing.T) {
	for _, c := range []struct {
		detail, callback string
		want             jobs.State
	}{
		{"", `{}`, jobs.Succeeded},
		{"", `{"status":"failed","message":"Not like this"}`, jobs.Failed},
		{`, detail: '{"answer_to": "{{.Callback.URL}}"}'`, `{"failures":[{"index":0,"reason":"not this one"}]}`, jobs.Partial},
		{"", `{"updates":[{"uuid":"` + uuid(60) + `","values":{}}]}`, jobs.Partial}, // publish has no write
	} {
		bus := &approvals{}
		w := newFixture(t, memory, fault{})
		v := w.playWriting(fewGoods(60))
		w.loads(fmt.Sprintf(`
actions:
  approve: {kind: publish, detail_type: Approval requested, callback: {within: 7d}%s}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: approve}
`, c.detail))
		w.engine.Kinds["publish"] = publish.Kind{Bus: bus}
		w.engine.Callback = func(_ context.Context, job, wait string, _ time.Time) (string, error) {
			return "https://functions.example.com/callbacks/" + job + "/" + wait + "?" + w.clock.Now().String(), nil
		}
		id := w.pressed("approve", one(60), one(61))
		for range 100 {
			if w.job(id).AtRest() {
				break
			}
			if !w.deliver() {
				w.clock.advance(time.Minute)
			}
		}
		job := w.job(id)
		if !job.AtRest() || len(bus.details) != 2 || bus.details[0] != bus.details[1] || !job.Awaits.AsDone {
			t.Fatalf("%s, put %q", job.State, bus.details)
		}
		if address, err := json.Marshal(job.Awaits.URL); err != nil || !strings.Contains(bus.details[0], string(address)) {
			t.Errorf("%s lacks %s", bus.details[0], address)
		}
		if _, err := w.store.PutSignal(t.Context(), jobs.Signal{Job: id, Wait: "0-1", Kind: jobs.SignalCallback, Body: json.RawMessage(c.callback)}); err != nil {
			t.Fatal(err)
		}
		_ = w.queue.Send(t.Context(), jobs.Message(id, 0))
		w.drain()
		if job, failures := v.ended(id); job.State != c.want || len(bus.details) != 2 || len(v.sent) > 0 {
			t.Errorf("%s: %s, %v, %d puts", c.callback, job.State, failures, len(bus.details))
		}
	}
}
