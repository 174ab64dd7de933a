package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// proven says whether a request proves what its path asks for, with the local system's secrets.
func proven(t *testing.T, path string, header map[string]string, body []byte) {
	t.Helper()
	var err error
	switch {
	case path == "/events-api/main":
		var sent time.Time
		_, sent, err = signature.VerifyEventsAPI([]string{eventsAPISecret}, header, body)
		if !sent.Equal(pressed) {
			t.Errorf("signed at %s", sent)
		}
	case path == "/event-platform/main":
		_, err = signature.VerifyEventPlatform([]string{eventPlatformSecret}, header, body)
	case path == "/event-platform/main/notifications":
		_, err = signature.VerifyEventPlatform([]string{notificationsSecret}, header, body)
	default:
		t.Errorf("path %s", path)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestEveryEventIsSentAsItsSenderDoes(t *testing.T) {
	checked := 0
	for _, name := range samples() {
		if !strings.HasPrefix(name, "event") {
			continue
		}
		checked++
		t.Run(name, func(t *testing.T) {
			code, out, errs := command(t.Context(), name)
			var event lambdaEvent
			if err := json.Unmarshal([]byte(out), &event); code != done || err != nil {
				t.Fatalf("ends with %d: %s%v", code, errs, err)
			}
			proven(t, event.RawPath, event.Headers, []byte(event.Body))
			if notice := strings.Contains(name, "notification"); notice != strings.HasSuffix(event.RawPath, "/notifications") {
				t.Errorf("path %s", event.RawPath)
			}
			if platform := strings.HasPrefix(event.RawPath, "/event-platform"); platform != (event.RequestContext.RouteKey == "$default") {
				t.Errorf("route %s", event.RequestContext.RouteKey)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, mustFind(t, name).text); err != nil || event.Body != want.String() {
				t.Errorf("body %s, want %s", event.Body, want.String())
			}

			base, posts := receiver(t, 200)
			if code, out, errs := command(t.Context(), name, base, "--duplicate"); code != done {
				t.Fatalf("ends with %d: %s%s", code, out, errs)
			}
			got := posts()
			if len(got) != 2 || !bytes.Equal(got[0].body, got[1].body) {
				t.Fatalf("%d requests", len(got))
			}
			proven(t, got[0].path, got[0].header, got[0].body)
		})
	}
	if checked < 50 {
		t.Errorf("only %d samples of events", checked)
	}
}

func TestWhatThePagesInsideThePIMSend(t *testing.T) {
	var event lambdaEvent
	code, out, errs := command(t.Context(), "iframe-start")
	if err := json.Unmarshal([]byte(out), &event); code != done || err != nil {
		t.Fatalf("ends with %d: %s%v", code, errs, err)
	}
	token := strings.TrimPrefix(event.Headers["authorization"], "Bearer ")
	user, err := signature.VerifyJWT([]string{panelSecret}, token, pressed)
	if err != nil || user.UserUUID == "" || event.RawPath != "/iframe/jobs_panel/jobs" || event.RequestContext.HTTP.Method != "POST" {
		t.Errorf("%s: user %+v, %v", event.RawPath, user, err)
	}

	event = lambdaEvent{}
	code, out, errs = command(t.Context(), "data-product", "--extension", "other")
	if err := json.Unmarshal([]byte(out), &event); code != done || err != nil {
		t.Fatalf("ends with %d: %s%v", code, errs, err)
	}
	if event.RawPath != "/data/other/63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9" || event.RequestContext.HTTP.Method != "GET" || event.Body != "" || event.Headers["authorization"] != "Bearer "+historyToken {
		t.Errorf("event %+v", event)
	}

	one, err := mustFind(t, "iframe-start").asked(pressed, true)
	if err != nil || bytes.Contains(one, []byte("3f2c9a4e")) || bytes.Contains(one, []byte("63139bf3")) || !bytes.Contains(one, []byte(`"armor"`)) {
		t.Errorf("fresh: %s, %v", one, err)
	}
}

func TestWhatContentfulSends(t *testing.T) {
	for name, path := range map[string]string{
		"contentful-notification": "/contentful/notify", "contentful-entries": "/contentful/export_entries", "contentful-custom": "/contentful/ask_approval",
	} {
		var event lambdaEvent
		code, out, errs := command(t.Context(), name)
		if err := json.Unmarshal([]byte(out), &event); code != done || err != nil {
			t.Fatalf("%s ends with %d: %s%v", name, code, errs, err)
		}
		call, err := signature.VerifyContentful([]string{contentfulSecret}, signature.ContentfulRequest{
			Method: event.RequestContext.HTTP.Method, Paths: []string{event.RawPath}, Header: event.Headers, Body: []byte(event.Body),
		}, pressed)
		if err != nil || event.RawPath != path || call.Space != "yadj1kx9rmg0" || call.Environment != "master" || call.User == "" {
			t.Errorf("%s: %s, call %+v, %v", name, event.RawPath, call, err)
		}
	}
}

func TestAFreshEventIsAnotherEvent(t *testing.T) {
	later := pressed.Add(time.Hour)
	one, err := mustFind(t, "event-platform-product-updated-delta").happened(later, true)
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

	ten, err := mustFind(t, "events-api-ten").happened(later, true)
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
		if event.Time != later.UTC().Format(time.RFC3339Nano) || bytes.Contains(mustFind(t, "events-api-ten").text, []byte(event.ID)) {
			t.Errorf("event %+v", event)
		}
	}
	if len(ids) != 10 {
		t.Errorf("%d ids for ten events", len(ids))
	}
}
