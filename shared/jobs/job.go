// Package jobs is the record of work: what was asked, by whom, how far it is, and how it ended. A Job is written
// before its message is sent and every later write is conditional, so that a request repeated, a message doubled
// or a worker killed never does work twice and never loses it.
//
// The state machine is pure (lifecycle.go) and knows no storage; a Store keeps records by compare-and-swap. It is
// not a queue: the message that moves a job carries its ID and nothing else.
package jobs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// State of a job. recorded → queued → running ⇄ waiting → one of the four ends.
type State string

const (
	Recorded  State = "recorded"  // written, its message perhaps not yet sent: nobody was told success
	Queued    State = "queued"    // its message is durable
	Running   State = "running"   // a worker holds its lease
	Waiting   State = "waiting"   // goes on later, by a message that is delayed
	Succeeded State = "succeeded" // every item
	Partial   State = "partial"   // some items failed
	Failed    State = "failed"    // none succeeded
	Cancelled State = "cancelled" // stopped by a user
)

// Ended says whether the state is final.
func (s State) Ended() bool {
	return s == Succeeded || s == Partial || s == Failed || s == Cancelled
}

// Format is that of the records written here. It grows when an older version, which drops fields that it does not know,
// could do harm by writing a record: such a record is not decoded there (ErrNewer).
const Format = 4

// Limits of a job's record.
const (
	MaxItems     = 1000      // items of one job (a PIM grid sends at most 500, Contentful is held to 1,000)
	MaxRecord    = 350 << 10 // bytes of items, params and context together (a DynamoDB item holds 400 KB)
	MaxFiles     = 100       // of one job
	MaxReason    = 300       // bytes of a failure's reason; longer ones are cut
	MaxKindState = 8 << 10   // bytes of what a kind of action may keep between runs
	RecordedLife = 5 * time.Minute
	OverdueAfter = 24 * time.Hour      // after a job should have gone on, its message counts as a dead letter
	Life         = 30 * 24 * time.Hour // after the last write; longer than queue (10 days) and dead letters (14) together
)

// Causes of a wait or a failure: stable codes, from which the functions that face users make sentences.
const (
	CauseDestinationDown = "destination_down" // it cannot be reached, or answers that it cannot serve
	CauseDestinationBusy = "destination_busy" // it asked for a pause
	CauseNoAnswer        = "no_answer"        // it did not answer in time
	CausePIMDown         = "pim_down"         // the PIM cannot be reached, or answers that it cannot serve
	CausePIMBusy         = "pim_busy"         // the PIM asked for a pause
	CauseConfiguration   = "configuration"    // a mistake in extensions.yaml or the connection secret, named in Message
	CauseUnknownAction   = "unknown_action"   // the worker's configuration does not have the action: a deployment under way
	CauseCredentials     = "credentials"      // they were not accepted, and newer ones are looked for
	CauseInternal        = "internal"         // ours
)

// Triggers of a job.
const (
	TriggerAction     = "action"     // a button in the PIM
	TriggerPanel      = "panel"      // a button on our page inside the PIM
	TriggerContentful = "contentful" // an App Action
	TriggerThen       = "then"       // another job's end
	TriggerSchedule   = "schedule"   // the clock
	TriggerOrder      = "order"      // somebody at the command line
	TriggerEvent      = "event"      // an event of the PIM; Label is the subscription's name, and Context has the events of the items
	TriggerUndo       = "undo"       // a user who takes back what another job, the Parent, has changed in the PIM
)

// Failure says why one item was not done.
type Failure struct {
	Index  int    `json:"index"` // position among the job's items, from 0
	Item   Item   `json:"item"`
	Reason string `json:"reason"` // for the user: never internal text
}

// User is who asked. No e-mail: we neither need nor keep it.
type User struct {
	UUID     string   `json:"uuid,omitempty"`
	Username string   `json:"username,omitempty"`
	Groups   []string `json:"groups,omitempty"`
}

// Ended is what a follow-up knows of the job whose end started it.
type Ended struct {
	Job     string `json:"job"`
	Action  string `json:"action"`
	Outcome State  `json:"outcome"`
	Done    int    `json:"done"`
	Total   int    `json:"total"`
	Message string `json:"message,omitempty"`
	File    string `json:"file,omitempty"` // link of the first file that it made
}

// What of `then` follows a job by item, beside the states that it may end in.
const (
	ThenDone    = "done"     // its items succeeded
	ThenNotDone = "not_done" // its items did not
)

// Follows are names of actions by what they follow: a state, ThenDone or ThenNotDone.
type Follows map[string]string

// UnmarshalJSON takes the first wave's form too: the name of the action that follows the state, here under "".
func (f *Follows) UnmarshalJSON(text []byte) error {
	var name string
	if json.Unmarshal(text, &name) == nil {
		*f = nil
		if name != "" {
			*f = Follows{"": name}
		}
		return nil
	}
	return json.Unmarshal(text, (*map[string]string)(f))
}

