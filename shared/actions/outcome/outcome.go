// Package outcome is what others say about the items that they were asked to work on, as the result of a run: which failed,
// what is to change in the PIM. A destination answers at once (Read, Updates), or later through the address of a wait
// (Called). Kinds of action share it.
package outcome

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pim-functions/pim-functions/shared/callback"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// Refusal is a failure of all items that an answer tells of. The reason may hold the destination's text, so Error, which is
// logged, leaves it out.
type Refusal struct{ For string }

func (*Refusal) Error() string    { return "the destination's answer says failure" }
func (r *Refusal) Reason() string { return r.For }
func (*Refusal) Permanent() bool  { return true }

// failure is one item that a destination refuses, by its place among the items of the request or by its id.
type failure struct {
	Index  *int   `json:"index"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Read turns the body of a success into a result. What a destination may answer, as a JSON object: failures (a list of items that it
// refuses), message (for the user) and result. An answer that is no JSON object says that all is done, and so does an
// object without failures. An object that is cut, broken or too long, and failures that are no list of failures, say
// nothing that can be relied on: the batch fails. A failure that names no item of the batch is one of some item: all that
// have no failure of their own get it.
func Read(body []byte, truncated bool, items []jobs.Item) (engine.Result, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' {
		return engine.Result{}, nil
	}
	if truncated {
		return engine.Result{}, unreadable("is too long to be read")
	}
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return engine.Result{}, unreadable("breaks off or is not JSON")
	}
	var failures []failure
	if listed := answer["failures"]; !Empty(listed) && json.Unmarshal(listed, &failures) != nil {
		return engine.Result{}, unreadable("has failures that are no list of {index or id, reason}")
	}
	var message string
	_ = json.Unmarshal(answer["message"], &message) // of another type: another API's own
	result := engine.Result{Message: outbound.Clean(message, jobs.MaxReason), Result: answer["result"]}
	return match(result, failures, items)
}

func unreadable(what string) error {
	return &Refusal{"the destination's answer " + what + ", so nobody knows which items it took"}
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
		return engine.Result{}, &Refusal{"the destination refused it: " + unnamed}
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

// Updates adds the updates of an answer to its result. One that is wrong fails its item, and one that is of no item of the
// request is left out. Updates that are no list, or one that names nothing, say nothing that can be relied on: the batch fails.
func Updates(body []byte, run engine.Run, result engine.Result) (engine.Result, error) {
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' {
		return result, nil
	}
	var answer struct {
		Updates json.RawMessage `json:"updates"`
	}
	if json.Unmarshal(body, &answer) != nil || isNull(answer.Updates) {
		return result, nil // what is no JSON was refused before
	}
	var listed []json.RawMessage
	if json.Unmarshal(answer.Updates, &listed) != nil {
		return engine.Result{}, unusable("updates that are no list")
	}
	return updates(listed, run, result)
}

func updates(listed []json.RawMessage, run engine.Run, result engine.Result) (engine.Result, error) {
	others := 0
	for _, text := range listed {
		kind, id, update, err := pim.ParseUpdate(text)
		if id == "" {
			return engine.Result{}, unusable("an update that cannot be used: " + err.Error())
		}
		index := slices.Index(run.Items, jobs.Item{Type: kind, ID: id})
		switch {
		case index < 0:
			others++
		case err != nil:
			result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: "the destination's update cannot be used: " + err.Error()})
		case !run.Gone(index):
			result.Updates = append(result.Updates, engine.Update{Index: index, Update: update})
		}
	}
	if others > 0 {
		note := fmt.Sprintf("%d updates were of no item that was sent: they were left out", others)
		if result.Message != "" {
			note = result.Message + "; " + note
		}
		result.Message = outbound.Clean(note, jobs.MaxReason)
	}
	return result, nil
}

func isNull(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }

func unusable(what string) error {
	return &Refusal{"the destination's answer has " + what + ": nothing was changed in the PIM"}
}

// Called is the result of a run whose signal has come: a callback, or a user's word that it is done. writes is what the
// action may change in the PIM; without it an update fails its item.
func Called(run engine.Run, writes *engine.Writes) (engine.Result, error) {
	if run.Signal.Kind == jobs.SignalAsDone {
		return engine.Result{}, nil
	}
	said, err := callback.Parse(run.Signal.Body)
	if err != nil { // its function has read it: another version, which takes more
		return engine.Result{}, engine.Permanent("what was called back cannot be read: nothing was changed in the PIM", err)
	}
	failures := make([]failure, len(said.Failures))
	for n, each := range said.Failures {
		failures[n] = failure(each)
	}
	message := outbound.Clean(said.Message, jobs.MaxReason)
	if said.Failed && len(run.Items) == 0 {
		return engine.Result{}, &Refusal{cmp.Or(message, "the destination called back that it failed")}
	}
	result, err := match(engine.Result{Message: message, Result: said.Result}, failures, run.Items)
	if err != nil {
		return engine.Result{}, err
	}
	if said.Failed {
		for index := range run.Items {
			if !slices.ContainsFunc(result.Failures, func(f engine.Failure) bool { return f.Index == index }) {
				result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: cmp.Or(message, "the destination called back that it failed")})
			}
		}
		return result, nil
	}
	if result, err = updates(said.Updates, run, result); err != nil || writes != nil {
		return result, err
	}
	for _, update := range result.Updates {
		result.Failures = append(result.Failures, engine.Failure{Index: update.Index, Reason: "the action may change nothing in the PIM: it has no write"})
	}
	result.Updates = nil
	return result, nil
}
