package contentful

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// parameters of an App Action, by ID. Contentful knows four types: Symbol and Enum are texts, Number and Boolean are
// written as they are, or made by a template with a marker (template.Structure).
type parameters map[string]*template.Structure

var parameterPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// parse reads the file's mapping. Its error is a template.Mistakes.
func parse(mapping map[string]any) (parameters, error) {
	p := parameters{}
	var mistakes template.Mistakes
	for _, id := range slices.Sorted(maps.Keys(mapping)) {
		switch {
		case !parameterPattern.MatchString(id):
			mistakes = append(mistakes, fmt.Sprintf("%q is not the ID of a parameter", id))
		case !simple(mapping[id]):
			mistakes = append(mistakes, fmt.Sprintf("parameter %q is neither a text nor a number nor a truth value", id))
		default:
			// A mapping of two keys: whatever the parameter's ID is, it is no marker.
			made, err := template.ParseJSON(map[string]any{id: mapping[id], "": nil})
			if err != nil {
				mistakes = append(mistakes, "parameter "+err.Error())
			}
			p[id] = made
		}
	}
	if len(mistakes) > 0 {
		return p, mistakes
	}
	return p, nil
}

// simple says whether a value of the file can be a parameter.
func simple(value any) bool {
	switch value := value.(type) {
	case bool, int, int64, uint64, float64, string:
		return true
	case map[string]any:
		for _, marker := range []string{"number", "boolean", "json"} {
			if _, there := value[marker]; there {
				return len(value) == 1
			}
		}
	}
	return false
}

// values are the parameters of a run. The same run always gives the same values.
func (p parameters) values(run engine.Run) (map[string]any, error) {
	values := make(map[string]any, len(p))
	for _, id := range slices.Sorted(maps.Keys(p)) {
		text, err := p[id].Execute(run)
		if err != nil {
			return nil, err
		}
		var made map[string]any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&made); err != nil {
			return nil, engine.Permanent("the parameters could not be written", fmt.Errorf("decode parameter: %w", err))
		}
		values[id] = made[id]
	}
	return values, nil
}
