package contentful

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// status of one App Action's call.
type status string

const (
	waiting   status = ""          // not called
	calling   status = "calling"   // the intent is written down: from here on the call may have been made
	called    status = "called"    // its ID is known
	succeeded status = "succeeded" // and from here on it has ended
	failed    status = "failed"
	accepted  status = "accepted" // Contentful took it, and does not say what came of it
	unknown   status = "unknown"  // it may have been made or not, or its end was not seen
)

// ended says whether nothing more is to be done.
func (s status) ended() bool {
	switch s {
	case waiting, calling, called:
		return false
	}
	return true
}

// call is what is known of one App Action's call.
type call struct {
	App    string          `json:"app"`
	Action string          `json:"action"`
	Name   string          `json:"name,omitempty"`
	Status status          `json:"status,omitempty"`
	Until  time.Time       `json:"until,omitzero"` // written by earlier versions, and not read
	At     time.Time       `json:"at,omitzero"`    // called
	ID     string          `json:"id,omitempty"`
	Reason string          `json:"reason,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Large  bool            `json:"large,omitempty"` // its result was too large to be kept
}

func (c *call) end(s status, reason string) {
	c.Status, c.Reason = s, clean(reason, maxReason)
}

// title is what a user knows the App Action by.
func (c *call) title() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Action
}

// Limits that keep the state of the largest category within what the engine keeps (jobs.MaxKindState): a state that
// is dropped would be a call made twice.
const (
	maxCalls  = 12
	maxReason = 240 // bytes
	maxName   = 40  // bytes
)

// state is what one run leaves to the next.
type state struct {
	Since     time.Time `json:"since"`              // the first run: all calls end within a time from here
	NotBefore time.Time `json:"notBefore,omitzero"` // Contentful asked for a pause, or could not be reached
	Trouble   string    `json:"trouble,omitempty"`  // why NotBefore
	Tries     int       `json:"tries,omitempty"`    // of the next call, that certainly did not reach Contentful
	Rounds    int       `json:"rounds,omitempty"`   // of looks, that ended with going on later
	Calls     []*call   `json:"calls"`
}

// next is the first that is not called yet, or is being called; nil: all are.
func (s *state) next() *call {
	for _, c := range s.Calls {
		if c.Status == waiting || c.Status == calling {
			return c
		}
	}
	return nil
}

// open lists the calls whose end is not known yet.
func (s *state) open() (open []*call) {
	for _, c := range s.Calls {
		if !c.Status.ended() {
			open = append(open, c)
		}
	}
	return open
}

// encode writes the state. Results that do not fit are left out, the largest first.
func (s *state) encode() (json.RawMessage, error) {
	for {
		text, err := encode(s)
		if err != nil {
			return nil, fmt.Errorf("encode state: %w", err)
		}
		if len(text) <= jobs.MaxKindState {
			return text, nil
		}
		if !dropLargest(s.Calls) {
			return nil, fmt.Errorf("state of %d bytes", len(text))
		}
	}
}

func decodeState(text json.RawMessage) (*state, error) {
	var s state
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("decode state: %w", err)
	}
	if len(s.Calls) == 0 {
		return nil, fmt.Errorf("decode state: no calls")
	}
	return &s, nil
}

// dropLargest leaves out the largest result; false: there is none.
func dropLargest(calls []*call) bool {
	var largest *call
	for _, c := range calls {
		if len(c.Result) > 0 && (largest == nil || len(c.Result) > len(largest.Result)) {
			largest = c
		}
	}
	if largest == nil {
		return false
	}
	largest.Result, largest.Large = nil, true
	return true
}

// encode writes JSON without escapes for HTML, so that a text takes no more room than it is long.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// clean makes a line of text from outside that a user can read and that JSON writes as it is.
func clean(text string, limit int) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r == '"', r == '\\':
			return '\''
		}
		return r
	}, text), "")
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return strings.TrimSpace(text)
}
