package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
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
	for _, name := range samples() {
		s := mustFind(t, name)
		if !strings.HasPrefix(name, "event") {
			continue
		}
		body, err := s.happened(later, true)
		if err != nil {
			t.Fatal(err)
		}
		before, after := decoded(t, name, s.text), decoded(t, name, body)
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
			if event.Notice == nil && uuidShape.MatchString(`"`+was.EntityID+`"`) { // a notification is about a subscription, which stays
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

// What the command line says of an event's proof, as it arrives.
func TestProofOfEvents(t *testing.T) {
	const request, event, notice = "events-api-ten", "event-platform-product-updated-delta", "event-platform-notification-suspended"
	for _, row := range []struct {
		name    string
		args    string
		path    string        // "": of the PIM main
		secret  string        // that must prove; "": the sample's
		variant string        // header that must prove
		refused string        // instead: why it must not
		age     time.Duration // of the signature
		times   int           // 0: once
	}{
		{name: "another PIM", args: request + " --pim other", path: "/events-api/other", variant: "x-akeneo-request-signature"},
		{name: "another PIM's event", args: event + " --pim other", path: "/event-platform/other", variant: "x-akeneo-signature-primary"},
		{name: "another PIM's notification", args: notice + " --pim other", path: "/event-platform/other/notifications", variant: "x-akeneo-signature-primary"},
		{name: "signed with the second secret", args: event + " --header X-Akeneo-Signature-Secondary --secret second", secret: "second", variant: "x-akeneo-signature-secondary"},
		{name: "another secret", args: request + " --secret other", secret: "other", variant: "x-akeneo-request-signature"},
		{name: "wrong secret", args: request + " --secret wrong", refused: "signature_mismatch"},
		{name: "wrong secret of an event", args: event + " --secret wrong", refused: "signature_mismatch"},
		{name: "changed request", args: request + " --tamper", refused: "signature_mismatch"},
		{name: "changed event", args: event + " --tamper", refused: "signature_mismatch"},
		{name: "changed notification", args: notice + " --tamper", refused: "signature_mismatch"},
		{name: "unsigned request", args: request + " --header none", refused: "signature_missing"},
		{name: "unsigned event", args: event + " --header none", refused: "signature_missing"},
		{name: "old request", args: request + " --age 10m", age: 10 * time.Minute, variant: "x-akeneo-request-signature"},
		{name: "request of tomorrow", args: request + " --age -24h", age: -24 * time.Hour, variant: "x-akeneo-request-signature"},
		{name: "three times", args: event + " --times 3", variant: "x-akeneo-signature-primary", times: 3},
		{name: "three times, each twice", args: request + " --times 3 --duplicate --fresh", variant: "x-akeneo-request-signature", times: 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			base, posts := receiver(t, 200)
			if code, out, errs := command(t.Context(), append(strings.Fields(row.args), base)...); code != done {
				t.Fatalf("ends with %d: %s%s", code, out, errs)
			}
			got := posts()
			if len(got) != max(row.times, 1) {
				t.Fatalf("sent %d times", len(got))
			}
			secrets := []string{eventsAPISecret, eventPlatformSecret, notificationsSecret}
			if row.secret != "" {
				secrets = []string{row.secret}
			}
			for _, one := range got {
				var verified signature.Verified
				var err error
				sent := pressed.Add(-row.age)
				if strings.HasPrefix(one.path, "/events-api/") {
					verified, sent, err = signature.VerifyEventsAPI(secrets, one.header, one.body)
				} else {
					verified, err = signature.VerifyEventPlatform(secrets, one.header, one.body)
				}
				if row.refused == "" && (err != nil || verified.Variant() != row.variant || !sent.Equal(pressed.Add(-row.age))) {
					t.Errorf("proven by %q at %s, %v; want %q", verified.Variant(), sent, err, row.variant)
				}
				if row.refused != "" && (err == nil || err.Error() != "unproven: "+row.refused) {
					t.Errorf("got %v, want %s", err, row.refused)
				}
				if row.path != "" && one.path != row.path {
					t.Errorf("path %s", one.path)
				}
				if !bytes.Equal(one.body, got[0].body) || !json.Valid(one.body) {
					t.Errorf("body %s", one.body)
				}
			}
		})
	}
}

// Whatever is changed after signing, no signed sample proves any more; where a token proves, it is said.
func TestTamperIsNeverWithoutEffect(t *testing.T) {
	for _, name := range samples() {
		from, sent := mustFind(t, name).sender()
		if !sent {
			continue
		}
		if from.bearer() {
			if code, _, errs := command(t.Context(), name, "--tamper"); code != misused || !strings.Contains(errs, "token") {
				t.Errorf("%s ends with %d: %s", name, code, errs)
			}
			continue
		}
		o := options{sample: mustFind(t, name), pim: "main", extension: defaultExtension}
		plain, err := o.request(pressed, pressed, false)
		if err != nil {
			t.Fatal(err)
		}
		o.tamper = true
		changed, err := o.request(pressed, pressed, false)
		if err != nil || bytes.Equal(plain.body, changed.body) || !json.Valid(changed.body) {
			t.Errorf("%s: %s, %v", name, changed.body, err)
		}
	}
}
