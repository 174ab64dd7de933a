package template_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

var run = engine.Run{
	Action: "send", Job: "job-1", Label: "Export <now>", User: jobs.User{UUID: "u", Username: "julia"},
	Items:  []jobs.Item{{Type: jobs.Product, ID: "p1"}, {Type: jobs.ProductModel, ID: "armor"}},
	Params: json.RawMessage(`{"message":"Tom & Jerry","big":12345678901234567890,"list":["a","b"],"nested":{"x":1}}`), Context: json.RawMessage(`{"locale":"en_US"}`),
	Ended: &jobs.Ended{Outcome: jobs.Partial, Done: 2, Total: 5, Message: "3 are gone"},
	Event: &pimevent.Event{Type: "product.updated", EntityID: "e1", Author: pimevent.Author{Identifier: "julia"}, Raw: []byte(`{"id":"e1"}`)},
}

func TestWhatATemplateSees(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"job", "{{.Label}}, {{.Action}}, {{.Job}}, {{.Count}}", "Export <now>, send, job-1, 2"},
		{"user", "{{.User.Username}} ({{.User.UUID}})", "julia (u)"},
		{"items", "{{range .Items}}{{.Type}}/{{.ID}} {{end}}", "product/p1 product_model/armor "},
		{"params", "{{.Params.message}}", "Tom & Jerry"},
		{"a number stays exact", "{{.Params.big}}", "12345678901234567890"},
		{"a list", `{{join ", " .Params.list}} {{.Params.list}}`, `a, b ["a","b"]`},
		{"a list of one text", `{{join ", " .Label}}`, "Export <now>"},
		{"a list that is not there", `{{join ", " .Params.nobody}}`, ""},
		{"a list of bytes", `{{join ", " .Event.Raw}}`, `{"id":"e1"}`},
		{"an object", "{{.Params.nested}} {{json .Params.nested}}", `{"x":1} {"x":1}`},
		{"what is not there", "[{{.Params.nobody}}] [{{.Context.nobody}}]", "[] []"},
		{"the end of the job before", "{{.Outcome}}: {{.Done}} of {{.Total}}, {{.Failures}} failed", "partial: 2 of 5, 3 failed"},
		{"an event", "{{.Event.Type}} {{.Event.EntityID}} {{.Event.Author.Identifier}}", "product.updated e1 julia"},
		{"conditions", "{{if .Params.message}}yes{{else}}no{{end}}{{with .Params.nobody}}never{{end}}", "yes"},
		{"a variable", "{{$n := .Count}}{{$n}}", "2"},
		{"functions", "{{upper .Action}} {{lower .Label}}", "SEND export <now>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := template.Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Execute(run, nil); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// Every value passes through escape, wherever it stands; the template's own text does not.
func TestEveryValueIsEscapedAndTheTextIsNot(t *testing.T) {
	escape := func(s string) string { return strings.ReplaceAll(s, "<", "&lt;") }
	run := engine.Run{Label: "<now>", Items: []jobs.Item{{ID: "<1>"}, {ID: "<2>"}}, Params: json.RawMessage(`{"list":["<x>"],"map":{"k":"<v>"}}`)}
	for _, c := range []struct{ name, text, want string }{
		{"a value", "<b>{{.Label}}", "<b>&lt;now>"},
		{"range", "<b>{{range .Items}}{{.ID}}{{end}}", "<b>&lt;1>&lt;2>"},
		{"range over a request's list", "{{range .Params.list}}{{.}}{{end}}", "&lt;x>"},
		{"range with variables", "{{range $k, $v := .Params.map}}{{$k}}{{$v}}{{end}}", "k&lt;v>"},
		{"a range's else", "{{range .Params.nobody}}{{else}}{{.Label}}{{end}}", "&lt;now>"},
		{"range in range", "{{range .Items}}{{range $.Items}}{{.ID}}{{end}}{{end}}", "&lt;1>&lt;2>&lt;1>&lt;2>"},
		{"if and else", "{{if .Count}}{{.Label}}{{end}}{{if .Job}}{{else}}{{.Label}}{{end}}", "&lt;now>&lt;now>"},
		{"with and else", "{{with .Label}}{{.}}{{end}}{{with .Job}}{{else}}{{.Label}}{{end}}", "&lt;now>&lt;now>"},
		{"define and template", `{{define "m"}}<i>{{.Label}}{{end}}{{template "m" .}}`, "<i>&lt;now>"},
		{"a template in a template", `{{define "m"}}{{template "n" .}}{{end}}{{define "n"}}{{.Label}}{{end}}{{template "m" .}}`, "&lt;now>"},
		{"block", `{{block "m" .}}{{.Label}}{{end}}`, "&lt;now>"},
		{"a variable", "{{$x := .Label}}{{$x}}", "&lt;now>"},
		{"functions", `{{upper .Label}}{{printf "%s" .Label}}{{join "" .Params.list}}`, "&lt;NOW>&lt;now>&lt;x>"},
		{"json", "{{json .Label}}", `"&lt;now>"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := template.Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Execute(run, escape); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestATextIsBounded(t *testing.T) {
	parsed, err := template.Parse("{{range .Items}}{{$.Params.message}}{{end}}")
	if err != nil {
		t.Fatal(err)
	}
	long := run
	long.Params, _ = json.Marshal(map[string]string{"message": strings.Repeat("x", 200<<10)})
	if _, err := parsed.Execute(long, nil); err == nil {
		t.Error("a text of 400 KB was made")
	}
	label, err := template.Parse("{{.Label}}")
	if err != nil {
		t.Fatal(err)
	}
	for length, fits := range map[int]bool{template.MaxText: true, template.MaxText + 1: false} {
		if got, err := label.Execute(engine.Run{Label: strings.Repeat("x", length)}, nil); (err == nil) != fits || fits && len(got) != length {
			t.Errorf("a text of %d bytes: %d, %v", length, len(got), err)
		}
	}
}

func TestParamsThatAreNoObjectArePermanent(t *testing.T) {
	parsed, _ := template.Parse("x")
	bad := run
	bad.Params = json.RawMessage(`[1]`)
	if _, err := parsed.Execute(bad, nil); err == nil {
		t.Error("accepted")
	}
}

func TestAnEventStandsInItsOwnBytes(t *testing.T) {
	for _, name := range []string{"spaces.json", "escapes.json"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		raw = bytes.TrimSuffix(raw, []byte("\n"))
		run := engine.Run{Key: "k", Action: "send", Subscription: "s", PIM: "main", Event: &pimevent.Event{Raw: raw}}
		for _, withKey := range []bool{false, true} {
			got, err := template.JSON(run, withKey)
			if err != nil || !json.Valid(got) || !bytes.Contains(got, append([]byte(`"event":`), raw...)) {
				t.Errorf("%s: %s, %v", name, got, err)
			}
			if has := bytes.Contains(got, []byte(`,"idempotencyKey":"k/`)); has != withKey {
				t.Errorf("key there: %v", has)
			}
		}
	}
	if _, err := template.JSON(engine.Run{Event: &pimevent.Event{Raw: []byte(`{"a":1} "b":2`)}}, false); err == nil {
		t.Error("what is no JSON was put into JSON")
	}
}

