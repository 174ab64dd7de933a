package jobs

import (
	"context"
	"fmt"
	"time"
)

// profileRow is a profile as a table keeps it.
type profileRow struct {
	json    []byte
	version int64
	expires time.Time
}

// Profile implements Profiles.
func (m *Memory) Profile(ctx context.Context, key string) (Profile, error) {
	if err := ctx.Err(); err != nil {
		return Profile{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row, there := m.profiles[key]
	if !there || !m.Now().Before(row.expires) {
		return Profile{Key: key}, nil
	}
	return decodeProfile(key, row.json, row.version)
}

// SaveProfile implements Profiles.
func (m *Memory) SaveProfile(ctx context.Context, profile Profile) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	blob, err := encode(profile)
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Now()
	row := m.profiles[profile.Key]
	if !now.Before(row.expires) {
		row.version = 0
	}
	if row.version != profile.Version {
		return ErrConflict
	}
	if m.profiles == nil {
		m.profiles = map[string]profileRow{}
	}
	m.profiles[profile.Key] = profileRow{blob, profile.Version + 1, profile.expires(now)}
	return nil
}
