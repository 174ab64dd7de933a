package eventsapi_test

import (
	"testing"
)

func TestSecretRotatedBetweenTwoRequests(t *testing.T) {
	const rotated = "rotated-secret-that-is-long-enough"
	d := newDesk()
	if got := d.deliver(t, delivery(event("a"))); got.status != 200 || d.vault.refreshes != 0 {
		t.Fatalf("before: %d after %d fetches", got.status, d.vault.refreshes)
	}
	signing := document()
	signing.EventsAPI["main"] = []string{rotated}
	d.vault.rotated = &signing
	if got := d.send(t, request("/events-api/main", delivery(event("b")), rotated, d.now())); got.status != 200 || d.vault.refreshes != 1 {
		t.Errorf("after: %d after %d fetches", got.status, d.vault.refreshes)
	}
	if got := d.deliver(t, delivery(event("c"))); got.status != 401 {
		t.Errorf("the old one: %d", got.status)
	}
	if len(d.bodies()) != 2 {
		t.Errorf("%d messages", len(d.bodies()))
	}
}