func TestAJobsItemsStandInItsJSON(t *testing.T) {
	for items, want := range map[string][]jobs.Item{
		`[]`:                             nil,
		`[{"type":"product","id":"p1"}]`: {{Type: jobs.Product, ID: "p1"}},
	} {
		got, err := template.JSON(engine.Run{Action: "send", Items: want}, false)
		if err != nil || !strings.Contains(string(got), `"items":`+items) {
			t.Errorf("%s, %v; want items %s", got, err, items)
		}
	}
}

// Each mistake stands at its key's line; no mistake is no error.
func TestMistakesAreProblemsOfTheirSection(t *testing.T) {
	section, err := config.ParseSection("kind: x\ntext: y")
	if err != nil {
		t.Fatal(err)
	}
	if err := template.Problems(section, "text", nil); err != nil {
		t.Errorf("no mistake: %v", err)
	}
	for name, err := range map[string]error{"mistakes": template.Mistakes{"one", "two"}, "another error": errors.New("one")} {
		got := template.Problems(section, "text", err)
		if got == nil || !strings.Contains(got.Error(), "text: one") || strings.Contains(got.Error(), "text: two") != (name == "mistakes") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// One key never carries two contents.
func TestAKeyChangesWithWhatTheConfigurationCanChange(t *testing.T) {
	event := engine.Run{Key: "k", Action: "send", Event: &pimevent.Event{Raw: []byte(`{}`)}}
	renamed := event
	renamed.Action = "forward"
	key := func(run engine.Run) string {
		body, err := template.JSON(run, false)
		if err != nil {
			t.Fatal(err)
		}
		return template.DefaultKey(run, body)
	}
	first, second := key(event), key(event)
	if first == key(renamed) || first != second || !strings.HasPrefix(key(event), "k/") {
		t.Errorf("keys %q and %q", key(event), key(renamed))
	}
	if job := (engine.Run{Key: "job/0-1", Action: "send"}); key(job) != "job/0-1" {
		t.Errorf("a job's action is recorded, and its key is %q", key(job))
	}
}

func TestAKeyIsALegalHeader(t *testing.T) {
	seen := map[string]bool{}
	for _, key := range []string{"api/main/a\nb/s", "api/main/a\x01b/s", "api/main/évènement/s", "api/main/ lead/s", "api/main/lead /s", "api/main/\x7f", "", strings.Repeat("x", 231)} {
		got := template.HeaderKey(key)
		if len(got) != 64 || strings.Trim(got, "0123456789abcdef") != "" || seen[got] {
			t.Errorf("%q became %q", key, got)
		}
		seen[got] = true
		if with := template.Key(key, []byte("body")); !strings.HasPrefix(with, got+"/") {
			t.Errorf("%q with a body became %q", key, with)
		}
	}
	for _, key := range []string{"event-platform/main/018e197c/catalogue", "job-1/0-99", "!~", strings.Repeat("x", 230), "a/b?c#d", "a\"b"} {
		if got := template.HeaderKey(key); got != key {
			t.Errorf("%q became %q", key, got)
		}
	}
}
