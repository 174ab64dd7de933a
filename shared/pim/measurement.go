package pim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
)

// Units converts an amount of a measurement attribute from one unit into another.
type Units func(attribute, amount, from, to string) (json.Number, error)

// decimals that the PIM computes with: each step of a conversion keeps so many.
const decimals = 12

// MeasurementFamily is a set of units that convert into each other (Akeneo: "Measurement families"). Codes are compared
// without case.
type MeasurementFamily struct {
	Code  string
	Units map[string]Unit // by code
}

// Unit of a measurement. Its steps, done in order, make an amount in the family's standard unit of one in this unit; the
// PIM's own name for them, convert_from_standard, says the contrary.
type Unit struct {
	Labels map[string]string
	Steps  []UnitStep
}

// UnitStep is one operation: mul, div, add or sub.
type UnitStep struct {
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

// MeasurementFamilies reads all families, once.
func (c *Client) MeasurementFamilies(ctx context.Context) ([]MeasurementFamily, error) {
	c.structure.mu.Lock()
	families := c.structure.measurements
	c.structure.mu.Unlock()
	if families != nil {
		return families, nil
	}
	var text json.RawMessage
	if err := c.getJSON(ctx, request{path: measurementsPath}, &text); err != nil {
		return nil, err
	}
	families, err := decodeMeasurements(text)
	if err != nil {
		return nil, &Error{Method: http.MethodGet, Path: measurementsPath, Status: http.StatusOK, malformed: true}
	}
	c.structure.mu.Lock()
	defer c.structure.mu.Unlock()
	c.structure.measurements = families
	return families, nil
}

const measurementsPath = "/api/rest/v1/measurement-families"

func decodeMeasurements(text json.RawMessage) ([]MeasurementFamily, error) {
	var wire []struct {
		Code  string          `json:"code"`
		Units json.RawMessage `json:"units"`
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return nil, err
	}
	families := make([]MeasurementFamily, len(wire))
	for i, w := range wire {
		var units map[string]struct {
			Labels json.RawMessage `json:"labels"`
			Steps  []UnitStep      `json:"convert_from_standard"`
		}
		if err := decodeMap(w.Units, &units); err != nil {
			return nil, err
		}
		families[i] = MeasurementFamily{Code: w.Code, Units: make(map[string]Unit, len(units))}
		for code, unit := range units {
			families[i].Units[code] = Unit{Labels: labels(unit.Labels), Steps: unit.Steps}
		}
	}
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
		families, err := c.MeasurementFamilies(ctx)
		if err != nil {
			return "", err
		}
		for _, family := range families {
			if strings.EqualFold(family.Code, known[attribute].MetricFamily) {
				return family.convert(attribute, amount, from, to)
			}
		}
		return "", &Error{Method: http.MethodGet, Path: measurementsPath, Status: http.StatusOK, malformed: true}
	}
}

func (f MeasurementFamily) convert(attribute, amount, from, to string) (json.Number, error) {
	n, ok := new(big.Rat).SetString(amount)
	if !ok {
		return "", fmt.Errorf("%q holds an amount that is no number", attribute)
	}
	n, err := f.Convert(n, from, to)
	if err != nil {
		return "", fmt.Errorf("%q: %w", attribute, err)
	}
	return plainNumber(n.FloatString(decimals)), nil
}

// Convert makes an amount in one unit the same in another: by the first unit's steps to the standard unit, and back by the
// other's. As in the PIM, each step keeps twelve decimals. Its error says what the PIM lacks.
func (f MeasurementFamily) Convert(amount *big.Rat, from, to string) (*big.Rat, error) {
	source, knownSource := f.Unit(from)
	target, knownTarget := f.Unit(to)
	if !knownSource || !knownTarget {
		return nil, fmt.Errorf("%s cannot be converted to %s: the PIM does not have both units", from, to)
	}
	steps := slices.Clone(source.Steps)
	for _, step := range slices.Backward(target.Steps) {
		steps = append(steps, UnitStep{inverses[step.Operator], step.Value})
	}
	for _, step := range steps {
		next, ok := step.apply(amount)
		if !ok {
			return nil, fmt.Errorf("%s cannot be converted to %s: the PIM's conversion is not understood", from, to)
		}
		amount = cut(next)
	}
	return amount, nil
}

var inverses = map[string]string{"mul": "div", "div": "mul", "add": "sub", "sub": "add"}

// Unit is a unit by its code.
func (f MeasurementFamily) Unit(code string) (Unit, bool) {
	for name, unit := range f.Units {
		if strings.EqualFold(name, code) {
			return unit, true
		}
	}
	return Unit{}, false
}

func (s UnitStep) apply(n *big.Rat) (*big.Rat, bool) {
	by, ok := new(big.Rat).SetString(s.Value)
	if !ok {
		return nil, false
	}
	result := new(big.Rat)
	switch s.Operator {
	case "mul":
		return result.Mul(n, by), true
	case "add":
		return result.Add(n, by), true
	case "sub":
		return result.Sub(n, by), true
	case "div":
		if by.Sign() == 0 {
			return nil, false
		}
		return result.Quo(n, by), true
	}
	return nil, false
}

var precision = new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)

// cut leaves out what is behind the decimals that are kept.
func cut(n *big.Rat) *big.Rat {
	scaled := new(big.Int).Mul(n.Num(), precision)
	return new(big.Rat).SetFrac(scaled.Quo(scaled, n.Denom()), precision)
}
