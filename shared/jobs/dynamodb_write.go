package jobs

import (
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/table"
)

// step is one atomic write of jobs in the making.
type step struct {
	*table.Step
	onceAt, markAt int // places of what a Save writes beside the job; 0: it does not
}

// Places of actions in a step.
const (
	stateAt = 0 // of the job itself: every step has it
	onceAt  = 2 // of the once key in a Create, after the payload
)

// Rows that are written once outlive the record, whose life begins anew with every write.
const onceWrittenLife = 2 * Life

// restLife is longer than a message is on its way.
const restLife = 24 * time.Hour

func (d *DynamoDB) newStep() *step { return &step{Step: d.Table.Step()} }

// create adds the rows of a new job.
func (s *step) create(job Job) (Job, error) {
	job.Version = 0
	created, blob, err := encodeNext(job, s.Now)
	if err != nil {
		return Job{}, err
	}
	payload, err := encodePayload(job)
	if err != nil {
		return Job{}, err
	}
	state := table.Key(keyJob+job.ID, rowState)
	s.Stamp(state, blob, created.Version, created.ExpiresAt)
	state[attrBorn] = table.Seconds(s.Now)
	if owner := Owner(job.PIM, job.User.UUID); owner != "" {
		state[table.OwnerPK], state[table.OwnerSK] = table.Text(owner), table.Text(sortKey(created.CreatedAt, job.ID))
	}
	if entity := job.entity(); entity != "" {
		state[table.EntityPK], state[table.EntitySK] = table.Text(entity), table.Text(sortKey(created.CreatedAt, job.ID))
	}
	s.Put(state, s.Free())
	s.putOnceWritten(job.ID, rowPayload, payload)
	return created, nil
}

// putOnce adds the once key, if no other job holds it. Its time ends no later than that of its job: a key whose
// holder is gone would keep everyone out.
func (s *step) putOnce(job Job) {
	free := s.Free()
	free.Expression += " OR holder = :self"
	free.Values[":self"] = table.Text(job.ID)
	s.Put(once(job), free)
}

// takeOnce adds the once key, if that holder has it.
func (s *step) takeOnce(job Job, holder string) {
	s.Put(once(job), table.Condition{Expression: "holder = :holder", Values: table.Row{":holder": table.Text(holder)}})
}

func once(job Job) table.Row {
	row := table.Key(keyOnce+job.Once, rowOnce)
	row[attrHolder] = table.Text(job.ID)
	row[table.Expires] = table.Seconds(job.ExpiresAt)
	return row
}

// freeOnce adds the removal of a once key, unless another job holds it.
func (s *step) freeOnce(job Job) {
	s.Delete(keyOnce+job.Once, rowOnce, table.Condition{
		Expression: "attribute_not_exists(pk) OR holder = :self", Values: table.Row{":self": table.Text(job.ID)},
	})
}

// save adds the next version of a job, if the stored one is as it was read. Index keys stay as they are.
func (s *step) save(job Job) (Job, error) {
	saved, blob, err := encodeNext(job, s.Now)
	if err != nil {
		return Job{}, err
	}
	s.Rewrite(keyJob+job.ID, rowState, blob, job.Version, saved.ExpiresAt)
	return saved, nil
}

// putFailures adds rows of failures.
func (s *step) putFailures(id string, failures []Failure) error {
	for _, chunk := range failureRows(failures) {
		blob, err := encode(chunk)
		if err != nil {
			return fmt.Errorf("encode failures: %w", err)
		}
		s.putOnceWritten(id, indexed(rowFailures, chunk[0].Index), blob)
	}
	return nil
}

// indexed is the sort key of a row that begins at an index.
func indexed(row string, index int) string { return fmt.Sprintf("%s%09d", row, index) }

// putSeen adds the row of what a selection has newly seen.
func (s *step) putSeen(job Job) error {
	if job.Select == nil || len(job.Select.New) == 0 {
		return nil
	}
	blob, err := encodeSeen(job.Select.New)
	if err != nil {
		return fmt.Errorf("encode seen: %w", err)
	}
	s.putOnceWritten(job.ID, indexed(rowSeen, job.Select.Kept-len(job.Select.New)), blob)
	return nil
}

// putMark adds the mark of a selection, unless it would go backwards. A step that it refuses is made again without it.
func (s *step) putMark(mark Mark) error {
	blob, err := encode(mark)
	if err != nil {
		return fmt.Errorf("encode mark: %w", err)
	}
	row := table.Key(keyMark+mark.Key, rowMark)
	row[table.JSON] = table.Text(string(blob))
	row[attrUntil] = table.Number(mark.Until.UnixMilli())
	s.Put(row, table.Condition{Expression: "attribute_not_exists(pk) OR reached < :reached", Values: table.Row{":reached": row[attrUntil]}})
	return nil
}

// putOnceWritten adds a row that is never changed. It needs no condition: it comes with a write of the record, so once.
func (s *step) putOnceWritten(id, name string, blob []byte) {
	row := table.Key(keyJob+id, name)
	row[table.JSON] = table.Text(string(blob))
	row[table.Expires] = table.Seconds(s.Now.Add(onceWrittenLife))
	s.Put(row, table.Condition{})
}
