package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What every Store does in the same way: how a record is stamped and encoded, and how its keys are made.

const (
	maxText   = 300    // bytes of a reason, or of another text that is kept only to be read
	maxEvents = 100    // names of events in a gap
	maxRecord = 350000 // bytes of a record as JSON: below DynamoDB's 400 KB an item
	maxKey    = 800    // bytes of a part of a key that comes from outside: below DynamoDB's 1,024 of a sort key
)

// The event of a record that cannot be stored would be tried again without end. So what a sender may make as large or odd as it
// likes, and nothing depends on, is cut to what fits; ErrTooLarge is left to the states of kinds.

// errKey: a record without a name would be everyone's.
var errKey = errors.New("record of an event without a key")

// next is the entry as it is stored.
func (e Entry) next(now time.Time) (Entry, []byte, error) {
	if e.Key == "" {
		return Entry{}, nil, errKey
	}
	e = clone(e)
	e.Version++
	e.Format = Format
	e.UpdatedAt = now.UTC().Round(0)
	e.ExpiresAt = e.UpdatedAt.Add(Life)
	for _, at := range []*time.Time{&e.Time, &e.CreatedAt, &e.DownSince, &e.Lease.Until} {
		*at = moment(*at)
	}
	e.Type, e.Entity = cut(e.Type), short(e.Entity)
	for name, reason := range e.Reasons {
		e.Reasons[name] = cut(reason)
	}
	for name, p := range e.Pending {
		p.DownSince, p.NextTry = moment(p.DownSince), moment(p.NextTry)
		e.Pending[name] = p
	}
	text, err := encode(e)
	return e, text, err
}

// decode reads a record. ErrNewer.
func decode(text []byte, into any) error {
	var stored struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &stored); err == nil && stored.Format > Format {
		return ErrNewer
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	return nil
}

// next is the mark as it is stored.
func (m Mark) next() (Mark, []byte, error) {
	m.Version++
	m.Format = Format
	m.Time, m.Applied, m.NextTry, m.Lease.Until = moment(m.Time), moment(m.Applied), moment(m.NextTry), moment(m.Lease.Until)
	m.Entity = short(m.Entity)
	text, err := encode(m)
	return m, text, err
}

// next is the gap as it is stored.
func (g Gap) next() (Gap, []byte, error) {
	g.From, g.To = moment(g.From), moment(g.To)
	g.Subscription, g.Reason = short(g.Subscription), cut(g.Reason)
	g.Events = slices.Clone(g.Events[:min(len(g.Events), maxEvents)])
	for i, name := range g.Events {
		g.Events[i] = cut(name)
	}
	text, err := encode(g)
	return g, text, err
}

// moment is a time as it is stored: in UTC, and none if its year there has not four digits, which JSON cannot hold.
func moment(t time.Time) time.Time {
	t = t.UTC().Round(0)
	if year := t.Year(); year < 0 || year > 9999 {
		return time.Time{}
	}
	return t
}

func sortable(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// short is a part of a key: an event's id comes from outside and may have any length.
func short(part string) string {
	if len(part) <= maxKey {
		return part
	}
	digest := sha256.Sum256([]byte(part))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// cut shortens a text without cutting a character.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	const dots = "…"
	return strings.ToValidUTF8(text[:maxText-len(dots)], "") + dots
}

// encode is JSON without the escapes for HTML, which would make a record longer than what it holds.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	if b.Len() > maxRecord {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, b.Len(), maxRecord)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func clamp(limit int) int { return min(max(limit, 1), 100) }
