package env_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/env"
)

func variables(values map[string]string) *env.Variables {
	return env.Read(func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	})
}

func TestVariablesThatAreSet(t *testing.T) {
	v := variables(map[string]string{"NAME": "worker", "COUNT": "-3", "OPEN": "true"})
	if got := v.Required("NAME", "the name"); got != "worker" {
		t.Errorf("Required: %q", got)
	}
	if got := v.Optional("NAME", "other"); got != "worker" {
		t.Errorf("Optional: %q", got)
	}
	if got := v.Int("COUNT", 1); got != -3 {
		t.Errorf("Int: %d", got)
	}
	if got := v.Bool("OPEN", false); !got {
		t.Error("Bool: false")
	}
	if err := v.Err(); err != nil {
		t.Error(err)
	}
}

func TestVariablesThatAreNotSetOrEmpty(t *testing.T) {
	v := variables(map[string]string{"EMPTY": ""})
	for _, name := range []string{"EMPTY", "ABSENT"} {
		if value, ok := v.Lookup(name); ok || value != "" {
			t.Errorf("Lookup(%s): %q, %t", name, value, ok)
		}
		if got := v.Optional(name, "fallback"); got != "fallback" {
			t.Errorf("Optional(%s): %q", name, got)
		}
		if v.Int(name, 7) != 7 || !v.Bool(name, true) {
			t.Errorf("%s: not the fallback", name)
		}
	}
	if err := v.Err(); err != nil {
		t.Error(err)
	}
}

func TestErrReportsEverythingAtOnceAndNoValue(t *testing.T) {
	v := variables(map[string]string{"EMPTY": "", "COUNT": "hunter2", "OPEN": "hunter2"})
	v.Required("TABLE_NAME", "the table of jobs")
	v.Required("EMPTY", "something else")
	if v.Int("COUNT", 7) != 7 || !v.Bool("OPEN", true) {
		t.Error("a malformed variable does not give its fallback")
	}
	err := v.Err()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"\n  TABLE_NAME is not set: the table of jobs", "\n  EMPTY is not set: something else",
		"\n  COUNT is not a whole number", "\n  OPEN is neither",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no line %q in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a value is in the error: %v", err)
	}
}

func TestOSReadsTheProcess(t *testing.T) {
	t.Setenv("PIM_FUNCTIONS_TEST", "here")
	if got := env.OS().Optional("PIM_FUNCTIONS_TEST", ""); got != "here" {
		t.Errorf("got %q", got)
	}
}
