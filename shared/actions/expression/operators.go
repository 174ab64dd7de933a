package expression

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

const tooLong = failure("the expression makes a text that is too long")

// operators adds the functions that stand for operators.
func (r *run) operators(all map[string]any) {
	for operator, apply := range map[string]func(a, b float64) float64{
		"-": func(a, b float64) float64 { return a - b }, "*": func(a, b float64) float64 { return a * b },
		"/": func(a, b float64) float64 { return a / b }, "%": math.Mod, "**": math.Pow, "^": math.Pow,
	} {
		all[operator] = func(a, b any) (any, error) { return r.arithmetic(operator, a, b, apply) }
	}
	all["+"] = r.plus
	for operator, holds := range map[string]func(order int) bool{
		"<": func(order int) bool { return order < 0 }, "<=": func(order int) bool { return order <= 0 },
		">": func(order int) bool { return order > 0 }, ">=": func(order int) bool { return order >= 0 },
	} {
		all[operator] = func(a, b any) (bool, error) { return r.ordered(operator, a, b, holds) }
	}
	all["=="] = func(a, b any) (bool, error) { return r.equal(a, b) }
	all["!="] = func(a, b any) (bool, error) { same, err := r.equal(a, b); return !same, err }
	all["in"] = r.in
	for operator, holds := range map[string]func(text, part string) bool{
		"startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix, "contains": strings.Contains,
	} {
		all[operator] = func(a, b any) (bool, error) { return r.texts(operator, a, b, holds) }
	}
	all["matches"] = r.matches
	all[member] = r.member
	all[truth] = r.truth
	all[step] = func(a any) (any, error) { return a, r.spend() }
	all[summing] = r.sum
	all[listing] = r.list
	all[negate] = func(a any) (any, error) { return r.number("-", a, func(number float64) float64 { return -number }) }
	all[number] = func(a any) (any, error) { return r.number("+", a, func(number float64) float64 { return number }) }
}

func quantity(a any) (float64, bool) {
	switch a := a.(type) {
	case int:
		return float64(a), true
	case float64:
		return a, true
	}
	return 0, false
}

// decimal is a number of 15 digits: what a float64 holds of any decimal.
func decimal(number float64) (any, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, failure("the expression divides by zero, or leaves the numbers")
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(number, 'g', 15, 64), 64)
	if err != nil {
		return nil, failure("the expression divides by zero, or leaves the numbers")
	}
	return rounded, nil
}

func (r *run) arithmetic(operator string, a, b any, apply func(a, b float64) float64) (any, error) {
	if err := r.spend(); err != nil || a == nil || b == nil {
		return nil, err
	}
	x, xNumeric := quantity(a)
	y, yNumeric := quantity(b)
	if !xNumeric || !yNumeric {
		return nil, failure(fmt.Sprintf("%s takes numbers, and gets %s and %s", operator, kind(a), kind(b)))
	}
	return decimal(apply(x, y))
}

// plus adds numbers, and joins texts.
func (r *run) plus(a, b any) (any, error) {
	s, sText := a.(string)
	t, tText := b.(string)
	if !sText || !tText {
		if (sText || tText) && a != nil && b != nil {
			return nil, failure(fmt.Sprintf("+ takes two numbers or two texts, and gets %s and %s", kind(a), kind(b)))
		}
		return r.arithmetic("+", a, b, func(a, b float64) float64 { return a + b })
	}
	if len(s)+len(t) > maxText {
		return nil, tooLong
	}
	return s + t, r.spend(s, t)
}

func (r *run) ordered(operator string, a, b any, holds func(int) bool) (bool, error) {
	if err := r.spend(a, b); err != nil || a == nil || b == nil {
		return false, err
	}
	s, sText := a.(string)
	t, tText := b.(string)
	x, xNumeric := quantity(a)
	y, yNumeric := quantity(b)
	switch {
	case sText && tText:
		return holds(strings.Compare(s, t)), nil
	case xNumeric && yNumeric:
		order := 0
		if x < y {
			order = -1
		} else if x > y {
			order = 1
		}
		return holds(order), nil
	}
	return false, failure(fmt.Sprintf("%s takes two numbers or two texts, and gets %s and %s", operator, kind(a), kind(b)))
}

