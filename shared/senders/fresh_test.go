package senders

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func TestAFreshEventIsAnotherEvent(t *testing.T) {
	later := pressed.Add(time.Hour)
	one, err := find(t, "event-platform-product-updated-delta").change(later, true)
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		ID, Time, Type string
		Data           struct{ Product struct{ UUID string } }
	}
	if err := json.Unmarshal(one, &event); err != nil {
		t.Fatal(err)
	}
	if event.ID == "018e32f9-dfe4-760e-a273-5da1c089dfdb" || event.Time != later.UTC().Format(time.RFC3339Nano) || event.Data.Product.UUID == "6a9f8486-2c36-4680-b87f-6f5f8f01b6cf" || event.Type == "" {
		t.Errorf("event %+v", event)
	}

	ten, err := find(t, "events-api-ten").change(later, true)
	if err != nil {
		t.Fatal(err)
	}
	var request struct {
		Events []struct {
			ID   string `json:"event_id"`
			Time string `json:"event_datetime"`
		}
	}
	if err := json.Unmarshal(ten, &request); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, event := range request.Events {
		ids[event.ID] = true
		if event.Time != later.UTC().Format(time.RFC3339Nano) || bytes.Contains(find(t, "events-api-ten").Text, []byte(event.ID)) {
			t.Errorf("event %+v", event)
		}
	}
	if len(ids) != 10 {
		t.Errorf("%d ids for ten events", len(ids))
	}
}

// decoded are the events of a body, as the worker reads them.
func decoded(t *testing.T, name string, body []byte) []pimevent.Event {
	t.Helper()
	switch {
	case strings.HasPrefix(name, "event-platform-notification-"):
		return []pimevent.Event{pimevent.Decode(pimevent.Notifications, "main", body)}
	case strings.HasPrefix(name, "event-platform-"):
		return []pimevent.Event{pimevent.Decode(pimevent.EventPlatform, "main", body)}
	}
	var request struct{ Events []json.RawMessage }
	if err := json.Unmarshal(body, &request); err != nil {
		t.Fatal(err)
	}
	var all []pimevent.Event
	for _, event := range request.Events {
		all = append(all, pimevent.Decode(pimevent.EventsAPI, "main", event))
	}
	return all
}

// A fresh event is another one to the worker, and otherwise the sample's. What has a code alone keeps it.
func TestEveryFreshEventIsAnotherToTheWorker(t *testing.T) {
	later := pressed.Add(1500 * time.Millisecond)
	checked, renamed := 0, 0
	for _, name := range Samples() {
		s := find(t, name)
		if !strings.HasPrefix(name, "event") {
			continue
		}
		body, err := s.change(later, true)
		if err != nil {
			t.Fatal(err)
		}
		before, after := decoded(t, name, s.Text), decoded(t, name, body)
		if len(before) != len(after) {
			t.Fatalf("%s: %d events became %d", name, len(before), len(after))
		}
		for i, event := range after {
			checked++
			was := before[i]
			if event.ID == "" || event.ID == was.ID {
				t.Errorf("%s: the id stays %q", name, event.ID)
			}
			if !event.Time.Equal(later) {
				t.Errorf("%s: happened at %s", name, event.Time)
			}
			if event.Type != was.Type || event.Kind != was.Kind || event.Author != was.Author || len(event.Changes) != len(was.Changes) || (event.EntityID == "") != (was.EntityID == "") {
				t.Errorf("%s: %+v became %+v", name, was, event)
			}
			if event.Notice == nil && quotedUUID.MatchString(`"`+was.EntityID+`"`) { // a notification is about a subscription, which stays
				renamed++
				if event.EntityID == was.EntityID {
					t.Errorf("%s: still about %s", name, event.EntityID)
				}
			}
		}
	}
	if checked < 50 || renamed < 10 {
		t.Errorf("only %d events, %d with a UUID", checked, renamed)
	}
}

func TestAFreshStartIsOfOtherProducts(t *testing.T) {
	one, err := find(t, "iframe-start").start(pressed, true)
	if err != nil || bytes.Contains(one, []byte("3f2c9a4e")) || bytes.Contains(one, []byte("63139bf3")) || !bytes.Contains(one, []byte(`"armor"`)) {
		t.Errorf("fresh: %s, %v", one, err)
	}
}
