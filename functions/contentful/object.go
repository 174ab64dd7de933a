package contentful

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/pim-functions/pim-functions/shared/body"
)

// object is a JSON object as its sender wrote it: names in their order, values as they are.
type object []member

type member struct {
	name  string
	value json.RawMessage // never empty, no white space around it
}

// readObject reads data as exactly one object. Its error is a *web.Error.
func readObject(data []byte) (read object, err error) {
	err = body.Object(data, func(r *body.Reader, name string) error {
		value, err := r.Raw()
		read = append(read, member{name, value})
		return err
	})
	return read, err
}

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
