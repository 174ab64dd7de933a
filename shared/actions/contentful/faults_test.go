package contentful_test

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// fault is what goes wrong at one operation: the one with that number.
type fault struct {
	at    int
	after bool // it is carried out, but its answer is lost
	crash bool // and the process dies there
}

// faults counts operations and lets one of them go wrong.
type faults struct {
	mu     sync.Mutex
	plan   fault
	dead   bool
	names  []string
	leapAt int // the operation before which time leaps
	leapBy func()
}

var errInjected = errors.New("injected fault")

// next decides about one operation: whether it is carried out, and whether its answer arrives.
func (f *faults) next(name string) (do, heard bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false, false
	}
	f.names = append(f.names, name)
	if f.leapBy != nil && len(f.names) == f.leapAt {
		f.leapBy()
	}
	if len(f.names) != f.plan.at {
		return true, true
	}
	f.dead = f.plan.crash
	return f.plan.after, false
}

func (f *faults) op(name string, do func() error) error {
	carry, heard := f.next(name)
	var err error
	if carry {
		err = do()
	}
	if !heard {
		return errInjected
	}
	return err
}

func (f *faults) request(r *http.Request) contentfultest.Fault {
	switch do, heard := f.next(r.Method + " " + r.URL.Path); {
	case !do:
		return contentfultest.Lost
	case !heard:
		return contentfultest.Unheard
	}
	return contentfultest.None
}

func (f *faults) died() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

func (f *faults) revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = false
}

// leap has something happen right before operation at.
func (f *faults) leap(at int, do func()) { f.leapAt, f.leapBy = at, do }

// arm begins to count.
func (f *faults) arm(plan fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan, f.names = plan, nil
}

type faultyStore struct {
	jobs.Store
	*faults
}

func (s faultyStore) Load(ctx context.Context, id string) (job jobs.Job, err error) {
	err = s.op("load", func() error { job, err = s.Store.Load(ctx, id); return err })
	return job, err
}

func (s faultyStore) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (saved jobs.Job, err error) {
	err = s.op("save "+string(job.State), func() error { saved, err = s.Store.Save(ctx, job, failures...); return err })
	return saved, err
}

type faultyLedger struct {
	ledger.Store
	*faults
}

func (l faultyLedger) Save(ctx context.Context, entry ledger.Entry) (saved ledger.Entry, err error) {
	err = l.op("save event "+string(entry.Outcome), func() error { saved, err = l.Store.Save(ctx, entry); return err })
	return saved, err
}

type faultyQueue struct {
	queue.Queue
	*faults
}

func (q faultyQueue) Send(ctx context.Context, messages ...queue.Message) error {
	return q.op("send", func() error { return q.Queue.Send(ctx, messages...) })
}

// onRequest does something at the first request of a method.
func onRequest(method string, do func()) func(*http.Request) contentfultest.Fault {
	var once sync.Once
	return func(r *http.Request) contentfultest.Fault {
		if r.Method == method {
			once.Do(do)
		}
		return contentfultest.None
	}
}

// stopAt stops a process at the first request of a method: that is carried out, and its answer is not heard.
func stopAt(stop func(), method string) func(*http.Request) contentfultest.Fault {
	return func(r *http.Request) contentfultest.Fault {
		if r.Method == method {
			stop()
			return contentfultest.Unheard
		}
		return contentfultest.None
	}
}

// cancel plays a user who stops a job.
func (f *fixture) cancel(id string) {
	job, err := f.store.Get(f.Context(), id)
	if err != nil {
		f.Error(err)
		return
	}
	if _, err := f.store.Save(f.Context(), job.Cancel(f.clock())); err != nil {
		f.Error(err)
	}
}
