package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// newerStore and newerLedger hold records that a later version has written.
type newerStore struct {
	jobs.Store
	newer *bool
}

func (s newerStore) Load(ctx context.Context, id string) (jobs.Job, error) {
	if *s.newer {
		return jobs.Job{}, jobs.ErrNewer
	}
	return s.Store.Load(ctx, id)
}

type newerLedger struct {
	ledger.Store
	newer *bool
}

func (l newerLedger) Get(ctx context.Context, key string) (ledger.Entry, error) {
	if *l.newer {
		return ledger.Entry{}, ledger.ErrNewer
	}
	return l.Store.Get(ctx, key)
}

// During a deployment that is taken back an older worker meets records of a newer one: it leaves them, and their messages.
func TestARecordOfANewerVersionIsPutBackUntouched(t *testing.T) {
	w := newFixture(t, (&listener{}).script().backing(), fault{})
	newer := true
	w.engine.Config.Store = newerStore{w.engine.Config.Store, &newer}
	w.engine.Config.Ledger = newerLedger{w.engine.Config.Ledger, &newer}
	id, _ := w.press("plain", 1)
	before, _ := w.store.Get(t.Context(), id)
	w.receive(pimevent.EventPlatform, platform("e1", "product.updated", product, w.clock.Now()))
	for range 10 { // longer than the queue's receives last
		for w.deliver() {
		}
		if messages, _ := w.events.Receive(t.Context(), 10, 0); len(messages) > 0 {
			w.invoke(messages)
		}
		w.clock.advance(5 * time.Minute)
	}
	if after, _ := w.store.Get(t.Context(), id); after.Version != before.Version || w.inQueues() != 2 || w.dead() != 0 || len(w.letters.Messages()) != 0 {
		t.Errorf("version %d after %d, %d messages", after.Version, before.Version, w.inQueues())
	}
	if _, err := w.ledger.Get(t.Context(), "event-platform/main/e1"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("event: %v", err)
	}
	newer = false
	w.drain()
	w.drainEvents()
	if w.job(id).State != jobs.Succeeded || w.count("applied") != 1 {
		t.Errorf("afterwards: job %s, %d applied", w.job(id).State, w.count("applied"))
	}
}
