package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"text/template"
	"time"
)

// functions are what a template has besides the language's own: json (a value as JSON), upper, lower, join; and in place
// of the language's own comparisons those that know JSON's numbers.
var functions = template.FuncMap{
	"json": toJSON, "upper": upper, "lower": lower, "join": join, "html": html, "printf": printf,
	"eq": equal, "ne": unequal, "lt": less, "le": atMost, "gt": greater, "ge": atLeast,
}

// Texts that are escaped already for one place: a template's author asked for it.
type (
	encoded string // JSON
	markup  string // HTML or XML
)

func upper(v any) string { return strings.ToUpper(plain(v)) }
func lower(v any) string { return strings.ToLower(plain(v)) }

func html(values ...any) markup { return markup(template.HTMLEscaper(values...)) }

// plain prints a value; what is not there prints as nothing, a time as RFC 3339, and what has parts as JSON.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case encoded:
		return string(v)
	case []byte:
		return string(v)
	case json.RawMessage:
		return string(v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.Format(time.RFC3339Nano)
	case map[string]any, []any:
		text, err := toJSON(v)
		if err != nil {
			return ""
		}
		return string(text)
	}
	return fmt.Sprint(v)
}

// toJSON writes a value as JSON, without escapes for HTML. Bytes are taken for JSON: those of an event.
func toJSON(v any) (encoded, error) {
	if raw, ok := v.([]byte); ok {
		v = json.RawMessage(raw)
	}
	if text, ok := v.(encoded); ok {
		return text, nil
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", errors.New("value has no JSON form")
	}
	return encoded(strings.TrimSuffix(text.String(), "\n")), nil
}

// join puts a separator between the elements of a list.
func join(separator string, list any) string {
	value := reflect.ValueOf(list)
	if _, raw := list.([]byte); raw || !value.IsValid() || value.Kind() != reflect.Slice {
		return plain(list)
	}
	words := make([]string, value.Len())
	for i := range words {
		words[i] = plain(value.Index(i).Interface())
	}
	return strings.Join(words, separator)
}

// printf is the language's own, for which JSON's numbers are numbers.
func printf(format string, values ...any) string {
	for i, value := range values {
		if n, ok := value.(json.Number); ok {
			values[i] = printed(n)
		}
	}
	return fmt.Sprintf(format, values...)
}

// printed is a JSON number that %d, %f and their like print as a number, and all else as it was written.
type printed json.Number

// Format implements fmt.Formatter.
func (p printed) Format(state fmt.State, verb rune) {
	n := json.Number(p)
	if strings.ContainsRune("eEfFgG", verb) {
		if f, err := n.Float64(); err == nil {
			_, _ = fmt.Fprintf(state, fmt.FormatString(state, verb), f)
			return
		}
	}
	_, _ = fmt.Fprintf(state, fmt.FormatString(state, 's'), string(p))
}
