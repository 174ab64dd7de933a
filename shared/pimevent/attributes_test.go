package pimevent_test

import (
	"maps"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func TestAttributesOfADelivery(t *testing.T) {
	paris := time.FixedZone("Paris", 3600)
	d := pimevent.Delivery{API: pimevent.EventsAPI, PIM: "main", Received: time.Date(2026, 11, 23, 7, 16, 22, 123e6, paris), Correlation: "JKJaXmPLvHcESHA="}
	got := d.Attributes(9)
	want := map[string]string{"api": "events-api", "pim": "main", "received": "2026-11-23T06:16:22.123Z",
		"correlation": "JKJaXmPLvHcESHA=", "delivery": "JKJaXmPLvHcESHA=#9"}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	at, err := time.Parse(time.RFC3339Nano, got[pimevent.AttributeReceived])
	if err != nil || !at.Equal(d.Received) {
		t.Errorf("received is read as %v, %v", at, err)
	}
}

func TestTheGroupOfAnEvent(t *testing.T) {
	for _, row := range []struct{ api, event, want string }{
		{pimevent.EventPlatform, `{"id":"1","subject":"018e1ec5-29da-78ad-aae6-92065b9ca2a6"}`, "main/018e1ec5-29da-78ad-aae6-92065b9ca2a6"},
		{pimevent.EventPlatform, `{"id":"1"}`, "main/"},
		{pimevent.EventPlatform, `{"id":"1","subject":7}`, "main/event-platform"},
		{pimevent.EventPlatform, `not JSON`, "main/event-platform"},
		{pimevent.EventsAPI, `{"event_id":"1","subject":"other"}`, "main/events-api"},
		{pimevent.Notifications, `{"subject":"https://example.cloud.akeneo.com/"}`, "main/notifications"},
	} {
		d := pimevent.Delivery{API: row.api, PIM: "main"}
		if got := d.Group([]byte(row.event)); got != row.want {
			t.Errorf("%s %s: %q", row.api, row.event, got)
		}
	}
}
