package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// What every Store does in the same way: how a record is stamped and encoded, and how its keys are made.

const (
	maxReason = 300    // bytes of one reason
	maxRecord = 350000 // bytes of a record as JSON: below DynamoDB's 400 KB an item
	maxKey    = 800    // bytes of a part of a key that comes from outside: below DynamoDB's 1,024 of a sort key
)

// errKey: a record without a name would be everyone's.
var errKey = errors.New("record of an event without a key")

// next is the entry as it is stored.
func (e Entry) next(now time.Time) (Entry, []byte, error) {
	if e.Key == "" {
		return Entry{}, nil, errKey
	}
	e = clone(e)
	e.Version++
	e.UpdatedAt = now.UTC().Round(0)
	e.ExpiresAt = e.UpdatedAt.Add(Life)
	for _, at := range []*time.Time{&e.Time, &e.CreatedAt, &e.DownSince, &e.Lease.Until} {
		*at = at.UTC().Round(0)
	}
	for name, reason := range e.Reasons {
		e.Reasons[name] = cut(reason)
	}
	text, err := encode(e)
	return e, text, err
}

// next is the mark as it is stored.
func (m Mark) next() (Mark, []byte, error) {
	m.Version++
	m.Time, m.Lease.Until = m.Time.UTC().Round(0), m.Lease.Until.UTC().Round(0)
	text, err := encode(m)
	return m, text, err
}

// key names a gap among those of its PIM; times in it sort as text.
func (g Gap) key() string { return sortable(g.From) + "#" + short(g.Subscription) }

func sortable(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// short is a part of a key: an event's id comes from outside and may have any length.
func short(part string) string {
	if len(part) <= maxKey {
		return part
	}
	digest := sha256.Sum256([]byte(part))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// cut shortens a reason without cutting a character.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	const dots = "…"
	return strings.ToValidUTF8(reason[:maxReason-len(dots)], "") + dots
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
