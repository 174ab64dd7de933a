package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
)

// maxWait is the longest long poll (API reference, ReceiveMessage).
const maxWait = 20 * time.Second

// minPause keeps a waiting Receive from spinning when Now stands still just before a message becomes visible.
const minPause = time.Millisecond

// MemoryConfig is how a Memory queue behaves; the names are SQS's.
type MemoryConfig struct {
	Visibility  time.Duration    // how long a received message is hidden; must be positive
	MaxReceives int              // a message received so often goes to DeadLetters instead of being received again; 0: never
	DeadLetters *Memory          // nil: messages are handed out for ever
	Now         func() time.Time // nil: time.Now
}

// Memory is a queue in this process's memory: for tests and the local system. It keeps SQS's rules for standard
// queues but two: it hands a group's messages out oldest first, and keeps them without end. It is fair to groups: the next
// message is of the group that has the fewest in flight, and of those of the one whose last receive is the longest ago.
//
// A receive that waits is woken by Send and by real time. A fake Now that is moved by hand wakes nobody: use
// testing/synctest, or receive without waiting.
type Memory struct {
	config MemoryConfig

	mu       sync.Mutex
	messages []*held
	arrived  chan struct{} // closed and replaced when messages were added
	turns
}

// held is a message in a Memory queue, in the form that SQS would hold.
type held struct {
	id       string
	wire     wire
	sent     time.Time
	visible  time.Time // hidden before: delayed or on loan
	receives int
	receipt  string // of the latest receive; "" while there was none in this queue
	turn     int    // of the latest receive; 0 while there was none
}

var (
	_ Sender   = (*Memory)(nil)
	_ Receiver = (*Memory)(nil)
)

// NewMemory makes an empty queue. It panics if Visibility is not positive, which no test can run on.
func NewMemory(config MemoryConfig) *Memory {
	if config.Visibility <= 0 {
		panic("queue: visibility must be positive")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Memory{config: config, arrived: make(chan struct{}), turns: turns{last: map[string]int{}}}
}

// Send implements Sender. It stores all messages or none; there is no *PartialError.
func (m *Memory) Send(ctx context.Context, messages ...Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded, err := encodeAll(messages)
	if err != nil {
		return err
	}
	now := m.config.Now()
	added := make([]*held, len(encoded))
	for i, w := range encoded {
		added[i] = &held{id: rand.Text(), wire: w, sent: now, visible: now.Add(w.delay)}
	}
	m.add(added...)
	return nil
}

// Receive implements Receiver. A message that has been received MaxReceives times and is visible again moves to the
// dead letters now, with its ID and the time it was first sent.
func (m *Memory) Receive(ctx context.Context, limit int, wait time.Duration) ([]Received, error) {
	if err := checkReceive(limit, wait); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lent, next, arrived := m.lend(limit)
		if len(lent) > 0 || wait == 0 {
			return lent, nil
		}
		visible := time.NewTimer(next)
		select {
		case <-arrived:
		case <-visible.C:
		case <-deadline.C:
			wait = 0 // one last look: a message may have become visible at this very moment
		case <-ctx.Done():
		}
		visible.Stop()
	}
}

// Delete implements Receiver. As on SQS, only the receipt of a message's latest receive deletes it; an older one is
// accepted and does nothing, because the message is on loan to somebody else.
func (m *Memory) Delete(ctx context.Context, receipt string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = slices.DeleteFunc(m.messages, func(h *held) bool { return h.receipt != "" && h.receipt == receipt })
	return nil
}

// Release implements Receiver. As with Delete, an older receipt does nothing.
func (m *Memory) Release(ctx context.Context, receipt string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.config.Now()
	for _, h := range m.messages {
		if h.receipt != "" && h.receipt == receipt && h.visible.After(now) {
			h.visible = now
			close(m.arrived)
			m.arrived = make(chan struct{})
		}
	}
	return nil
}

// Depth implements Receiver; it is exact.
func (m *Memory) Depth(ctx context.Context) (Depth, error) {
	if err := ctx.Err(); err != nil {
		return Depth{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.config.Now()
	var depth Depth
	for _, h := range m.messages {
		switch {
		case !h.visible.After(now):
			depth.Visible++
		case h.receipt != "":
			depth.InFlight++
		default:
			depth.Delayed++
		}
	}
	return depth, nil
}

// Messages is a look at everything in the queue, oldest first. Nothing is lent: the receipts are empty.
func (m *Memory) Messages() []Received {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Received, 0, len(m.messages))
	for _, h := range m.messages {
		message := h.received()
		message.Receipt = ""
		all = append(all, message)
	}
	return all
}

// lend takes up to limit visible messages on loan. With none it says when to look again at the latest, and which
// channel is closed when messages arrive before.
func (m *Memory) lend(limit int) (lent []Received, next time.Duration, arrived <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.config.Now()
	next = maxWait
	var dead []*held
	m.messages = slices.DeleteFunc(m.messages, func(h *held) bool {
		if h.visible.After(now) {
			next = min(next, h.visible.Sub(now))
			return false
		}
		if m.config.DeadLetters != nil && m.config.MaxReceives > 0 && h.receives >= m.config.MaxReceives {
			dead = append(dead, h)
			return true
		}
		return false
	})
	for groups := m.groups(now); len(lent) < limit; {
		h := m.fair(groups, now)
		if h == nil {
			break
		}
		m.serve(h, groups)
		h.receives++
		h.receipt = rand.Text()
		h.visible = now.Add(m.config.Visibility)
		lent = append(lent, h.received())
	}
	if len(dead) > 0 {
		// Under the lock, so that nobody sees the message in neither queue. Dead letters exist before the queue that
		// uses them, so that locks are never taken in a circle.
		for _, h := range dead {
			h.receipt, h.visible, h.turn = "", now, 0
		}
		m.config.DeadLetters.add(dead...)
	}
	return lent, max(next, minPause), m.arrived
}

func (m *Memory) add(messages ...*held) {
	if len(messages) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = append(m.messages, messages...)
	close(m.arrived)
	m.arrived = make(chan struct{})
}

func (h *held) received() Received {
	body, attributes, err := Decode(h.wire.body, h.wire.attributes)
	if err != nil {
		panic("queue: cannot decode what was encoded here: " + err.Error())
	}
	return Received{
		ID: h.id, Receipt: h.receipt, Body: body, Attributes: attributes, Group: h.wire.group, Receives: h.receives, Sent: h.sent,
	}
}

func checkReceive(limit int, wait time.Duration) error {
	if limit < 1 || limit > MaxBatch {
		return fmt.Errorf("receive %d messages: not within 1 and %d", limit, MaxBatch)
	}
	if wait < 0 || wait > maxWait {
		return fmt.Errorf("wait %s for messages: not within 0 and %s", wait, maxWait)
	}
	return nil
}
