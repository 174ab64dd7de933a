// Package template is what kinds of action say to the outside: the JSON that describes a run, and the templates with
// which a user writes a text of their own.
package template

import (
	"encoding/json"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// version of the JSON's shape. Fields may be added to it; anything else makes a new version.
const version = 1

// job is the JSON of a batch of a job.
type job struct {
	Version   int             `json:"version"`
	Action    string          `json:"action"`
	Job       string          `json:"job"`
	Extension string          `json:"extension"`
	PIM       string          `json:"pim"`
	User      user            `json:"user"`
	Context   json.RawMessage `json:"context"`
	Params    json.RawMessage `json:"params"`
	Items     []jobs.Item     `json:"items"`
	Ended     *jobs.Ended     `json:"ended,omitempty"` // in a follow-up: how the job before ended
	Key       string          `json:"idempotencyKey,omitempty"`
}

type user struct {
	UUID     string `json:"uuid"`
	Username string `json:"username"`
}

// event is the JSON of an event.
type event struct {
	Version      int             `json:"version"`
	Action       string          `json:"action"`
	Subscription string          `json:"subscription"`
	PIM          string          `json:"pim"`
	Event        json.RawMessage `json:"event"` // the sender's own bytes
	Key          string          `json:"idempotencyKey,omitempty"`
}

// JSON describes a run. The same run always gives the same bytes. withKey adds the idempotency key, for carriers
// that have no header for it.
func JSON(run engine.Run, withKey bool) ([]byte, error) {
	key := ""
	if withKey {
		key = run.Key
	}
	if run.Event != nil {
		return encode(event{Version: version, Action: run.Action, Subscription: run.Subscription, PIM: run.PIM, Event: run.Event.Raw, Key: key})
	}
	items := run.Items
	if items == nil {
		items = []jobs.Item{}
	}
	return encode(job{
		Version: version, Action: run.Action, Job: run.Job, Extension: run.Extension, PIM: run.PIM,
		User: user{UUID: run.User.UUID, Username: run.User.Username}, Context: object(run.Context), Params: object(run.Params), Items: items, Ended: run.Ended, Key: key,
	})
}

func encode(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, engine.Permanent("the request could not be written", fmt.Errorf("encode: %w", err))
	}
	return body, nil
}

// object is a JSON object, empty where there is none.
func object(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}
