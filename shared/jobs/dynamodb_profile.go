package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/table"
)

// Profile implements Profiles.
func (d *DynamoDB) Profile(ctx context.Context, key string) (Profile, error) {
	row, err := d.Table.Get(ctx, keyProfile+key, rowProfile)
	if err != nil {
		return Profile{}, fmt.Errorf("read profile: %w", err)
	}
	if !row.Live(d.Now()) {
		return Profile{Key: key}, nil
	}
	return decodeProfile(key, []byte(row.Text(table.JSON)), row.Number(table.Version))
}

// SaveProfile implements Profiles.
func (d *DynamoDB) SaveProfile(ctx context.Context, profile Profile) error {
	blob, err := encode(profile)
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	s := d.newStep()
	row := table.Key(keyProfile+profile.Key, rowProfile)
	s.Stamp(row, blob, profile.Version+1, profile.expires(s.Now))
	s.Put(row, s.At(profile.Version))
	refusal, err := s.Commit(ctx)
	if err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	if before, taken := refusal.At(0); taken && !s.Wrote(before) {
		return ErrConflict
	}
	return nil
}

func decodeProfile(key string, blob []byte, version int64) (Profile, error) {
	profile := Profile{Key: key, Version: version}
	if err := json.Unmarshal(blob, &profile); err != nil {
		return Profile{}, fmt.Errorf("decode profile: %w", err)
	}
	return profile, nil
}
