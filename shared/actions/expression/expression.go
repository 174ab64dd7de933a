// Package expression computes values and conditions over one product, in the language of github.com/expr-lang/expr
// (its manual: "Language Definition"), held to what a rule or a computed value needs: {expr: …} in `set`, `when` and
// `that` in rules.
//
// An expression sees what a Scope has and what functions.go offers, and nothing else: no I/O, no methods, no
// reflection. It is bounded in length, steps and memory; what exceeds a bound ends with an error.
//
// A value that does not exist is nil, and nil is safe: nil.x is nil, arithmetic with nil is nil, <, <=, >, >=, contains,
// startsWith, endsWith and matches with nil are false, and nil as a condition is false. == and != tell nil from values.
//
// Numbers are decimals of 15 digits: 19.9 * 1.2 is 23.88.
package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/pim-functions/pim-functions/shared/pim"
)

const (
	maxSource  = 4096    // bytes of an expression
	maxNodes   = 500     // parts of an expression
	maxSteps   = 50_000  // operations of one evaluation; a text costs one more for each 64 bytes
	maxMemory  = 10_000  // elements of the lists and mappings that one evaluation makes
	maxText    = 1 << 16 // bytes of a text that it makes
	maxPattern = 256
)

// Form says where an expression stands.
type Form struct {
	Condition bool // it holds or does not; false: it is a value
	Answer    bool // it may use answer: what a destination answered
}

// Expression is a compiled expression. It may be used by several goroutines.
type Expression struct {
	program    *vm.Program
	attributes []string
	labels     bool
	form       Form
}

// Scope is what an expression is about.
type Scope struct {
	Product pim.View
	Answer  any // JSON, as package encoding/json decodes it; with Form.Answer
	Now     time.Time
}

// Error is a mistake in an expression, found by Compile.
type Error struct {
	Message      string
	Line, Column int // from 1
}

func (e *Error) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("%s, at line %d, character %d", e.Message, e.Line, e.Column)
	}
	return fmt.Sprintf("%s, at character %d", e.Message, e.Column)
}

// Compile reads an expression and checks names and types as far as they are known without a product. An error is an
// *Error.
func Compile(text string, form Form) (*Expression, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, &Error{Message: "the expression is empty", Line: 1, Column: 1}
	case len(text) > maxSource:
		return nil, &Error{Message: fmt.Sprintf("the expression is longer than %d bytes", maxSource), Line: 1, Column: 1}
	}
	options := []expr.Option{expr.Env(typesOf(newRun(Scope{}, form).names())), expr.DisableAllBuiltins(), expr.Optimize(false), expr.MaxNodes(maxNodes)}
	typed := options
	if form.Condition {
		typed = append(slices.Clone(options), expr.AsBool())
	}
	// The language's own operators know types and names; those that take their places below take anything.
	if _, err := expr.Compile(text, typed...); err != nil {
		return nil, mistake(err)
	}
	safe := &safety{}
	program, err := expr.Compile(text, append(options, expr.Patch(safe))...)
	if safe.problem != nil {
		return nil, mistake(safe.problem.Bind(file.NewSource(text)))
	}
	if err != nil {
		return nil, mistake(err)
	}
	return &Expression{program: program, attributes: safe.attributes, labels: safe.labels, form: form}, nil
}

// typesOf are the types of what an expression can name; nil may be anything.
func typesOf(names map[string]any) types.Map {
	all := types.Map{}
	for name, value := range names {
		all[name] = types.Any
		if value != nil {
			all[name] = types.TypeOf(value)
		}
	}
	return all
}

// mistake is the library's error in our form.
func mistake(err error) error {
	var place *file.Error
	if !errors.As(err, &place) {
		return &Error{Message: err.Error(), Line: 1, Column: 1}
	}
	return &Error{Message: strings.TrimPrefix(place.Message, "compilation failed: "), Line: max(place.Line, 1), Column: place.Column + 1}
}

// Attributes are the codes of the attributes that the expression uses.
func (e *Expression) Attributes() []string { return slices.Clone(e.attributes) }

// Labels says whether the expression uses labels of options.
func (e *Expression) Labels() bool { return e.labels }

// Value evaluates the expression: nil, a bool, a string, a json.Number, []any or map[string]any. The error's text may be
// shown to users.
func (e *Expression) Value(scope Scope) (any, error) {
	run := newRun(scope, e.form)
	machine := vm.VM{MemoryBudget: maxMemory}
	value, err := machine.Run(e.program, run.names())
	if err == nil {
		value, err = run.plain(value, 0)
	}
	if err != nil {
		return nil, failed(err)
	}
	return value, nil
}

// Holds evaluates a condition. nil does not hold. The error's text may be shown to users.
func (e *Expression) Holds(scope Scope) (bool, error) {
	value, err := e.Value(scope)
	if err != nil {
		return false, err
	}
	switch value := value.(type) {
	case nil:
		return false, nil
	case bool:
		return value, nil
	}
	return false, errors.New("the condition is neither true nor false")
}

// failure is a text for users.
type failure string

func (f failure) Error() string { return string(f) }

// failed leaves out what the library says of its inside.
func failed(err error) error {
	if known, ok := errors.AsType[failure](err); ok {
		return known
	}
	if strings.Contains(err.Error(), "memory budget exceeded") {
		return failure("the expression makes more than it may hold")
	}
	return failure("the expression cannot be computed from these values")
}
