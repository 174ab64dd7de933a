package jobs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func TestMessagesAreReadAcrossVersions(t *testing.T) {
	for _, c := range []struct {
		name, body string
		id         string
		turn       int64
		err        error // nil with id "": any
	}{
		{"this version's", string(jobs.Message("export-1", 7).Body), "export-1", 7, nil},
		{"without a turn", string(jobs.Message("export-1", 0).Body), "export-1", 0, nil},
		{"the first version's", `{"job":"export-1"}`, "export-1", 0, nil},
		{"a newer version's", `{"v":3,"id":"export-1","turn":7}`, "", 0, jobs.ErrNewer},
		{"no ID", `{"v":2,"turn":7}`, "", 0, nil},
		{"an ID too long", `{"v":2,"id":"` + strings.Repeat("x", 65) + `"}`, "", 0, nil},
		{"a turn below zero", `{"v":2,"id":"x","turn":-1}`, "", 0, nil},
		{"a number", `{"job":7}`, "", 0, nil},
		{"nothing", ``, "", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, turn, err := jobs.ParseMessage([]byte(c.body))
			if id != c.id || turn != c.turn || (err == nil) != (c.id != "") || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%q, %d, %v", id, turn, err)
			}
		})
	}
	// The first version read {"job":ID} alone: it must not find one here, so that it leaves the message to a newer worker.
	if strings.Contains(string(jobs.Message("export-1", 7).Body), `"job"`) {
		t.Error("the first version can read this message, and would drop what the record holds")
	}
}

func FuzzParseMessage(f *testing.F) {
	seeds := []string{`{"job":"export_to_erp-AAAAAAAAAAAAAAAAAAAAAA"}`, `{"v":2,"id":"x","turn":3}`, `{"v":3}`, `{"job":""}`, `{}`, `[]`, `null`, "", "{", `{"job":7}`}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		id, turn, err := jobs.ParseMessage(body)
		if (err == nil) != (id != "") || turn < 0 {
			t.Errorf("id %q, turn %d, error %v", id, turn, err)
		}
		if err == nil {
			again, same, err := jobs.ParseMessage(jobs.Message(id, turn).Body)
			if err != nil || same != turn || again != id && !strings.ContainsRune(id, '\uFFFD') {
				t.Errorf("%q does not survive: %q, %v", id, again, err)
			}
		}
	})
}

// A message is of whoever starts such jobs, so that queues can be fair to them.
func TestTheGroupOfAMessage(t *testing.T) {
	for id, want := range map[string]string{
		jobs.ID("export", []byte("a")): "export", jobs.ID("a-b_c", []byte("a")): "a-b_c", jobs.ID("export", []byte("b")): "export", "odd-1": "odd-1", "": "",
		strings.Repeat("x", 64): strings.Repeat("x", 64),
	} {
		if got := jobs.Message(id, 1).Group; got != want {
			t.Errorf("%q: group %q", id, got)
		}
	}
}
