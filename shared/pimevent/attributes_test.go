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
