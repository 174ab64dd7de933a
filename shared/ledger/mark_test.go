package ledger_test

import (
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/ledger"
)

func TestWhatAMarkAllows(t *testing.T) {
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	now, until := at(0), at(2)
	other := func(end time.Time) ledger.Lease { return ledger.Lease{Token: 1, Until: end, Holder: "other"} }
	for _, c := range []struct {
		name  string
		mark  ledger.Mark
		begun bool
		want  ledger.Taking
	}{
		{"never set", ledger.Mark{}, false, ledger.Taken},
		{"an older change was applied", ledger.Mark{Time: at(-20), Applied: at(-20)}, false, ledger.Taken},
		{"the same time", ledger.Mark{Time: at(-10), Applied: at(-10)}, false, ledger.Taken},
		{"a newer change was applied", ledger.Mark{Time: at(-5), Applied: at(-5)}, false, ledger.Older},
		{"a newer change was applied, and this one had begun", ledger.Mark{Time: at(-5), Applied: at(-5)}, true, ledger.Taken},
		{"a newer change is tried again later", ledger.Mark{Time: at(-5), NextTry: at(10), Format: ledger.Format}, false, ledger.Busy},
		{"a newer change should have been tried again long ago", ledger.Mark{Time: at(-5), NextTry: at(-61), Format: ledger.Format}, false, ledger.Older},
		{"an older change is tried again later", ledger.Mark{Time: at(-20), NextTry: at(10), Format: ledger.Format}, false, ledger.Taken},
		{"another run is under way", ledger.Mark{Time: at(-20), Lease: other(at(1))}, false, ledger.Busy},
		{"another run is under way, and this one had begun", ledger.Mark{Time: at(-20), Lease: other(at(1))}, true, ledger.Busy},
		{"another run's worker is dead", ledger.Mark{Time: at(-20), Lease: other(at(-1)), Format: ledger.Format}, false, ledger.Taken},
		{"it was applied itself, and nobody noted it elsewhere", ledger.Mark{Time: at(-10), Applied: at(-10), By: "own"}, false, ledger.Already},
		{"it was applied itself, and a newer run is under way", ledger.Mark{Time: at(-5), Applied: at(-10), By: "own", Lease: other(at(1)), Format: ledger.Format}, false, ledger.Already},
		{"another of the same time was applied", ledger.Mark{Time: at(-10), Applied: at(-10), By: "other", Format: ledger.Format}, false, ledger.Taken},
		{"its own run", ledger.Mark{Time: at(-10), Lease: ledger.Lease{Until: at(1), Holder: "own"}, Format: ledger.Format}, false, ledger.Taken},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := c.mark.Take("own", at(-10), c.begun, now, until); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Who takes a mark is told from who had it before: the lease's token grows, its time and its holder are the new one's.
func TestATakenMarkHasALeaseOfItsOwn(t *testing.T) {
	until := noon.Add(time.Minute)
	before := ledger.Mark{Time: noon.Add(-time.Hour), NextTry: noon, Lease: ledger.Lease{Token: 7, Until: noon, Holder: "dead"}, Format: ledger.Format}
	got, taking := before.Take("own", noon, false, noon, until)
	if want := (ledger.Lease{Token: 8, Until: until, Holder: "own"}); taking != ledger.Taken || got.Lease != want || !got.Time.Equal(noon) || !got.NextTry.IsZero() {
		t.Errorf("%v, %+v", taking, got)
	}
}

func TestNoReasonStandsBesideASuccess(t *testing.T) {
	failed := (ledger.Entry{Key: "k"}).With("a", ledger.Failed, "422", "")
	if after := failed.With("a", ledger.Applied, "", ""); len(after.Reasons) != 0 {
		t.Errorf("%v", after.Reasons)
	}
	if after := failed.End(ledger.Failed, "d").Claim(noon, 0, true); len(after.Reasons) != 0 || after.Round != 1 {
		t.Errorf("%v, round %d", after.Reasons, after.Round)
	}
}
