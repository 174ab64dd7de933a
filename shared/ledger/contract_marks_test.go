package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

func marks(t *testing.T, b bench) {
	mark, err := b.Mark(t.Context(), "catalogue", "main#product/1")
	if err != nil || mark != (ledger.Mark{Subscription: "catalogue", Entity: "main#product/1"}) {
		t.Fatalf("never set: %+v, %v", mark, err)
	}
	mark.Applied, mark.NextTry = noon.Add(-time.Hour), noon.Add(time.Hour)
	mark.Time, mark.Lease = noon, ledger.Lease{Token: 1, Until: noon.Add(time.Minute), Holder: "event-platform/main/1"}
	saved, err := b.SaveMark(t.Context(), mark)
	want := mark
	want.Version, want.Format = 1, ledger.Format
	if err != nil || saved != want {
		t.Fatalf("saved: %+v, %v", saved, err)
	}
	for _, version := range []int64{0, 2} {
		mark.Version = version
		if _, err := b.SaveMark(t.Context(), mark); !errors.Is(err, ledger.ErrConflict) {
			t.Errorf("a save for version %d: %v", version, err)
		}
	}
	if got, err := b.Mark(t.Context(), "catalogue", "main#product/1"); err != nil || got != want {
		t.Errorf("read: %+v, %v", got, err)
	}
	saved.Time = noon.Add(time.Second)
	if saved, err = b.SaveMark(t.Context(), saved); err != nil || saved.Version != 2 {
		t.Errorf("moved: %+v, %v", saved, err)
	}
}

func marksApart(t *testing.T, b bench) {
	long := strings.Repeat("e", 3000)
	set := func(subscription, entity string) {
		t.Helper()
		if _, err := b.SaveMark(t.Context(), ledger.Mark{Subscription: subscription, Entity: entity, Time: noon}); err != nil {
			t.Errorf("%s %.20s: %v", subscription, entity, err)
		}
	}
	set("a", "main#product/1")
	set("a", "main#product/2")
	set("b", "main#product/1")
	set("a", long)
	set("a", long+"2")
	set("a", strings.Repeat("é", 500)) // 1,000 bytes
}

func marksRace(t *testing.T, b bench) {
	for version := range int64(3) {
		won := together(t, 8, func() error {
			_, err := b.SaveMark(t.Context(), ledger.Mark{Subscription: "a", Entity: "main#product/1", Time: noon, Version: version})
			return err
		})
		if mark, err := b.Mark(t.Context(), "a", "main#product/1"); won != 1 || mark.Version != version+1 || err != nil {
			t.Errorf("%d moved version %d, now %d, %v", won, version, mark.Version, err)
		}
	}
}

func marksExpire(t *testing.T, b bench) {
	if _, err := b.SaveMark(t.Context(), ledger.Mark{Subscription: "a", Entity: "main#product/1", Time: noon}); err != nil {
		t.Fatal(err)
	}
	b.pass(ledger.Life)
	mark, err := b.Mark(t.Context(), "a", "main#product/1")
	if err != nil || mark.Version != 0 || !mark.Time.IsZero() {
		t.Errorf("after its life: %+v, %v", mark, err)
	}
	if _, err := b.SaveMark(t.Context(), mark); err != nil {
		t.Errorf("set anew: %v", err)
	}
}

func oddMarks(t *testing.T, b bench) {
	large := strings.Repeat("é", 200_000)
	for range 2 { // what was saved is found by the same name
		mark, err := b.Mark(t.Context(), "a", large)
		if err != nil {
			t.Fatal(err)
		}
		mark.Time, mark.Lease.Until = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), noon.In(time.FixedZone("", 2*60*60))
		if mark, err = b.SaveMark(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		if !mark.Time.IsZero() || mark.Lease.Until != noon || len(mark.Entity) > 800 {
			t.Errorf("saved %.200v", mark)
		}
	}
	if mark, err := b.Mark(t.Context(), "a", large); mark.Version != 2 || err != nil {
		t.Errorf("version %d, %v", mark.Version, err)
	}
}
