package template_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

const contentType = "application/json"

func TestValuesOfABodyAreEscapedForTheirPlace(t *testing.T) {
	run := engine.Run{
		Action: "send", Label: `12" <pipe>`, Items: []jobs.Item{{Type: jobs.ProductModel, ID: `12" pipe`}, {Type: jobs.Product, ID: "b"}},
		Params: json.RawMessage(`{"evil":"x\",\"approved\":true,\"by\":\"admin","end":"\\","lines":"a\nb","n":7,"raw":"1,\"a\":2"}`),
		Event:  &pimevent.Event{Time: time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC), Raw: []byte(`{"id": 1}`)},
	}
	for _, c := range []struct{ name, text, want string }{
		{"inside quotes", `{"m":"{{.Params.evil}}"}`, `{"m":"x\",\"approved\":true,\"by\":\"admin"}`},
		{"a backslash at the end", `{"m":"{{.Params.end}}"}`, `{"m":"\\"}`},
		{"a line break", `{"m":"{{.Params.lines}}"}`, `{"m":"a\nb"}`},
		{"between others", `{"m":"a {{.Params.end}} b {{.Params.evil}} c"}`, `{"m":"a \\ b x\",\"approved\":true,\"by\":\"admin c"}`},
		{"outside of quotes", `{"m":{{.Params.evil}},"n":{{.Params.n}},"o":{{.Params.nobody}},"c":{{.Count}}}`, `{"m":"x\",\"approved\":true,\"by\":\"admin","n":7,"o":null,"c":2}`},
		{"a text that looks like more", `{"n":{{.Params.raw}}}`, `{"n":"1,\"a\":2"}`},
		{"a list", `{"ids":[{{range $i, $x := .Items}}{{if $i}},{{end}}"{{$x.ID}}"{{end}}]}`, `{"ids":["12\" pipe","b"]}`},
		{"json outside", `{"items":{{json .Items}},"who":{{json .Label}}}`, `{"items":[{"type":"product_model","id":"12\" pipe"},{"type":"product","id":"b"}],"who":"12\" <pipe>"}`},
		{"json inside quotes", `{"items":"{{json .Label}}"}`, `{"items":"\"12\\\" <pipe>\""}`},
		{"a define inside quotes", `{{define "m"}}{{.Params.evil}}{{end}}{"m":"{{template "m" .}}"}`, `{"m":"x\",\"approved\":true,\"by\":\"admin"}`},
		{"behind an escaped quote", `{"m":"\"{{.Label}}\""}`, `{"m":"\"12\" <pipe>\""}`},
		{"a key", `{"{{.Label}}":1}`, `{"12\" <pipe>":1}`},
		{"times", `{"t":"{{.Event.Time}}","u":{{.Event.Time}}}`, `{"t":"2026-11-25T10:00:00Z","u":"2026-11-25T10:00:00Z"}`},
		{"an event's own bytes", `{"e":{{json .Event.Raw}}}`, `{"e":{"id":1}}`},
		{"a named text", `{"t":{{(index .Items 0).Type}}}`, `{"t":"product_model"}`},
		{"an object", `{"i":{{index .Items 1}}}`, `{"i":{"type":"product","id":"b"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := template.ParseBody(c.text, contentType)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsed.Execute(run)
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestABodyThatIsNotValidJSONIsNotSent(t *testing.T) {
	for _, text := range []string{
		`{"a":{{if .Params.x}}1{{end}}}`, `{"a":"\{{.Params.x}}"}`, `{"a":"{{if .Params.x}}"{{end}}}`, `{"a":1}{{.Params.x}}`, `{{if .Params.x}}{}{{end}}`,
	} {
		parsed, err := template.ParseBody(text, contentType)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := parsed.Execute(engine.Run{})
		permanent, ok := errors.AsType[*engine.PermanentError](err)
		if !ok || !strings.Contains(permanent.Reason, "nothing was sent") {
			t.Errorf("%s made %s, %v", text, got, err)
		}
	}
}

// Behind a backslash a value would be read as something else, and its first quote would end the text.
func TestAValueBehindABackslashIsNotSent(t *testing.T) {
	parsed, err := template.ParseBody(`{"a":"\{{.Params.x}}"}`, contentType)
	if err != nil {
		t.Fatal(err)
	}
	for _, params := range []string{`{"x":"n"}`, `{"x":"\",\"b\":\"c"}`, `{}`} {
		if got, err := parsed.Execute(engine.Run{Params: json.RawMessage(params)}); err == nil {
			t.Errorf("%s made %s", params, got)
		}
	}
}

func TestABodyThatCannotBeJSONIsFoundBeforeItRuns(t *testing.T) {
	for _, text := range []string{`{"a":}`, `{"a":{{.Label}}`, `{'a':1}`, `text={{.Label}}`, `{"ids":[{{range .Items}}"{{.ID}}",{{end}}]}`, ``} {
		if _, err := template.ParseBody(text, contentType); err == nil || !strings.Contains(err.Error(), "not valid JSON") {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := template.ParseBody(text, "text/plain"); err != nil {
			t.Errorf("%s as a text: %v", text, err)
		}
	}
}

func TestABodyOfAnotherTypeIsEscapedAsItWants(t *testing.T) {
	const evil = `<b> & "x" a=b`
	params, _ := json.Marshal(map[string]string{"v": evil})
	for _, c := range []struct{ contentType, text, want string }{
		{"text/plain; charset=utf-8", "{{.Params.v}}", evil},
		{"application/xml", "<v>{{.Params.v}}</v>", `<v>&lt;b&gt; &amp; &#34;x&#34; a=b</v>`},
		{"application/soap+xml; charset=utf-8", "<v>{{html .Params.v}}</v>", `<v>&lt;b&gt; &amp; &#34;x&#34; a=b</v>`},
		{"application/x-www-form-urlencoded", "v={{.Params.v}}", "v=" + url.QueryEscape(evil)},
		{"application/vnd.api+json", `{"v":"{{.Params.v}}"}`, `{"v":"<b> & \"x\" a=b"}`},
		{"application/x-ndjson", "{\"v\":\"{{.Params.v}}\"}\n{\"n\":{{.Params.nobody}}}\n", "{\"v\":\"<b> & \\\"x\\\" a=b\"}\n{\"n\":null}\n"},
	} {
		parsed, err := template.ParseBody(c.text, c.contentType)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parsed.Execute(engine.Run{Params: params}); err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.contentType, got, err, c.want)
		}
	}
}

