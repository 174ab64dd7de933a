// Package ledger is what happened to each event: whether it was seen before, what came of it for each subscription,
// and how new the newest change is that a subscription has applied to an entity. It is what makes an effect happen
// once, however often and in whatever order events are delivered.
//
// It holds no event: those stay in the queue until their outcome stands here.
package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Outcome of an event, for one subscription or as a whole.
type Outcome string

const (
	Applied   Outcome = "applied"   // the action succeeded
	Started   Outcome = "started"   // a job does it: see Entry.Jobs
	Failed    Outcome = "failed"    // the action was refused, or its destination stayed down: the event is a dead letter
	Stale     Outcome = "stale"     // something newer was applied before (deliver: latest)
	Shadow    Outcome = "shadow"    // everything but the action (shadow: true)
	Self      Outcome = "self"      // our own change
	Foreign   Outcome = "foreign"   // sent by a PIM that is not ours
	Unmatched Outcome = "unmatched" // no subscription wants it
)

// ranking of outcomes: an event's outcome is the first of these that any of its subscriptions has.
var ranking = []Outcome{Applied, Started, Failed, Stale, Shadow}

// Format is that of the records written here. It grows when an older version, which drops fields that it does not know,
// could do harm by writing a record: such a record is not decoded there (ErrNewer).
const Format = 2

// Undecided is how long after its next try, or after its lease, a change that has begun to be applied still makes older ones
// wait: its message may be late. Then it counts as applied.
const Undecided = time.Hour

// maxGaps is how many gaps of a PIM are listed.
const maxGaps = 100

// Life is how long a record is kept after its last write. The senders' retries end after 35 minutes, our queues
// and dead letters after 24 days.
const Life = 30 * 24 * time.Hour

var (
	// ErrNotFound: there is no such entry.
	ErrNotFound = errors.New("no such event")
	// ErrNewer: a later version of this program wrote the record, in a format that this one would spoil by writing it.
	ErrNewer = errors.New("record of a newer format")
	// ErrTooLarge: the record exceeds 350,000 bytes.
	ErrTooLarge = errors.New("record too large")
	// ErrConflict: the record is not at the version that the write was made for.
	ErrConflict = errors.New("record was changed by another")
)

// Lease is the right to work on a record until a time; its token grows with every claim.
type Lease struct {
	Token  int64     `json:"token"`
	Until  time.Time `json:"until,omitzero"`
	Holder string    `json:"holder,omitempty"` // of a mark: the entry's key, or the job that does the work
}

// Live says whether somebody holds the lease.
func (l Lease) Live(now time.Time) bool { return now.Before(l.Until) }

// Entry is the record of one event.
type Entry struct {
	Key        string                     `json:"key"` // {api}/{pim}/{event id}
	PIM        string                     `json:"pim"`
	Type       string                     `json:"type,omitempty"`
	Entity     string                     `json:"entity,omitempty"`   // index key: {pim}#{kind}/{id}; "" if the event has none
	Time       time.Time                  `json:"time,omitzero"`      // the sender's
	Outcomes   map[string]Outcome         `json:"outcomes,omitempty"` // by subscription
	Reasons    map[string]string          `json:"reasons,omitempty"`  // for the user, of what failed
	KindStates map[string]json.RawMessage `json:"kindStates,omitempty"`
	Jobs       map[string]string          `json:"jobs,omitempty"`      // by subscription: ID of the job that does it, noted before it is recorded
	Pending    map[string]Pending         `json:"pending,omitempty"`   // by subscription: what is remembered of one that has no outcome yet
	Outcome    Outcome                    `json:"outcome,omitempty"`   // of the event; "" while it is open
	Counted    bool                       `json:"counted,omitempty"`   // in the metrics
	CountedAs  Outcome                    `json:"countedAs,omitempty"` // there
	Delivery   string                     `json:"delivery,omitempty"`  // the delivery whose message goes on with the event: another's is a duplicate
	EndedBy    string                     `json:"endedBy,omitempty"`   // the delivery that ended it: its own message may come back
	Letter     bool                       `json:"letter,omitempty"`    // its message is to be put on the dead letters before it is deleted
	ThenDue    map[string]string          `json:"thenDue,omitempty"`   // follow-up actions that are to be started once the event has ended: by subscription, and by Follow
	Round      int                        `json:"round,omitempty"`     // redrives so far
	Lease      Lease                      `json:"lease"`
	Tries      int                        `json:"tries,omitempty"`    // of all subscriptions together: the first wave's
	DownSince  time.Time                  `json:"downSince,omitzero"` // likewise
	Format     int                        `json:"format,omitempty"`   // of the record, see Format; 0: the first wave's
	Turn       int64                      `json:"turn,omitempty"`     // of the message that goes on with the event: a lower one is of the past
	Version    int64                      `json:"version"`            // 0: not stored yet
	CreatedAt  time.Time                  `json:"createdAt"`
	UpdatedAt  time.Time                  `json:"updatedAt"`
	ExpiresAt  time.Time                  `json:"expiresAt"`
}

