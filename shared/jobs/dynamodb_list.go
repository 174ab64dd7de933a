package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/table"
)

// Failures implements Store. Rows that a former job of the same ID has left are not this job's: its time to live
// had ended when this one was created, so that they are at least that much older.
func (d *DynamoDB) Failures(ctx context.Context, id string, limit int) ([]Failure, error) {
	state, err := d.state(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read failures: %w", err)
	}
	if !state.Live(d.Now()) {
		return nil, nil
	}
	var found []Failure
	for row, err := range d.Rows(ctx, table.Query{
		Where:  "pk = :pk AND begins_with(sk, :sk)",
		Values: table.Row{":pk": table.Text(keyJob + id), ":sk": table.Text(rowFailures)},
		Since:  time.Unix(state.Number(attrBorn), 0).Add(onceWrittenLife - Life),
		Page:   min(limit, MaxItems), // each row holds one failure or more
	}) {
		if err != nil {
			return nil, fmt.Errorf("read failures: %w", err)
		}
		var chunk []Failure
		if err := json.Unmarshal([]byte(row.Text(table.JSON)), &chunk); err != nil {
			return nil, fmt.Errorf("decode failures: %w", err)
		}
		if found = append(found, chunk...); limit > 0 && len(found) >= limit {
			return found[:limit], nil
		}
	}
	return found, nil
}

// List implements Store.
func (d *DynamoDB) List(ctx context.Context, query Query) ([]Job, bool, error) {
	query, err := query.valid()
	if err != nil {
		return nil, false, err
	}
	rows := table.Query{
		Index: table.OwnerIndex, Where: table.OwnerPK + " = :key", Values: table.Row{":key": table.Text(query.Owner)},
		Since: d.Now(), Last: true, Page: query.Limit + 1, // one more says whether there is more
	}
	sortKey := table.OwnerSK
	if query.Entity != "" {
		rows.Index, rows.Where, sortKey = table.EntityIndex, table.EntityPK+" = :key", table.EntitySK
		rows.Values[":key"] = table.Text(query.Entity)
	}
	if bound := query.before(); bound != "" {
		rows.Where += " AND " + sortKey + " < :bound"
		rows.Values[":bound"] = table.Text(bound)
	}
	found := make([]Job, 0, query.Limit)
	for row, err := range d.Rows(ctx, rows) {
		if err != nil {
			return nil, false, fmt.Errorf("list jobs: %w", err)
		}
		job, err := decodeJob([]byte(row.Text(table.JSON)))
		switch {
		case errors.Is(err, ErrNewer):
			continue
		case err != nil:
			return nil, false, fmt.Errorf("list jobs: %w", err)
		case len(found) == query.Limit:
			return found, true, nil
		}
		found = append(found, job)
	}
	return found, false, nil
}
