package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/env"
)

// pimctl runs a command line with nothing but these variables.
func pimctl(t *testing.T, set map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	return start(t, strings.NewReader(""), set, args...)
}

// pimctlReading runs a command line that reads this.
func pimctlReading(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	return start(t, strings.NewReader(in), nil, args...)
}

func start(t *testing.T, in io.Reader, set map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var printed, complained bytes.Buffer
	variables := env.Read(func(name string) (string, bool) { value, ok := set[name]; return value, ok })
	code = run(t.Context(), process{in: in, out: &printed, errs: &complained, variables: variables, now: time.Now}, args)
	return code, printed.String(), complained.String()
}

func TestExitCodesAndStreams(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		out  string
		errs string
	}{
		{"nothing", nil, succeeded, "Usage:", ""},
		{"--help", []string{"--help"}, succeeded, "Usage:", ""},
		{"help", []string{"help"}, succeeded, "Usage:", ""},
		{"help of a command", []string{"help", "dev"}, succeeded, "PORT", ""},
		{"--help of a command", []string{"dev", "--help"}, succeeded, "PORT", ""},
		{"an unknown command", []string{"eat"}, misused, "", `unknown command "eat"`},
		{"an unknown flag", []string{"--eat"}, misused, "", "unknown flag: --eat"},
		{"an unknown flag of a command", []string{"dev", "--eat"}, misused, "", "See pimctl dev --help."},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := pimctl(t, nil, c.args...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || (out == "") == (errs == "") {
				t.Errorf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
			}
		})
	}
}
