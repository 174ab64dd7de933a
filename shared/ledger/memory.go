package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

var _ Store = (*Memory)(nil)

// MemoryConfig is what a Memory needs.
type MemoryConfig struct {
	Now func() time.Time
}

// Memory is a Store in this process: for tests and the local system.
type Memory struct {
	MemoryConfig
	mu      sync.Mutex
	entries map[string]Entry
	marks   map[[2]string]kept[Mark]
	gaps    map[[2]string]kept[Gap] // by PIM and key
}

// kept is a record with its end.
type kept[T any] struct {
	record  T
	expires time.Time
}

// NewMemory returns an empty Memory.
func NewMemory(config MemoryConfig) *Memory {
	return &Memory{MemoryConfig: config, entries: map[string]Entry{}, marks: map[[2]string]kept[Mark]{}, gaps: map[[2]string]kept[Gap]{}}
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
	saved, _, err := entry.next(m.Now())
	if err != nil {
		return Entry{}, err
	}
	m.entries[saved.Key] = saved
	return clone(saved), nil
}

// Mark implements Store.
func (m *Memory) Mark(ctx context.Context, subscription, entity string) (Mark, error) {
	if err := ctx.Err(); err != nil {
		return Mark{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark(subscription, entity), nil
}

// SaveMark implements Store.
func (m *Memory) SaveMark(ctx context.Context, mark Mark) (Mark, error) {
	if err := ctx.Err(); err != nil {
		return Mark{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mark(mark.Subscription, mark.Entity).Version != mark.Version {
		return Mark{}, ErrConflict
	}
	saved, _, err := mark.next()
	if err != nil {
		return Mark{}, err
	}
	m.marks[[2]string{saved.Subscription, saved.Entity}] = kept[Mark]{saved, m.Now().Add(Life)}
	return saved, nil
}

func (m *Memory) mark(subscription, entity string) Mark {
	if known, there := m.marks[[2]string{subscription, short(entity)}]; there && m.Now().Before(known.expires) {
		return known.record
	}
	return Mark{Subscription: subscription, Entity: entity}
}

// Recent implements Store.
func (m *Memory) Recent(ctx context.Context, entity string, limit int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	entity = short(entity)
	var found []Entry
	for key := range m.entries {
		if entry, there := m.live(key); there && entity != "" && entry.Entity == entity {
			found = append(found, clone(entry))
		}
	}
	slices.SortFunc(found, func(a, b Entry) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.Key, a.Key))
	})
	return found[:min(len(found), clamp(limit))], nil
}

// SaveGap implements Store.
func (m *Memory) SaveGap(ctx context.Context, gap Gap) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	saved, _, err := gap.next()
	if err != nil {
		return err
	}
	at := [2]string{saved.PIM, saved.key()}
	if known, there := m.gaps[at]; there && m.Now().Before(known.expires) {
		return nil
	}
	m.gaps[at] = kept[Gap]{saved, m.Now().Add(Life)}
	return nil
}

// Gaps implements Store.
func (m *Memory) Gaps(ctx context.Context, pim string) ([]Gap, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Gap
	for at, gap := range m.gaps {
		if at[0] == pim && m.Now().Before(gap.expires) {
			one := gap.record
			one.Events = slices.Clone(one.Events)
			found = append(found, one)
		}
	}
	return pair(found), nil
}

func (m *Memory) live(key string) (Entry, bool) {
	entry, there := m.entries[key]
	if there && !m.Now().Before(entry.ExpiresAt) {
		return Entry{}, false
	}
	return entry, there
}

// clone shares nothing with its original.
func clone(e Entry) Entry {
	e.Outcomes = maps.Clone(e.Outcomes)
	e.Reasons = maps.Clone(e.Reasons)
	e.Pending = maps.Clone(e.Pending)
	e.ThenDue = maps.Clone(e.ThenDue)
	states := make(map[string]json.RawMessage, len(e.KindStates))
	for name, state := range e.KindStates {
		states[name] = slices.Clone(state)
	}
	if e.KindStates = states; len(states) == 0 {
		e.KindStates = nil
	}
	return e
}
