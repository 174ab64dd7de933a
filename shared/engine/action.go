package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Kind makes actions of one kind (forward, notify, publish, or an integrator's own) from their configuration.
type Kind interface {
	// Check decodes the action's section strictly, without secrets; its errors carry file and line.
	Check(config.Section) error
	// Open makes the action, with secrets resolved. It is called for every run: it must be cheap and keep no
	// state between runs.
	Open(config.Section, Secrets) (Action, error)
}

// Listener is a Kind whose actions are told by events of their PIM how it ended: some subscription there has to bring them.
type Listener interface {
	Kind
	Listens(config.Section) []string // their types
}

// Action does one batch of a job, or one event.
type Action interface {
	// Batch is how many items one run takes; 0 means all of them.
	Batch() int
	// Run does the work. It must be safe to repeat with the same Key: what it sends carries Run.Key as the
	// idempotency key. Its error says what follows: a PermanentError, ThrottledError or LaterError, a mistake of
	// package config (which fails all that is left, by name), or an error that tells by method (Permanent, RetryAt,
	// Unauthorized and others, as package outbound's does); any other is passing. After an error whose Unauthorized
	// is true the engine refreshes the connection secret and, if that brought a new one, runs the batch once more.
	Run(context.Context, Run) (Result, error)
}

// Finisher is an Action with work left once all items are through, such as making one file of what its runs have kept.
type Finisher interface {
	Action
	// Finish is called for a job alone, after the run of its last items, with the job's counts and no items: until it
	// returns without an error, or with one that is lasting, which fails the job. What holds for Run holds for it.
	// A job without items has no run, only this. A batch whose products are all gone has a run without items.
	Finish(context.Context, Run) (Result, error)
}

// Secrets are the parts of the connection secret that a kind may need, by the names used in extensions.yaml.
type Secrets struct {
	Values     map[string]string          // `secret:NAME` in a section
	Auth       map[string]json.RawMessage // `auth: NAME` in a section; the shape is the kind's own
	Identities map[string][]string        // by PIM: author identifiers of events that we caused ourselves
	SFTP       map[string]json.RawMessage // `to: {sftp: NAME}` in a section; the shape is the kind's own
	Contentful json.RawMessage            // what opens Contentful's management API; the shape is the kind's own
}

// Run is one batch of a job's items, or one event.
type Run struct {
	Key          string // idempotency key, a legal header value: never used with two different contents
	Action       string
	Trigger      string
	Job          string // "" for an event
	Subscription string // "" for a job
	Extension    string
	Label        string // in the user's locale
	PIM          string
	Items        []jobs.Item
	Products     []pim.View // of Items, one each, if the action is a Reader; else nil. Empty behind those that Reads.First names
	Causes       []Cause    // of Items, one each, where events brought them; nil: nobody told of them one by one
	Deleted      []bool     // of Items, beside Products: the event says that the entity is deleted, and its product is empty
	Index        []int      // of Items among the job's items, beside Products; nil: they follow First
	First        int        // index of the batch's first item among the job's items
	Total        int        // items of the whole job; of a selection those that are counted so far
	Context      json.RawMessage
	Params       json.RawMessage
	User         jobs.User
	Event        *pimevent.Event
	Ended        *jobs.Ended     // in a `then`: how the job before ended
	State        json.RawMessage // what Result.State was in the run before of this same batch
	Interrupted  bool            // a run that had this State did not come back: it may have acted. Else nobody acted on it
	Attempt      int             // 1 at the first try of this batch
	Correlation  string
	Began        time.Time // when the job or the event was recorded: the same at every try
	Now          time.Time
	Answer       json.RawMessage // what a destination answered: a kind sets it for templates that are made of it

	// intend notes in the job's record that an undo file is about to be written, and returns its name. nil: an event's run,
	// which cannot be undone.
	intend func(context.Context) (name string, err error)
	undo   []string // names of the undo files of this batch, of earlier tries

	Wait    *jobs.Wait   // of a Waiter: what it waits for, and until when
	Signal  *jobs.Signal // of a Waiter: what has come, with its whole body; nil: nothing yet, so that the run asks
	waiting *wait        // nil: an event's run, which cannot wait

	page map[jobs.Item]pim.Product // products that came with the page of a selection

	Channel string         // that whoever asked works in, else the PIM's default; "": neither names one
	Zone    *time.Location // of the PIM's server
	Done    int            // in Finish: items that succeeded
	Files   files.Store    // nil: this deployment keeps none
	// Client reads from and writes to the run's PIM.
	Client func(context.Context) (*pim.Client, error)

	finish bool // all items are through: Finish is called
}

// Result is what a run achieved.
type Result struct {
	// Done is how many items, from the first, are through, whether they succeeded or failed: the next run begins
	// behind them. 0 without an error: all of them. 0 with an error: none.
	Done     int
	Failures []Failure // items that failed; the others that are through succeeded. Of items that are not, none counts
	// Updates of items, which the engine makes in the PIM before the checkpoint, if the action is a Writer. Those of items
	// that failed, or are not through, are left out. An item whose update the PIM does not make fails.
	Updates []Update
	Message string          // for the user
	Files   []jobs.File     // that it has made, whole and stored; with Finish alone, and they replace what earlier runs returned
	Result  json.RawMessage // structured, for who reads the job; JSON of at most 8 KB, anything else is left out
	State   json.RawMessage // with Later: given to the next run of this batch; JSON of at most 8 KB, anything else fails the batch

	// Wait, of a Waiter and without an error, says that the others are asked: the batch waits for Run.Signal, and its next
	// run has it. Nothing is through. Of the rest State is kept for that run, and Failures, which count then; an item that has
	// failed does not change in the PIM.
	Wait bool

	changed int // items that changed in the PIM
}

// Failure of one item of a run.
type Failure struct {
	Index  int // in Run.Items
	Reason string
}

// PermanentError means that trying again cannot help: the items of this batch have failed.
type PermanentError struct {
	Reason string // for the user
	Err    error  // for the log; may be nil
}

func (e *PermanentError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return fmt.Sprintf("%s: %v", e.Reason, e.Err)
}
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent makes a PermanentError whose reason the user reads.
func Permanent(reason string, err error) error { return &PermanentError{Reason: reason, Err: err} }

// ThrottledError means that the other side asked for a pause.
type ThrottledError struct {
	Until  time.Time // a day counts at most; zero: it did not say how long
	Reason string    // for the user
	Err    error
}

func (e *ThrottledError) Error() string { return e.Reason }
func (e *ThrottledError) Unwrap() error { return e.Err }

// LaterError means that nothing is wrong and the same batch goes on after a while, with Result.State: a kind that
// started something outside returns it with After 0 to have the state written down before it waits, then again
// for each look.
type LaterError struct {
	After  time.Duration // 14 days at most; longer is cut to that
	Reason string        // for the user: what is waited for
}

func (e *LaterError) Error() string { return e.Reason }

// ErrUnknownAction: the configuration has no such action, or no such kind (a deployment in progress).
var ErrUnknownAction = errors.New("unknown action")

// absentError is an ErrUnknownAction that says to users what is unknown.
type absentError struct{ reason string }

func (e *absentError) Error() string  { return e.reason }
func (e *absentError) Reason() string { return e.reason }
func (e *absentError) Unwrap() error  { return ErrUnknownAction }
