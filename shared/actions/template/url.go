package template

import (
	"bytes"
	"errors"
	"net/url"
	"strings"

	"github.com/pim-functions/pim-functions/shared/engine"
)

// URL is a template for an address. Values may stand in path and query, where they are escaped as one segment of the
// path or one part of the query; scheme and host come from the configuration alone. A segment that a value leaves empty,
// or makes . or .. of, fails the batch: such an address is another resource.
type URL struct{ template *Template }

var errHost = errors.New("a value can stand in the path and in the query of an address alone")

// ParseURL reads a URL. Its error is a Mistakes.
func (s Scope) ParseURL(text string) (*URL, error) {
	parsed, mistakes := s.parse(text)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	var w addressWriter
	if err := parsed.write(&w, s.madeUp(), w.value); errors.Is(err, errHost) {
		return nil, Mistakes{errHost.Error()}
	}
	return &URL{parsed}, nil
}

// Execute makes the address of a run.
func (u *URL) Execute(run engine.Run) (string, error) {
	data, _, err := u.template.scope.data(run)
	if err != nil {
		return "", err
	}
	var w addressWriter
	if err := u.template.write(&w, data, w.value); err != nil {
		return "", err
	}
	if of, ok := data.(ItemData); ok && of.Product.asked != nil && *of.Product.asked {
		return "", engine.Permanent("the product is deleted, and its address needs what only the PIM knew: nothing was sent; an address can name .Item.ID, and .Event.Identifier where the subscription asks for identifiers", nil)
	}
	if !w.whole() {
		return "", engine.Permanent("a value leaves a part of the address empty, or would change where it leads: nothing was sent", nil)
	}
	return w.text.String(), nil
}

// addressWriter takes a template's text and knows in which part of an address the next byte stands.
type addressWriter struct {
	text  bytes.Buffer
	spots []int // where values stand in the path
}

func (w *addressWriter) Write(p []byte) (int, error) { return w.text.Write(p) }

func (w *addressWriter) value(v any) (string, error) {
	text := w.text.String()
	begin, path := pathOf(text)
	switch {
	case begin < 0, strings.Contains(text, "#"):
		return "", errHost
	case strings.Contains(path, "?"):
		return url.QueryEscape(plain(v)), nil
	}
	w.spots = append(w.spots, len(text))
	return url.PathEscape(plain(v)), nil
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

// whole says that every segment with a value names something.
func (w *addressWriter) whole() bool {
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
