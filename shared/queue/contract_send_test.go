package queue_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// The contract's clauses on what can be sent; those on loans are in contract_test.go.

var bodies = map[string][]byte{
	"text":                  []byte("export"),
	"JSON":                  []byte(`{"job":"export_to_erp-1"}`),
	"white space":           []byte(" \t\r\n a \r b\n"),
	"every plane":           []byte("é ☃ \U0001F600 \uFFFD \uE000 \uD7FF"),
	"markup":                []byte("<a>&amp;</a>"),
	"NUL":                   []byte("a\x00b"),
	"control character":     []byte("\x1b[0m"),
	"not a character":       []byte("\uFFFE\uFFFF"),
	"not UTF-8":             []byte("\xff\xfe\xfd"),
	"empty":                 {},
	"looks like base64":     []byte("aGVsbG8="),
	"one byte beyond ASCII": {0x80},
}

func bodiesComeAsSent(t *testing.T, q queues) {
	for name, body := range bodies {
		send(t, q.main, queue.Message{Body: body})
		got := receive(t, q.main, 1)[0]
		if !bytes.Equal(got.Body, body) {
			t.Errorf("%s: sent %q, received %q", name, body, got.Body)
		}
		if len(got.Attributes) != 0 {
			t.Errorf("%s: attributes %v that nobody sent", name, got.Attributes)
		}
		remove(t, q.main, got)
	}
}

func attributesComeAsSent(t *testing.T, q queues) {
	before := time.Now()
	attributes := map[string]string{
		"api": "event-platform", "pim": "main", "a-b_C9": "☃", "a4": "4", "a5": "5", "a6": "6", "a7": "7", "a8": "8",
	}
	send(t, q.main, queue.Message{Body: []byte("a"), Attributes: attributes}, queue.Message{Body: []byte{0}, Attributes: attributes})
	for _, got := range receive(t, q.main, 2) {
		if !maps.Equal(got.Attributes, attributes) {
			t.Errorf("attributes %v", got.Attributes)
		}
		if got.ID == "" || got.Receipt == "" || got.Receives != 1 {
			t.Errorf("id %q, receipt %q, receives %d", got.ID, got.Receipt, got.Receives)
		}
		if d := got.Sent.Sub(before); d < -time.Minute || d > time.Minute {
			t.Errorf("sent %s after it was sent", d)
		}
	}
}

func groupsComeAsSent(t *testing.T, q queues) {
	for group, want := range map[string]string{
		"": "", "export_to_erp": "export_to_erp", "main/018e1ec5-29da-78ad-aae6-92065b9ca2a6": "main/018e1ec5-29da-78ad-aae6-92065b9ca2a6",
		"a b\n☃": "a_b__", strings.Repeat("a", 200): strings.Repeat("a", 128),
	} {
		// In a call of several, and with a delay: SQS's standard queues take both beside a group.
		send(t, q.main, queue.Message{Body: []byte("one"), Group: group}, queue.Message{Body: []byte("two"), Group: group, Delay: time.Second})
		for range 2 {
			got := receive(t, q.main, 1)[0]
			remove(t, q.main, got) // at once: a loan lasts a second
			if got.Group != want {
				t.Errorf("sent in group %q, received in %q", group, got.Group)
			}
		}
	}
}

// groupsTakeTurns takes what any queue does: the message of another group comes while the many are worked.
func groupsTakeTurns(t *testing.T, q queues) {
	var messages []queue.Message
	for i := range 20 {
		messages = append(messages, queue.Message{Body: fmt.Appendf(nil, "many %d", i), Group: "many"})
	}
	send(t, q.main, append(messages, queue.Message{Body: []byte("few"), Group: "few"})...)
	seen := map[string]int{}
	for range 21 {
		got := receive(t, q.main, 1)[0]
		seen[got.Group]++
		remove(t, q.main, got)
	}
	if seen["many"] != 20 || seen["few"] != 1 {
		t.Errorf("received %v", seen)
	}
}

func manyMessages(t *testing.T, q queues) {
	var messages []queue.Message
	for i := range 25 {
		messages = append(messages, queue.Message{Body: fmt.Appendf(nil, "message %d", i)})
	}
	send(t, q.main, messages...)
	seen := map[string]int{}
	for range 25 {
		got := receive(t, q.main, 1)[0]
		seen[string(got.Body)]++
		remove(t, q.main, got) // at once: a loan lasts a second
	}
	if len(seen) != 25 {
		t.Errorf("received %d different messages: %v", len(seen), seen)
	}
}

func manyLargeMessages(t *testing.T, q queues) {
	var messages []queue.Message
	for i := range 5 {
		messages = append(messages, queue.Message{Body: bytes.Repeat([]byte{byte('a' + i)}, 400<<10)})
	}
	send(t, q.main, messages...)
	receive(t, q.main, 5)
}

