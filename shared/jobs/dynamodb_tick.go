package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/table"
)

// Tick implements Ticks.
func (d *DynamoDB) Tick(ctx context.Context, key string) (Tick, error) {
	row, err := d.Table.Get(ctx, keyTick+key, rowTick)
	if err != nil {
		return Tick{}, fmt.Errorf("read tick: %w", err)
	}
	var tick Tick
	if len(row) > 0 {
		if err := json.Unmarshal([]byte(row.Text(table.JSON)), &tick); err != nil {
			return Tick{}, fmt.Errorf("decode tick: %w", err)
		}
	}
	tick.Key, tick.Version = key, row.Number(table.Version)
	return tick, nil
}

// SaveTick implements Ticks.
func (d *DynamoDB) SaveTick(ctx context.Context, tick Tick) error {
	tick.Seen, tick.Due = tick.Seen.UTC().Round(0), tick.Due.UTC().Round(0)
	blob, err := encode(tick)
	if err != nil {
		return fmt.Errorf("encode tick: %w", err)
	}
	s := d.newStep()
	row := table.Key(keyTick+tick.Key, rowTick)
	row[table.JSON], row[table.Version] = table.Text(string(blob)), table.Number(tick.Version+1)
	condition := table.Condition{Expression: "attribute_not_exists(pk)"}
	if tick.Version > 0 {
		condition = table.Condition{Expression: "version = :version", Values: table.Row{":version": table.Number(tick.Version)}}
	}
	s.Put(row, condition)
	refusal, err := s.Commit(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("save tick: %w", err)
	case refusal != nil:
		return ErrConflict // or our own write, sent again after its answer was lost: what is written is read at the next tick
	}
	return nil
}
