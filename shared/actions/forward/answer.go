package forward

import (
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// maxAnswer is the most bytes of an answer that are read: a reason for each item of the largest batch, several times.
const maxAnswer = 2 << 20

// failure is one item that a destination refuses, by its place among the items of the request or by its id.
type failure struct {
	Index  *int   `json:"index"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// read turns a success into a result. What a destination may answer, as a JSON object: failures (a list of items that it
// refuses), message (for the user) and result. An answer that is no JSON object says that all is done, and so does an
// object without failures. An object that is cut, broken or too long, and failures that are no list of failures, say
// nothing that can be relied on: the batch fails. A failure that names no item of the batch is one of some item: all that
// have no failure of their own get it.
func read(response *outbound.Response, items []jobs.Item) (engine.Result, error) {
	body := bytes.TrimSpace(response.Body)
	if len(body) == 0 || body[0] != '{' {
		return engine.Result{}, nil
	}
	if response.Truncated {
		return engine.Result{}, unreadable("is too long to be read")
	}
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return engine.Result{}, unreadable("breaks off or is not JSON")
	}
	var failures []failure
	if listed := answer["failures"]; !empty(listed) && json.Unmarshal(listed, &failures) != nil {
		return engine.Result{}, unreadable("has failures that are no list of {index or id, reason}")
	}
	var message string
	_ = json.Unmarshal(answer["message"], &message) // of another type: another API's own
	result := engine.Result{Message: outbound.Clean(message, jobs.MaxReason), Result: answer["result"]}
	return match(result, failures, items)
}

func unreadable(what string) error {
	return &refusal{"the destination's answer " + what + ", so nobody knows which items it took"}
}

// match finds the items that failures name.
func match(result engine.Result, failures []failure, items []jobs.Item) (engine.Result, error) {
	reasons := map[int]string{}
	unnamed := ""
	for _, each := range failures {
		reason := cmp.Or(outbound.Clean(each.Reason, jobs.MaxReason), "refused by the destination")
		found := each.find(items)
		if len(found) == 0 {
			unnamed = cmp.Or(unnamed, reason)
		}
		for _, index := range found {
			reasons[index] = cmp.Or(reasons[index], reason)
		}
	}
	if unnamed != "" && len(items) == 0 {
		return engine.Result{}, &refusal{with("the destination refused it", unnamed)}
	}
	for index := range items {
		if reason := cmp.Or(reasons[index], unnamed); reason != "" {
			result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: reason})
		}
	}
	return result, nil
}

// find lists the items that a failure names.
func (f failure) find(items []jobs.Item) (found []int) {
	if f.Index != nil {
		if *f.Index >= 0 && *f.Index < len(items) {
			found = append(found, *f.Index)
		}
		return found
	}
	for index, item := range items {
		if f.ID != "" && item.ID == f.ID {
			found = append(found, index)
		}
	}
	return found
}
