package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryConfig is what a Memory needs.
type MemoryConfig struct {
	Now func() time.Time
}

// Memory is a Store and Gaps in this process: for tests and the local system.
type Memory struct {
	MemoryConfig
	mu      sync.Mutex
	entries map[string]Entry
	marks   map[[2]string]Mark
	gaps    map[string]Gap
}

// NewMemory returns an empty Memory.
func NewMemory(config MemoryConfig) *Memory {
	return &Memory{MemoryConfig: config, entries: map[string]Entry{}, marks: map[[2]string]Mark{}, gaps: map[string]Gap{}}
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) (Entry, error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	entry, there := m.live(key)
	if !there {
		return Entry{}, ErrNotFound
	}
	return clone(entry), nil
}

// Save implements Store.
func (m *Memory) Save(ctx context.Context, entry Entry) (Entry, error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, _ := m.live(entry.Key); before.Version != entry.Version {
		return Entry{}, ErrConflict
	}
	entry = clone(entry).next(m.Now())
	m.entries[entry.Key] = entry
	return clone(entry), nil
}

// Mark implements Store.
func (m *Memory) Mark(ctx context.Context, subscription, entity string) (Mark, error) {
	if err := ctx.Err(); err != nil {
		return Mark{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if mark, there := m.marks[[2]string{subscription, entity}]; there {
		return mark, nil
	}
	return Mark{Subscription: subscription, Entity: entity}, nil
}

// SaveMark implements Store.
func (m *Memory) SaveMark(ctx context.Context, mark Mark) (Mark, error) {
	if err := ctx.Err(); err != nil {
		return Mark{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := [2]string{mark.Subscription, mark.Entity}
	if m.marks[at].Version != mark.Version {
		return Mark{}, ErrConflict
	}
	mark.Version++
	m.marks[at] = mark
	return mark, nil
}

// Recent implements Store.
func (m *Memory) Recent(ctx context.Context, entity string, limit int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Entry
	for key := range m.entries {
		if entry, there := m.live(key); there && entity != "" && entry.Entity == entity {
			found = append(found, clone(entry))
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found[:min(len(found), clamp(limit))], nil
}

// SaveGap implements Gaps.
func (m *Memory) SaveGap(ctx context.Context, gap Gap) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaps[gap.key()] = gap
	return nil
}

// Gaps implements Gaps.
func (m *Memory) Gaps(ctx context.Context, pim string) ([]Gap, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Gap
	for _, gap := range m.gaps {
		if gap.PIM == pim {
			found = append(found, gap)
		}
	}
	slices.SortFunc(found, func(a, b Gap) int { return b.From.Compare(a.From) })
	return found, nil
}

func (m *Memory) live(key string) (Entry, bool) {
	entry, there := m.entries[key]
	if there && !m.Now().Before(entry.ExpiresAt) {
		return Entry{}, false
	}
	return entry, there
}

// next is the entry as it is stored.
func (e Entry) next(now time.Time) Entry {
	e.Version++
	e.UpdatedAt = now.UTC()
	e.ExpiresAt = e.UpdatedAt.Add(Life)
	return e
}

// key names a gap; times in it sort as text.
func (g Gap) key() string {
	return g.PIM + "#" + g.From.UTC().Format("2006-01-02T15:04:05.000000000Z") + "#" + g.Subscription
}

func clamp(limit int) int { return min(max(limit, 1), 100) }

// clone shares nothing with its original.
func clone(e Entry) Entry {
	e.Outcomes = maps.Clone(e.Outcomes)
	e.Reasons = maps.Clone(e.Reasons)
	states := make(map[string]json.RawMessage, len(e.KindStates))
	for name, state := range e.KindStates {
		states[name] = slices.Clone(state)
	}
	if e.KindStates = states; len(states) == 0 {
		e.KindStates = nil
	}
	return e
}