func TestAFormKeepsItsFields(t *testing.T) {
	form, err := template.ParseForm(map[string]any{"grant": "x", "label": "{{.Label}}", "ids": []any{"{{(index .Items 0).ID}}", "b"}, "n": 7, "yes": true, "no": nil})
	if err != nil {
		t.Fatal(err)
	}
	got, err := form.Execute(engine.Run{Label: "a&b=c\n+ é", Items: []jobs.Item{{ID: "&n=8"}}})
	if err != nil {
		t.Fatal(err)
	}
	values, err := url.ParseQuery(string(got))
	if err != nil || len(values) != 6 || values.Get("label") != "a&b=c\n+ é" || values["ids"][0] != "&n=8" || values["ids"][1] != "b" || values.Get("n") != "7" || values.Get("yes") != "true" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := template.ParseForm(map[string]any{"a": "{{.Nope}}", "b": map[string]any{}, "{{.Label}}": "x"}); err == nil || strings.Count(err.Error(), ";") != 2 {
		t.Errorf("%v", err)
	}
}

// FuzzBody: whatever a value holds, the body has the fields that its template has.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"a", `"`, `\`, `","x":"y`, "\n", "\u2028", "{{.Label}}", "\xff"} {
		f.Add(seed)
	}
	body, err := template.ParseBody(`{"a":"x{{.Label}}","b":{{.Label}},"c":["{{.Label}}"]}`, contentType)
	if err != nil {
		f.Fatal(err)
	}
	markup, err := template.ParseBody(`<r><a>{{.Label}}</a></r>`, "text/xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := body.Execute(engine.Run{Label: value})
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if json.Unmarshal(got, &fields) != nil || len(fields) != 3 {
			t.Errorf("%q made %s", value, got)
		}
		if fields["a"] != "x"+strings.ToValidUTF8(value, "\ufffd") && strings.ToValidUTF8(value, "") == value {
			t.Errorf("%q came out as %q", value, fields["a"])
		}
		got, err = markup.Execute(engine.Run{Label: value})
		var element struct {
			XMLName xml.Name
			A       []string `xml:"a"`
		}
		if err != nil || xml.Unmarshal(got, &element) != nil || len(element.A) != 1 {
			t.Errorf("%q made %s", value, got)
		}
	})
}
