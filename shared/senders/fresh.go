package senders

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// compact is the sample as it goes on the wire: with its keys in their order.
func (s Sample) compact() ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.Text); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.Name, err)
	}
	return compact.Bytes(), nil
}

// pressTime is the signed time of an action's compact body.
var pressTime = regexp.MustCompile(`"timestamp":-?\d+`)

// press is an action's body, pressed at that time. With fresh its items are like the sample's but new, so that no
// earlier job is met.
func (s Sample) press(at time.Time, fresh bool) ([]byte, error) {
	body, err := s.compact()
	if err != nil {
		return nil, err
	}
	if n := len(pressTime.FindAll(body, -1)); n != 1 {
		return nil, fmt.Errorf("sample %q has %d timestamps, want one", s.Name, n)
	}
	body = pressTime.ReplaceAll(body, strconv.AppendInt([]byte(`"timestamp":`), at.Unix(), 10))
	if !fresh {
		return body, nil
	}
	var payload struct{ Data json.RawMessage }
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.Name, err)
	}
	return bytes.Replace(body, payload.Data, freshItems(payload.Data), 1), nil
}

var (
	stringOrKey = regexp.MustCompile(`"[^"\\]*":?`)
	quotedUUID  = regexp.MustCompile(`"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`)
)

// freshItems gives every string of an action's data a new value: a UUID for a UUID, a code with a new end for a
// code. Keys stay.
func freshItems(data []byte) []byte {
	return stringOrKey.ReplaceAllFunc(data, func(found []byte) []byte {
		switch {
		case bytes.HasSuffix(found, []byte(":")):
			return found
		case quotedUUID.Match(found):
			return strconv.AppendQuote(nil, NewUUID())
		}
		return fmt.Appendf(nil, "%s-%s\"", bytes.TrimSuffix(found, []byte(`"`)), NewUUID()[:8])
	})
}

// start is what the page inside the PIM asks for. With fresh it is another start, on other products.
func (s Sample) start(_ time.Time, fresh bool) ([]byte, error) {
	body, err := s.compact()
	if err != nil || !fresh {
		return body, err
	}
	return quotedUUID.ReplaceAllFunc(body, func([]byte) []byte { return strconv.AppendQuote(nil, NewUUID()) }), nil
}

var (
	eventID   = regexp.MustCompile(`"(event_id|id)":"[^"\\]*"`)
	eventTime = regexp.MustCompile(`"(event_datetime|time|timestamp)":"[^"\\]*"`)
	entityID  = regexp.MustCompile(`"uuid":"[0-9a-f-]{36}"`)
)

// change is a body of events as the sample has them. With fresh it is another change of another entity: each event
// gets a new id, that time, and a new UUID for what it is about. A notification has a time alone.
func (s Sample) change(at time.Time, fresh bool) ([]byte, error) {
	body, err := s.compact()
	if err != nil || !fresh {
		return body, err
	}
	if !strings.HasPrefix(s.Name, "events-api-") { // one event: its envelope's id and time come first
		return renew(body, at), nil
	}
	var request struct{ Events []json.RawMessage }
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.Name, err)
	}
	for _, event := range request.Events {
		body = bytes.Replace(body, event, renew(event, at), 1)
	}
	return body, nil
}

// renew gives an event a new identity: the first id, time and UUID in it are its own.
func renew(event []byte, at time.Time) []byte {
	for pattern, value := range map[*regexp.Regexp]string{
		eventID: NewUUID(), eventTime: at.UTC().Format(time.RFC3339Nano), entityID: NewUUID(),
	} {
		if found := pattern.FindIndex(event); found != nil {
			key, _, _ := bytes.Cut(event[found[0]:found[1]], []byte(":"))
			event = slices.Concat(event[:found[0]], key, []byte(":"), []byte(strconv.Quote(value)), event[found[1]:])
		}
	}
	return event
}
