package jobs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// What every Store does in the same way: the record as JSON, and the order of jobs.

// payload is the part of a job that never changes.
type payload struct {
	Items   []Item          `json:"items"`
	Context json.RawMessage `json:"context,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// encodePayload returns the part of a job that never changes. ErrTooLarge if it exceeds MaxRecord.
func encodePayload(job Job) ([]byte, error) {
	blob, err := encode(payload{Items: job.Items, Context: job.Context, Params: job.Params})
	if err != nil {
		return nil, fmt.Errorf("encode items: %w", err)
	}
	if len(blob) > MaxRecord {
		return nil, fmt.Errorf("%w: %d bytes of items, params and context, at most %d", ErrTooLarge, len(blob), MaxRecord)
	}
	return blob, nil
}

// encodeNext returns the next version of a job, and its JSON without the part that never changes. Times lose their
// zone and the monotonic clock here, so that what a write returns equals what a read will.
func encodeNext(job Job, now time.Time) (Job, []byte, error) {
	job.Version++
	job.Format = Format
	job.UpdatedAt = now
	job.ExpiresAt = now.Add(Life)
	if len(job.Files) > MaxFiles {
		return Job{}, nil, fmt.Errorf("%w: %d files, at most %d", ErrTooLarge, len(job.Files), MaxFiles)
	}
	job.Files = slices.Clone(job.Files)
	for i := range job.Files {
		job.Files[i].Until = job.Files[i].Until.UTC().Round(0)
		if until := job.Files[i].Until; until.After(job.ExpiresAt) {
			job.ExpiresAt = until // whoever follows its link is told from the record
		}
	}
	if job.Select != nil {
		kept := *job.Select
		kept.Began, kept.New = kept.Began.UTC().Round(0), nil
		job.Select = &kept
	}
	if job.Awaits != nil {
		kept := *job.Awaits
		kept.Until = kept.Until.UTC().Round(0)
		job.Awaits = &kept
	}
	for _, t := range []*time.Time{&job.CreatedAt, &job.UpdatedAt, &job.ExpiresAt, &job.DownSince, &job.NotBefore, &job.Lease.Until, &job.NextTry, &job.GivesUpAt} {
		*t = t.UTC().Round(0)
	}
	bare := job
	bare.Items, bare.Context, bare.Params = nil, nil, nil
	blob, err := encode(bare)
	if err != nil {
		return Job{}, nil, fmt.Errorf("encode job: %w", err)
	}
	if len(blob) > MaxRecord {
		return Job{}, nil, fmt.Errorf("%w: %d bytes besides items, params and context, at most %d", ErrTooLarge, len(blob), MaxRecord)
	}
	return job, blob, nil
}

// decodeJob returns the job without the part that never changes. ErrNewer.
func decodeJob(blob []byte) (Job, error) {
	var stored struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(blob, &stored); err == nil && stored.Format > Format {
		return Job{}, ErrNewer
	}
	var job Job
	if err := json.Unmarshal(blob, &job); err != nil {
		return Job{}, fmt.Errorf("decode job: %w", err)
	}
	return job, nil
}

// decodePayload adds the part that never changes.
func decodePayload(job Job, blob []byte) (Job, error) {
	var p payload
	if err := json.Unmarshal(blob, &p); err != nil {
		return Job{}, fmt.Errorf("decode items: %w", err)
	}
	job.Items, job.Context, job.Params = p.Items, p.Context, p.Params
	return job, nil
}

// encode is JSON as short as it goes: "<" stays one byte, where json.Marshal makes six of it and breaks a limit
// that the sender kept.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// failureRows orders failures by index, cuts their reasons, and parts them into rows.
func failureRows(failures []Failure) [][]Failure {
	ordered := slices.Clone(failures)
	for i := range ordered {
		ordered[i].Reason = cut(ordered[i].Reason)
	}
	slices.SortStableFunc(ordered, func(a, b Failure) int { return cmp.Compare(a.Index, b.Index) })
	return slices.Collect(slices.Chunk(ordered, failuresPerRow))
}

// entity is the job's key in the index of single items; "" for a job of several.
func (j Job) entity() string {
	if len(j.Items) != 1 {
		return ""
	}
	return Entity(j.PIM, j.Items[0])
}

const sortableTime = "2006-01-02T15:04:05.000000000Z"

// sortKey orders jobs by creation; the ID makes it unique.
func sortKey(created time.Time, id string) string {
	return created.UTC().Format(sortableTime) + "#" + id
}

// before is the sort key below which the jobs of the page lie; "" for no bound.
func (q Query) before() string {
	if q.Before.IsZero() {
		return ""
	}
	return sortKey(q.Before, "")
}

// seenOf is a row of Seen, as short as it goes.
type seenOf struct {
	Type    string `json:"t"`
	ID      string `json:"i"`
	Updated int64  `json:"u"`
}

func encodeSeen(seen []Seen) ([]byte, error) {
	rows := make([]seenOf, len(seen))
	for i, one := range seen {
		rows[i] = seenOf{one.Item.Type, one.Item.ID, one.Updated}
	}
	return encode(rows)
}

func decodeSeen(blob []byte) ([]Seen, error) {
	var rows []seenOf
	if err := json.Unmarshal(blob, &rows); err != nil {
		return nil, fmt.Errorf("decode seen: %w", err)
	}
	seen := make([]Seen, len(rows))
	for i, row := range rows {
		seen[i] = Seen{Item{row.Type, row.ID}, row.Updated}
	}
	return seen, nil
}
