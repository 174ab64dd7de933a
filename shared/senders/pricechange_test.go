package senders

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

func TestAPriceChangeIsOneInBothAPIs(t *testing.T) {
	change := PriceChange{ID: "1", Product: "63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9", Identifier: "sku", From: 1, To: 2, Author: "u", At: pressed}
	platform := pimevent.Decode(pimevent.EventPlatform, "main", change.EventPlatform())
	older := pimevent.Decode(pimevent.EventsAPI, "main", change.EventsAPI())
	for _, event := range []pimevent.Event{platform, older} {
		if event.ID != "1" || event.Kind != "product" || event.EntityID != change.Product || !event.Time.Equal(pressed) {
			t.Errorf("event %+v", event)
		}
	}
	if len(platform.Changes) != 1 {
		t.Errorf("changes %+v", platform.Changes)
	}
	if body := EventsAPIBody(change.EventsAPI(), change.EventsAPI()); !json.Valid(body) {
		t.Errorf("body %s", body)
	}
	request := EventsAPI{PIM: "main", Secret: "s", At: pressed}.Request(EventsAPIBody(change.EventsAPI()))
	if _, sent, err := verify(request, "s"); err != nil || !sent.Equal(pressed.Truncate(time.Second)) {
		t.Errorf("sent %s, %v", sent, err)
	}
}
