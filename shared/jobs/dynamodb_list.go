package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/pim-functions/pim-functions/shared/table"
)

// Failures implements Store.
func (d *DynamoDB) Failures(ctx context.Context, id string, limit int) ([]Failure, error) {
	var found []Failure
	for chunk, err := range d.failureRows(ctx, id, rowFailures, min(limit, MaxItems)) {
		if err != nil {
			return nil, err
		}
		if found = append(found, chunk...); limit > 0 && len(found) >= limit {
			return found[:limit], nil
		}
	}
	return found, nil
}

// FailuresFrom implements Store.
func (d *DynamoDB) FailuresFrom(ctx context.Context, id string, from int) ([]Failure, error) {
	var found []Failure
	for chunk, err := range d.failureRows(ctx, id, indexed(rowFailures, from), MaxPage) {
		if err != nil {
			return nil, err
		}
		if len(found)+len(chunk) > MaxPage {
			break
		}
		found = append(found, chunk...)
	}
	return found, nil
}

// failureRows yields rows of failures from a sort key on.
func (d *DynamoDB) failureRows(ctx context.Context, id, from string, page int) iter.Seq2[[]Failure, error] {
	return func(yield func([]Failure, error) bool) {
		for row, err := range d.onceWritten(ctx, id, from, rowFailures, page) {
			var chunk []Failure
			if err == nil {
				err = json.Unmarshal([]byte(row.Text(table.JSON)), &chunk)
			}
			if err != nil {
				yield(nil, fmt.Errorf("read failures: %w", err))
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// onceWritten yields rows of a kind that were written once, from a sort key on. Those that a former job of the same ID has
// left are not this job's: its time to live had ended when this one was created, so that they are at least that much older.
func (d *DynamoDB) onceWritten(ctx context.Context, id, from, kind string, page int) iter.Seq2[table.Row, error] {
	return func(yield func(table.Row, error) bool) {
		state, err := d.state(ctx, id)
		if err != nil {
			yield(nil, err)
			return
		}
		if !state.Live(d.Now()) {
			return
		}
		for row, err := range d.Rows(ctx, table.Query{
			Where:  "pk = :pk AND sk BETWEEN :from AND :last",
			Values: table.Row{":pk": table.Text(keyJob + id), ":from": table.Text(from), ":last": table.Text(kind + "~")},
			Since:  time.Unix(state.Number(attrBorn), 0).Add(onceWrittenLife - Life),
			Page:   page, // each row holds one failure or more
		}) {
			if !yield(row, err) {
				return
			}
		}
	}
}

// Seen implements Store.
func (d *DynamoDB) Seen(ctx context.Context, id string) ([]Seen, error) {
	var all []Seen
	for row, err := range d.onceWritten(ctx, id, rowSeen, rowSeen, 0) {
		var seen []Seen
		if err == nil {
			seen, err = decodeSeen([]byte(row.Text(table.JSON)))
		}
		if err != nil {
			return nil, fmt.Errorf("read seen: %w", err)
		}
		all = append(all, seen...)
	}
	return all, nil
}

// Mark implements Store.
func (d *DynamoDB) Mark(ctx context.Context, key string) (Mark, error) {
	row, err := d.Table.Get(ctx, keyMark+key, rowMark)
	if err != nil {
		return Mark{}, fmt.Errorf("read mark: %w", err)
	}
	mark := Mark{}
	if len(row) > 0 {
		if err := json.Unmarshal([]byte(row.Text(table.JSON)), &mark); err != nil {
			return Mark{}, fmt.Errorf("decode mark: %w", err)
		}
	}
	mark.Key = key
	return mark, nil
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
