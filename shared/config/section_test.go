package config_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

type options struct {
	URL     string            `yaml:"url"`
	Batch   int               `yaml:"batch"`
	Timeout time.Duration     `yaml:"timeout"`
	Headers map[string]string `yaml:"headers"`
}

func TestSectionDecode(t *testing.T) {
	for _, row := range []struct{ name, text, err string }{
		{"everything", "url: a\nbatch: 3\ntimeout: 30s\nheaders: {x: y}", ""},
		{"nothing", "", ""},
		{"unknown key", "url: a\nbach: 3", `section:2: unknown key "bach"; did you mean "batch"?`},
		{"key twice", "url: a\nurl: b", `section:2: key "url" stands twice; remove one`},
		{"text for a number", "url: a\nbatch: many", "section:2: cannot unmarshal !!str `many` into int"},
		{"number without unit for a duration", "timeout: soon", "section:1: cannot unmarshal !!str `soon` into time.Duration"},
	} {
		section, err := config.ParseSection(row.text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := section.Decode(&options{}); err != nil {
			got = err.Error()
		}
		if got != row.err {
			t.Errorf("%s: %q, want %q", row.name, got, row.err)
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
