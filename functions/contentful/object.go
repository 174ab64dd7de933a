package contentful

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// object is a JSON object as its sender wrote it: names in their order, values as they are. encoding/json alone would take
// the last of two equal names, and whoever reads the same bytes after us might take the first.
type object []member

type member struct {
	name  string
	value json.RawMessage // never empty, no white space around it
}

// readObject reads data as exactly one object. Its error is a *web.Error.
func readObject(data []byte) (object, error) {
	switch {
	case len(data) == 0:
		return nil, malformed("body_empty", "The body is empty.")
	case !utf8.Valid(data):
		return nil, malformed("body_not_utf8", "The body is not UTF-8.")
	case !json.Valid(data):
		return nil, notJSON()
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed("body_not_object", "The body is not a JSON object.")
	}
	var read object
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, notJSON()
		}
		if seen[name] {
			return nil, malformed("duplicate_key", "A name stands twice in the body.")
		}
		seen[name] = true
		m := member{name: name}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, notJSON()
		}
		read = append(read, m)
	}
	return read, nil
}

func notJSON() error { return malformed("body_not_json", "The body is not JSON.") }

// get returns the value of a name. null counts as not there: it is how some clients write a parameter that was not given.
func (o object) get(name string) (json.RawMessage, bool) {
	i := slices.IndexFunc(o, func(m member) bool { return m.name == name })
	if i < 0 || string(o[i].value) == "null" {
		return nil, false
	}
	return o[i].value, true
}

// rename gives a value another name, which takes the place of whatever had that name.
func (o *object) rename(from, to string) {
	value, there := o.get(from)
	if !there {
		return
	}
	*o = slices.DeleteFunc(*o, func(m member) bool { return m.name == to || m.name == from })
	*o = append(*o, member{to, value})
}

// bytes is the object as JSON.
func (o object) bytes() json.RawMessage {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			panic(err) // cannot happen: every string has a JSON form
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes()
}
