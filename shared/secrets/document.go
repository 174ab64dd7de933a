package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ParseSigning reads the document SIGNING_SECRET_ID. The second value holds warnings for the log: a trailing
// newline that was trimmed, a key that nobody reads.
//
// Wherever a secret is expected, a string or an object {"SecretString":"…"} (the form in which Secrets Manager's
// own answers are pasted) will do. An error names the places that have another form and what is expected there;
// neither errors nor warnings ever hold a value. Whether a secret is good enough is not judged here.
func ParseSigning(document []byte) (Signing, []string, error) {
	r := &reader{}
	root := r.root(document)
	signing := Signing{
		Extensions:    map[string]Extension{},
		EventsAPI:     map[string][]string{},
		EventPlatform: map[string][]string{},
	}
	r.each("extensions", root["extensions"], func(name, path string, value json.RawMessage) {
		fields := r.object(path, value, `{"secrets":["…"],"credential":{…}}`)
		signing.Extensions[name] = Extension{
			Secrets:     r.texts(path+".secrets", fields["secrets"]),
			Credentials: r.credentials(path+".credential", fields["credential"]),
		}
		r.unknown(path+".", fields, "secrets", "credential")
	})
	r.each("events-api", root["events-api"], func(name, path string, value json.RawMessage) {
		signing.EventsAPI[name] = r.texts(path, value)
	})
	r.each("event-platform", root["event-platform"], func(name, path string, value json.RawMessage) {
		signing.EventPlatform[name] = r.texts(path, value)
	})
	signing.Contentful = r.texts("contentful", root["contentful"])
	r.unknown("", root, "extensions", "events-api", "event-platform", "contentful", unsent, rotations)
	if err := r.err(); err != nil {
		return Signing{}, nil, fmt.Errorf("signing secret: %w", err)
	}
	return signing, r.warnings, nil
}

// ParseConnections reads the document CONNECTION_SECRET_ID, by the rules of ParseSigning. The entries of auth, sftp
// and contentful keep the shape that their reader knows; within them, too, {"SecretString":"…"} becomes the string.
func ParseConnections(document []byte) (Connections, []string, error) {
	r := &reader{}
	root := r.root(document)
	connections := Connections{
		PIMs:   map[string]PIM{},
		Auth:   map[string]json.RawMessage{},
		Values: map[string]string{},
		SFTP:   map[string]json.RawMessage{},
	}
	r.each("pims", root["pims"], func(name, path string, value json.RawMessage) {
		fields := r.object(path, value, `{"client_id":"…","client_secret":"…","username":"…","password":"…"}`)
		connections.PIMs[name] = PIM{
			ClientID:     r.text(path+".client_id", fields["client_id"]),
			ClientSecret: r.text(path+".client_secret", fields["client_secret"]),
			Username:     r.text(path+".username", fields["username"]),
			Password:     r.text(path+".password", fields["password"]),
			Token:        r.text(path+".token", fields["token"]),
		}
		r.unknown(path+".", fields, "client_id", "client_secret", "username", "password", "token")
	})
	r.each("auth", root["auth"], func(name, path string, value json.RawMessage) {
		connections.Auth[name] = r.open(path, value)
	})
	r.each("values", root["values"], func(name, path string, value json.RawMessage) {
		connections.Values[name] = r.text(path, value)
	})
	r.each("sftp", root["sftp"], func(name, path string, value json.RawMessage) {
		connections.SFTP[name] = r.open(path, value)
	})
	if !absent(root["contentful"]) {
		connections.Contentful = r.open("contentful", root["contentful"])
	}
	r.unknown("", root, "pims", "auth", "values", "sftp", "contentful")
	if err := r.err(); err != nil {
		return Connections{}, nil, fmt.Errorf("connection secret: %w", err)
	}
	return connections, r.warnings, nil
}

// What pimctl notes in a document of its own work. Nobody else reads it.
const (
	unsent    = "unsent"
	rotations = "rotations"
)

// reader walks a document and collects all that is wrong with it, so that one look at the log is enough.
type reader struct {
	problems []string
	warnings []string
}

func (r *reader) root(document []byte) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil || fields == nil {
		// The JSON package's own text may quote a character of a secret.
		r.problems = append(r.problems, "the document is not a JSON object"+place(document, err))
	}
	return fields
}

func (r *reader) wrong(path, expected string) {
	r.problems = append(r.problems, path+": expected "+expected)
}

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.problems, "; "))
}

