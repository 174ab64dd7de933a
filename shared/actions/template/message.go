package template

import (
	"bytes"
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
	Items     []described     `json:"items"`
	Ended     *jobs.Ended     `json:"ended,omitempty"` // in a follow-up: how the job before ended
	Callback  Callback        `json:"callback,omitzero"`
	Key       string          `json:"idempotencyKey,omitempty"`
}

// described is an item: with its product where the action reads products, as the PIM's REST API shows it; a deleted one is
// said to be so instead.
type described struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Product json.RawMessage `json:"product,omitempty"`
	Deleted bool            `json:"deleted,omitempty"`
}

func itemsOf(run engine.Run) []described {
	items := make([]described, len(run.Items))
	for i, item := range run.Items {
		items[i] = described{Type: item.Type, ID: item.ID, Deleted: run.Gone(i)}
		if i < len(run.Products) && !items[i].Deleted {
			items[i].Product = run.Products[i].Product().Raw
		}
	}
	return items
}

type user struct {
	UUID     string `json:"uuid"`
	Username string `json:"username"`
}

// event is what stands before an event's own bytes.
type event struct {
	Version      int    `json:"version"`
	Action       string `json:"action"`
	Subscription string `json:"subscription"`
	PIM          string `json:"pim"`
}

// JSON describes a run, with the products of its items where there are some. The same run over the same products always
// gives the same bytes; an event stands in it in the sender's own. withKey adds the idempotency key, for carriers that have
// no header for it.
func JSON(run engine.Run, withKey bool) ([]byte, error) {
	switch {
	case run.Event != nil:
		return eventJSON(run, withKey)
	case run.Job == "" && run.Causes != nil:
		return latestJSON(run, withKey)
	}
	describes := job{
		Version: version, Action: run.Action, Job: run.Job, Extension: run.Extension, PIM: run.PIM,
		User: user{UUID: run.User.UUID, Username: run.User.Username}, Context: object(run.Context), Params: object(run.Params), Items: itemsOf(run), Ended: run.Ended,
		Callback: callbackOf(run),
	}
	body, err := encode(describes)
	if err != nil || !withKey {
		return body, err
	}
	describes.Key = DefaultKey(run, body)
	return encode(describes)
}

// latest is the JSON of what a subscription wants the latest state of: of one entity or of several, by as many events or more.
type latest struct {
	event
	Items []described `json:"items"`
	Key   string      `json:"idempotencyKey,omitempty"`
}

func latestJSON(run engine.Run, withKey bool) ([]byte, error) {
	describes := latest{event: event{Version: version, Action: run.Action, Subscription: run.Subscription, PIM: run.PIM}, Items: itemsOf(run)}
	body, err := encode(describes)
	if err != nil || !withKey {
		return body, err
	}
	describes.Key = Key(run.Key, body)
	return encode(describes)
}

// eventJSON puts the sender's bytes into the description as they are: an encoder would write them anew.
func eventJSON(run engine.Run, withKey bool) ([]byte, error) {
	if !json.Valid(run.Event.Raw) {
		return nil, engine.Permanent("the event is not JSON", nil)
	}
	head, err := encode(event{Version: version, Action: run.Action, Subscription: run.Subscription, PIM: run.PIM})
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	body.Write(head[:len(head)-1])
	body.WriteString(`,"event":`)
	body.Write(run.Event.Raw)
	if run.Products != nil {
		items, err := encode(itemsOf(run))
		if err != nil {
			return nil, err
		}
		body.WriteString(`,"items":`)
		body.Write(items)
	}
	if withKey {
		key, err := encode(Key(run.Key, body.Bytes()))
		if err != nil {
			return nil, err
		}
		body.WriteString(`,"idempotencyKey":`)
		body.Write(key)
	}
	body.WriteByte('}')
	return body.Bytes(), nil
}

// DefaultKey is the idempotency key of JSON's body. A job's action is recorded with it; a subscription's can be renamed
// between two tries of an event, and is part of the body; so are products, which can change.
func DefaultKey(run engine.Run, body []byte) string {
	if run.Event != nil || run.Products != nil {
		return Key(run.Key, body)
	}
	return HeaderKey(run.Key)
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
