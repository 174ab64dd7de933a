package jobs

import (
	"encoding/json"
	"slices"
	"time"
)

const (
	MaxPage = 100    // items of a page: as many as the PIM lists in one call
	MaxSeen = 10_000 // items whose change a selection remembers for the next one; more are handed over again
)

// SearchLag is how long before a mark the next search begins: the PIM's search knows a change only after a while.
const SearchLag = 10 * time.Minute

// Select is where the items of a job come from that nobody named: a search of the PIM's own, and what failed of another
// job. They come page by page; the record holds the page at hand, so that a repeat has the same items, and where the next
// one begins.
type Select struct {
	Name string `json:"name,omitempty"` // in extensions.yaml; "": no search, or one that is resolved already
	Mark string `json:"mark,omitempty"` // the Mark from which it goes on (MarkKey); "": none

	Resolved bool            `json:"resolved,omitempty"` // what follows is fixed: the start has been made
	Type     string          `json:"type,omitempty"`     // of the items that the search finds; "": there is no search
	Search   json.RawMessage `json:"search,omitempty"`   // of the PIM's API; none: everything
	Began    time.Time       `json:"began,omitzero"`     // the PIM's time when the first page was asked for
	After    string          `json:"after,omitempty"`    // ID of the job whose Seen are left out
	Failed   string          `json:"failed,omitempty"`   // ID of the job whose failures come before the search; "": none are left
	From     int             `json:"from,omitempty"`     // index of the first of these failures that is not taken; of Undo: batches that are
	Undo     string          `json:"undo,omitempty"`     // ID of the job whose changes are taken back, the last batch first; nothing else is searched
	Cursor   string          `json:"cursor,omitempty"`   // where the search's next page begins

	Page  []Item `json:"page,omitempty"`  // at hand
	First int    `json:"first,omitempty"` // index of its first item among the job's
	End   bool   `json:"end,omitempty"`   // no page follows
	Kept  int    `json:"kept,omitempty"`  // Seen so far

	New []Seen `json:"-"` // with the page at hand, to be kept by the Save that writes it
}

// Seen is an item that a selection handed over in the state of a time.
type Seen struct {
	Item    Item
	Updated int64 // seconds since 1970, as the PIM says it
}

// Mark is up to where the selections of one button or schedule have handed over what changed. It has no time to live.
type Mark struct {
	Key    string    `json:"key"`
	Until  time.Time `json:"until,omitzero"` // the PIM's time; zero: there was none yet
	Job    string    `json:"job,omitempty"`  // whose selection it was: its Seen and its failures
	Failed int       `json:"failed,omitempty"`
}

// MarkKey names a mark: of a button or schedule (how, with its name), in a PIM, for one selection.
func MarkKey(how, name, pim, selection string) string {
	return how + "/" + name + "/" + pim + "/" + selection
}

// Open says that items may follow which are not counted yet: the total is not known.
func (j Job) Open() bool { return j.Select != nil && !j.Select.End }

// AtHand are the items that are known and not worked yet.
func (j Job) AtHand() []Item {
	if j.Select == nil {
		return j.Items[min(j.Next, len(j.Items)):]
	}
	return j.Select.Page[min(max(j.Next-j.Select.First, 0), len(j.Select.Page)):]
}

// Item is an item of the job by its index, if it is at hand.
func (j Job) Item(index int) Item {
	if j.Select == nil {
		return j.Items[index]
	}
	return j.Select.Page[index-j.Select.First]
}

// Turn puts a page at hand that follows the one before, which is through.
func (s Select) Turn(first int, page []Item) *Select {
	s.First, s.Page = first, page
	return &s
}

// Rest is what a job has left, for a new one that has no mark: the items that it never came to, then those that failed.
func (j Job) Rest() *Select {
	s := *j.Select
	if !s.Resolved {
		return &s
	}
	rest := slices.Clone(j.AtHand())
	s.Page, s.First, s.From, s.Mark, s.Kept, s.New = nil, 0, 0, "", 0, nil
	if s.Failed == "" { // else all that this job took is from there
		s.Page, s.Failed = rest, j.ID
	}
	if s.End {
		s.Type, s.End = "", false
	}
	return &s
}

// mark is what the job's end makes of its mark; ok says that it is moved: the selection's end is reached, and every item
// of it has succeeded or is among the failures, with which the next one begins.
func (j Job) mark() (mark Mark, ok bool) {
	s := j.Select
	if s == nil || s.Mark == "" || !s.End || s.Began.IsZero() || j.Next < j.Total || !j.State.Ended() || j.State == Cancelled {
		return Mark{}, false
	}
	return Mark{Key: s.Mark, Until: s.Began, Job: j.ID, Failed: j.Failed}, true
}