// unknown warns of keys that nobody reads: most often a typing error.
func (r *reader) unknown(prefix string, fields map[string]json.RawMessage, known ...string) {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, key) {
			r.warnings = append(r.warnings, fmt.Sprintf("%s%s: unknown key, ignored", prefix, key))
		}
	}
}

func (r *reader) object(path string, value json.RawMessage, expected string) map[string]json.RawMessage {
	if absent(value) {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		r.wrong(path, expected)
	}
	return fields
}

func (r *reader) each(path string, value json.RawMessage, visit func(name, path string, value json.RawMessage)) {
	fields := r.object(path, value, `an object {"NAME":…}`)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		visit(name, path+"."+name, fields[name])
	}
}

// text reads a secret; one that is absent is empty.
func (r *reader) text(path string, value json.RawMessage) string {
	if absent(value) {
		return ""
	}
	text, ok := secretString(value)
	if !ok {
		r.wrong(path, `a string or {"SecretString":"…"}`)
		return ""
	}
	return r.trim(path, text)
}

func (r *reader) texts(path string, value json.RawMessage) []string {
	if absent(value) {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		r.wrong(path, `a list of strings ["…"]`)
		return nil
	}
	texts := make([]string, len(list))
	for i, element := range list {
		texts[i] = r.text(fmt.Sprintf("%s[%d]", path, i), element)
	}
	return texts
}

// credentials reads one credential, or a list of those that are valid during a rotation.
func (r *reader) credentials(path string, value json.RawMessage) []Credential {
	if absent(value) {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return []Credential{r.credential(path, value)}
	}
	credentials := make([]Credential, len(list))
	for i, element := range list {
		credentials[i] = r.credential(fmt.Sprintf("%s[%d]", path, i), element)
	}
	return credentials
}

func (r *reader) credential(path string, value json.RawMessage) Credential {
	fields := r.object(path, value, `{"type":"basic" | "bearer" | "header",…}`)
	credential := Credential{
		Type:     r.text(path+".type", fields["type"]),
		Username: r.text(path+".username", fields["username"]),
		Password: r.text(path+".password", fields["password"]),
		Token:    r.text(path+".token", fields["token"]),
		Name:     r.text(path+".name", fields["name"]),
		Value:    r.text(path+".value", fields["value"]),
	}
	if !credential.known() {
		// No error: it closes this extension alone, and must not take the others down.
		r.warnings = append(r.warnings, path+".type: not one of basic, bearer, header")
	}
	r.unknown(path+".", fields, "type", "username", "password", "token", "name", "value")
	return credential
}

// open reads a value whose shape is known to somebody else: strings are trimmed and {"SecretString":"…"} becomes
// the string, everything else stays as it is.
func (r *reader) open(path string, value json.RawMessage) json.RawMessage {
	if text, ok := secretString(value); ok {
		return encode(r.trim(path, text))
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) == nil && fields != nil {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			fields[name] = r.open(path+"."+name, fields[name])
		}
		return encode(fields)
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil && list != nil {
		for i := range list {
			list[i] = r.open(fmt.Sprintf("%s[%d]", path, i), list[i])
		}
		return encode(list)
	}
	return slices.Clone(value)
}

// trim takes off the newline that editors and shells leave behind; nobody means it, and a signature made without
// it would never match.
func (r *reader) trim(path, text string) string {
	trimmed := strings.TrimRight(text, "\r\n")
	if trimmed != text {
		r.warnings = append(r.warnings, path+": trailing newline trimmed")
	}
	return trimmed
}

func secretString(value json.RawMessage) (string, bool) {
	var text *string
	if json.Unmarshal(value, &text) == nil && text != nil {
		return *text, true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		return "", false
	}
	inner, ok := fields["SecretString"]
	if !ok || json.Unmarshal(inner, &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}

func absent(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

// encode writes what was JSON before, so it cannot fail.
func encode(value any) json.RawMessage {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("secrets: cannot encode decoded JSON: " + err.Error())
	}
	return bytes.TrimSpace(buffer.Bytes())
}

// place says where a text stops being the JSON that was asked for: ", see line 3", without quoting any of it.
func place(text []byte, err error) string {
	var offset int64
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = kind.Offset
	} else {
		return ""
	}
	before := text[:min(int(offset), len(text))]
	return fmt.Sprintf(", see line %d", bytes.Count(before, []byte("\n"))+1)
}
