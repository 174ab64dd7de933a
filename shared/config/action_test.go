package config_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestCheckKinds(t *testing.T) {
	loaded, err := load(`actions:
  last: {kind: plain}
  first:
    wait: 1s
    kind: forwards
    url: https://erp.example.com
  strict: {kind: forward, urll: https://erp.example.com, batch: many}
  ruled:
    kind: ruled
    text: a
  both: {kind: both}
`)
	if err != nil {
		t.Fatal(err)
	}
	err = loaded.CheckKinds(map[string]func(config.Section) error{
		"forward": func(s config.Section) error {
			var options struct {
				URL   string `yaml:"url"`
				Batch int    `yaml:"batch"`
			}
			return s.Decode(&options)
		},
		"ruled": func(s config.Section) error { return fmt.Errorf("wrapped: %w", s.Errorf("text", "use b", "text is a")) },
		"plain": func(config.Section) error { return errors.New("not today") },
		"both": func(s config.Section) error {
			return errors.Join(s.Errorf("url", "add url", "no url"), s.Errorf("text", "add text", "no text"))
		},
	})
	want := `f.yaml:2: not today
f.yaml:5: action "first" is of kind "forwards", which does not exist; did you mean "forward"?
f.yaml:7: unknown key "urll" in action "strict"; did you mean "url"?
f.yaml:7: batch of action "strict" is not a whole number; write a whole number
f.yaml:10: text is a; use b
f.yaml:11: no url; add url
f.yaml:11: no text; add text`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestCheckKindsFindsNothing(t *testing.T) {
	loaded, err := load(right)
	if err != nil {
		t.Fatal(err)
	}
	fine := func(config.Section) error { return nil }
	if err := loaded.CheckKinds(map[string]func(config.Section) error{"forward": fine, "notify": fine}); err != nil {
		t.Error(err)
	}
}

func TestCyclesOfThen(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a chain", "a: {kind: k, then: {failed: b}}, b: {kind: k, then: {failed: c}}, c: {kind: k}", ""},
		{"two ways to one end", "a: {kind: k, then: {failed: b, partial: c}}, b: {kind: k, then: {failed: d}}, c: {kind: k, then: {failed: d}}, d: {kind: k}", ""},
		{"a ring that is entered from outside", "a: {kind: k, then: {failed: b}}, b: {kind: k, then: {failed: c}}, c: {kind: k, then: {partial: b}}", "f.yaml:1: then goes round: b → c → b; let the last one end without then"},
		{"a ring inside a ring", "a: {kind: k, then: {failed: c}}, b: {kind: k, then: {succeeded: a, failed: c}}, c: {kind: k, then: {failed: b}}", "f.yaml:1: then goes round: a → c → b → a; let the last one end without then\nf.yaml:1: then goes round: b → c → b; let the last one end without then"},
	} {
		got := ""
		if _, err := load("actions: {" + row.text + "}"); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
}
