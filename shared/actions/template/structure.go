package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/engine"
)

// MaxBody is the most bytes of a body that is made of many templates. One that is larger fails its batch.
const MaxBody = 5 << 20

// Structure is a JSON value whose texts are templates. A text cannot break out of its place, whatever it holds. Markers
// make other values of a text, each a mapping with one key alone:
//
//	{number: '{{…}}'}   a JSON number
//	{boolean: '{{…}}'}  true or false
//	{json: '{{…}}'}     any JSON value
//	{items: …}          an array: the value once per item of the run, whose templates see .Item and .Product too
//
// A marker whose text is empty is null; one that is not what it says fails the batch. The keys of mappings are sorted.
type Structure struct {
	scope Scope
	root  node
}

// node makes the JSON value of one place. many is what it repeats over.
type node func(data any, many Data) (any, error)

// ParseJSON reads a Structure from what YAML holds. Its error is a Mistakes with all that is wrong.
func (s Scope) ParseJSON(value any) (*Structure, error) {
	p := &structureParser{}
	root := p.parse("", value, s)
	if len(p.mistakes) > 0 {
		return nil, p.mistakes
	}
	return &Structure{s, root}, nil
}

// Execute makes the JSON of a run. The same run always gives the same bytes.
func (s *Structure) Execute(run engine.Run) ([]byte, error) {
	data, many, err := s.scope.data(run)
	if err != nil {
		return nil, err
	}
	value, err := s.root(data, many)
	if err != nil {
		return nil, err
	}
	text, err := toJSON(value)
	if err != nil {
		return nil, engine.Permanent("the request could not be written", fmt.Errorf("encode: %w", err))
	}
	if len(text) > MaxBody {
		return nil, engine.Permanent(fmt.Sprintf("the request would be longer than %d MB: nothing was sent", MaxBody>>20), nil)
	}
	return []byte(text), nil
}

type structureParser struct{ mistakes Mistakes }

func (p *structureParser) errorf(at, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if at != "" {
		text = at + ": " + text
	}
	p.mistakes = append(p.mistakes, text)
}

// parse reads the value at a path, whose templates stand in a scope.
func (p *structureParser) parse(at string, value any, scope Scope) node {
	switch value := value.(type) {
	case nil, bool, int, int64, uint64:
		return fixed(value)
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) || math.Abs(value) >= 1<<53 {
			p.errorf(at, "JSON has no such number, or it would be rounded: write {number: \"…\"}")
		}
		return fixed(value)
	case string:
		return p.text(at, value, scope, func(text string) (any, error) { return text, nil })
	case []any:
		parts := make([]node, len(value))
		for i, each := range value {
			parts[i] = p.parse(fmt.Sprintf("%s[%d]", at, i), each, scope)
		}
		return func(data any, many Data) (any, error) {
			made := make([]any, len(parts))
			for i, part := range parts {
				one, err := part(data, many)
				if err != nil {
					return nil, err
				}
				made[i] = one
			}
			return made, nil
		}
	case map[string]any:
		return p.mapping(at, value, scope)
	}
	p.errorf(at, "a %s is no JSON value: put it in quotes", kindOf(value))
	return fixed(nil)
}

func (p *structureParser) mapping(at string, value map[string]any, scope Scope) node {
	if len(value) == 1 {
		for key, inner := range value {
			if convert, ok := markers[key]; ok {
				return p.marker(at, key, inner, scope, convert)
			}
			if key == "items" {
				return p.items(at, inner, scope)
			}
		}
	}
	parts := make(map[string]node, len(value))
	for _, key := range slices.Sorted(maps.Keys(value)) {
		if strings.Contains(key, "{{") {
			p.errorf(at, "the key %q takes no template", key)
		}
		parts[key] = p.parse(strings.TrimPrefix(at+"."+key, "."), value[key], scope)
	}
	return func(data any, many Data) (any, error) {
		made := make(map[string]any, len(parts))
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			one, err := parts[key](data, many)
			if err != nil {
				return nil, err
			}
			made[key] = one
		}
		return made, nil
	}
}

func (p *structureParser) marker(at, name string, value any, scope Scope, convert func(string) (any, error)) node {
	text, ok := value.(string)
	if !ok {
		if _, composite := value.(map[string]any); composite || value == nil {
			p.errorf(at, "%s takes a text", name)
			return fixed(nil)
		}
		text = fmt.Sprint(value)
	}
	return p.text(at, text, scope, func(text string) (any, error) {
		if text = strings.TrimSpace(text); text == "" {
			return nil, nil
		}
		made, err := convert(text)
		if err != nil {
			return nil, engine.Permanent(fmt.Sprintf("%s is not %v: nothing was sent", or(at, "the body"), err), nil)
		}
		return made, nil
	})
}

func (p *structureParser) items(at string, value any, scope Scope) node {
	if scope.Each {
		p.errorf(at, "items stands inside of items, or with each: true, where there is one item alone")
		return fixed(nil)
	}
	scope.Each = true
	part := p.parse(strings.TrimPrefix(at+".items", "."), value, scope)
	return func(_ any, many Data) (any, error) {
		made := make([]any, len(many.Items))
		for i := range many.Items {
			one, err := part(many.item(i), many)
			if err != nil {
				return nil, err
			}
			made[i] = one
		}
		return made, nil
	}
}

// text is a leaf: a template, and what is made of its text.
func (p *structureParser) text(at, text string, scope Scope, convert func(string) (any, error)) node {
	if !strings.Contains(text, "{{") {
		made, err := convert(text)
		if err != nil {
			reason, _ := engine.Refused(err)
			p.mistakes = append(p.mistakes, strings.TrimSuffix(reason, ": nothing was sent"))
		}
		return fixed(made)
	}
	parsed, mistakes := scope.parse(text)
	for _, mistake := range mistakes {
		p.errorf(at, "%s", mistake)
	}
	return func(data any, _ Data) (any, error) {
		made, err := parsed.text(data, nil)
		if err != nil {
			return nil, err
		}
		return convert(made)
	}
}

func fixed(value any) node { return func(any, Data) (any, error) { return value, nil } }

// markers turn a text that is not empty into the value that they name.
var markers = map[string]func(string) (any, error){"number": asNumber, "boolean": asBoolean, "json": asJSON}

type conversionError string

func (e conversionError) Error() string { return string(e) }

func asNumber(text string) (any, error) {
	if !json.Valid([]byte(text)) || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return nil, conversionError("a number")
	}
	return json.Number(text), nil
}

func asBoolean(text string) (any, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, conversionError("true or false")
}

func asJSON(text string) (any, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return nil, conversionError("JSON")
	}
	return json.RawMessage(compact.Bytes()), nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func kindOf(value any) string {
	if _, ok := value.(map[any]any); ok {
		return "mapping with keys that are no texts"
	}
	return "date or binary"
}
