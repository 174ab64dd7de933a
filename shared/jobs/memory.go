package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"
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
	mu       sync.Mutex
	jobs     map[string]Job
	failures map[string]map[int]Failure // by job, then index
	once     map[string]string          // key → job ID
}

// NewMemory returns an empty Memory.
func NewMemory(config MemoryConfig) *Memory {
	return &Memory{MemoryConfig: config, jobs: map[string]Job{}, failures: map[string]map[int]Failure{}, once: map[string]string{}}
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, job Job, takeover *Job) (Job, error) {
	if err := errors.Join(ctx.Err(), validate(job)); err != nil {
		return Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.live(job.ID); taken {
		return Job{}, ErrExists
	}
	if takeover != nil {
		before, there := m.live(takeover.ID)
		if !there || before.Version != takeover.Version || (job.Once != "" && m.once[job.Once] != takeover.ID) {
			return Job{}, ErrConflict
		}
	} else if holder, held := m.holder(job.Once); held && holder != job.ID {
		return Job{}, &OnceError{Holder: holder}
	}
	if takeover != nil {
		m.put(*takeover)
	}
	job.Version = 0
	m.jobs[job.ID] = clone(job)
	delete(m.failures, job.ID)
	if job.Once != "" {
		m.once[job.Once] = job.ID
	}
	return m.put(job), nil
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, id string) (Job, error) {
	job, err := m.Load(ctx, id)
	return bare(job), err
}

// Load implements Store.
func (m *Memory) Load(ctx context.Context, id string) (Job, error) {
	if err := ctx.Err(); err != nil {
		return Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	job, there := m.live(id)
	if !there {
		return Job{}, ErrNotFound
	}
	return clone(job), nil
}

// Save implements Store.
func (m *Memory) Save(ctx context.Context, job Job, failures ...Failure) (Job, error) {
	if err := ctx.Err(); err != nil {
		return Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before, there := m.live(job.ID)
	switch {
	case !there:
		return Job{}, ErrNotFound
	case before.Version != job.Version:
		return Job{}, ErrConflict
	}
	if len(failures) > 0 && m.failures[job.ID] == nil {
		m.failures[job.ID] = map[int]Failure{}
	}
	for _, failure := range failures {
		failure.Reason = cut(failure.Reason)
		m.failures[job.ID][failure.Index] = failure
	}
	saved := m.put(job)
	saved.Items, saved.Context, saved.Params = job.Items, job.Context, job.Params
	return clone(saved), nil
}

// put stores a job's next version. The parts that never change stay as they are.
func (m *Memory) put(job Job) Job {
	kept := m.jobs[job.ID]
	job = clone(job)
	job.Items, job.Context, job.Params = kept.Items, kept.Context, kept.Params
	job.Version++
	job.UpdatedAt = m.Now().UTC()
	job.ExpiresAt = job.UpdatedAt.Add(Life)
	m.jobs[job.ID] = job
	if job.State.Ended() && job.Once != "" && m.once[job.Once] == job.ID {
		delete(m.once, job.Once)
	}
	return clone(job)
}

// Failures implements Store.
func (m *Memory) Failures(ctx context.Context, id string, limit int) ([]Failure, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Failure
	if _, there := m.live(id); there {
		for _, failure := range m.failures[id] {
			found = append(found, failure)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Index < found[j].Index })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, query Query) ([]Job, string, error) {
	query, err := query.valid()
	if err := errors.Join(ctx.Err(), err); err != nil {
		return nil, "", err
	}
	var found []Job
	for _, job := range m.All() {
		owned := query.Owner != "" && Owner(job.PIM, job.User.UUID) == query.Owner
		about := query.Entity != "" && len(job.Items) == 1 && Entity(job.PIM, job.Items[0]) == query.Entity
		if (owned || about) && (query.Before.IsZero() || job.CreatedAt.Before(query.Before)) {
			found = append(found, bare(job))
		}
	}
	after := 0
	if query.Cursor != "" {
		at := slices.IndexFunc(found, func(job Job) bool { return sortKey(job) == query.Cursor })
		if at < 0 {
			return nil, "", errCursor
		}
		after = at + 1
	}
	found = found[after:]
	if len(found) <= query.Limit {
		return found, "", nil
	}
	found = found[:query.Limit]
	return found, sortKey(found[len(found)-1]), nil
}

// All returns every job, newest first: for the page of the local system.
func (m *Memory) All() []Job {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Job, 0, len(m.jobs))
	for id := range m.jobs {
		if job, there := m.live(id); there {
			all = append(all, clone(job))
		}
	}
	slices.SortFunc(all, func(a, b Job) int { return strings.Compare(sortKey(b), sortKey(a)) })
	return all
}

// live is a job whose time has not ended.
func (m *Memory) live(id string) (Job, bool) {
	job, there := m.jobs[id]
	if there && !m.Now().Before(job.ExpiresAt) {
		return Job{}, false
	}
	return job, there
}

func (m *Memory) holder(once string) (string, bool) {
	holder, held := m.once[once]
	if _, there := m.live(holder); !held || once == "" || !there {
		return "", false
	}
	return holder, true
}

var errCursor = errors.New("list jobs: unknown cursor")

// sortKey orders jobs by creation; the ID makes it unique.
func sortKey(job Job) string {
	return job.CreatedAt.UTC().Format("2006-01-02T15:04:05.000000000Z") + "#" + job.ID
}

// bare is the job without the parts that Get and List leave out.
func bare(job Job) Job {
	job.Items, job.Context, job.Params = nil, nil, nil
	return job
}

// clone shares nothing with its original.
func clone(job Job) Job {
	job.Items = slices.Clone(job.Items)
	job.User.Groups = slices.Clone(job.User.Groups)
	for _, raw := range []*json.RawMessage{&job.Context, &job.Params, &job.Result, &job.KindState} {
		*raw = slices.Clone(*raw)
	}
	if job.Ended != nil {
		ended := *job.Ended
		job.Ended = &ended
	}
	return job
}
