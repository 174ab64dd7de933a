package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// rewriters are the ways in which JSON is often written again between what the sender signed and what arrived.
// They are tried for an explanation; verification never does. Keys keep their order and numbers their digits.
var rewriters = []struct {
	how     string
	rewrite func([]byte) ([]byte, error)
}{
	{"with the white space between its tokens removed", compact},
	{"re-serialised as compact JSON without optional escapes (as JSON.stringify does)", style{",", ":", escapes{}}.rewrite},
	{"re-serialised as compact JSON with PHP's escapes (as json_encode does)", style{",", ":", escapes{slash: true, nonASCII: true}}.rewrite},
	{"re-serialised with spaces after commas and colons (as Python's json.dumps does)", style{", ", ": ", escapes{nonASCII: true}}.rewrite},
}

func compact(body []byte) ([]byte, error) {
	var out bytes.Buffer
	err := json.Compact(&out, body)
	return out.Bytes(), err
}

// style is how a serialiser writes JSON.
type style struct {
	comma, colon string
	escapes      escapes
}

func (s style) rewrite(body []byte) ([]byte, error) {
	rest, err := compact(body)
	if err != nil {
		return nil, err
	}
	var out []byte
	for len(rest) > 0 {
		n := 1
		switch rest[0] {
		case '"':
			n = stringLength(rest)
			var value string
			if err := json.Unmarshal(rest[:n], &value); err != nil {
				return nil, err
			}
			out = s.escapes.quote(out, value)
		case ',':
			out = append(out, s.comma...)
		case ':':
			out = append(out, s.colon...)
		default:
			out = append(out, rest[0])
		}
		rest = rest[n:]
	}
	return out, nil
}

// stringLength is the length of the string literal that valid JSON begins with, quotes included.
func stringLength(literal []byte) int {
	for i := 1; i < len(literal); i++ {
		switch literal[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(literal)
}

// escapes are those that JSON leaves to the serialiser.
type escapes struct{ slash, nonASCII bool }

func (e escapes) quote(out []byte, value string) []byte {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	out = append(out, '"')
	for _, r := range value {
		escaped, ok := short[r]
		switch {
		case ok:
			out = append(out, escaped...)
		case r == '/' && e.slash:
			out = append(out, `\/`...)
		case r < ' ':
			out = fmt.Appendf(out, `\u%04x`, r)
		case r >= 0x80 && e.nonASCII:
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		default:
			out = append(out, string(r)...)
		}
	}
	return append(out, '"')
}
