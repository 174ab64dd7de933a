package jobs

import (
	"context"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/table"
)

// PutSignal implements Signals.
func (d *DynamoDB) PutSignal(ctx context.Context, signal Signal) (Signal, error) {
	if err := signal.check(); err != nil {
		return Signal{}, err
	}
	kept, blob, err := encodeSignal(signal)
	if err != nil {
		return Signal{}, err
	}
	before, err := d.Table.Create(ctx, signalKey(signal.Job, signal.Wait), rowSignal, blob, d.Now().Add(onceWrittenLife))
	if err != nil {
		return Signal{}, fmt.Errorf("put signal: %w", err)
	}
	if len(before) == 0 {
		return kept, nil
	}
	return decodeSignal([]byte(before.Text(table.JSON)))
}

// Signal implements Signals.
func (d *DynamoDB) Signal(ctx context.Context, job, wait string) (Signal, error) {
	row, err := d.Table.Get(ctx, signalKey(job, wait), rowSignal)
	if err != nil {
		return Signal{}, fmt.Errorf("read signal: %w", err)
	}
	if !row.Live(d.Now()) {
		return Signal{}, ErrNoSignal
	}
	return decodeSignal([]byte(row.Text(table.JSON)))
}

func signalKey(job, wait string) string { return keySignal + job + "#" + wait }

// Rest implements Store. The row is its own, so that a job that waits costs one write unit each time.
func (d *DynamoDB) Rest(ctx context.Context, id string, turn int64) error {
	s := d.newStep()
	row := table.Key(keyJob+id, rowTurn)
	s.Stamp(row, nil, turn, s.Now.Add(restLife))
	s.Put(row, table.Condition{
		Expression: "attribute_not_exists(pk) OR version < :version OR expires <= :now",
		Values:     table.Row{":version": row[table.Version], ":now": table.Seconds(s.Now)},
	})
	refusal, err := s.Commit(ctx)
	if err != nil {
		return fmt.Errorf("rest: %w", err)
	}
	if before, taken := refusal.At(0); taken && !s.Wrote(before) {
		return ErrConflict
	}
	return nil
}