// equal compares deeply. Values of different types differ.
func (r *run) equal(a, b any) (bool, error) {
	if err := r.spend(a, b); err != nil {
		return false, err
	}
	if x, ok := quantity(a); ok {
		y, ok := quantity(b)
		return ok && x == y, nil
	}
	switch a := a.(type) {
	case []any:
		list, ok := b.([]any)
		if !ok || len(a) != len(list) {
			return false, nil
		}
		for i := range a {
			if same, err := r.equal(a[i], list[i]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	case map[string]any:
		object, ok := b.(map[string]any)
		if !ok || len(a) != len(object) {
			return false, nil
		}
		for key := range a {
			other, there := object[key]
			if same, err := r.equal(a[key], other); err != nil || !there || !same {
				return false, err
			}
		}
		return true, nil
	case nil, bool, string:
		switch b.(type) {
		case nil, bool, string:
			return a == b, nil
		}
		return false, nil
	}
	return false, failure("functions cannot be compared")
}

// in says whether a list has an element, or a mapping a key.
func (r *run) in(a, b any) (bool, error) {
	if object, ok := b.(map[string]any); ok {
		key, text := a.(string)
		_, there := object[key]
		return text && there, r.spend()
	}
	list, err := r.list(b)
	if err != nil {
		return false, err
	}
	for _, element := range list {
		if same, err := r.equal(a, element); err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// texts compares two texts.
func (r *run) texts(operator string, a, b any, holds func(text, part string) bool) (bool, error) {
	if err := r.spend(a, b); err != nil || a == nil || b == nil {
		return false, err
	}
	text, ok := a.(string)
	part, partOK := b.(string)
	if !ok || !partOK {
		return false, failure(fmt.Sprintf("%s takes two texts, and gets %s and %s", operator, kind(a), kind(b)))
	}
	return holds(text, part), nil
}

// matches finds a pattern of RE2's syntax (Go package regexp/syntax) anywhere in a text.
func (r *run) matches(a, b any) (bool, error) {
	var failed error
	matched, err := r.texts("matches", a, b, func(text, pattern string) bool {
		r.steps += len(text) / 4
		compiled := r.patterns[pattern]
		if compiled == nil && len(pattern) <= maxPattern {
			compiled, _ = regexp.Compile(pattern)
		}
		if failed = r.spend(); failed == nil && compiled == nil {
			failed = failure("matches takes a pattern of at most 256 characters, in the syntax of RE2")
		}
		if failed != nil {
			return false
		}
		r.patterns[pattern] = compiled
		return compiled.MatchString(text)
	})
	return matched, errors.Join(err, failed)
}

// member is a key of a mapping, or an element of a list by its index from 0.
func (r *run) member(a, key any) (any, error) {
	if err := r.spend(); err != nil {
		return nil, err
	}
	switch a := a.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if key, ok := key.(string); ok {
			return a[key], nil
		}
	case []any:
		if index, ok := quantity(key); ok {
			if index < 0 || index >= float64(len(a)) || index != math.Trunc(index) {
				return nil, nil
			}
			return a[int(index)], nil
		}
	}
	return nil, failure(fmt.Sprintf("%s has no part %v", kind(a), label(key)))
}

// truth is a condition: nil does not hold.
func (r *run) truth(a any) (bool, error) {
	if err := r.spend(); err != nil || a == nil {
		return false, err
	}
	holds, ok := a.(bool)
	if !ok {
		return false, failure(fmt.Sprintf("a condition is %s, neither true nor false", kind(a)))
	}
	return holds, nil
}

// list is what can be gone through; nil is empty.
func (r *run) list(a any) ([]any, error) {
	if err := r.spend(); err != nil {
		return nil, err
	}
	switch a := a.(type) {
	case nil:
		return []any{}, nil
	case []any:
		return a, nil
	}
	return nil, failure(fmt.Sprintf("a list is wanted, and there is %s", kind(a)))
}

func (r *run) sum(a any) (any, error) {
	list, err := r.list(a)
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for _, a := range list {
		if err := r.spend(); err != nil {
			return nil, err
		}
		number, ok := quantity(a)
		if !ok && a != nil {
			return nil, failure("sum takes numbers, and gets " + kind(a))
		}
		sum += number
	}
	return decimal(sum)
}

// kind is what a user calls a type.
func kind(a any) string {
	switch a.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case string:
		return "a text"
	case int, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return "a function"
}

// label is a key as an error shows it.
func label(key any) string {
	switch key := key.(type) {
	case string:
		return strconv.Quote(key[:min(len(key), 40)])
	case int:
		return strconv.Itoa(key)
	}
	return "of this name"
}
