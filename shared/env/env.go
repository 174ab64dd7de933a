// Package env is the one place that reads the process's environment. A main reads all its variables through one
// Variables, then asks Err once: whoever deploys learns of everything that is missing in one go.
//
// It is for mains alone. Everything below them takes what it needs as fields of a Config.
package env

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// Variables reads environment variables and collects what is wrong with them. A variable that is set to nothing
// counts as not set, as templates pass an unused parameter that way. Not safe for concurrent use.
type Variables struct {
	lookup   func(string) (string, bool)
	problems []string
}

// OS reads the process's own environment.
func OS() *Variables { return Read(os.LookupEnv) }

// Read reads through lookup, which is like os.LookupEnv.
func Read(lookup func(string) (string, bool)) *Variables {
	return &Variables{lookup: lookup}
}

// Lookup returns a variable as it is, and whether it is set to something.
func (v *Variables) Lookup(name string) (string, bool) {
	value, ok := v.lookup(name)
	return value, ok && value != ""
}

// Required returns a variable that the program cannot do without. The purpose stands in Err's text beside a name
// that is missing: say what the variable is for, and where its value comes from.
func (v *Variables) Required(name, purpose string) string {
	value, ok := v.Lookup(name)
	if !ok {
		v.problem(name, "is not set: "+purpose)
	}
	return value
}

// Optional returns a variable, or fallback if it is not set.
func (v *Variables) Optional(name, fallback string) string {
	if value, ok := v.Lookup(name); ok {
		return value
	}
	return fallback
}

// Int returns a variable that is a whole number.
func (v *Variables) Int(name string, fallback int) int {
	return parse(v, name, fallback, strconv.Atoi, "is not a whole number, such as 5")
}

// Bool returns a variable that is true or false (or 1 or 0).
func (v *Variables) Bool(name string, fallback bool) bool {
	return parse(v, name, fallback, strconv.ParseBool, "is neither true nor false")
}

// Err reports everything that was missing or malformed so far, one line each. It never holds a value: a secret may
// have been put in the wrong variable.
func (v *Variables) Err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return errors.New("environment:\n  " + strings.Join(v.problems, "\n  "))
}

func (v *Variables) problem(name, text string) {
	v.problems = append(v.problems, name+" "+text)
}

func parse[T any](v *Variables, name string, fallback T, from func(string) (T, error), problem string) T {
	text, ok := v.Lookup(name)
	if !ok {
		return fallback
	}
	value, err := from(text)
	if err != nil {
		v.problem(name, problem)
		return fallback
	}
	return value
}
