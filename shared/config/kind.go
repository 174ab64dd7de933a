package config

import "errors"

// checkKind applies a kind's own rules to an action. Where a variable is not set there is nothing to apply them to: it
// is reported already, and what it would bring is not known.
func (t table) checkKind(kind scalar, section Section) {
	if t.kinds == nil || kind.text == "" {
		return
	}
	check, ok := t.kinds[kind.text]
	if !ok {
		t.errorf(kind.at, nearest(kind.text, keys(t.kinds)), "%s is of kind %q, which does not exist", t.what, kind.text)
		return
	}
	for _, value := range values(section.node) {
		if t.unset[value] {
			return
		}
	}
	for _, problem := range problemsOf(check(section), section) {
		if problem.Odd {
			t.warnings = append(t.warnings, problem)
		} else {
			t.problems = append(t.problems, problem)
		}
	}
}

// problemsOf finds the file's problems in a kind's error; an error of another type is placed at the action.
func problemsOf(err error, at Section) Problems {
	switch all := err.(type) {
	case nil:
		return nil
	case Problems:
		return all
	case *Problem:
		return Problems{all}
	case interface{ Unwrap() []error }:
		var problems Problems
		for _, each := range all.Unwrap() {
			problems = append(problems, problemsOf(each, at)...)
		}
		return problems
	}
	if inner := errors.Unwrap(err); hasProblem(inner) {
		return problemsOf(inner, at)
	}
	return Problems{{File: at.file, Line: at.line, Message: err.Error(), Remedy: "see the kind's description"}}
}

func hasProblem(err error) bool {
	_, one := errors.AsType[*Problem](err)
	_, many := errors.AsType[Problems](err)
	return one || many
}
