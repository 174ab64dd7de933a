package template_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

var run = engine.Run{
	Action: "send", Job: "job-1", Label: "Export <now>", User: jobs.User{UUID: "u", Username: "julia"},
	Items:  []jobs.Item{{Type: jobs.Product, ID: "p1"}, {Type: jobs.ProductModel, ID: "armor"}},
	Params: json.RawMessage(`{"message":"Tom & Jerry","big":12345678901234567890,"list":["a","b"],"nested":{"x":1}}`), Context: json.RawMessage(`{"locale":"en_US"}`),
	Ended: &jobs.Ended{Outcome: jobs.Partial, Done: 2, Total: 5},
	Event: &pimevent.Event{Type: "product.updated", EntityID: "e1", Author: pimevent.Author{Identifier: "julia"}},
}

func TestWhatATemplateSees(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"job", "{{.Label}}, {{.Action}}, {{.Job}}, {{.Count}}", "Export <now>, send, job-1, 2"},
		{"user", "{{.User.Username}} ({{.User.UUID}})", "julia (u)"},
		{"items", "{{range .Items}}{{.Type}}/{{.ID}} {{end}}", "product/p1 product_model/armor "},
		{"params", "{{.Params.message}}", "Tom & Jerry"},
		{"a number stays exact", "{{.Params.big}}", "12345678901234567890"},
		{"a list", `{{join ", " .Params.list}} {{.Params.list}}`, `a, b ["a","b"]`},
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

func TestValuesAreEscapedAndTheTextIsNot(t *testing.T) {
	parsed, err := template.Parse("<b>{{.Label}}</b>{{range .Items}}{{.ID}}{{end}}")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.Execute(run, func(s string) string { return strings.ReplaceAll(s, "<", "&lt;") })
	if want := "<b>Export &lt;now></b>p1armor"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestATextThatCannotWorkIsRefusedEarly(t *testing.T) {
	for _, text := range []string{"{{.Nope}}", "{{.User.Email}}", "{{", "{{unknown}}", "{{_value 1}}{{"} {
		if _, err := template.Parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
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
}

func TestParamsThatAreNoObjectArePermanent(t *testing.T) {
	parsed, _ := template.Parse("x")
	bad := run
	bad.Params = json.RawMessage(`[1]`)
	if _, err := parsed.Execute(bad, nil); err == nil {
		t.Error("accepted")
	}
}
