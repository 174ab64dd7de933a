package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNotFound: there is no such job (never was, or its time to live has ended).
	ErrNotFound = errors.New("no such job")
	// ErrExists: Create met a job of that ID.
	ErrExists = errors.New("job exists")
	// ErrConflict: the record is not at the version that the write was made for.
	ErrConflict = errors.New("job was changed by another")
	// ErrNewer: a later version of this program wrote the record, in a format that this one would spoil by writing it.
	ErrNewer = errors.New("job record of a newer format")
	// ErrTooLarge: items, params and context exceed MaxItems, MaxCode or MaxRecord.
	ErrTooLarge = errors.New("job record too large")
)

// OnceError is returned by Create when another job holds the once key.
type OnceError struct{ Holder string }

func (e *OnceError) Error() string { return fmt.Sprintf("once key is held by job %q", e.Holder) }

// Store keeps jobs. Every write is durable when the call returns nil and is one atomic step; a failed or timed-out
// call may nevertheless have been carried out: read before going on. Reads see all earlier writes. All methods are
// safe for concurrent use.
type Store interface {
	// Create records job as version 1: state, items and once key (if job.Once is set) together or not at all.
	// ErrExists if the ID is taken, even where another job holds the once key; *OnceError if another job holds it; ErrTooLarge.
	// With takeover, the once key passes from that job (as read before: ErrConflict if it has changed since) to
	// this one, and takeover itself is saved in the same step, so that it cannot be started any more.
	Create(ctx context.Context, job Job, takeover *Job) (Job, error)

	// Get returns the record without Items, Context and Params. ErrNotFound, ErrNewer.
	Get(ctx context.Context, id string) (Job, error)

	// Load returns the record with Items, Context and Params. ErrNotFound, ErrNewer.
	Load(ctx context.Context, id string) (Job, error)

	// Rest writes down the turn of the message that goes on with a job which this one has found at rest, and nothing else of
	// its record: a Load sees it, a Get need not. ErrConflict if a Rest has written that turn or a higher one.
	Rest(ctx context.Context, id string, turn int64) error

	// Save replaces the record if its version is still job.Version (else ErrConflict, or ErrNotFound), and returns it as stored:
	// with the next version. Failures, and what a selection has newly seen, are added in the same step; ending a job frees its once key if it still holds
	// it, and moves the mark of a selection whose end is reached, never backwards. Items, Context and Params are not touched and come back as they were given. ErrTooLarge if the rest of the
	// record exceeds MaxRecord. An item's failure is reported once: saving a failure of an index again replaces it.
	Save(ctx context.Context, job Job, failures ...Failure) (Job, error)

	// FailuresFrom returns what failed from an index on, by index: at most MaxPage of it, none after the last. The next call
	// goes on behind the last one's index; indexes between calls that go on otherwise may give none.
	FailuresFrom(ctx context.Context, id string, from int) ([]Failure, error)

	// Seen returns what the selection of a job has kept, in no order. A job without any, or no job, has none.
	Seen(ctx context.Context, id string) ([]Seen, error)

	// Mark returns a mark; one without Until if there is none yet.
	Mark(ctx context.Context, key string) (Mark, error)

	// Failures returns what failed, by index, at most limit (0: all). A job without any, or no job, has none.
	Failures(ctx context.Context, id string, limit int) ([]Failure, error)

	Signals

	// List returns jobs, newest first, without Items, Context and Params, and whether there are more, which are
	// Before the last one's CreatedAt. Records of a newer format are left out. It may lag behind writes by a second.
	List(ctx context.Context, query Query) (found []Job, more bool, err error)
}

// Query chooses jobs by exactly one of Owner and Entity.
type Query struct {
	Owner  string    // Owner(pim, user uuid): all jobs of that user
	Entity string    // Entity(pim, item): jobs of that one item
	Before time.Time // created before this; zero: no bound
	Limit  int       // 1 to 100; 0: 20
}

// Owner is the index key of a user's jobs; "" (in no index) without a PIM or a user UUID.
func Owner(pim, userUUID string) string {
	if pim == "" || userUUID == "" {
		return ""
	}
	return pim + "#" + userUUID
}

// Entity is the index key of jobs of one item; "" without a PIM.
func Entity(pim string, item Item) string {
	if pim == "" {
		return ""
	}
	return pim + "#" + item.Type + "/" + item.ID
}
