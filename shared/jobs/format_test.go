package jobs

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// golden reads what the first wave wrote: the files are its own, byte by byte.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/first-wave/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheFirstWavesRecordsAndMessagesAreRead(t *testing.T) {
	id, turn, err := ParseMessage(golden(t, "message.json"))
	if err != nil {
		t.Fatal(err)
	}
	job, err := decodeJob(golden(t, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	if job, err = decodePayload(job, golden(t, "items.json")); err != nil {
		t.Fatal(err)
	}
	if job.ID != id || job.State != Waiting || len(job.Items) != 3 || job.Next != 1 || job.Tries != 3 || string(job.KindState) != `{"call":"c1"}` || job.Format != 0 {
		t.Errorf("%+v", job)
	}
	now := job.UpdatedAt.Add(time.Minute)
	started, decision := job.Start(Claim{Turn: turn, Now: now, Until: now.Add(time.Minute)})
	if decision != Granted || started.Tries != 3 || started.DownSince != job.DownSince || string(started.KindState) != `{"call":"c1"}` || started.Interrupted {
		t.Errorf("%v: %+v", decision, started)
	}
	next, state, err := encodeNext(started, now)
	if err != nil || next.Format != Format || !strings.Contains(string(state), `"format":4`) {
		t.Errorf("written again: %s, %v", state, err)
	}
}

func TestANewerFormatIsNotDecoded(t *testing.T) {
	job := Job{ID: "a", PIM: "main", User: User{UUID: "u"}, State: Queued}
	m := NewMemory(MemoryConfig{Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }})
	if _, err := m.Create(t.Context(), job, nil); err != nil {
		t.Fatal(err)
	}
	r := m.jobs["a"]
	r.state = []byte(strings.Replace(string(r.state), `"format":4`, `"format":5,"state":["of another shape"]`, 1))
	for name, read := range map[string]func() (Job, error){
		"Get":  func() (Job, error) { return m.Get(t.Context(), "a") },
		"Load": func() (Job, error) { return m.Load(t.Context(), "a") },
	} {
		if got, err := read(); !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if found, _, err := m.List(t.Context(), Query{Owner: Owner("main", "u")}); err != nil || len(found) != 0 {
		t.Errorf("listed %v, %v", found, err)
	}
}
