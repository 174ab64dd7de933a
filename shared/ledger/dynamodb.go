package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/table"
)

// The rows of a DynamoDB, in the one table that holds all state (package table).
//
//	pk                    sk                   holds
//	EVENT#{api}/{pim}#id  STATE                an Entry
//	MARK#subscription     entity               a Mark
//	GAP#pim               from#subscription    a Gap's beginning: one query reads a PIM's, newest first
//	GAP#pim               to#subscription#end  a Gap's end
//
// Entries are in the index of entities, whose key begins in another way than that of jobs, which are listed alone. Its
// sort key is when the event was first seen, and its key.
const (
	keyEvent = "EVENT#"
	keyMark  = "MARK#"
	keyGap   = "GAP#"
	rowState = "STATE"
)

// DynamoDBConfig is what a DynamoDB needs.
type DynamoDBConfig = table.Config

// DynamoDB is a Store in the table that jobs are in too. Every write is one conditional put.
type DynamoDB struct{ *table.Table }

var _ Store = (*DynamoDB)(nil)

// NewDynamoDB returns a DynamoDB.
func NewDynamoDB(config DynamoDBConfig) *DynamoDB { return &DynamoDB{table.New(config)} }

// Get implements Store.
func (d *DynamoDB) Get(ctx context.Context, key string) (Entry, error) {
	if key == "" {
		return Entry{}, ErrNotFound
	}
	var entry Entry
	found, err := d.get(ctx, eventKey(key), rowState, &entry)
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("get event: %w", err)
	case !found:
		return Entry{}, ErrNotFound
	}
	return entry, nil
}

// Save implements Store.
func (d *DynamoDB) Save(ctx context.Context, entry Entry) (Entry, error) {
	saved, blob, err := entry.next(d.Now())
	if err != nil {
		return Entry{}, err
	}
	row := table.Key(eventKey(entry.Key), rowState)
	if saved.Entity != "" {
		row[table.EntityPK] = table.Text(keyEvent + saved.Entity)
		row[table.EntitySK] = table.Text(sortable(saved.CreatedAt) + "#" + short(saved.Key))
	}
	if err := d.swap(ctx, row, entry.Version, blob); err != nil {
		return Entry{}, fmt.Errorf("save event: %w", err)
	}
	return saved, nil
}

// Mark implements Store.
func (d *DynamoDB) Mark(ctx context.Context, subscription, entity string) (Mark, error) {
	mark := Mark{Subscription: subscription, Entity: entity}
	if _, err := d.get(ctx, keyMark+subscription, short(entity), &mark); err != nil {
		return Mark{}, fmt.Errorf("get mark: %w", err)
	}
	return mark, nil
}

// SaveMark implements Store.
func (d *DynamoDB) SaveMark(ctx context.Context, mark Mark) (Mark, error) {
	saved, blob, err := mark.next()
	if err != nil {
		return Mark{}, err
	}
	if err := d.swap(ctx, table.Key(keyMark+saved.Subscription, saved.Entity), mark.Version, blob); err != nil {
		return Mark{}, fmt.Errorf("save mark: %w", err)
	}
	return saved, nil
}

// Recent implements Store.
func (d *DynamoDB) Recent(ctx context.Context, entity string, limit int) ([]Entry, error) {
	if entity == "" {
		return nil, nil
	}
	found, err := list[Entry](ctx, d, clamp(limit), table.Query{
		Index: table.EntityIndex, Where: table.EntityPK + " = :key", Values: table.Row{":key": table.Text(keyEvent + short(entity))},
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return found, nil
}

// SaveGap implements Store.
func (d *DynamoDB) SaveGap(ctx context.Context, gap Gap) error {
	saved, blob, err := gap.next()
	if err != nil {
		return err
	}
	row, step := table.Key(keyGap+saved.PIM, saved.key()), d.Step()
	step.Stamp(row, blob, 1, step.Now.Add(Life))
	step.Put(row, step.Free())                  // what is there stays: the first wave wrote an end into its beginning
	if _, err := step.Commit(ctx); err != nil { // a refusal: it is known
		return fmt.Errorf("save gap: %w", err)
	}
	return nil
}

// Gaps implements Store.
func (d *DynamoDB) Gaps(ctx context.Context, pim string) ([]Gap, error) {
	found, err := list[Gap](ctx, d, 2*maxGaps, table.Query{Where: "pk = :key", Values: table.Row{":key": table.Text(keyGap + pim)}})
	if err != nil {
		return nil, fmt.Errorf("list gaps: %w", err)
	}
	return pair(found), nil
}

// get reads a row into what it holds; found is false if there is none.
func (d *DynamoDB) get(ctx context.Context, pk, sk string, into any) (found bool, err error) {
	row, err := d.Table.Get(ctx, pk, sk)
	if err != nil || !row.Live(d.Now()) {
		return false, err
	}
	return true, decode([]byte(row.Text(table.JSON)), into)
}

// swap writes a row whose stored version is still version (0: there is none), else ErrConflict.
func (d *DynamoDB) swap(ctx context.Context, row table.Row, version int64, blob []byte) error {
	step := d.Step()
	step.Stamp(row, blob, version+1, step.Now.Add(Life))
	step.Put(row, step.At(version))
	refusal, err := step.Commit(ctx)
	if before, refused := refusal.At(0); refused && !step.Wrote(before) {
		return ErrConflict
	}
	return err
}

// list reads at most so many records, the last in order first.
func list[T any](ctx context.Context, d *DynamoDB, limit int, query table.Query) ([]T, error) {
	query.Last, query.Page, query.Since = true, limit, d.Now()
	var found []T
	for row, err := range d.Rows(ctx, query) {
		if err != nil {
			return nil, err
		}
		var one T
		err = decode([]byte(row.Text(table.JSON)), &one)
		if errors.Is(err, ErrNewer) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if found = append(found, one); len(found) == limit {
			break
		}
	}
	return found, nil
}

// eventKey names the row of an entry: {api}/{pim}/{id}, of which the id alone comes from outside.
func eventKey(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 3 {
		return keyEvent + short(name)
	}
	return keyEvent + parts[0] + "/" + parts[1] + "#" + short(parts[2])
}
