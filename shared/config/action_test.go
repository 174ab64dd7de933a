package config_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

// What is wrong with the file and what the kinds say of their keys is told at once.
func TestKinds(t *testing.T) {
	kinds := map[string]func(config.Section) error{
		"forward": func(s config.Section) error {
			var options struct {
				URL   string `yaml:"url"`
				Batch int    `yaml:"batch"`
			}
			return s.Decode(&options)
		},
		"ruled": func(s config.Section) error {
			return fmt.Errorf("wrapped: %w", errors.Join(s.Errorf("text", "use b", "text is a"), s.Errorf("more", "use c", "more is b")))
		},
		"plain": func(config.Section) error { return errors.New("not today") },
		"both": func(s config.Section) error {
			return errors.Join(s.Errorf("url", "add url", "no url"), errors.New("and more"))
		},
	}
	_, err := config.Load(config.Source{File: "f.yaml", Stage: "production", Kinds: kinds, Text: []byte(`actions:
  last: {kind: plain}
  first:
    wait: 1h
    kind: forwards
    url: https://erp.example.com
  strict: {kind: forward, urll: https://erp.example.com, batch: many}
  ruled:
    kind: ruled
    text: a
    more: b
  both: {kind: both}
  unset: {kind: forward, url: "${ERP_URL}", batch: many}
`)})
	want := `f.yaml:2: not today; see the kind's description
f.yaml:4: wait of action "first" is "1h"; use at most 4s: the PIM gives up at 5s
f.yaml:5: action "first" is of kind "forwards", which does not exist; did you mean "forward"?
f.yaml:7: unknown key "urll" in action "strict"; did you mean "url"?
f.yaml:7: batch of action "strict" is not a whole number; write a whole number
f.yaml:10: text is a; use b
f.yaml:11: more is b; use c
f.yaml:12: no url; add url
f.yaml:12: and more; see the kind's description
f.yaml:13: variable ERP_URL is not set for stage "production"; add ERP_URL to environments, under production, or set it for the process`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestKindsThatFindNothing(t *testing.T) {
	fine := func(config.Section) error { return nil }
	for name, kinds := range map[string]map[string]func(config.Section) error{"they are right": {"forward": fine, "notify": fine}, "nobody asks": nil} {
		if _, err := config.Load(config.Source{File: "f.yaml", Text: []byte(right), Stage: "production", Kinds: kinds}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
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
