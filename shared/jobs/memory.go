package jobs

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryConfig is what a Memory needs.
type MemoryConfig struct {
	Now func() time.Time
}

// Memory is a Store in this process: for tests and the local system.
type Memory struct {
	MemoryConfig
	mu    sync.Mutex
	jobs  map[string]*record // by ID
	once  map[string]string  // key → ID of the job that holds it
	marks map[string]Mark    // by key
	ticks map[string]Tick    // by key

	signals map[string]signalRow // by job and wait

	profiles map[string]profileRow // by key
}

type signalRow struct {
	json    []byte
	expires time.Time
}

// record holds a job as a table would: as JSON, so that it shares nothing with a caller.
type record struct {
	state, payload      []byte
	version             int64
	expires             time.Time
	sort, owner, entity string
	failures            map[int][]Failure // rows, by the index of their first failure
	seen                []Seen
	turn                int64 // that Rest has written
}

// NewMemory returns an empty Memory.
func NewMemory(config MemoryConfig) *Memory {
	return &Memory{MemoryConfig: config, jobs: map[string]*record{}, once: map[string]string{}, marks: map[string]Mark{}, ticks: map[string]Tick{}, signals: map[string]signalRow{}}
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, job Job, takeover *Job) (Job, error) {
	if err := cmp.Or(ctx.Err(), validate(job, takeover)); err != nil {
		return Job{}, err
	}
	now := m.Now()
	job.Version = 0
	created, state, err := encodeNext(job, now)
	if err != nil {
		return Job{}, err
	}
	payload, err := encodePayload(job)
	if err != nil {
		return Job{}, err
	}
	var over Job
	var overState []byte
	if takeover != nil {
		if over, overState, err = encodeNext(*takeover, now); err != nil {
			return Job{}, err
		}
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	if m.live(job.ID) != nil {
		return Job{}, ErrExists
	}
	holder := m.once[job.Once] // "" for no key
	if takeover != nil {
		before := m.live(takeover.ID)
		if before == nil || before.version != takeover.Version || holder != takeover.ID {
			return Job{}, ErrConflict
		}
		before.replace(over, overState)
	} else if holder != job.ID && m.live(holder) != nil {
		return Job{}, &OnceError{Holder: holder}
	}
	r := &record{
		payload: payload, failures: map[int][]Failure{},
		sort: sortKey(created.CreatedAt, job.ID), owner: Owner(job.PIM, job.User.UUID), entity: job.entity(),
	}
	r.replace(created, state)
	m.jobs[job.ID] = r
	if job.Once != "" {
		m.once[job.Once] = job.ID
	}
	return created, nil
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, id string) (Job, error) {
	return m.read(ctx, id, decodeState)
}

// Load implements Store.
func (m *Memory) Load(ctx context.Context, id string) (Job, error) {
	return m.read(ctx, id, decodeAll)
}

func (m *Memory) read(ctx context.Context, id string, decode func(*record) (Job, error)) (Job, error) {
	if err := ctx.Err(); err != nil {
		return Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.live(id)
	if r == nil {
		return Job{}, ErrNotFound
	}
	return decode(r)
}

// Save implements Store.
func (m *Memory) Save(ctx context.Context, job Job, failures ...Failure) (Job, error) {
	if err := ctx.Err(); err != nil {
		return Job{}, err
	}
	saved, state, err := encodeNext(job, m.Now())
	if err != nil {
		return Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.live(job.ID)
	switch {
	case r == nil:
		return Job{}, ErrNotFound
	case r.version != job.Version:
		return Job{}, ErrConflict
	}
	r.replace(saved, state)
	for _, row := range failureRows(failures) {
		r.failures[row[0].Index] = row
	}
	if job.Select != nil {
		r.seen = append(r.seen, job.Select.New...)
	}
	if job.State.Ended() && m.once[job.Once] == job.ID {
		delete(m.once, job.Once)
	}
	if mark, moves := saved.mark(); moves && mark.Until.After(m.marks[mark.Key].Until) {
		m.marks[mark.Key] = mark
	}
	return saved, nil
}

// Mark implements Store.
func (m *Memory) Mark(ctx context.Context, key string) (Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mark := m.marks[key]
	mark.Key = key
	return mark, ctx.Err()
}

// Seen implements Store.
func (m *Memory) Seen(ctx context.Context, id string) ([]Seen, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.live(id)
	if r == nil {
		return nil, ctx.Err()
	}
	return slices.Clone(r.seen), ctx.Err()
}

// FailuresFrom implements Store.
func (m *Memory) FailuresFrom(ctx context.Context, id string, from int) ([]Failure, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.live(id)
	if r == nil {
		return nil, ctx.Err()
	}
	var found []Failure
	for _, first := range slices.Sorted(maps.Keys(r.failures)) {
		if row := r.failures[first]; first >= from {
			if len(found)+len(row) > MaxPage {
				break
			}
			found = append(found, row...)
		}
	}
	return found, ctx.Err()
}

// Failures implements Store.
func (m *Memory) Failures(ctx context.Context, id string, limit int) ([]Failure, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.live(id)
	if r == nil {
		return nil, nil
	}
	var found []Failure
	for _, first := range slices.Sorted(maps.Keys(r.failures)) {
		found = append(found, r.failures[first]...)
	}
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, query Query) ([]Job, bool, error) {
	query, err := query.valid()
	if err := cmp.Or(ctx.Err(), err); err != nil {
		return nil, false, err
	}
	bound := query.before()
	found, err := m.find(decodeState, func(r *record) bool {
		return (query.Owner == "" || r.owner == query.Owner) && (query.Entity == "" || r.entity == query.Entity) &&
			(bound == "" || r.sort < bound)
	})
	if err != nil || len(found) <= query.Limit {
		return found, false, err
	}
	return found[:query.Limit], true, nil
}

// All returns every job with Items, Context and Params, newest first: for the page of the local system.
func (m *Memory) All() []Job {
	all, err := m.find(decodeAll, func(*record) bool { return true })
	if err != nil { // it was encoded here
		panic(err)
	}
	return all
}

// find decodes the live jobs that match, newest first.
func (m *Memory) find(decode func(*record) (Job, error), match func(*record) bool) ([]Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var records []*record
	for id := range m.jobs {
		if r := m.live(id); r != nil && match(r) {
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b *record) int { return cmp.Compare(b.sort, a.sort) })
	found := make([]Job, 0, len(records))
	for _, r := range records {
		job, err := decode(r)
		if errors.Is(err, ErrNewer) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, job)
	}
	return found, nil
}

// live is the record of a job whose time has not ended, or nil.
func (m *Memory) live(id string) *record {
	if r := m.jobs[id]; r != nil && m.Now().Before(r.expires) {
		return r
	}
	return nil
}

func (r *record) replace(job Job, state []byte) {
	r.state, r.version, r.expires = state, job.Version, job.ExpiresAt
}

func decodeState(r *record) (Job, error) { return decodeJob(r.state) }

func decodeAll(r *record) (Job, error) {
	job, err := decodeJob(r.state)
	if err != nil {
		return Job{}, err
	}
	job.Turn = max(job.Turn, r.turn)
	return decodePayload(job, r.payload)
}

// Tick implements Ticks.
func (m *Memory) Tick(ctx context.Context, key string) (Tick, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tick := m.ticks[key]
	tick.Key = key
	return tick, ctx.Err()
}

// SaveTick implements Ticks.
func (m *Memory) SaveTick(ctx context.Context, tick Tick) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.ticks[tick.Key].Version != tick.Version {
		return ErrConflict
	}
	tick.Version++
	tick.Seen, tick.Due = tick.Seen.UTC().Round(0), tick.Due.UTC().Round(0)
	m.ticks[tick.Key] = tick
	return nil
}
