package queue

import (
	"cmp"
	"maps"
	"time"
)

// turns remembers in which order the groups of a Memory queue were served.
type turns struct {
	count int            // messages received so far
	last  map[string]int // by group: the count at its last message
}

// standing is how much of the receivers a group has, or a message without a group, which is one of its own (SQS developer
// guide, "How Amazon SQS fair queues work"). Who has the least is next.
type standing struct {
	inFlight int
	turn     int // of its last message; 0: it had none
}

func (s standing) compare(other standing) int {
	return cmp.Or(cmp.Compare(s.inFlight, other.inFlight), cmp.Compare(s.turn, other.turn))
}

// groups are the standings of the groups that have messages. Those of the others are forgotten.
func (m *Memory) groups(now time.Time) map[string]standing {
	groups := map[string]standing{}
	for _, h := range m.messages {
		if name := h.wire.group; name != "" {
			s := standing{groups[name].inFlight, m.last[name]}
			if h.receipt != "" && h.visible.After(now) {
				s.inFlight++
			}
			groups[name] = s
		}
	}
	maps.DeleteFunc(m.last, func(name string, _ int) bool { _, there := groups[name]; return !there })
	return groups
}

// fair is the visible message that is next: the oldest of those whose group has the least. nil: none is visible.
func (m *Memory) fair(groups map[string]standing, now time.Time) (next *held) {
	var least standing
	for _, h := range m.messages {
		if h.visible.After(now) {
			continue
		}
		s := standing{turn: h.turn}
		if h.wire.group != "" {
			s = groups[h.wire.group]
		}
		if next == nil || s.compare(least) < 0 {
			next, least = h, s
		}
		if least == (standing{}) { // nobody has less
			break
		}
	}
	return next
}

// serve notes that a message is received.
func (m *Memory) serve(h *held, groups map[string]standing) {
	m.count++
	h.turn = m.count
	if name := h.wire.group; name != "" {
		m.last[name] = m.count
		groups[name] = standing{groups[name].inFlight + 1, m.count}
	}
}
