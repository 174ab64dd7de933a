package eventplatform_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// prove is what only a verification can make.
func prove(tb testing.TB, body []byte) signature.Verified {
	tb.Helper()
	header := map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform(secretNew, body)}
	proven, err := signature.VerifyEventPlatform([]string{secretNew}, header, body)
	if err != nil {
		tb.Fatal(err)
	}
	return proven
}

// The law: a proven body is kept whatever it is. It gives between 1 and 100 events, each in the sender's own bytes and
// in its order, all of which the worker can decode; what is not understood is one event that is the whole body.
func FuzzParse(f *testing.F) {
	for _, body := range examples(f) { // fails if there are none
		f.Add(body)
	}
	for _, body := range []string{"", " ", "null", "{}", "[]", "[null]", `[{},[],"x",1e9]`, "[[[]]]", "{", "\xff", "{\"x\":\"\xff\"}", "{} {}", "\ufeff{}", "[" + strings.Repeat("0,", 100) + "0]"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, understood := eventplatform.Parse(prove(t, body))
		if len(events) == 0 || len(events) > 100 {
			t.Fatalf("%d events", len(events))
		}
		if !understood && (len(events) != 1 || string(events[0]) != string(body)) {
			t.Error("what was not understood was changed")
		}
		rest := string(body)
		for i, event := range events {
			if understood && !json.Valid(event) {
				t.Errorf("event %d is not JSON", i)
			}
			_, behind, found := strings.Cut(rest, string(event))
			if !found {
				t.Errorf("event %d is not in the body, or not in its place", i)
			}
			rest = behind
			if decoded := pimevent.Decode(pimevent.EventPlatform, "main", event); decoded.ID == "" {
				t.Errorf("event %d has no id", i)
			}
		}
	})
}