// Job is the record. Items, Context and Params never change after Create and are kept apart from the rest: Get
// leaves them empty, Load fills them.
type Job struct {
	ID          string          `json:"id"`                  // [A-Za-z0-9_-]{1,64}, derived from the request
	Action      string          `json:"action"`              // name in extensions.yaml
	Trigger     string          `json:"trigger"`             // what asked: see the Trigger constants
	Extension   string          `json:"extension,omitempty"` // name in extensions.yaml
	PIM         string          `json:"pim,omitempty"`
	Label       string          `json:"label,omitempty"` // the extension's label in the user's locale
	Items       []Item          `json:"items,omitempty"`
	Select      *Select         `json:"select,omitempty"`  // where they come from instead; never changed in place
	Context     json.RawMessage `json:"context,omitempty"` // a JSON object: locale, channel, categories and what else the sender gave
	Params      json.RawMessage `json:"params,omitempty"`  // a JSON object, as the sender gave it
	User        User            `json:"user"`
	State       State           `json:"state"`
	Done        int             `json:"done"`                // items that succeeded
	Failed      int             `json:"failed"`              // items that did not
	Next        int             `json:"next"`                // index of the first item not worked yet: the checkpoint
	Total       int             `json:"total"`               // while Open: those that are counted so far
	Changed     int             `json:"changed,omitempty"`   // items that changed in the PIM
	Undo        []string        `json:"undo,omitempty"`      // names of undo files, in the order in which they were written; the last may not be there
	Batch       int             `json:"batch"`               // items per batch, fixed by the first start; 0: not fixed yet
	Broken      bool            `json:"broken,omitempty"`    // a batch of none failed: there is no item to count
	Result      json.RawMessage `json:"result,omitempty"`    // what the kind of action answered last
	Message     string          `json:"message,omitempty"`   // for the user: why it waits, how it ended
	Reason      string          `json:"reason,omitempty"`    // stable code of a failed end: not_queued, not_started, gave_up, dead_letter, permanent
	Cause       string          `json:"cause,omitempty"`     // stable code of why it waits or failed: see the Cause constants; "" if nothing is wrong
	NextTry     time.Time       `json:"nextTry,omitzero"`    // while it waits: when it goes on
	GivesUpAt   time.Time       `json:"givesUpAt,omitzero"`  // while it waits for a destination: when it fails if that stays so
	KindState   json.RawMessage `json:"kindState,omitempty"` // what the kind of action wants to see again; at most MaxKindState, more fails the batch
	Attempt     int             `json:"attempt"`             // starts so far
	Tries       int             `json:"tries,omitempty"`     // runs since there was progress
	Lease       Lease           `json:"lease"`
	Interrupted bool            `json:"interrupted,omitempty"` // a run that had this KindState did not come back: it may have acted
	LastReceive bool            `json:"lastReceive,omitempty"` // this run's message will not come again: a crash is a dead letter
	Files       []File          `json:"files,omitempty"`       // that it made, whole and stored: at most MaxFiles
	Stop        bool            `json:"stop,omitempty"`        // cancel was asked while it ran
	Parent      string          `json:"parent,omitempty"`      // job whose end started this one
	Ended       *Ended          `json:"ended,omitempty"`       // that job's end
	ThenDue     Follows         `json:"thenDue,omitempty"`     // follow-up actions that are still to be started
	DownSince   time.Time       `json:"downSince,omitzero"`    // first failed try since there was progress
	NotBefore   time.Time       `json:"notBefore,omitzero"`    // a pause that somebody asked for: no call before this
	Asked       time.Duration   `json:"asked,omitempty"`       // pauses asked for since there was progress, together
	Awaits      *Wait           `json:"awaits,omitempty"`      // of the batch at hand; nil: it asks nobody. Never changed in place
	Correlation string          `json:"correlation,omitempty"`
	Once        string          `json:"once,omitempty"`   // the key that keeps a second press out while this job has not ended
	Format      int             `json:"format,omitempty"` // of the record, see Format; 0: the first wave's
	Turn        int64           `json:"turn,omitempty"`   // of the message that goes on with the job: a lower one is of the past
	Version     int64           `json:"version"`          // of the record; every write is conditional on it
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
	ExpiresAt   time.Time       `json:"expiresAt"`
}

// File is one file that a job made. Its link lives until Until, and the record as long as the longest of its links.
type File struct {
	Name  string    `json:"name"` // as users see it: one segment, see files.Name
	Key   string    `json:"key"`  // in package files' store
	Bytes int64     `json:"bytes"`
	Until time.Time `json:"until"` // when it is deleted
	// Link is an address of ours from which it can be had until then, by whoever has the link: nothing logs it. "" where the
	// deployment makes no links.
	Link string `json:"link,omitempty"`
}

// Lease is the right to work on a job until a time. Its token grows with every start: a worker whose token is no
// longer the record's has lost the job.
type Lease struct {
	Token int64     `json:"token"`
	Until time.Time `json:"until,omitzero"`
}

// ID derives a job's ID from who may start it and the bytes that were proven (or that make a start unique): the
// same request is the same job. 22 characters of base64url carry 132 bits of SHA-256.
func ID(name string, proven ...[]byte) string {
	return name + "-" + Digest(proven...)
}

// starter is who started the job of an ID; the ID, if it is not one of those that ID derives.
func starter(id string) string {
	if at := len(id) - digestLength - 1; at > 0 && id[at] == '-' {
		return id[:at]
	}
	return id
}

// digestLength is that of a Digest.
const digestLength = 22

// Digest is 22 base64url characters (132 bits) of SHA-256 over parts, each preceded by its length so that no two lists of
// parts give the same input.
func Digest(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		var size [8]byte
		for i, n := 0, uint64(len(part)); i < 8; i++ {
			size[i] = byte(n >> (8 * i))
		}
		h.Write(size[:])
		h.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:digestLength]
}
