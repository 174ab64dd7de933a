package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// TestAThousandMessagesOfOneGroupDoNotKeepAnotherWaiting: what comes last is received second, by one receiver or by two that are
// busy, one message at a time or ten.
func TestAThousandMessagesOfOneGroupDoNotKeepAnotherWaiting(t *testing.T) {
	thousand := func() (messages []queue.Message) {
		for i := range 1000 {
			messages = append(messages, queue.Message{Body: fmt.Append(nil, i), Group: "export_all"})
		}
		return messages
	}
	for _, row := range []struct {
		name     string
		inFlight int // messages that others have before
		limit    int // of a receive
	}{
		{"one receiver", 0, 1}, {"two receivers", 1, 1}, {"ten at once", 0, 10}, {"ten at once, by two", 10, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: func() time.Time { return now }})
			send(t, q, thousand()...)
			busy := receive(t, q, max(row.inFlight, 1))
			if row.inFlight == 0 {
				remove(t, q, busy[0])
			}
			send(t, q, queue.Message{Body: []byte("x"), Group: "check_in_erp"}, queue.Message{Body: []byte("y"), Group: "check_in_erp"}, queue.Message{Body: []byte("z")})
			var order []string
			for _, got := range receive(t, q, max(row.limit, 3)) {
				order = append(order, string(got.Body))
				if row.limit == 1 {
					remove(t, q, got)
				}
			}
			for _, body := range []string{"x", "z"} {
				if at := slices.Index(order, body); at < 0 || at > 1 {
					t.Errorf("%q is received as number %d of %q", body, at+1, order)
				}
			}
		})
	}
}

// Groups take turns; in a group, and between those that have had as much, the oldest is first.
func TestTheOrderOfGroups(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: func() time.Time { return now }})
	for _, body := range []string{"a1", "a2", "a3", "b1", "c1", "b2"} {
		send(t, q, queue.Message{Body: []byte(body), Group: body[:1]})
	}
	var order []string
	for range 6 {
		got := receive(t, q, 1)[0]
		order = append(order, string(got.Body))
		remove(t, q, got)
	}
	if want := []string{"a1", "b1", "c1", "a2", "b2", "a3"}; !slices.Equal(order, want) {
		t.Errorf("%q", order)
	}
	// A group whose message is being worked has had more than one whose messages wait.
	for _, body := range []string{"a1", "a2", "b1"} {
		send(t, q, queue.Message{Body: []byte(body), Group: body[:1]})
	}
	if first := receive(t, q, 1)[0]; string(first.Body) != "b1" {
		t.Errorf("%q, which was served before the other", first.Body)
	}
	send(t, q, queue.Message{Body: []byte("b2"), Group: "b"})
	if second, third := receive(t, q, 1)[0], receive(t, q, 1)[0]; string(second.Body) != "a1" || string(third.Body) != "b2" {
		t.Errorf("%q, %q", second.Body, third.Body)
	}
}