func largestMessage(t *testing.T, q queues) {
	const own = len("encoding") + len("String") + len("base64") // what says how bytes travel counts too
	noise := make([]byte, queue.MaxPayload)
	random := rand.NewChaCha8([32]byte{})
	random.Read(noise)
	// Neither becomes shorter by compression: it is sent as it is, or not at all.
	for name, body := range map[string][]byte{
		"text":  []byte(base64.StdEncoding.EncodeToString(noise[:queue.MaxPayload/4*3])),
		"bytes": noise[:(queue.MaxPayload-own)/4*3],
	} {
		send(t, q.main, queue.Message{Body: body})
		got := receive(t, q.main, 1)[0]
		if !bytes.Equal(got.Body, body) {
			t.Errorf("%s: received %d bytes", name, len(got.Body))
		}
		remove(t, q.main, got)
	}
}

func compressedMessage(t *testing.T, q queues) {
	attributes := map[string]string{"pim": "main"}
	for _, body := range [][]byte{
		bytes.Repeat([]byte("text "), 3*queue.MaxPayload/5),
		bytes.Repeat([]byte{0}, queue.MaxPayload),
		make([]byte, 16<<20), // the most that a receiver decompresses
	} {
		send(t, q.main, queue.Message{Body: body, Attributes: attributes})
		got := receive(t, q.main, 1)[0]
		if !bytes.Equal(got.Body, body) || !maps.Equal(got.Attributes, attributes) {
			t.Errorf("received %d bytes, attributes %v", len(got.Body), got.Attributes)
		}
		remove(t, q.main, got)
	}
}

func tooLarge(t *testing.T, q queues) {
	noise := make([]byte, queue.MaxPayload)
	random := rand.NewChaCha8([32]byte{})
	random.Read(noise)
	for name, message := range map[string]queue.Message{
		"noise":                             {Body: noise},
		"more than a receiver decompresses": {Body: make([]byte, 16<<20+1)},
		"attributes": {Body: []byte("a"), Attributes: map[string]string{
			"large": strings.Repeat("a", queue.MaxPayload),
		}},
	} {
		err := q.main.Send(t.Context(), queue.Message{Body: []byte("good")}, message)
		if !errors.Is(err, queue.ErrTooLarge) || !strings.Contains(err.Error(), "message 2 of 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty(t, q.main)
}

func refusedMessages(t *testing.T, q queues) {
	nine := map[string]string{}
	for i := range 9 {
		nine[fmt.Sprint("a", i)] = "value"
	}
	for name, message := range map[string]queue.Message{
		"nine attributes":               {Attributes: nine},
		"an empty attribute":            {Attributes: map[string]string{"a": ""}},
		"an attribute of no characters": {Attributes: map[string]string{"a": "\x00hunter2"}},
		"an empty name":                 {Attributes: map[string]string{"": "hunter2"}},
		"a name with a space":           {Attributes: map[string]string{"a b": "hunter2"}},
		"a name too long":               {Attributes: map[string]string{strings.Repeat("a", 257): "hunter2"}},
		"the queue's own name":          {Attributes: map[string]string{"encoding": "hunter2"}},
		"a delay too long":              {Delay: queue.MaxDelay + 1},
		"a negative delay":              {Delay: -1},
	} {
		message.Body = []byte("hunter2")
		err := q.main.Send(t.Context(), queue.Message{Body: []byte("good")}, message)
		if err == nil || errors.Is(err, queue.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: what was sent is in the error: %v", name, err)
		}
	}
	empty(t, q.main)
}

func atTheLimits(t *testing.T, q queues) {
	eight := map[string]string{}
	for i := range 8 {
		eight[fmt.Sprint("AZaz_-09", i)] = "\t\r\n \uFFFD\U0010FFFF"
	}
	for name, message := range map[string]queue.Message{
		"eight attributes":         {Attributes: eight},
		"a name of 256 characters": {Attributes: map[string]string{strings.Repeat("z", 256): "value"}},
	} {
		message.Body = []byte(name)
		send(t, q.main, message)
		got := receive(t, q.main, 1)[0]
		if string(got.Body) != name || !maps.Equal(got.Attributes, message.Attributes) {
			t.Errorf("%s: received %q with %q", name, got.Body, got.Attributes)
		}
		remove(t, q.main, got)
	}
	send(t, q.main, queue.Message{Body: []byte("later"), Delay: queue.MaxDelay})
	if depth := depth(t, q.main); depth != (queue.Depth{Delayed: 1}) {
		t.Errorf("depth %+v", depth)
	}
}
