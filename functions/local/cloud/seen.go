package cloud

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/recent"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// maxSeen is how many jobs a seenQueue knows of.
const maxSeen = 200

// seenQueue keeps the IDs of the jobs that messages were sent for: a table cannot be asked for all of them.
type seenQueue struct {
	queue.Queue
	store jobs.Store

	mu    sync.Mutex
	ids   recent.List[string]
	ended map[string]jobs.Job // jobs that need not be read again
}

func newSeenQueue(messages queue.Queue, store jobs.Store) *seenQueue {
	return &seenQueue{Queue: messages, store: store, ids: recent.New[string](maxSeen), ended: map[string]jobs.Job{}}
}

// Send implements queue.Queue.
func (s *seenQueue) Send(ctx context.Context, messages ...queue.Message) error {
	s.mu.Lock()
	for _, message := range messages {
		if id, _, err := jobs.ParseMessage(message.Body); err == nil && !slices.Contains(s.ids.Oldest(), id) {
			s.ids.Add(id)
		}
	}
	s.mu.Unlock()
	return s.Queue.Send(ctx, messages...)
}

// all reads the jobs that were seen, newest first.
func (s *seenQueue) all(ctx context.Context) ([]jobs.Job, error) {
	s.mu.Lock()
	ids := s.ids.Newest(maxSeen)
	s.mu.Unlock()
	found := []jobs.Job{}
	for _, id := range ids {
		job, err := s.read(ctx, id)
		switch {
		case errors.Is(err, jobs.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			found = append(found, job)
		}
	}
	return found, nil
}

// read returns a job; one that has ended is read once.
func (s *seenQueue) read(ctx context.Context, id string) (jobs.Job, error) {
	s.mu.Lock()
	job, known := s.ended[id]
	s.mu.Unlock()
	if known {
		return job, nil
	}
	job, err := s.store.Get(ctx, id)
	if err == nil && job.State.Ended() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended[id] = job
	}
	return job, err
}

// dead counts the dead letters, and names their jobs by the jobs' own records: a receive would lend the letters.
func (s *seenQueue) dead(ctx context.Context, letters, eventLetters queue.Queue) ([]DeadLetter, error) {
	depth, err := letters.Depth(ctx)
	if err != nil {
		return nil, err
	}
	events, err := eventLetters.Depth(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.Repeat([]DeadLetter{{Queue: "jobs"}}, depth.Visible+depth.InFlight)
	at := 0
	for _, job := range all {
		if job.AsOf(time.Now()).Reason == jobs.ReasonDeadLetter && at < len(found) {
			found[at].Job = job.ID
			at++
		}
	}
	return append(found, slices.Repeat([]DeadLetter{{Queue: "events"}}, events.Visible+events.InFlight)...), nil
}
