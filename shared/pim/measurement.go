package pim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
)

// Units converts an amount of a measurement attribute from one unit into another.
type Units func(attribute, amount, from, to string) (json.Number, error)

// decimals of a converted amount; the PIM computes with twelve.
const decimals = 12

// unit is how amounts of one unit become the standard unit's: in spite of the key's name, the operations lead there, in
// their order (Akeneo: "Measurement families").
type unit struct {
	Code       string `json:"code"`
	ToStandard []struct {
		Operator string `json:"operator"` // mul, div, add or sub
		Value    string `json:"value"`
	} `json:"convert_from_standard"`
}

// measurementFamily is a set of units that convert into each other. Codes are compared without case.
type measurementFamily struct {
	Code  string          `json:"code"`
	Units map[string]unit `json:"units"`
}

// measurementFamilies reads all families, once.
func (c *Client) measurementFamilies(ctx context.Context) ([]measurementFamily, error) {
	c.structure.mu.Lock()
	families := c.structure.measurements
	c.structure.mu.Unlock()
	if families != nil {
		return families, nil
	}
	if err := c.getJSON(ctx, request{path: "/api/rest/v1/measurement-families"}, &families); err != nil {
		return nil, err
	}
	c.structure.mu.Lock()
	defer c.structure.mu.Unlock()
	c.structure.measurements = families
	return families, nil
}

// Units converts by the PIM's own measurement families. What it cannot convert is an error that says why; an *Error is one
// of the PIM.
func (c *Client) Units(ctx context.Context) Units {
	return func(attribute, amount, from, to string) (json.Number, error) {
		known, err := c.Attributes(ctx, attribute)
		if err != nil {
			return "", err
		}
		families, err := c.measurementFamilies(ctx)
		if err != nil {
			return "", err
		}
		for _, family := range families {
			if strings.EqualFold(family.Code, known[attribute].MetricFamily) {
				return family.convert(attribute, amount, from, to)
			}
		}
		return "", &Error{Method: http.MethodGet, Path: "/api/rest/v1/measurement-families", Status: http.StatusOK, malformed: true}
	}
}

// convert computes exactly, and rounds to twelve decimals.
func (f measurementFamily) convert(attribute, amount, from, to string) (json.Number, error) {
	n, ok := new(big.Rat).SetString(amount)
	source, knownSource := f.unit(from)
	target, knownTarget := f.unit(to)
	switch {
	case !ok:
		return "", fmt.Errorf("%q holds an amount that is no number", attribute)
	case !knownSource || !knownTarget:
		return "", fmt.Errorf("%q cannot be converted from %s to %s: the PIM does not have both units", attribute, from, to)
	}
	for _, step := range source.ToStandard {
		if !apply(n, step.Operator, step.Value) {
			return "", fmt.Errorf("%q cannot be converted from %s: the PIM's conversion is not understood", attribute, from)
		}
	}
	inverse := map[string]string{"mul": "div", "div": "mul", "add": "sub", "sub": "add"}
	for i := len(target.ToStandard) - 1; i >= 0; i-- {
		if step := target.ToStandard[i]; !apply(n, inverse[step.Operator], step.Value) {
			return "", fmt.Errorf("%q cannot be converted to %s: the PIM's conversion is not understood", attribute, to)
		}
	}
	return plainNumber(n.FloatString(decimals)), nil
}

func (f measurementFamily) unit(code string) (unit, bool) {
	for name, unit := range f.Units {
		if strings.EqualFold(name, code) {
			return unit, true
		}
	}
	return unit{}, false
}

// apply does one step of a conversion.
func apply(n *big.Rat, operator, value string) bool {
	by, ok := new(big.Rat).SetString(value)
	if !ok {
		return false
	}
	switch operator {
	case "mul":
		n.Mul(n, by)
	case "add":
		n.Add(n, by)
	case "sub":
		n.Sub(n, by)
	case "div":
		if by.Sign() == 0 {
			return false
		}
		n.Quo(n, by)
	default:
		return false
	}
	return true
}
