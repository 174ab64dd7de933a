package template

import (
	"cmp"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strconv"
	"time"
)

// equal says whether a is one of others, as the language's eq does. Numbers of all types compare, JSON's too, and a text
// that is a number equals that number. What is not there equals nothing but what is not there.
func equal(a any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, errors.New("missing argument for comparison")
	}
	for _, b := range others {
		if same(a, b) {
			return true, nil
		}
	}
	return false, nil
}

func unequal(a, b any) (bool, error) { return !same(a, b), nil }

func same(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if order, ok := compare(a, b); ok {
		return order == 0
	}
	return reflect.DeepEqual(a, b)
}

func less(a, b any) (bool, error)    { return ordered(a, b, func(order int) bool { return order < 0 }) }
func atMost(a, b any) (bool, error)  { return ordered(a, b, func(order int) bool { return order <= 0 }) }
func greater(a, b any) (bool, error) { return ordered(a, b, func(order int) bool { return order > 0 }) }
func atLeast(a, b any) (bool, error) {
	return ordered(a, b, func(order int) bool { return order >= 0 })
}

// ordered compares by size. What is not there is neither smaller nor larger than anything.
func ordered(a, b any, holds func(int) bool) (bool, error) {
	if a == nil || b == nil {
		return false, nil
	}
	order, ok := compare(a, b)
	if !ok {
		return false, errors.New("values of these types cannot be compared")
	}
	return holds(order), nil
}

// compare orders two numbers, two texts or two times. false: they are neither.
func compare(a, b any) (int, bool) {
	x, xNumeric := quantity(a)
	y, yNumeric := quantity(b)
	if xNumeric && yNumeric {
		return x.Cmp(y), true
	}
	s, sText := textOf(a)
	t, tText := textOf(b)
	if sText && tText {
		return cmp.Compare(s, t), true
	}
	// A form sends numbers as texts.
	if xNumeric && tText {
		if y, ok := quantity(json.Number(t)); ok {
			return x.Cmp(y), true
		}
	}
	if yNumeric && sText {
		if x, ok := quantity(json.Number(s)); ok {
			return x.Cmp(y), true
		}
	}
	if begun, ok := a.(time.Time); ok {
		if ended, ok := b.(time.Time); ok {
			return begun.Compare(ended), true
		}
	}
	return 0, false
}

func textOf(v any) (string, bool) {
	if _, isNumber := v.(json.Number); isNumber {
		return "", false
	}
	value := reflect.ValueOf(v)
	return value.String(), value.Kind() == reflect.String
}

// quantity is a number exactly. A number whose exponent would take more than a float64 holds is none.
func quantity(v any) (*big.Rat, bool) {
	switch value := reflect.ValueOf(v); {
	case value.CanInt():
		return new(big.Rat).SetInt64(value.Int()), true
	case value.CanUint():
		return new(big.Rat).SetUint64(value.Uint()), true
	case value.CanFloat():
		rat := new(big.Rat).SetFloat64(value.Float())
		return rat, rat != nil
	}
	n, ok := v.(json.Number)
	if !ok || !json.Valid([]byte(n)) || len(n) > 400 || n[0] != '-' && (n[0] < '0' || n[0] > '9') {
		return nil, false
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || f == 0 && !zero(string(n)) {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}
