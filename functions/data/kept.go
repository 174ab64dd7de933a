package data

import (
	"sync"
	"time"
)

// Bounds of the answers that are kept.
const (
	maxKept      = 1000
	maxKeptBytes = 8 << 20
)

// kept are answers to lookups, each until its time. The one that ends first makes room.
type kept struct {
	mu      sync.Mutex
	entries map[string]entry
	bytes   int
}

type entry struct {
	shown
	until time.Time
}

func (k *kept) get(key string, now time.Time) (shown, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	held, ok := k.entries[key]
	return held.shown, ok && now.Before(held.until)
}

func (k *kept) put(key string, answer shown, now time.Time, life time.Duration) {
	if life <= 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.remove(key)
	for len(k.entries) >= maxKept || k.bytes+len(answer.body) > maxKeptBytes {
		first := ""
		for other, e := range k.entries {
			if first == "" || e.until.Before(k.entries[first].until) {
				first = other
			}
		}
		k.remove(first)
	}
	k.entries[key] = entry{shown{outcome: answer.outcome, body: answer.body}, now.Add(life)}
	k.bytes += len(answer.body)
}

func (k *kept) remove(key string) {
	k.bytes -= len(k.entries[key].body)
	delete(k.entries, key)
}
