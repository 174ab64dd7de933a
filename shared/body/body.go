// Package body reads the JSON of proven requests (RFC 8259), and only what every reader understands alike: of two equal
// names in one object encoding/json takes the last, half a surrogate pair becomes U+FFFD, and names match in any case;
// whoever reads the same bytes after us may see something else. It reads one object in one pass and builds nothing.
//
// It is not for answers of others, for configuration, or for our own records. What it refuses is a *web.Error (400)
// that names the place and quotes nothing of the body.
package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxDepth is how deep a body may be nested; a deeper one is refused. The deepest that a sender documents has 4.
const MaxDepth = 64

// Reader stands before a value of a body. Each method but Is reads one value.
type Reader struct {
	data    []byte
	decoder *jsontext.Decoder
}

// Object reads data as exactly one object. field is called for each name and must read its value.
func Object(data []byte, field func(r *Reader, name string) error) error {
	r := &Reader{data, jsontext.NewDecoder(bytes.NewBuffer(data))}
	switch {
	case len(data) == 0:
		return Malformed("body_empty", "The body is empty.")
	case !utf8.Valid(data):
		return Malformed("body_not_utf8", "The body is not UTF-8.")
	case !r.Is('{'):
		if _, err := r.Raw(); err != nil {
			return err
		}
		return Malformed("body_not_object", "The body is not a JSON object.")
	}
	if err := r.Object("The body", func(name string) error { return field(r, name) }); err != nil {
		return err
	}
	if offset := int(r.decoder.InputOffset()); len(bytes.TrimLeft(data[offset:], " \t\r\n")) > 0 {
		return r.syntax(offset)
	}
	return nil
}

// Is says whether the next value is of a kind: '{', '[', '"', '0' for any number, or 'n' for null.
func (r *Reader) Is(kind jsontext.Kind) bool { return r.decoder.PeekKind() == kind }

// Null reads null if it stands there.
func (r *Reader) Null() bool {
	if !r.Is('n') {
		return false
	}
	_, err := r.decoder.ReadToken()
	return err == nil
}

// Object reads an object; field is called for each name and must read its value.
func (r *Reader) Object(where string, field func(name string) error) error {
	return r.nested('{', where+" must be an object.", func() error {
		name, err := r.decoder.ReadToken()
		if err != nil {
			return r.refused(err)
		}
		return field(name.String())
	})
}

// List reads a list; element must read each value.
func (r *Reader) List(where string, element func() error) error {
	return r.nested('[', where+" must be a list.", element)
}

// nested reads what stands between two brackets.
func (r *Reader) nested(open jsontext.Kind, otherwise string, member func() error) error {
	if !r.Is(open) {
		return Malformed("body_shape", otherwise)
	}
	if r.decoder.StackDepth() >= MaxDepth {
		return tooDeep()
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return r.refused(err)
	}
	for end := open + 2; !r.Is(end); { // in ASCII, } is two behind {, and ] two behind [
		if err := member(); err != nil {
			return err
		}
	}
	_, err := r.decoder.ReadToken()
	return r.refused(err)
}

// Text reads a string, or null as "".
func (r *Reader) Text(where string) (string, error) {
	if r.Null() {
		return "", nil
	}
	if !r.Is('"') {
		return "", Malformed("body_shape", where+" must be a string.")
	}
	token, err := r.decoder.ReadToken()
	if err != nil {
		return "", r.refused(err)
	}
	return token.String(), nil
}

// Raw reads any value and returns its bytes, which are part of the body's: do not change them.
func (r *Reader) Raw() (json.RawMessage, error) {
	value, err := r.decoder.ReadValue()
	switch {
	case err != nil:
		return nil, r.refused(err)
	case r.decoder.StackDepth()+depth(value) > MaxDepth:
		return nil, tooDeep()
	}
	return json.RawMessage(value), nil
}

// refused is what a sender is told of an error of the decoder; nil if there is none.
func (r *Reader) refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jsontext.ErrDuplicateName):
		return Malformed("duplicate_key", "A name stands twice in one object of the body.")
	case depth(r.data) > MaxDepth:
		return tooDeep()
	}
	offset := int(r.decoder.InputOffset())
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = int(syntactic.ByteOffset)
	}
	return r.syntax(offset)
}

func (r *Reader) syntax(offset int) error {
	return Malformed("body_not_json", fmt.Sprintf("The body is not JSON: byte %d is not expected there.", offset))
}

func tooDeep() error { return Malformed("body_too_deep", "The body is nested too deeply.") }

// Malformed is the refusal of a body; the message is for the sender.
func Malformed(reason, message string) error {
	return &web.Error{Code: web.Invalid, Reason: reason, Message: message}
}

// depth is how many brackets are open at the deepest place of a JSON text.
func depth(text []byte) (deepest int) {
	open, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}
