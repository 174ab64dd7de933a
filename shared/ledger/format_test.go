package ledger

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"
)

// golden reads what the first wave wrote: the files are its own, byte by byte.
func golden(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("testdata/first-wave/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(text, into); err != nil {
		t.Fatal(err)
	}
}

func TestTheFirstWavesRecordsAreRead(t *testing.T) {
	var entry Entry
	golden(t, "entry.json", &entry)
	now := entry.UpdatedAt.Add(time.Minute)
	claimed := entry.Claim(now.Add(time.Minute), 0, false)
	if of := claimed.Of("shop"); of.Tries != 2 || of.DownSince != entry.DownSince || of.Interrupted || claimed.Outcomes["catalogue"] != Applied || string(claimed.KindStates["shop"]) != `{"call":"c1"}` {
		t.Errorf("%+v", claimed)
	}
	if due := entry.Due(); !due.IsZero() {
		t.Errorf("due %s", due)
	}

	var mark Mark
	golden(t, "mark.json", &mark)
	if _, taking := mark.Take("other", mark.Time.Add(-time.Second), false, now, now); taking != Older {
		t.Errorf("an older event: %v", taking)
	}
	taken, taking := mark.Take("other", mark.Time.Add(time.Second), false, now, now)
	if taking != Taken || taken.Applied != mark.Time {
		t.Errorf("a newer event: %v, %+v", taking, taken)
	}
	if refused := taken.Refuse(mark.Time.Add(time.Second)); refused.Time != mark.Time {
		t.Errorf("a newer event that is refused hides what the first wave had applied: %+v", refused)
	}

	var gap Gap
	golden(t, "gap.json", &gap)
	if gaps := pair([]Gap{gap, {Subscription: gap.Subscription, To: gap.From.Add(time.Minute)}}); len(gaps) != 1 || gaps[0].To.Sub(gaps[0].From) != time.Hour {
		t.Errorf("%+v", gaps)
	}
}

func TestANewerFormatIsNotDecoded(t *testing.T) {
	var entry Entry
	if err := decode([]byte(`{"format":3,"outcome":["of another shape"]}`), &entry); !errors.Is(err, ErrNewer) {
		t.Errorf("%v", err)
	}
	saved, text, err := (Entry{Key: "a/b/c"}).next(time.Now())
	if err != nil || saved.Format != Format || !json.Valid(text) {
		t.Errorf("%s, %v", text, err)
	}
}
