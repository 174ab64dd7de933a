package contentful

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

const maxMessage = 1000 // bytes: a user reads the first lines

// report is the job's structured result.
type report struct {
	Environment string    `json:"environment"`
	Actions     []outcome `json:"actions"`
}

// outcome of one App Action.
type outcome struct {
	Action  string          `json:"action"`
	App     string          `json:"app"`
	Name    string          `json:"name,omitempty"`
	Call    string          `json:"call,omitempty"` // its ID, where Contentful gave one
	Outcome status          `json:"outcome"`        // succeeded, failed, accepted, unknown
	Reason  string          `json:"reason,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`        // what the app answered
	Omitted bool            `json:"resultOmitted,omitempty"` // it was too large
}

// result is what a run whose calls have all ended says. An item is done if every App Action took it.
func (s *state) result(environment contentfulapi.Environment, run engine.Run) (engine.Result, error) {
	result := engine.Result{Message: clean(s.message(), maxMessage)}
	for {
		r := report{Environment: environment.String(), Actions: make([]outcome, len(s.Calls))}
		for i, c := range s.Calls {
			r.Actions[i] = outcome{Action: c.Action, App: c.App, Name: c.Name, Call: c.ID, Outcome: c.Status, Reason: c.Reason, Result: c.Result, Omitted: c.Large}
		}
		text, err := encode(r)
		if err != nil {
			return engine.Result{}, engine.Permanent("the calls' outcomes could not be written", err)
		}
		if len(text) <= jobs.MaxKindState {
			result.Result = text
			break
		}
		if !dropLargest(s.Calls) {
			break // the message says what matters
		}
	}
	if s.good() {
		return result, nil
	}
	if len(run.Items) == 0 { // there is no item that could fail
		return result, engine.Permanent(result.Message, nil)
	}
	for i := range run.Items {
		result.Failures = append(result.Failures, engine.Failure{Index: i, Reason: clean(result.Message, jobs.MaxReason)})
	}
	return result, nil
}

// good says whether every App Action succeeded, or was at least accepted.
func (s *state) good() bool {
	for _, c := range s.Calls {
		if c.Status != succeeded && c.Status != accepted {
			return false
		}
	}
	return true
}

// message says what came of the calls, what went wrong first.
func (s *state) message() string {
	if len(s.Calls) == 1 {
		return s.Calls[0].sentence()
	}
	good := 0
	var wrong, fine []string
	for _, c := range s.Calls {
		text := c.title() + ": " + c.sentence()
		if c.Status == succeeded || c.Status == accepted {
			good++
			fine = append(fine, text)
			continue
		}
		wrong = append(wrong, text)
	}
	return fmt.Sprintf("%d of %d App Actions. %s", good, len(s.Calls), strings.Join(append(wrong, fine...), "; "))
}

func (c *call) sentence() string {
	switch c.Status {
	case succeeded:
		return "succeeded in Contentful"
	case accepted:
		return "accepted by Contentful, outcome not reported"
	case unknown:
		return "outcome unknown: " + c.Reason + ". Look in Contentful before you start it again"
	}
	return "failed in Contentful: " + c.Reason
}
