package forward_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

const firstID = "63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9" // of press

func TestWhatAnAnswerMayChange(t *testing.T) {
	update := func(text string) string { return `{"message":"m","updates":[` + text + `]}` }
	for _, c := range []struct {
		name, yaml, answer string
		updates            string // index and values
		failures           string
		message            string
		err                string
	}{
		{name: "values", answer: update(`{"uuid":"` + firstID + `","values":{"name":[{"locale":"fr_FR","scope":null,"data":"x"}]}}`), updates: `0:map[name:[{fr_FR  "x"}]]`, message: "m"},
		{name: "a model", answer: update(`{"code":"armor","values":{"name":[{"locale":null,"scope":null,"data":1}]}}`), updates: `3:map[name:[{  1}]]`, message: "m"},
		{name: "none", answer: `{"updates":null}`},
		{name: "no JSON", answer: `OK`},
		{name: "of no item", answer: update(`{"uuid":"nobody","values":{}},{"code":"` + firstID + `"}`), message: "m; 2 updates were of no item that was sent: they were left out"},
		{name: "of a wrong type", answer: update(`{"uuid":"` + firstID + `","enabled":"no"},{"code":"armor"}`), updates: "3:map[]", failures: "0: the destination's update cannot be used: enabled is neither true nor false", message: "m"},
		{name: "no list", answer: `{"updates":{"uuid":"a"}}`, err: "updates that are no list"},
		{name: "without a key", answer: update(`{"values":{}}`), err: "neither uuid nor code"},
		{name: "nested without end", answer: `{"updates":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, err: "breaks off or is not JSON"},
		{name: "without write", yaml: "method: POST", answer: update(`{"uuid":"` + firstID + `","values":{}}`), message: "m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newERP(t)
			e.answer = c.answer
			yaml := c.yaml
			if yaml == "" {
				yaml = "write: {attributes: [name]}"
			}
			result, err := open(t, "url: "+e.URL+"\n"+yaml, engine.Secrets{}).Run(t.Context(), press())
			if c.err != "" {
				if reason := failed(t, err); !strings.Contains(reason, c.err) || len(result.Updates) > 0 {
					t.Errorf("%q", reason)
				}
				return
			}
			if got := shown(result); err != nil || got != c.updates {
				t.Errorf("%s, %v; want %s", got, err, c.updates)
			}
			var failures []string
			for _, failure := range result.Failures {
				failures = append(failures, fmt.Sprintf("%d: %s", failure.Index, failure.Reason))
			}
			if strings.Join(failures, "; ") != c.failures || result.Message != c.message {
				t.Errorf("%q, message %q", failures, result.Message)
			}
		})
	}
}

func shown(result engine.Result) string {
	var all []string
	for _, u := range result.Updates {
		values := map[string][]string{}
		for code, entries := range u.Values {
			for _, entry := range entries {
				values[code] = append(values[code], fmt.Sprintf("{%s %s %s}", entry.Locale, entry.Scope, entry.Data))
			}
		}
		all = append(all, fmt.Sprintf("%d:%v", u.Index, values))
	}
	return strings.Join(all, "; ")
}

// Any API's answer about one item becomes values, whether or not it knows our shape.
func TestValuesOfAnyAnswer(t *testing.T) {
	for _, c := range []struct{ name, set, answer, updates, failure string }{
		{"a chat completion", `'{{(index .Answer.choices 0).message.content}}'`, `{"choices":[{"message":{"content":"Two \"fine\" sentences."}}]}`, `0:map[name:[{  "Two \"fine\" sentences."}]]; 1:map[name:[{  "Two \"fine\" sentences."}]]`, ""},
		{"our own updates are ignored", `'{{.Answer.text}}'`, `{"text":"x","updates":[{"uuid":"` + firstID + `","values":{}}]}`, `0:map[name:[{  "x"}]]; 1:map[name:[{  "x"}]]`, ""},
		{"an entry", `{data: '{{.Answer.text}}', locale: fr_FR}`, `{"text":"x"}`, `0:map[name:[{fr_FR  "x"}]]; 1:map[name:[{fr_FR  "x"}]]`, ""},
		{"a list", `'{{index .Answer 0}}'`, `["x"]`, `0:map[name:[{  "x"}]]; 1:map[name:[{  "x"}]]`, ""},
		{"what is not there erases nothing", `'{{.Answer.text}}'`, `{"other":"x"}`, "", "holds nothing"},
		{"an empty list of choices", `'{{(index .Answer.choices 0).text}}'`, `{"choices":[]}`, "", "could not be made"},
		{"no JSON", `'{{.Answer.text}}'`, `OK`, "", "not JSON"},
		{"nothing", `'{{.Answer.text}}'`, ``, "", "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newERP(t)
			e.answer = c.answer
			run := press()
			run.Items = run.Items[:2]
			run.Params = json.RawMessage(`{}`)
			result, err := open(t, "url: "+e.URL+"\neach: true\nwrite: {attributes: [name], set: {name: "+c.set+"}}", engine.Secrets{}).Run(t.Context(), run)
			if got := shown(result); err != nil || got != c.updates {
				t.Errorf("%s, %v; want %s", got, err, c.updates)
			}
			if c.failure != "" && (len(result.Failures) != 2 || !strings.Contains(result.Failures[0].Reason, c.failure)) {
				t.Errorf("%v, want %q", result.Failures, c.failure)
			}
		})
	}
}

func TestMistakesInWrite(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"write: {locales: [fr_FR]}", "allows nothing"},
		{"write: {attributes: [name], locales: [French]}", "French"},
		{"write: {attributes: [name], models: all}", "models"},
		{"write: {attributes: [name], set: {name: '{{.Answer.x}}'}}", "one item"},
		{"each: true\nwrite: {attributes: [name], set: {ean: '{{.Answer.x}}'}}", "ean"},
		{"each: true\nwrite: {attributes: [name], set: {name: '{{.Nothing}}'}}", "Nothing"},
		{"write: {attributes: [name], family: true}", "family"},
		{"each: true\njson: {x: '{{.Answer.x}}'}", "Answer"},
	} {
		section, err := config.ParseSection("url: https://erp.example.com\n" + c.yaml)
		if err != nil {
			t.Fatal(err)
		}
		if err := kind().Check(section); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.yaml, err, c.want)
		}
	}
}
