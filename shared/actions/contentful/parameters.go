package contentful

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// parameters of an App Action, by ID. Contentful knows four types: Symbol and Enum are texts, Number and Boolean are
// written as they are, or made by a template that says so.
type parameters map[string]parameter

type parameter struct {
	fixed    any                // a number or a truth value of the file
	template *template.Template // else
	convert  func(string) (any, error)
}

var parameterPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// parse reads the file's mapping.
func parse(mapping map[string]any) (parameters, error) {
	parsed := parameters{}
	for _, id := range slices.Sorted(maps.Keys(mapping)) {
		if !parameterPattern.MatchString(id) {
			return nil, fmt.Errorf("%q is not the ID of a parameter", id)
		}
		one, err := parseOne(mapping[id])
		if err != nil {
			return nil, fmt.Errorf("parameter %q: %w", id, err)
		}
		parsed[id] = one
	}
	return parsed, nil
}

func parseOne(value any) (parameter, error) {
	switch value := value.(type) {
	case bool, int, int64, uint64:
		return parameter{fixed: value}, nil
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return parameter{}, errors.New("is not a number that JSON knows")
		}
		return parameter{fixed: value}, nil
	case string:
		return templateOf(value, asText)
	case map[string]any:
		for kind, convert := range map[string]func(string) (any, error){"number": asNumber, "boolean": asBoolean} {
			if text, ok := value[kind].(string); ok && len(value) == 1 {
				return templateOf(text, convert)
			}
		}
	}
	return parameter{}, errors.New("is neither a text nor a number nor a truth value")
}

func templateOf(text string, convert func(string) (any, error)) (parameter, error) {
	template, err := template.Parse(text)
	return parameter{template: template, convert: convert}, err
}

// values are the parameters of a run. The same run always gives the same values.
func (p parameters) values(run engine.Run) (map[string]any, error) {
	values := make(map[string]any, len(p))
	for _, id := range slices.Sorted(maps.Keys(p)) {
		one := p[id]
		if one.template == nil {
			values[id] = one.fixed
			continue
		}
		text, err := one.template.Execute(run, nil)
		if err != nil {
			return nil, err
		}
		value, err := one.convert(text)
		if err != nil {
			return nil, engine.Permanent(fmt.Sprintf("the parameter %q is %v", id, err), nil)
		}
		values[id] = value
	}
	return values, nil
}

func asText(text string) (any, error) { return text, nil }

func asNumber(text string) (any, error) {
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, errors.New("not a number")
	}
	return number, nil
}

func asBoolean(text string) (any, error) {
	switch strings.TrimSpace(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, errors.New("neither true nor false")
}
