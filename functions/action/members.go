package action

import (
	"encoding/json"
	"slices"
)

// members is the inside of a JSON object that is being written.
type members []byte

func (m *members) add(name string, value []byte) {
	if len(*m) > 0 {
		*m = append(*m, ',')
	}
	*m = append(append(append(*m, quote(name)...), ':'), value...)
}

func (m *members) join(more members) {
	if len(*m) > 0 {
		*m = append(*m, ',')
	}
	*m = append(*m, more...)
}

func (m members) object() json.RawMessage {
	return slices.Concat([]byte{'{'}, []byte(m), []byte{'}'})
}

// quote is the JSON of a string or of a list of strings.
func quote[T string | []string](value T) []byte {
	quoted, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot happen: every string has a JSON form
	}
	return quoted
}
