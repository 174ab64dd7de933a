package jobs

import (
	"context"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/table"
)

// DynamoDBConfig is what a DynamoDB needs.
type DynamoDBConfig = table.Config

// DynamoDB is a Store in one DynamoDB table. Every write is conditional, and nothing else keeps order.
type DynamoDB struct{ *table.Table }

var _ Store = (*DynamoDB)(nil)

// NewDynamoDB returns a DynamoDB.
func NewDynamoDB(config DynamoDBConfig) *DynamoDB { return &DynamoDB{table.New(config)} }

// Create implements Store.
func (d *DynamoDB) Create(ctx context.Context, job Job, takeover *Job) (Job, error) {
	if err := validate(job, takeover); err != nil {
		return Job{}, err
	}
	s := d.newStep()
	created, err := s.create(job)
	if err != nil {
		return Job{}, err
	}
	if takeover != nil {
		s.takeOnce(created, takeover.ID)
		if _, err := s.save(*takeover); err != nil {
			return Job{}, err
		}
	} else if job.Once != "" {
		s.putOnce(created)
	}
	refusal, err := s.Commit(ctx)
	before, exists := refusal.At(stateAt)
	switch {
	case err != nil:
		return Job{}, fmt.Errorf("create job: %w", err)
	case refusal == nil, exists && s.Wrote(before):
		return created, nil
	case exists: // before all else: the same request gets the same answer
		return Job{}, ErrExists
	case takeover != nil:
		return Job{}, ErrConflict
	}
	once, _ := refusal.At(onceAt)
	return Job{}, &OnceError{Holder: once.Text(attrHolder)}
}

// Save implements Store.
func (d *DynamoDB) Save(ctx context.Context, job Job, failures ...Failure) (Job, error) {
	if !possibleID(job.ID) {
		return Job{}, ErrNotFound
	}
	_, moves := job.mark()
	with := beside{frees: job.State.Ended() && job.Once != "", moves: moves}
	s, saved, err := d.saving(job, failures, with)
	if err != nil {
		return Job{}, err
	}
	refusal, err := s.Commit(ctx)
	before, changed := refusal.At(stateAt)
	if err == nil && refusal != nil && !changed && with != (beside{}) {
		_, taken := refusal.At(s.onceAt)   // by another job: there is nothing to free
		_, further := refusal.At(s.markAt) // by another job's selection
		if s, saved, err = d.saving(job, failures, beside{with.frees && !taken, with.moves && !further}); err != nil {
			return Job{}, err
		}
		refusal, err = s.Commit(ctx)
		before, _ = refusal.At(stateAt)
	}
	switch {
	case err != nil:
		return Job{}, fmt.Errorf("save job: %w", err)
	case refusal == nil, s.Wrote(before):
		return saved, nil
	case !before.Live(s.Now):
		return Job{}, ErrNotFound
	}
	return Job{}, ErrConflict
}

// beside is what a Save writes beside the job where it can.
type beside struct {
	frees bool // its once key
	moves bool // its selection's mark
}

// saving makes the step of a Save.
func (d *DynamoDB) saving(job Job, failures []Failure, with beside) (*step, Job, error) {
	s := d.newStep()
	saved, err := s.save(job)
	if err != nil {
		return nil, Job{}, err
	}
	if err := s.putFailures(job.ID, failures); err != nil {
		return nil, Job{}, err
	}
	if err := s.putSeen(job); err != nil {
		return nil, Job{}, err
	}
	if with.frees {
		s.onceAt = s.Len()
		s.freeOnce(job)
	}
	if mark, _ := job.mark(); with.moves {
		s.markAt = s.Len()
		if err := s.putMark(mark); err != nil {
			return nil, Job{}, err
		}
	}
	return s, saved, nil
}

// Get implements Store.
func (d *DynamoDB) Get(ctx context.Context, id string) (Job, error) {
	state, err := d.state(ctx, id)
	if err != nil {
		return Job{}, fmt.Errorf("get job: %w", err)
	}
	return d.decode(state)
}

// state reads a STATE row; none is an empty one.
func (d *DynamoDB) state(ctx context.Context, id string) (table.Row, error) {
	if !possibleID(id) {
		return nil, nil
	}
	return d.Table.Get(ctx, keyJob+id, rowState)
}

// decode reads a STATE row.
func (d *DynamoDB) decode(state table.Row) (Job, error) {
	if !state.Live(d.Now()) {
		return Job{}, ErrNotFound
	}
	return decodeJob([]byte(state.Text(table.JSON)))
}

// Load implements Store. One query reads all rows that it needs: they are the last in the order of their names.
func (d *DynamoDB) Load(ctx context.Context, id string) (Job, error) {
	if !possibleID(id) {
		return Job{}, ErrNotFound
	}
	rows := map[string]table.Row{}
	for row, err := range d.Rows(ctx, table.Query{
		Where:  "pk = :pk AND sk BETWEEN :first AND :last",
		Values: table.Row{":pk": table.Text(keyJob + id), ":first": table.Text(rowPayload), ":last": table.Text(rowTurn)},
	}) {
		if err != nil {
			return Job{}, fmt.Errorf("load job: %w", err)
		}
		rows[row.Text(table.SK)] = row
	}
	job, err := d.decode(rows[rowState])
	if err != nil {
		return Job{}, err
	}
	if rest := rows[rowTurn]; rest.Live(d.Now()) {
		job.Turn = max(job.Turn, rest.Number(table.Version))
	}
	return decodePayload(job, []byte(rows[rowPayload].Text(table.JSON)))
}
