package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

type options struct {
	URL     string            `yaml:"url"`
	Batch   int               `yaml:"batch"`
	Timeout time.Duration     `yaml:"timeout"`
	Headers map[string]string `yaml:"headers"`

	Private    bool           `yaml:"private"`
	To         []string       `yaml:"to"`
	Parameters map[string]any `yaml:"parameters"`
	Retry      *struct {
		Factor float64 `yaml:"factor"`
	} `yaml:"retry"`
}

func TestSectionDecode(t *testing.T) {
	for _, row := range []struct{ name, text, err string }{
		{"everything", "url: a\nbatch: 3\ntimeout: 30s\nprivate: true\nheaders: {x: y}\nto: [a]\nparameters: {a: {b: [1, c]}}\nretry: {factor: 1.5}", ""},
		{"nothing", "", ""},
		{"keys without values", "url:\nbatch:\ntimeout:\nheaders:\nto:\nparameters:\nretry:", ""},
		{"a time in days", "timeout: 1d", ""},
		{"numbers and truth values in quotes, as variables in braces are", "{batch: \"3\", private: \"true\", retry: {factor: '2'}}", ""},
		{"a number where a text is meant", "url: 1", ""},
		{"unknown key", "url: a\nbach: 3", `section:2: unknown key "bach"; did you mean "batch"?`},
		{"unknown key further down", "retry:\n  facto: 3", `section:2: unknown key "facto" in retry; did you mean "factor"?`},
		{"key twice", "url: a\nurl: b", `section:2: "url" stands twice, first in line 1; remove or rename one`},
		{"key twice in a mapping of any keys", "headers:\n  x: a\n  x: b", `section:3: "x" stands twice in headers, first in line 2; remove or rename one`},
		{"key twice in a mapping of any form", "parameters:\n  a: {b: 1, b: 2}", `section:2: "b" stands twice in a of parameters, first in line 2; remove or rename one`},
		{"key that is no word", "headers: {[a]: b}", `section:1: a key in headers is not a word; use a plain word`},
		{"keys of another mapping", "headers: {<<: {a: b}}", `section:1: key << in headers; write the keys out`},
		{"text for a number", "url: a\nbatch: many", "section:2: batch is not a whole number; write a whole number"},
		{"broken number for a whole one", "batch: 1.5", "section:1: batch is not a whole number; write a whole number"},
		{"text for a number further down", "retry: {factor: many}", "section:1: factor of retry is not a number; write a number"},
		{"text for a truth value", "private: yes please", "section:1: private is neither true nor false; write true or false"},
		{"text for a time", "timeout: soon", "section:1: timeout is not a time; write a number with a unit: 30s, 10m, 6h or 1d"},
		{"number without unit for a time", "timeout: 10", "section:1: timeout is not a time; write a number with a unit: 30s, 10m, 6h or 1d"},
		{"list for a time", "timeout: [1s]", "section:1: timeout is not a time; write a number with a unit: 30s, 10m, 6h or 1d"},
		{"mapping for a text", "url: {{.Label}}", "section:1: url is not a text; write one value, in quotes if it begins with { or ["},
		{"text for a mapping", "headers: x", "section:1: headers is not a mapping; write it as key: value"},
		{"list for a mapping of keys", "retry: [factor]", "section:1: retry is not a mapping; write it as key: value"},
		{"text for a list", "to: a@b.example", "section:1: to is not a list; write [one, another]"},
		{"list in a list of texts", "to: [[a]]", "section:1: a value in to is not a text; write one value, in quotes if it begins with { or ["},
		{"everything that is wrong at once", "bach: 3\nbatch: many\ntimeout: 10\nheaders: x", `section:1: unknown key "bach"; did you mean "batch"?
section:2: batch is not a whole number; write a whole number
section:3: timeout is not a time; write a number with a unit: 30s, 10m, 6h or 1d
section:4: headers is not a mapping; write it as key: value`},
	} {
		section, err := config.ParseSection(row.text)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		got := ""
		if err := section.Decode(&options{}); err != nil {
			got = err.Error()
		}
		if got != row.err {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.err)
		}
	}
}

// A kind can look at what is right while something else is wrong.
func TestSectionDecodeFillsInWhatIsRight(t *testing.T) {
	section, err := config.ParseSection("url: a\nbatch: many\ntimeout: 1d12h\nheaders: {x: y, z: [1]}")
	if err != nil {
		t.Fatal(err)
	}
	got := options{Batch: 100}
	if err := section.Decode(&got); err == nil {
		t.Error("no error")
	}
	if want := (options{URL: "a", Batch: 100, Timeout: 36 * time.Hour, Headers: map[string]string{"x": "y"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What Resolve brought stands in no error.
func TestSectionDecodeKeepsSecrets(t *testing.T) {
	section, err := config.ParseSection("batch: secret:a\ntimeout: secret:a\nprivate: secret:a\nheaders: secret:a\nto: secret:a\nretry: {factor: secret:a}")
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := section.Resolve(map[string]string{"a": "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := resolved.Decode(&options{}); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("%v", err)
	}
}

func TestSectionSub(t *testing.T) {
	section, err := config.ParseSection("url: a\nheaders:\n  x: b")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"a key of the mapping", section.Sub("headers").Errorf("x", "remove it", "header x"), "section:3: header x; remove it"},
		{"a key that is not there", section.Sub("headers").Errorf("y", "add it", "no header y"), "section:2: no header y; add it"},
		{"no mapping", section.Sub("url").Errorf("y", "add it", "no y"), "section:1: no y; add it"},
		{"an unknown key", section.Sub("headers").Decode(&struct{ Y string }{}), `section:3: unknown key "x" in headers; known are y`},
		{"nothing to decode", section.Sub("auth").Decode(&struct{ Y string }{}), ""},
	} {
		got := ""
		if row.err != nil {
			got = row.err.Error()
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestSectionResolve(t *testing.T) {
	section, err := config.ParseSection("url: secret:hook\nheaders: {x: secret:key, y: \"no secret:key\"}")
	if err != nil {
		t.Fatal(err)
	}
	if got := section.Secrets(); !slices.Equal(got, []string{"hook", "key"}) {
		t.Errorf("secrets %q", got)
	}
	resolved, err := section.Resolve(map[string]string{"hook": "https://hooks.example.com/T0", "key": "123"})
	if err != nil {
		t.Fatal(err)
	}
	var got options
	if err := resolved.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.URL != "https://hooks.example.com/T0" || got.Headers["x"] != "123" || got.Headers["y"] != "no secret:key" {
		t.Errorf("%+v", got)
	}
	if section.Secrets() == nil {
		t.Error("the section itself has changed")
	}
	if _, err := section.Resolve(map[string]string{"hook": "https://hooks.example.com/T0", "key": ""}); err == nil || err.Error() != `section:2: secret:key is not in the connection secret; add it under "values" as "key"` {
		t.Errorf("missing value: %v", err)
	}
}

func TestTextIn(t *testing.T) {
	text := config.Text{"default": "Export", "fr_FR": "Exporter", "fr_CA": "Exporter (CA)", "de_DE": "Ausgeben"}
	for locale, want := range map[string]string{
		"fr_FR": "Exporter",
		"fr_BE": "Exporter (CA)", // the first of the language in the alphabet
		"de_AT": "Ausgeben",
		"de":    "Ausgeben",
		"en_US": "Export",
		"d":     "Export",
		"":      "Export",
	} {
		if got := text.In(locale); got != want {
			t.Errorf("%q: %q, want %q", locale, got, want)
		}
	}
}
