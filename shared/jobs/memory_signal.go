package jobs

import (
	"cmp"
	"context"
)

// PutSignal implements Signals.
func (m *Memory) PutSignal(ctx context.Context, signal Signal) (Signal, error) {
	if err := cmp.Or(ctx.Err(), signal.check()); err != nil {
		return Signal{}, err
	}
	kept, blob, err := encodeSignal(signal)
	if err != nil {
		return Signal{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key, now := signalKey(signal.Job, signal.Wait), m.Now()
	if row, there := m.signals[key]; there && now.Before(row.expires) {
		return decodeSignal(row.json)
	}
	m.signals[key] = signalRow{blob, now.Add(onceWrittenLife)}
	return kept, nil
}

// Signal implements Signals.
func (m *Memory) Signal(ctx context.Context, job, wait string) (Signal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, there := m.signals[signalKey(job, wait)]
	if err := ctx.Err(); err != nil {
		return Signal{}, err
	}
	if !there || !m.Now().Before(row.expires) {
		return Signal{}, ErrNoSignal
	}
	return decodeSignal(row.json)
}

// Rest implements Store.
func (m *Memory) Rest(ctx context.Context, id string, turn int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	r := m.live(id)
	switch {
	case r == nil:
		return nil // there is nothing that could go on
	case r.turn >= turn:
		return ErrConflict
	}
	r.turn = turn
	return nil
}
