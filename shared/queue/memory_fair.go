package queue

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// held is a message in a Memory queue, in the form that SQS would hold.
type held struct {
	id       string
	wire     wire
	sent     time.Time
	visible  time.Time // hidden before: delayed or on loan
	receives int
	receipt  string // of the latest receive; "" while there was none in this queue
	number   int    // in the order of arrival in this queue
	group    *group
	hidden   int // its place in content.hidden, -1 outside
}

// group are the messages of one name, or a single message without one, and how much of the receivers it has (SQS developer
// guide, "How Amazon SQS fair queues work").
type group struct {
	waiting  []*held // visible ones, oldest first
	oldest   int     // number of the first of them
	inFlight int
	turn     int // when it was last served, counted in messages; 0: never
	next     int // its place in content.next, -1 outside
}

// content is what a Memory queue holds, in the order in which it is needed: only all looks at every message.
type content struct {
	count     int               // messages that have arrived so far
	served    int               // messages that were received so far
	inFlight  int               // messages on loan
	visible   int               // messages that wait, those that are due for the dead letters included
	groups    map[string]*group // by name; they stay, since who comes back has had a turn
	byReceipt map[string]*held
	hidden    ordered[*held]  // the next that becomes visible is first
	next      ordered[*group] // those with a visible message: the one with the least of the receivers is first
	due       []*held         // visible ones that were received too often
}

func newContent() content {
	return content{
		groups: map[string]*group{}, byReceipt: map[string]*held{},
		hidden: ordered[*held]{
			compare: func(a, b *held) int { return cmp.Or(a.visible.Compare(b.visible), cmp.Compare(a.number, b.number)) },
			place:   func(h *held) *int { return &h.hidden },
		},
		next: ordered[*group]{
			compare: func(a, b *group) int {
				return cmp.Or(cmp.Compare(a.inFlight, b.inFlight), cmp.Compare(a.turn, b.turn), cmp.Compare(a.oldest, b.oldest))
			},
			place: func(g *group) *int { return &g.next },
		},
	}
}

// add takes a message that arrives: hidden until its time, see show.
func (c *content) add(h *held) {
	c.count++
	h.number = c.count
	name := h.wire.group
	if h.group = c.groups[name]; h.group == nil || name == "" {
		h.group = &group{next: -1}
		if name != "" {
			c.groups[name] = h.group
		}
	}
	heap.Push(&c.hidden, h)
}

// show makes visible whose time has come. One that was received most times already is due for the dead letters; 0: none is.
func (c *content) show(now time.Time, most int) {
	for len(c.hidden.all) > 0 && !c.hidden.all[0].visible.After(now) {
		h := heap.Pop(&c.hidden).(*held)
		c.leave(h)
		c.visible++
		if most > 0 && h.receives >= most {
			c.due = append(c.due, h)
		} else {
			at, _ := slices.BinarySearchFunc(h.group.waiting, h, byNumber)
			h.group.waiting = slices.Insert(h.group.waiting, at, h)
		}
		c.sort(h.group)
	}
}

// lend takes the next message on loan: the oldest of the group that has the least. nil: none is visible.
func (c *content) lend(receipt string, until time.Time) *held {
	if len(c.next.all) == 0 {
		return nil
	}
	g := c.next.all[0]
	h := g.waiting[0]
	g.waiting = g.waiting[1:]
	c.visible--
	c.served++
	c.inFlight++
	g.inFlight, g.turn = g.inFlight+1, c.served
	c.sort(g)
	delete(c.byReceipt, h.receipt)
	h.receives++
	h.receipt, h.visible = receipt, until
	c.byReceipt[receipt] = h
	heap.Push(&c.hidden, h)
	return h
}

// release ends a message's loan, if it is on one.
func (c *content) release(receipt string, now time.Time) (was bool) {
	h := c.byReceipt[receipt]
	if h == nil || h.hidden < 0 {
		return false
	}
	h.visible = now
	heap.Fix(&c.hidden, h.hidden)
	return true
}

// remove deletes the message that a receipt is for, if there is one.
func (c *content) remove(receipt string) {
	h := c.byReceipt[receipt]
	if h == nil {
		return
	}
	delete(c.byReceipt, receipt)
	if h.hidden >= 0 {
		heap.Remove(&c.hidden, h.hidden)
		c.leave(h)
	} else {
		c.visible--
		c.due = slices.DeleteFunc(c.due, func(d *held) bool { return d == h })
		if at, found := slices.BinarySearchFunc(h.group.waiting, h, byNumber); found {
			h.group.waiting = slices.Delete(h.group.waiting, at, at+1)
		}
	}
	c.sort(h.group)
}

// letters takes what is due for the dead letters.
func (c *content) letters() (due []*held) {
	due, c.due = c.due, nil
	c.visible -= len(due)
	for _, h := range due {
		delete(c.byReceipt, h.receipt)
	}
	return due
}

// all are the messages, oldest first.
func (c *content) all() []*held {
	all := slices.Concat(c.hidden.all, c.due)
	for _, g := range c.next.all {
		all = append(all, g.waiting...)
	}
	slices.SortFunc(all, byNumber)
	return all
}

// leave counts a message that is hidden no longer.
func (c *content) leave(h *held) {
	if h.receipt != "" {
		h.group.inFlight--
		c.inFlight--
	}
}

// sort puts a group that changed in its place, or outside where it has no visible message.
func (c *content) sort(g *group) {
	if len(g.waiting) > 0 {
		g.oldest = g.waiting[0].number
	}
	switch there := g.next >= 0; {
	case len(g.waiting) == 0 && there:
		heap.Remove(&c.next, g.next)
	case len(g.waiting) > 0 && there:
		heap.Fix(&c.next, g.next)
	case len(g.waiting) > 0:
		heap.Push(&c.next, g)
	}
}

func byNumber(a, b *held) int { return cmp.Compare(a.number, b.number) }
