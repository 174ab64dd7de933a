package eventsapi_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// prove is what only a verification can make.
func prove(tb testing.TB, body []byte) signature.Verified {
	tb.Helper()
	const timestamp = "1602565368"
	header := map[string]string{"x-akeneo-request-timestamp": timestamp, "x-akeneo-request-signature": signature.SignEventsAPI(secretNew, timestamp, body)}
	proven, _, err := signature.VerifyEventsAPI([]string{secretNew}, header, body)
	if err != nil {
		tb.Fatal(err)
	}
	return proven
}

// The law: a proven body gives events in the sender's own bytes, in its order, each of which the worker can decode;
// or a refusal that quotes nothing of it.
func FuzzParse(f *testing.F) {
	for _, body := range examples(f) { // fails if there are none
		f.Add(body)
	}
	for _, body := range []string{"", " ", "null", "{}", "[]", `{"events":null}`, `{"events":[null,[],"x",{},1e9]}`, `{"events":[{}],"events":[{"a":1}]}`, `{"EVENTS":[{}]}`, "{\"events\":[\"\xff\"]}", `{"events":{}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := eventsapi.Parse(prove(t, body))
		if err != nil {
			refused, ok := errors.AsType[*web.Error](err)
			if !ok || refused.Code != web.Invalid || refused.Reason == "" || refused.Message == "" || refused.Err != nil || events != nil {
				t.Errorf("refused with %#v and %d events", err, len(events))
			}
			return
		}
		rest := string(body)
		for i, event := range events {
			if !json.Valid(event) {
				t.Errorf("event %d is not JSON", i)
			}
			_, behind, found := strings.Cut(rest, string(event))
			if !found {
				t.Errorf("event %d is not in the body, or not in its place", i)
			}
			rest = behind
			if decoded := pimevent.Decode(pimevent.EventsAPI, "main", event); decoded.ID == "" {
				t.Errorf("event %d has no id", i)
			}
		}
		if len(events) == 0 {
			t.Error("neither events nor a refusal")
		}
	})
}
