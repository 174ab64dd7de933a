package queue

import (
	"context"
	"crypto/rand"
	"fmt"
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

	mu      sync.Mutex
	content content
	arrived chan struct{} // closed and replaced when messages were added
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
	return &Memory{config: config, content: newContent(), arrived: make(chan struct{})}
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
	m.content.remove(receipt)
	return nil
}

// Release implements Receiver. As with Delete, an older receipt does nothing.
func (m *Memory) Release(ctx context.Context, receipt string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.show()
	if m.content.release(receipt, m.config.Now()) {
		m.wake()
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
	m.show()
	hidden := len(m.content.hidden.all)
	return Depth{Visible: m.content.visible, InFlight: m.content.inFlight, Delayed: hidden - m.content.inFlight}, nil
}

// Messages is a look at everything in the queue, oldest first. Nothing is lent: the receipts are empty.
func (m *Memory) Messages() []Received {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.content.all()
	all := make([]Received, 0, len(held))
	for _, h := range held {
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
	now := m.show()
	if due := m.content.letters(); len(due) > 0 {
		// Under the lock, so that nobody sees the message in neither queue. Dead letters exist before the queue that
		// uses them, so that locks are never taken in a circle.
		for _, h := range due {
			h.receipt, h.visible = "", now
		}
		m.config.DeadLetters.add(due...)
	}
	for len(lent) < limit {
		h := m.content.lend(rand.Text(), now.Add(m.config.Visibility))
		if h == nil {
			break
		}
		lent = append(lent, h.received())
	}
	next = maxWait
	if hidden := m.content.hidden.all; len(hidden) > 0 {
		next = min(next, hidden[0].visible.Sub(now))
	}
	return lent, max(next, minPause), m.arrived
}

// show makes visible whose time has come until now.
func (m *Memory) show() (now time.Time) {
	now = m.config.Now()
	most := m.config.MaxReceives
	if m.config.DeadLetters == nil {
		most = 0
	}
	m.content.show(now, most)
	return now
}

func (m *Memory) add(messages ...*held) {
	if len(messages) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range messages {
		m.content.add(h)
	}
	m.wake()
}

// wake ends the waiting of those who receive.
func (m *Memory) wake() {
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
