package action

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a body may be nested. The deepest that the PIM sends is 4.
const maxDepth = 64

// reader reads JSON (RFC 8259) in one pass, and only what every reader understands alike: encoding/json would take
// the last of two equal names, names in another case, and broken Unicode, and whoever reads the same bytes after us
// might not. What it refuses is an *web.Error.
//
// Each method reads one value and leaves pos behind it.
type reader struct {
	data  []byte // valid UTF-8
	pos   int
	depth int
}

// document reads data as exactly one object.
func (r *reader) document(field func(name string) error) error {
	switch {
	case len(r.data) == 0:
		return malformed("body_empty", "The body is empty.")
	case !utf8.Valid(r.data):
		return malformed("body_not_utf8", "The body is not UTF-8.")
	case r.peek() != '{':
		if _, err := r.skip(); err != nil {
			return err
		}
		return malformed("body_not_object", "The body is not a JSON object.")
	}
	if err := r.object(field); err != nil {
		return err
	}
	if r.peek() != 0 || r.pos < len(r.data) {
		return r.syntax()
	}
	return nil
}

// object reads an object; field reads the value of each name.
func (r *reader) object(field func(name string) error) error {
	var seen names
	return r.nested('{', '}', func() error {
		name, err := r.text()
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return malformed("duplicate_key", "A name stands twice in one object of the body.")
		}
		if r.peek() != ':' {
			return r.syntax()
		}
		r.pos++
		return field(name)
	})
}

// array reads an array; element reads each value.
func (r *reader) array(element func() error) error { return r.nested('[', ']', element) }

// nested reads what stands between two brackets, with a comma between members.
func (r *reader) nested(open, end byte, member func() error) error {
	if r.peek() != open {
		return r.syntax()
	}
	r.pos++
	if r.depth++; r.depth > maxDepth {
		return malformed("body_too_deep", "The body is nested too deeply.")
	}
	defer func() { r.depth-- }()
	if r.peek() == end {
		r.pos++
		return nil
	}
	for {
		if err := member(); err != nil {
			return err
		}
		switch r.peek() {
		case ',':
			r.pos++
		case end:
			r.pos++
			return nil
		default:
			return r.syntax()
		}
	}
}

// skip reads any value and returns its bytes.
func (r *reader) skip() (json.RawMessage, error) {
	next := r.peek()
	start := r.pos
	var err error
	switch next {
	case '{':
		err = r.object(func(string) error { _, err := r.skip(); return err })
	case '[':
		err = r.array(func() error { _, err := r.skip(); return err })
	case '"':
		_, err = r.text()
	case 't':
		err = r.literal("true")
	case 'f':
		err = r.literal("false")
	case 'n':
		err = r.literal("null")
	default:
		_, err = r.number()
	}
	return r.data[start:r.pos], err
}

// null reads null if it stands there.
func (r *reader) null() bool {
	return r.peek() == 'n' && r.literal("null") == nil
}

func (r *reader) literal(word string) error {
	if !bytes.HasPrefix(r.data[r.pos:], []byte(word)) {
		return r.syntax()
	}
	r.pos += len(word)
	return nil
}

// number reads a number and returns it as it is written.
func (r *reader) number() (string, error) {
	r.peek()
	start := r.pos
	r.take('-')
	if !r.take('0') && r.digits() == 0 {
		return "", r.syntax()
	}
	if r.take('.') && r.digits() == 0 {
		return "", r.syntax()
	}
	if r.take('e') || r.take('E') {
		_ = r.take('+') || r.take('-')
		if r.digits() == 0 {
			return "", r.syntax()
		}
	}
	return string(r.data[start:r.pos]), nil
}

func (r *reader) take(c byte) bool {
	if r.pos < len(r.data) && r.data[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

func (r *reader) digits() int {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}

// text reads a string.
func (r *reader) text() (string, error) {
	if r.peek() != '"' {
		return "", r.syntax()
	}
	r.pos++
	start := r.pos
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return string(r.data[start : r.pos-1]), nil
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", r.syntax()
		}
	}
	return "", r.syntax()
}

// escaped goes on with a string at its first backslash.
func (r *reader) escaped(start int) (string, error) {
	text := slices.Clone(r.data[start:r.pos])
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		r.pos++
		switch {
		case c == '"':
			return string(text), nil
		case c < ' ':
			return "", r.syntax()
		case c != '\\':
			text = append(text, c)
			continue
		}
		if r.take('u') {
			char, ok := r.unicode()
			if !ok {
				return "", r.syntax()
			}
			text = utf8.AppendRune(text, char)
			continue
		}
		if r.pos == len(r.data) {
			break
		}
		i := bytes.IndexByte([]byte(`"\/bfnrt`), r.data[r.pos])
		if i < 0 {
			return "", r.syntax()
		}
		text = append(text, "\"\\/\b\f\n\r\t"[i])
		r.pos++
	}
	return "", r.syntax()
}

// unicode reads the digits of \uXXXX, and the second half of a character that takes two. Half a character alone is
// refused: it would become U+FFFD, and two different codes the same.
func (r *reader) unicode() (rune, bool) {
	first, ok := r.hex4()
	if !ok || !utf16.IsSurrogate(first) {
		return first, ok
	}
	if !r.take('\\') || !r.take('u') {
		return 0, false
	}
	second, ok := r.hex4()
	char := utf16.DecodeRune(first, second)
	return char, ok && char != utf8.RuneError
}

func (r *reader) hex4() (rune, bool) {
	if len(r.data)-r.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.data[r.pos:r.pos+4]), 16, 16)
	r.pos += 4
	return rune(n), err == nil
}

// peek skips white space and returns the byte behind it, 0 at the end.
func (r *reader) peek() byte {
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (r *reader) syntax() error {
	return malformed("body_not_json", "The body is not JSON: byte "+strconv.Itoa(r.pos)+" is not expected there.")
}

// names are the names of one object. The usual handful is compared one by one, so that nothing is allocated; a
// sender of a million pays for a map, not for a million comparisons each.
type names struct {
	few  []string
	many map[string]bool
}

func (n *names) add(name string) bool {
	if n.many == nil && len(n.few) < 16 {
		if slices.Contains(n.few, name) {
			return false
		}
		if n.few == nil {
			n.few = make([]string, 0, 8)
		}
		n.few = append(n.few, name)
		return true
	}
	if n.many == nil {
		n.many = make(map[string]bool, 32)
		for _, before := range n.few {
			n.many[before] = true
		}
	}
	if n.many[name] {
		return false
	}
	n.many[name] = true
	return true
}
