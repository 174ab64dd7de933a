package template

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/engine"
)

// FormType is the content type of a Form.
const FormType = "application/x-www-form-urlencoded"

// Form is a body of names and values, as browsers send them (WHATWG URL, application/x-www-form-urlencoded). Each value
// is a template, or a list of them for a name that comes more than once. Names are sorted.
type Form struct {
	scope  Scope
	fields map[string][]*Template
}

// ParseForm reads a Form from what YAML holds. Its error is a Mistakes with all that is wrong.
func (s Scope) ParseForm(fields map[string]any) (*Form, error) {
	f := &Form{scope: s, fields: map[string][]*Template{}}
	var mistakes Mistakes
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		values, many := fields[name].([]any)
		if !many {
			values = []any{fields[name]}
		}
		if strings.Contains(name, "{{") {
			mistakes = append(mistakes, name+": a name takes no template")
		}
		for _, value := range values {
			switch value.(type) {
			case string, bool, int, int64, uint64, float64:
			case nil:
				value = ""
			default:
				mistakes = append(mistakes, name+": is neither a text nor a number nor a truth value")
				continue
			}
			parsed, wrong := s.parse(plain(value))
			for _, mistake := range wrong {
				mistakes = append(mistakes, name+": "+mistake)
			}
			f.fields[name] = append(f.fields[name], parsed)
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return f, nil
}

// Execute makes the body of a run. The same run always gives the same bytes.
func (f *Form) Execute(run engine.Run) ([]byte, error) {
	data, _, err := f.scope.data(run)
	if err != nil {
		return nil, err
	}
	values := url.Values{}
	for name, templates := range f.fields {
		for _, each := range templates {
			text, err := each.text(data, nil)
			if err != nil {
				return nil, err
			}
			values.Add(name, text)
		}
	}
	return []byte(values.Encode()), nil
}
