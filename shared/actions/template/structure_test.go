package template_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// structure reads the key json of a section, as kinds do.
func structure(t *testing.T, yaml string) (*template.Structure, error) {
	t.Helper()
	section, err := config.ParseSection(yaml)
	if err != nil {
		t.Fatal(err)
	}
	var options struct {
		JSON any `yaml:"json"`
	}
	if err := section.Decode(&options); err != nil {
		t.Fatal(err)
	}
	return template.ParseJSON(options.JSON)
}

func TestAStructureBecomesJSON(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"texts", `json: {who: "{{.User.Username}}", label: "<{{.Label}}>"}`, `{"label":"<Export <now>>","who":"julia"}`},
		{"fixed values", `json: {a: 1, b: true, c: null, d: 1.5, e: text, f: [1, {g: x}]}`, `{"a":1,"b":true,"c":null,"d":1.5,"e":"text","f":[1,{"g":"x"}]}`},
		{"a number", `json: {n: {number: "{{.Params.big}}"}}`, `{"n":12345678901234567890}`},
		{"numbers of every kind", `json: [{number: "0"}, {number: "9.5"}, {number: "-1"}, {number: 7}, 9007199254740991.0]`, `[0,9.5,-1,7,9007199254740991]`},
		{"a boolean", `json: {b: {boolean: "{{eq .Count 2}}"}}`, `{"b":true}`},
		{"any value", `json: {v: {json: "{{json .Params.nested}}"}}`, `{"v":{"x":1}}`},
		{"empty is null", `json: {n: {number: "{{.Params.nobody}}"}, b: {boolean: " "}, v: {json: "{{.Params.nobody}}"}, t: "{{.Params.nobody}}"}`, `{"b":null,"n":null,"t":"","v":null}`},
		{"a fixed marker", `json: {n: {number: "7"}, m: {number: 8}, v: {json: "[1, 2]"}}`, `{"m":8,"n":7,"v":[1,2]}`},
		{"items", `json: {items: {id: "{{.Item.ID}}", type: "{{.Item.Type}}", by: "{{.User.Username}}"}}`, `[{"by":"julia","id":"p1","type":"product"},{"by":"julia","id":"armor","type":"product_model"}]`},
		{"items inside", `json: {ids: {items: "{{.Item.ID}}"}, n: {number: "{{.Count}}"}}`, `{"ids":["p1","armor"],"n":2}`},
		{"a key beside a marker's is a mapping", `json: {number: "7", of: x}`, `{"number":"7","of":"x"}`},
		{"a text alone", `json: "{{.Label}}"`, `"Export <now>"`},
		{"an empty mapping", `json: {a: {}, b: []}`, `{"a":{},"b":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := structure(t, c.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Execute(run); err != nil || string(got) != c.want {
				t.Errorf("%s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestAMarkerThatIsNotWhatItSaysFailsTheBatch(t *testing.T) {
	for _, yaml := range []string{
		`json: {n: {number: "{{.Label}}"}}`, `json: {n: {number: "{{.User.Username}} 1"}}`, `json: {b: {boolean: "{{.Label}}"}}`, `json: {v: {json: "{{.Label}}"}}`,
		`json: {n: {number: "1,\"approved\":{{.Count}}"}}`, `json: {v: {json: "1 {{.Count}}"}}`, `json: {n: {number: "0x{{.Count}}"}}`, `json: {n: {number: "NaN{{.Params.nobody}}"}}`,
	} {
		parsed, err := structure(t, yaml)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.Execute(run)
		permanent, ok := errors.AsType[*engine.PermanentError](err)
		if !ok || !strings.Contains(permanent.Reason, "nothing was sent") {
			t.Errorf("%s made %s, %v", yaml, got, err)
		}
	}
}

func TestAStructureIsBounded(t *testing.T) {
	parsed, err := structure(t, `json: {items: "{{.Label}}"}`)
	if err != nil {
		t.Fatal(err)
	}
	large := engine.Run{Label: strings.Repeat("x", 6<<10), Items: make([]jobs.Item, 1000)}
	if got, err := parsed.Execute(large); err == nil {
		t.Errorf("a body of %d bytes was made", len(got))
	}
	for length, fits := range map[int]bool{template.MaxBody - len(`[""]`): true, template.MaxBody - len(`[""]`) + 1: false} {
		exact, err := template.ParseJSON([]any{strings.Repeat("x", length)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := exact.Execute(engine.Run{}); (err == nil) != fits {
			t.Errorf("a text of %d bytes: %v", length, err)
		}
	}
	large.Items = large.Items[:800]
	if _, err := parsed.Execute(large); err != nil {
		t.Error(err)
	}
}

func TestMistakesOfAStructureNameTheirPlace(t *testing.T) {
	for yaml, want := range map[string]string{
		`json: {a: {b: ["{{.Nope}}"]}}`:                `a.b[0]: there is no "Nope"`,
		`json: {a: "{{.Item.ID}}"}`:                    `a: there is no "Item"`,
		`json: {a: {items: {b: "{{.Item.Sku}}"}}}`:     `a.items.b: there is no "Sku"`,
		`json: {a: {items: {items: x}}}`:               "items stands inside of items",
		`json: {"{{.Label}}": x}`:                      "takes no template",
		`json: {a: {number: {b: 1}}}`:                  "a: number takes a text",
		`json: {a: {number: seven}}`:                   "a is not a number",
		`json: {a: {boolean: "yes"}}`:                  "a is not true or false",
		`json: {a: {json: "{"}}`:                       "a is not JSON",
		`json: {a: 2026-11-25}`:                        "put it in quotes",
		`json: {a: .nan}`:                              "JSON has no such number",
		`json: {a: -.inf}`:                             "JSON has no such number",
		`json: {a: 9007199254740992.0}`:                "would be rounded",
		`json: {a: {number: "true"}}`:                  "a is not a number",
		`json: {a: {number: "[1]"}}`:                   "a is not a number",
		`json: {a: {number: '"1"'}}`:                   "a is not a number",
		`json: {a: {number: "1x"}}`:                    "a is not a number",
		`json: {a: .inf}`:                              "JSON has no such number",
		`json: {a: 123456789012345678901234}`:          "would be rounded",
		`json: {a: {1: x}}`:                            "put it in quotes",
		`json: {a: "{{.One}}", b: ["{{.Two}}"], c: ~}`: `there is no "Two"`,
	} {
		_, err := structure(t, yaml)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", yaml, err, want)
		}
	}
	_, err := structure(t, `json: {a: "{{.One}}", b: "{{.Two}}"}`)
	if mistakes, _ := errors.AsType[template.Mistakes](err); len(mistakes) != 2 {
		t.Errorf("not all at once: %v", err)
	}
}

// randomValue is any JSON value, with what breaks texts that are put together: quotes, braces, line ends, template marks.
func randomValue(r *rand.Rand, depth int) any {
	text := func() string {
		pieces := []string{`"`, `\`, `{`, `}`, `{{.Label}}`, "\n", "\r\n", "\u2028", "<!channel>", ",", ":", "é", "😀", "\x00", "a", `","x":"`, "&amp;", "</script>", "null", "1"}
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	kind := r.IntN(7)
	if depth > 3 {
		kind %= 5
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return json.Number(fmt.Sprint(r.Int64()-r.Int64()) + []string{"", ".5", "e3", ".250"}[r.IntN(4)])
	case 3, 4:
		return text()
	case 5:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth+1)
		}
		return list
	}
	object := map[string]any{}
	for range r.IntN(4) {
		object[text()] = randomValue(r, depth+1)
	}
	return object
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// Whatever a request brings comes out as the same value, in structures and in texts sent as JSON.
func TestEveryJSONValueComesOutAsItWentIn(t *testing.T) {
	parsed, err := structure(t, `json: {value: {json: "{{json .Params.v}}"}, text: "{{.Params.s}}", in: ["{{.Params.s}}"]}`)
	if err != nil {
		t.Fatal(err)
	}
	body, err := template.ParseBody(`{"value": {{.Params.v}}, "text": {{.Params.s}}, "in": ["{{.Params.s}}"]}`, "application/json")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(11, 26))
	for range 10_000 {
		value := randomValue(r, 0)
		text, _ := randomValue(rand.New(rand.NewPCG(r.Uint64(), 1)), 9).(string)
		params, err := json.Marshal(map[string]any{"v": value, "s": text})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"value": value, "text": text, "in": []any{text}}
		for name, make := range map[string]func(engine.Run) ([]byte, error){"json": parsed.Execute, "body": body.Execute} {
			got, err := make(engine.Run{Params: params})
			if err != nil {
				t.Fatalf("%s of %s: %v", name, params, err)
			}
			if !reflect.DeepEqual(decoded(t, got), want) {
				t.Fatalf("%s of %s\nmade %s", name, params, got)
			}
		}
	}
}
