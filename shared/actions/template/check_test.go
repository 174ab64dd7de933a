package template_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
)

// A mistake is found by reading the template, in whatever branch it stands.
func TestMistakesAreFoundInEveryBranch(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a field", "{{.Nope}}", `there is no "Nope"`},
		{"a nested field", "{{.User.Email}}", `there is no "Email"`},
		{"a field of a text", "{{.Label.Nope}}", `there is no "Nope"`},
		{"inside range", "{{range .Items}}{{.Sku}}{{end}}", `there is no "Sku"`},
		{"inside range, by a variable", "{{range $i, $x := .Items}}{{$x.Sku}}{{end}}", `there is no "Sku"`},
		{"in a range's else", "{{range .Items}}{{else}}{{.Nope}}{{end}}", `there is no "Nope"`},
		{"in an if", "{{if .Nope}}x{{end}}", `there is no "Nope"`},
		{"inside an if that a press does not reach", "{{if .Params.x}}{{.Nope}}{{end}}", `there is no "Nope"`},
		{"in its else", "{{if .Count}}{{else}}{{.Nope}}{{end}}", `there is no "Nope"`},
		{"in an else if", "{{if .Count}}{{else if .Params.a}}{{.Nope}}{{end}}", `there is no "Nope"`},
		{"inside with", "{{with .User}}{{.Email}}{{end}}", `there is no "Email"`},
		{"in a define", `{{define "m"}}{{.Nope}}{{end}}{{template "m" .}}`, `there is no "Nope"`},
		{"in a block", `{{block "m" .User}}{{.Email}}{{end}}`, `there is no "Email"`},
		{"a template that is not there", `{{template "m" .}}`, `there is no template "m"`},
		{"in an argument", `{{json .Nope}}`, `there is no "Nope"`},
		{"in parentheses", `{{len (.Nope)}}`, `there is no "Nope"`},
		{"in a pipeline", `{{.Nope | json}}`, `there is no "Nope"`},
		{"by a variable of a variable", `{{$u := .User}}{{$u.Email}}`, `there is no "Email"`},
		{"by a variable that is declared anew", `{{$x := .Label}}{{$x := .User}}{{$x.Email}}`, `there is no "Email"`},
		{"by a variable that is assigned the same type", `{{$x := .User}}{{$x = .User}}{{$x.Email}}`, `there is no "Email"`},
		{"two arguments, one of them piped", `{{.Label | lower .Label}}`, "lower has 2 arguments"},
		{"by the root", `{{range .Items}}{{$.Nope}}{{end}}`, `there is no "Nope"`},
		{"a method's argument", `{{.Event.Time.Format}}`, "Format has 0 arguments"},
		{"a function's argument", `{{upper}}`, "upper has 0 arguments"},
		{"two arguments too many", `{{lower .Label .Label}}`, "lower has 2 arguments"},
		{"range over a text", `{{range .Label}}{{end}}`, "range cannot go over string"},
		{"an unknown function", `{{nope 1}}`, `function "nope" not defined`},
		{"our own function", `{{_value 1}}`, `function "_value" not defined`},
		{"not closed", "{{", "unclosed action"},
		{"fails whatever comes", `{{slice .Label 1 100}}{{printf "%s"}}{{lt .User .User}}`, ""},
		{"values that cannot be compared", `{{lt .User .User}}`, "it fails"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := template.Parse(c.text); c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	_, err := template.Parse("{{.One}}{{if .Two}}{{range .Items}}{{.Three}}{{end}}{{end}}{{.One}}")
	if mistakes, ok := err.(template.Mistakes); !ok || len(mistakes) != 3 {
		t.Errorf("%v", err)
	}
}

// What only a request tells is no mistake.
func TestWhatOnlyARequestTellsPasses(t *testing.T) {
	for _, text := range []string{
		"{{.Params.list}} {{len .Params.list}} {{index .Items 0}}", "{{.Params.a.b.c}}", "{{range .Params.list}}{{.x}}{{end}}", "{{with .Context.locale}}{{.}}{{end}}",
		"{{if gt .Params.qty 5}}many{{end}}", "{{index .Params.list 3}}", "{{range $k, $v := .Params}}{{$k}}={{$v.x}}{{end}}", "{{(index .Items 0).ID}}",
		"{{.Event.Time.Format \"2006\"}}", "{{.Event.Notice.Reason}}", "{{range .Event.Changes}}{{.Name}}{{end}}", "{{and .Count .Params.x}}", "{{not .Label}}",
		"{{.Label | lower}}", `{{printf "x"}}`, "{{$x := .Label}}{{$x = .User}}{{$x.Username}}",
		"{{$x := .Params.a}}{{$x.b}}", "{{range 3}}{{.}}{{end}}", `{{define "m"}}{{.x}}{{end}}{{template "m" .Params}}`, `{{.User.Username | printf "%s-%d" .Label}}`, "",
	} {
		if _, err := template.Parse(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"{{.Label}}", "{{range .Items}}{{.ID}}{{end}}", `{{define "m"}}{{template "m" .}}{{end}}{{template "m" .}}`, "{{$x := .}}{{$x.Label}}", "{{if .Params.x}}{{break}}{{end}}", "{{range .}}{{end}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if parsed, err := template.Parse(text); err == nil {
			_, _ = parsed.Execute(run, nil)
		}
	})
}
