// Package urlwriter writes addresses in which values of others stand, so that a value cannot leave its place: it is
// escaped as one segment of the path or one part of the query. Scheme and host never come from a value.
package urlwriter

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
)

// ErrHost is a value that would stand elsewhere.
var ErrHost = errors.New("a value can stand in the path and in the query of an address alone")

// Writer takes an address piece by piece and knows in which part of it the next byte stands. The zero value is empty.
type Writer struct {
	text  bytes.Buffer
	spots []int // where values stand in the path
}

// Write takes a piece that is the configuration's own.
func (w *Writer) Write(p []byte) (int, error) { return w.text.Write(p) }

// String is the address so far.
func (w *Writer) String() string { return w.text.String() }

// Escape is how a value is written that comes next. It does not write it. Its error is ErrHost.
func (w *Writer) Escape(value string) (string, error) {
	text := w.text.String()
	begin, path := pathOf(text)
	switch {
	case begin < 0, strings.Contains(text, "#"):
		return "", ErrHost
	case strings.Contains(path, "?"):
		return url.QueryEscape(value), nil
	}
	w.spots = append(w.spots, len(text))
	return url.PathEscape(value), nil
}

// pathOf is what follows scheme and host, and where it begins; -1: the host is not complete.
func pathOf(text string) (begin int, path string) {
	_, rest, ok := strings.Cut(text, "://")
	at := strings.IndexAny(rest, "/?")
	if !ok || at <= 0 {
		return -1, ""
	}
	return len(text) - len(rest) + at, rest[at:]
}

// Whole says that every segment with a value names something: one that is empty, . or .. makes another address.
func (w *Writer) Whole() bool {
	text := w.text.String()
	begin, path := pathOf(text)
	path, _, _ = strings.Cut(path, "?")
	for _, segment := range strings.SplitAfter(path, "/") {
		end := begin + len(segment)
		name, err := url.PathUnescape(strings.TrimSuffix(segment, "/"))
		for _, spot := range w.spots {
			inside := spot >= begin && (spot < end || spot == end && !strings.HasSuffix(segment, "/"))
			if inside && (err != nil || name == "" || name == "." || name == "..") {
				return false
			}
		}
		begin = end
	}
	return true
}
