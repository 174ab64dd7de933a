package body_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/body"
	"github.com/pim-functions/pim-functions/shared/web"
)

// read takes a body's fields as they are.
func read(data []byte) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	err := body.Object(data, func(r *body.Reader, name string) error {
		value, err := r.Raw()
		fields[name] = value
		return err
	})
	return fields, err
}

// walk reads every value by its kind, down to the last.
func walk(r *body.Reader) error {
	switch {
	case r.Is('{'):
		return r.Object("x", func(string) error { return walk(r) })
	case r.Is('['):
		return r.List("x", func() error { return walk(r) })
	case r.Is('"'):
		_, err := r.Text("x")
		return err
	}
	_, err := r.Raw()
	return err
}

func names(n int) string {
	quoted := make([]string, n)
	for i := range quoted {
		quoted[i] = fmt.Sprintf("%q", fmt.Sprint("code", i))
	}
	return strings.Join(quoted, ",")
}

func TestWhatIsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, reason string }{
		{"empty", ``, "body_empty"},
		{"white space", ` `, "body_not_json"},
		{"not JSON", `hello`, "body_not_json"},
		{"cut", `{"data":{"productUuid":"`, "body_not_json"},
		{"cut inside an escape", `{"a":"\`, "body_not_json"},
		{"cut inside \\u", `{"a":"\u12`, "body_not_json"},
		{"byte order mark", "\ufeff{\"timestamp\":1}", "body_not_json"},
		{"an array", `[]`, "body_not_object"},
		{"a string", `"a"`, "body_not_object"},
		{"null", `null`, "body_not_object"},
		{"not UTF-8", "{\"data\":\"\xff\"}", "body_not_utf8"},
		{"half a character", `{"a":"\ud83d","timestamp":1}`, "body_not_json"},
		{"half a character before another", `{"a":"\ud83d\u0041","timestamp":1}`, "body_not_json"},
		{"the second half alone", `{"a":"\ude00","timestamp":1}`, "body_not_json"},
		{"line break in a string", "{\"a\":\"\n\",\"timestamp\":1}", "body_not_json"},
		{"line break behind an escape", "{\"a\":\"\\t\n\",\"timestamp\":1}", "body_not_json"},
		{"unknown escape", `{"a":"\x","timestamp":1}`, "body_not_json"},
		{"something behind", `{"timestamp":1} {}`, "body_not_json"},
		{"a zero byte behind", "{\"timestamp\":1}\x00", "body_not_json"},
		{"trailing comma", `{"timestamp":1,}`, "body_not_json"},
		{"no colon", `{"timestamp" 1}`, "body_not_json"},
		{"single quotes", `{'timestamp':1}`, "body_not_json"},
		{"leading zero", `{"a":01,"timestamp":1}`, "body_not_json"},
		{"number with nothing behind the point", `{"a":1.,"timestamp":1}`, "body_not_json"},
		{"NaN", `{"a":NaN,"timestamp":1}`, "body_not_json"},
		{"nested 10,000 deep", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), "body_too_deep"},
		{"nested 10,000 objects deep", strings.Repeat(`{"a":`, 10000), "body_too_deep"},
		{"one deeper than allowed", `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `,"timestamp":1}`, "body_too_deep"},
		{"duplicate key", `{"timestamp":1,"timestamp":1}`, "duplicate_key"},
		{"duplicate key where we do not look", `{"a":[{"b":1,"b":1}],"timestamp":1}`, "duplicate_key"},
		{"duplicate key in user", `{"user":{"x":{"b":1,"b":1}},"timestamp":1}`, "duplicate_key"},
		{"duplicate key written with escapes", `{"a":1,"\u0061":2,"timestamp":1}`, "duplicate_key"},
		{"duplicate key among forty", `{"timestamp":1,` + strings.ReplaceAll(names(40), `",`, `":1,`) + `:1,"code39":1}`, "duplicate_key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, raw := read([]byte(row.body))
			walked := body.Object([]byte(row.body), func(r *body.Reader, _ string) error { return walk(r) })
			for how, err := range map[string]error{"as it is": raw, "value by value": walked} {
				refused, ok := errors.AsType[*web.Error](err)
				if !ok || refused.Code != web.Invalid || refused.Message == "" || refused.Reason != row.reason {
					t.Errorf("%s: %v, want %s", how, err, row.reason)
				}
			}
		})
	}
}

func TestShapes(t *testing.T) {
	for _, row := range []struct {
		name, body, want string
		field            func(*body.Reader) error
	}{
		{"a text", `{"a":"\u0041"}`, "A", func(r *body.Reader) error { return text(r) }},
		{"null for a text", `{"a":null}`, "", func(r *body.Reader) error { return text(r) }},
		{"a number for a text", `{"a":1}`, "! a must be a string.", func(r *body.Reader) error { return text(r) }},
		{"a text for an object", `{"a":"b"}`, "! a must be an object.", func(r *body.Reader) error { return r.Object("a", func(string) error { return nil }) }},
		{"null for a list", `{"a":null}`, "! a must be a list.", func(r *body.Reader) error { return r.List("a", func() error { return nil }) }},
	} {
		got = ""
		err := body.Object([]byte(row.body), func(r *body.Reader, _ string) error { return row.field(r) })
		if refused, ok := errors.AsType[*web.Error](err); ok {
			got = "! " + refused.Message
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

var got string

func text(r *body.Reader) (err error) {
	got, err = r.Text("a")
	return err
}

// FuzzObject compares with encoding/json, which reads more than we do: what we read, it reads alike; what it reads and we
// refuse has one of the faults that we refuse by name.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":[1,-2.5e+3,true,false,null,"\u00e9\ud83d\ude00\/"]}}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `[]`, `{`, "\xff", ` {} `, `{"A":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fields, err := read(data)
		var theirs map[string]json.RawMessage
		theirErr := json.Unmarshal(data, &theirs)
		if err != nil {
			refused, ok := errors.AsType[*web.Error](err)
			if !ok || !utf8.ValidString(refused.Message) {
				t.Fatalf("refused with %v", err)
			}
			if refused.Reason == "body_not_json" && theirErr == nil && !strings.Contains(strings.ToLower(string(data)), `\ud`) {
				t.Fatalf("refused %q: %v", data, refused.Message)
			}
			return
		}
		if theirErr != nil || !utf8.Valid(data) || len(fields) != len(theirs) {
			t.Fatalf("read %q as %q, encoding/json as %q: %v", data, fields, theirs, theirErr)
		}
		for name, value := range theirs {
			if string(fields[name]) != string(value) {
				t.Fatalf("%q of %q is %q, in encoding/json %q", name, data, fields[name], value)
			}
		}
	})
}