// Pending is what is remembered of an event for one subscription until it has an outcome.
type Pending struct {
	Action      string        `json:"action,omitempty"`      // that the first try ran
	Tries       int           `json:"tries,omitempty"`       // that failed
	DownSince   time.Time     `json:"downSince,omitzero"`    // of the first of them, later by every pause that was asked for
	Asked       time.Duration `json:"asked,omitempty"`       // pauses asked for, together
	NextTry     time.Time     `json:"nextTry,omitzero"`      // not before this
	Interrupted bool          `json:"interrupted,omitempty"` // a run that had the kind's state did not come back: it may have acted
}

// Mark is how new the newest change is that a subscription has begun to apply to an entity, and the right to do so.
type Mark struct {
	Subscription string    `json:"subscription"`
	Entity       string    `json:"entity"`
	Time         time.Time `json:"time,omitzero"`    // of the newest change that has begun
	Applied      time.Time `json:"applied,omitzero"` // of the newest that was applied
	By           string    `json:"by,omitempty"`     // who applied that: the holder of its lease
	NextTry      time.Time `json:"nextTry,omitzero"` // of the newest that has begun, while it is not decided
	Lease        Lease     `json:"lease"`
	Format       int       `json:"format,omitempty"` // of the record, see Format
	Version      int64     `json:"version"`          // 0: not stored yet
}

// Gap is a time in which a subscription was suspended: its events are lost and must be read from the PIM. A suspension
// and the resume after it are stored as they come, in any order: one without To, one without From.
type Gap struct {
	PIM          string    `json:"pim"`
	Subscription string    `json:"subscription"` // the Event Platform's id
	From         time.Time `json:"from"`
	To           time.Time `json:"to,omitzero"` // zero: still suspended
	Reason       string    `json:"reason,omitempty"`
	Events       []string  `json:"events,omitempty"`
}

// Store keeps entries, marks and gaps by compare-and-swap. Every write is durable when the call returns nil and is one
// atomic step; a failed call, ErrConflict included, may nevertheless have been carried out: read before going on.
// Reads see all earlier writes. All methods are safe for concurrent use.
type Store interface {
	// Get returns an entry. ErrNotFound, ErrNewer.
	Get(ctx context.Context, key string) (Entry, error)

	// Save stores an entry whose stored version is still entry.Version (0: there is none), else ErrConflict, and
	// returns it as stored: with the next version, reasons and a type of at most 300 bytes (what is longer is cut),
	// and a digest in place of an entity of more than 800. ErrTooLarge.
	Save(ctx context.Context, entry Entry) (Entry, error)

	// Mark returns a mark; one that was never set, or not within Life, is there with Version 0. ErrNewer.
	Mark(ctx context.Context, subscription, entity string) (Mark, error)

	// SaveMark stores a mark as Save does an entry.
	SaveMark(ctx context.Context, mark Mark) (Mark, error)

	// Recent returns the entries of an entity, newest first, at most limit (1 to 100), without those of a newer
	// format. It may lag behind writes by a second.
	Recent(ctx context.Context, entity string, limit int) ([]Entry, error)

	// SaveGap stores a gap's beginning (To is zero) or end (From is zero), with a reason and at most 100 names of
	// events of at most 300 bytes each; the rest is left out. Storing the same again changes nothing.
	SaveGap(ctx context.Context, gap Gap) error

	// Gaps returns a PIM's gaps of the time of Life, newest first, at most 100: each beginning with the first end
	// of its subscription that follows it.
	Gaps(ctx context.Context, pim string) ([]Gap, error)
}
