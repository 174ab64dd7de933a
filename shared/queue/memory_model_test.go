package queue_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// plainQueue is the rule of the Memory queue in its plainest form: it looks at every message.
type plainQueue struct {
	messages []*plainMessage
	turns    map[string]int
	served   int
	letters  []string
}

type plainMessage struct {
	body, group, receipt string
	visible              time.Time
	receives             int
}

const plainReceives = 3

func (q *plainQueue) inFlight(group string, now time.Time) (count int) {
	for _, m := range q.messages {
		if m.group == group && m.receipt != "" && m.visible.After(now) {
			count++
		}
	}
	return count
}

func (q *plainQueue) receive(now time.Time) *plainMessage {
	q.messages = slices.DeleteFunc(q.messages, func(m *plainMessage) bool {
		dead := m.receives >= plainReceives && !m.visible.After(now)
		if dead {
			q.letters = append(q.letters, m.body)
		}
		return dead
	})
	var next *plainMessage
	for _, m := range q.messages {
		if m.visible.After(now) {
			continue
		}
		if next == nil || q.inFlight(m.group, now) < q.inFlight(next.group, now) ||
			q.inFlight(m.group, now) == q.inFlight(next.group, now) && q.turns[m.group] < q.turns[next.group] {
			next = m
		}
	}
	if next != nil {
		q.served++
		q.turns[next.group] = q.served
		next.receives++
		next.visible = now.Add(time.Minute)
	}
	return next
}

// Whatever is sent, received, released and deleted in whatever order: the Memory queue hands out what the plain rule does.
func TestTheMemoryQueueFollowsThePlainRule(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		clock := func() time.Time { return now }
		letters := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: clock})
		q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, MaxReceives: plainReceives, DeadLetters: letters, Now: clock})
		plain := &plainQueue{turns: map[string]int{}}
		sent := 0
		for step := range 300 {
			switch random.IntN(6) {
			case 0, 1:
				sent++
				body, group, delay := fmt.Sprint(sent), string(rune('a'+random.IntN(4))), time.Duration(random.IntN(2)*random.IntN(90))*time.Second
				send(t, q, queue.Message{Body: []byte(body), Group: group, Delay: delay})
				plain.messages = append(plain.messages, &plainMessage{body: body, group: group, visible: now.Add(delay)})
			case 2, 3:
				want := plain.receive(now)
				got, err := q.Receive(t.Context(), 1, 0)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case want == nil && len(got) == 0:
				case want == nil || len(got) == 0 || string(got[0].Body) != want.body || got[0].Receives != want.receives:
					t.Fatalf("seed %d, step %d: received %v, the rule says %v", seed, step, got, want)
				default:
					want.receipt = got[0].Receipt
				}
			case 4:
				if len(plain.messages) == 0 {
					continue
				}
				m := plain.messages[random.IntN(len(plain.messages))]
				if m.receipt == "" {
					continue
				}
				if random.IntN(2) == 0 {
					remove(t, q, queue.Received{Receipt: m.receipt})
					plain.messages = slices.DeleteFunc(plain.messages, func(other *plainMessage) bool { return other == m })
					continue
				}
				if err := q.Release(t.Context(), m.receipt); err != nil {
					t.Fatal(err)
				}
				if m.visible.After(now) {
					m.visible = now
				}
			case 5:
				now = now.Add(time.Duration(random.IntN(50)) * time.Second)
			}
		}
		var depth queue.Depth
		for _, m := range plain.messages {
			switch {
			case !m.visible.After(now):
				depth.Visible++
			case m.receipt != "":
				depth.InFlight++
			default:
				depth.Delayed++
			}
		}
		if got, err := q.Depth(t.Context()); err != nil || got != depth {
			t.Errorf("seed %d: %+v, %v, the rule says %+v", seed, got, err, depth)
		}
		var dead []string
		for _, letter := range letters.Messages() {
			dead = append(dead, string(letter.Body))
		}
		slices.Sort(dead)
		if slices.Sort(plain.letters); !slices.Equal(dead, plain.letters) {
			t.Errorf("seed %d: dead letters %q, the rule says %q", seed, dead, plain.letters)
		}
	}
}
