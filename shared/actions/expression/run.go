package expression

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
)

// run is one evaluation.
type run struct {
	scope    Scope
	form     Form
	steps    int
	patterns map[string]*regexp.Regexp // compiled
}

func newRun(scope Scope, form Form) *run {
	return &run{scope: scope, form: form, patterns: map[string]*regexp.Regexp{}}
}

// spend counts a step, and one more for each 64 bytes of texts.
func (r *run) spend(texts ...any) error {
	r.steps++
	for _, text := range texts {
		if text, ok := text.(string); ok {
			r.steps += len(text) / 64
		}
	}
	if r.steps > maxSteps {
		return failure("the expression takes too many steps")
	}
	return nil
}

// value brings what the PIM or a destination holds into the language's types: nil, bool, string, float64, []any and
// map[string]any. Amounts of prices and measurements, which the PIM writes as texts, are numbers.
func value(data any) any {
	switch data := data.(type) {
	case json.Number:
		if number, err := data.Float64(); err == nil {
			return number
		}
		return data.String()
	case []string:
		list := make([]any, len(data))
		for i, text := range data {
			list[i] = text
		}
		return list
	case []any:
		list := make([]any, len(data))
		for i, element := range data {
			list[i] = value(element)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(data))
		for key, element := range data {
			object[key] = value(element)
		}
		return object
	}
	return data
}

// amounts makes numbers of the amounts in a product's value.
func amounts(data any) any {
	switch data := data.(type) {
	case []any:
		for _, element := range data {
			amounts(element)
		}
	case map[string]any:
		_, price := data["currency"]
		_, metric := data["unit"]
		if text, ok := data["amount"].(string); ok && (price || metric) {
			if number, err := strconv.ParseFloat(text, 64); err == nil {
				data["amount"] = number
			}
		}
	}
	return data
}

// plain is a result as JSON has it. It counts what it makes: a list may stand in a result many times.
func (r *run) plain(data any, depth int) (any, error) {
	if depth > 32 {
		return nil, failure("the result is nested too deep")
	}
	if err := r.spend(data); err != nil {
		return nil, err
	}
	var err error
	switch data := data.(type) {
	case nil, bool, string:
		return data, nil
	case int:
		return json.Number(strconv.Itoa(data)), nil
	case float64:
		if math.IsNaN(data) || math.IsInf(data, 0) {
			return nil, failure("the result is no number")
		}
		return json.Number(strconv.FormatFloat(data, 'f', -1, 64)), nil
	case []any:
		list := make([]any, len(data))
		for i, element := range data {
			if list[i], err = r.plain(element, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(data))
		for key, element := range data {
			if object[key], err = r.plain(element, depth+1); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
	return nil, failure("the result is no value")
}

// read is a value of the product.
func (r *run) read(data any, err error) (any, error) {
	if err != nil {
		return nil, failure(err.Error())
	}
	if err := r.spend(data); err != nil {
		return nil, err
	}
	return amounts(value(data)), nil
}
