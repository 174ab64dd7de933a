package jobs

import (
	"context"
	"time"
)

// Tick is what the clock remembers of a schedule. It has no time to live.
type Tick struct {
	Key     string    `json:"key"`
	Seen    time.Time `json:"seen,omitzero"` // when the schedule was seen first; zero: never yet
	Due     time.Time `json:"due,omitzero"`  // the latest time that it was due and is dealt with
	Skipped int       `json:"skipped,omitempty"`
	Version int64     `json:"-"` // of the record; every write is conditional on it
}

// Ticks keeps what the clock remembers. A failed call may nevertheless have been carried out.
type Ticks interface {
	// Tick returns what is remembered under a key; of a schedule that was never seen, nothing but the key.
	Tick(ctx context.Context, key string) (Tick, error)

	// SaveTick replaces it if its version is still that which was read, else ErrConflict.
	SaveTick(ctx context.Context, tick Tick) error
}

var (
	_ Ticks = (*Memory)(nil)
	_ Ticks = (*DynamoDB)(nil)
)

// After is behind what time a schedule can be due: never before it was first seen.
func (t Tick) After() time.Time {
	if t.Due.After(t.Seen) {
		return t.Due
	}
	return t.Seen
}
