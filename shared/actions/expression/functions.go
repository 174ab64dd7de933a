package expression

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// names are the functions that expressions may call, besides all, any, none, one, filter, map, count, find and sum.
var names = []string{
	"value", "price", "metric", "label", "len", "lower", "upper", "trim", "split", "join", "replace", "text", "number", "round", "floor", "ceil",
	"abs", "min", "max",
}

// names is everything that an expression can name, and the functions that stand for its operators.
func (r *run) names() map[string]any {
	view := r.scope.Product
	all := map[string]any{
		"family": view.Family(), "identifier": view.Identifier(), "id": view.ID(), "type": view.Type(), "parent": view.Parent(),
		"enabled": view.Enabled(), "categories": value(view.Categories()), "groups": value(view.Groups()), "today": r.scope.Now.UTC().Format(time.DateOnly),

		"value": func(attribute string, place ...string) (any, error) { return r.read(view.Value(attribute, place...)) },
		"price": func(attribute, currency string, place ...string) (any, error) {
			return r.read(view.Price(attribute, currency, place...))
		},
		"metric": func(attribute string, unit ...string) (any, error) { return r.read(view.Metric(attribute, unit...)) },
		"label":  func(attribute string, place ...string) (any, error) { return r.read(view.Label(attribute, place...)) },

		"len":     r.length,
		"lower":   func(text any) (any, error) { return r.text("lower", text, strings.ToLower) },
		"upper":   func(text any) (any, error) { return r.text("upper", text, strings.ToUpper) },
		"trim":    func(text any) (any, error) { return r.text("trim", text, strings.TrimSpace) },
		"split":   r.split,
		"join":    r.join,
		"replace": r.replace,
		"text":    r.toText,
		"number":  r.toNumber,
		"round":   r.round,
		"floor":   func(a any) (any, error) { return r.number("floor", a, math.Floor) },
		"ceil":    func(a any) (any, error) { return r.number("ceil", a, math.Ceil) },
		"abs":     func(a any) (any, error) { return r.number("abs", a, math.Abs) },
		"min":     func(all ...any) (any, error) { return r.extreme("min", all, math.Min) },
		"max":     func(all ...any) (any, error) { return r.extreme("max", all, math.Max) },
	}
	if r.form.Answer {
		all["answer"] = value(r.scope.Answer)
	}
	r.operators(all)
	return all
}

// length is how many characters a text has, or elements a list. nil has none.
func (r *run) length(a any) (int, error) {
	if err := r.spend(a); err != nil {
		return 0, err
	}
	switch a := a.(type) {
	case nil:
		return 0, nil
	case string:
		return len([]rune(a)), nil
	case []any:
		return len(a), nil
	case map[string]any:
		return len(a), nil
	}
	return 0, failure("len takes a text or a list")
}

func (r *run) text(name string, a any, apply func(string) string) (any, error) {
	if err := r.spend(a); err != nil || a == nil {
		return nil, err
	}
	text, ok := a.(string)
	if !ok {
		return nil, failure(name + " takes a text")
	}
	return apply(text), nil
}

func (r *run) number(name string, a any, apply func(float64) float64) (any, error) {
	if err := r.spend(); err != nil || a == nil {
		return nil, err
	}
	number, ok := quantity(a)
	if !ok {
		return nil, failure(name + " takes a number")
	}
	return decimal(apply(number))
}

// round takes a number and how many digits stay behind the point; none: 0.
func (r *run) round(a any, digits ...int) (any, error) {
	places := 0
	if len(digits) > 0 {
		places = digits[0]
	}
	if len(digits) > 1 || places < 0 || places > 15 {
		return nil, failure("round takes a number and 0 to 15 digits")
	}
	return r.number("round", a, func(number float64) float64 {
		scale := math.Pow10(places)
		scaled, err := decimal(number * scale) // 1.005 * 100 is 100.5
		if scaled, ok := scaled.(float64); ok && err == nil && math.Abs(scaled) < 1<<53 {
			return math.Round(scaled) / scale
		}
		return number
	})
}

func (r *run) extreme(name string, all []any, apply func(a, b float64) float64) (any, error) {
	if len(all) == 1 {
		if list, ok := all[0].([]any); ok {
			all = list
		}
	}
	var found any
	for _, a := range all {
		if err := r.spend(); err != nil {
			return nil, err
		}
		if a == nil {
			continue
		}
		number, ok := quantity(a)
		if !ok {
			return nil, failure(name + " takes numbers")
		}
		if before, ok := found.(float64); ok {
			number = apply(before, number)
		}
		found = number
	}
	return found, nil
}

func (r *run) split(a any, separator string) (any, error) {
	if err := r.spend(a); err != nil || a == nil {
		return nil, err
	}
	text, ok := a.(string)
	if !ok || separator == "" {
		return nil, failure("split takes a text and a separator")
	}
	if strings.Count(text, separator) >= maxMemory {
		return nil, failure("the expression makes more than it may hold")
	}
	return value(strings.Split(text, separator)), nil
}

func (r *run) join(a any, separator string) (any, error) {
	list, err := r.list(a)
	if err != nil || a == nil {
		return nil, err
	}
	var joined strings.Builder
	for i, element := range list {
		text, ok := element.(string)
		if !ok {
			return nil, failure("join takes a list of texts and a separator")
		}
		if i > 0 {
			joined.WriteString(separator)
		}
		joined.WriteString(text)
		if err := r.spend(text, separator); err != nil {
			return nil, err
		}
		if joined.Len() > maxText {
			return nil, tooLong
		}
	}
	return joined.String(), nil
}

func (r *run) replace(a any, old, with string) (any, error) {
	if err := r.spend(a); err != nil || a == nil {
		return nil, err
	}
	text, ok := a.(string)
	if !ok || old == "" {
		return nil, failure("replace takes a text, what to replace, and by what")
	}
	if len(text)+strings.Count(text, old)*len(with) > maxText {
		return nil, tooLong
	}
	return strings.ReplaceAll(text, old, with), nil
}

// toText writes a number as JSON does. A text stays; nil stays nil.
func (r *run) toText(a any) (any, error) {
	if number, ok := quantity(a); ok {
		return strconv.FormatFloat(number, 'f', -1, 64), r.spend()
	}
	switch a := a.(type) {
	case nil, string:
		return a, r.spend()
	case bool:
		return strconv.FormatBool(a), r.spend()
	}
	return nil, failure("text takes a number, a text, true or false")
}

// toNumber reads a number. A text that is none is nil.
func (r *run) toNumber(a any) (any, error) {
	if err := r.spend(a); err != nil || a == nil {
		return nil, err
	}
	if number, ok := quantity(a); ok {
		return number, nil
	}
	text, ok := a.(string)
	if !ok {
		return nil, failure("number takes a number or a text")
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, nil
	}
	return decimal(number)
}
