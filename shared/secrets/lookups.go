package secrets

import (
	"encoding/json"
	"fmt"
)

// Lookups is the document LOOKUP_SECRET_ID, read by the function of data components alone: what it faces the outside with
// opens nothing but what its lookups read.
type Lookups struct {
	Auth map[string]json.RawMessage `json:"auth"`
}

// ParseLookups reads that document, by the rules of ParseSigning. The entries of auth keep the shape that their reader
// knows (package credential).
func ParseLookups(document []byte) (Lookups, []string, error) {
	r := &reader{}
	root := r.root(document)
	lookups := Lookups{Auth: map[string]json.RawMessage{}}
	r.each("auth", root["auth"], func(name, path string, value json.RawMessage) {
		lookups.Auth[name] = r.open(path, value)
	})
	r.unknown("", root, "auth")
	if err := r.err(); err != nil {
		return Lookups{}, nil, fmt.Errorf("lookup secret: %w", err)
	}
	return lookups, r.warnings, nil
}
