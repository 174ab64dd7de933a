package template_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
)

func TestValuesOfAnAddressStayInTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, text, value, want string }{
		{"a segment", "https://x.example/items/{{.Label}}", "a b", "https://x.example/items/a%20b"},
		{"a slash", "https://x.example/items/{{.Label}}", "a/../b", "https://x.example/items/a%2F..%2Fb"},
		{"a question mark", "https://x.example/items/{{.Label}}/x", "a?b=c#d", "https://x.example/items/a%3Fb=c%23d/x"},
		{"a query", "https://x.example/items?q={{.Label}}&z=1", "a&b=c d/é", "https://x.example/items?q=a%26b%3Dc+d%2F%C3%A9&z=1"},
		{"an empty part of a query", "https://x.example/items?q={{.Label}}", "", "https://x.example/items?q="},
		{"a part of a segment", "https://x.example/items/sku-{{.Label}}.json", "", "https://x.example/items/sku-.json"},
		{"no value", "https://x.example/items/", "", "https://x.example/items/"},
		{"a query behind the host", "https://x.example?q={{.Label}}", "a", "https://x.example?q=a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := template.ParseURL(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Execute(engine.Run{Label: c.value}); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// DELETE /items/ is not DELETE /items/{id}.
func TestAnAddressThatAValueWouldChangeIsNotCalled(t *testing.T) {
	for _, c := range []struct{ text, value string }{
		{"https://x.example/items/{{.Label}}", ""}, {"https://x.example/items/{{.Label}}", "."}, {"https://x.example/items/{{.Label}}", ".."},
		{"https://x.example/items/{{.Label}}/x", ""}, {"https://x.example/items/{{.Label}}?q=1", ".."}, {"https://x.example/items/.{{.Label}}", "."},
		{"https://x.example/{{.Label}}{{.Label}}", ""}, {"https://x.example/items/%2e{{.Label}}", "."},
	} {
		parsed, err := template.ParseURL(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.Execute(engine.Run{Label: c.value})
		if _, permanent := errors.AsType[*engine.PermanentError](err); !permanent {
			t.Errorf("%s with %q: %q, %v", c.text, c.value, got, err)
		}
	}
}

func TestSchemeAndHostComeFromTheConfiguration(t *testing.T) {
	for _, text := range []string{"{{.Label}}", "https://{{.Label}}/x", "https://x.{{.Label}}", "{{.Label}}://x.example/", "https://x.example/#{{.Label}}", "https://x.example:{{.Count}}/", "https://{{.Params.host}}/x"} {
		if _, err := template.ParseURL(text); err == nil || !strings.Contains(err.Error(), "path") {
			t.Errorf("%s: %v", text, err)
		}
	}
	// A branch that the trial does not take is refused when it runs.
	parsed, err := template.ParseURL("https://x.example{{if .Params.port}}:{{.Params.port}}{{end}}/x")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parsed.Execute(engine.Run{Params: json.RawMessage(`{"port":1}`)}); err == nil {
		t.Errorf("%q", got)
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"a", "..", "/", "?", "#", "%2e", "@evil.example", "\\", "é", "\x00", "a;b"} {
		f.Add(seed)
	}
	parsed, err := template.ParseURL("https://x.example/items/{{.Label}}/y?q={{.Label}}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := parsed.Execute(engine.Run{Label: value})
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Host != "x.example" || u.Path != "/items/"+value+"/y" || u.Query().Get("q") != value || u.Fragment != "" {
			t.Errorf("%q made %q: %v", value, got, err)
		}
		if segments := strings.Split(u.EscapedPath(), "/"); len(segments) != 4 {
			t.Errorf("%q made %q", value, got)
		}
	})
}
