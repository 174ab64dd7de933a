package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const (
	goVariable      = "MUTANTS_GO"      // the go command
	packageVariable = "MUTANTS_PACKAGE" // whose tests run
	limit           = "30s"             // for the tests of one mutant: some never end
)

// runGo is the go command as gremlins gets it. It differs in three points: the tests of packages below the one in hand
// are left out; tests end after a limit that does not depend on how long compiling takes; and every line counts as
// covered, since gremlins leaves out what is not, while Go's coverage does not count the conditions of a switch.
func runGo(arguments []string) int {
	profile := ""
	if len(arguments) > 0 && arguments[0] == "test" {
		if i := slices.Index(arguments, "-coverprofile"); i >= 0 && i+1 < len(arguments) {
			profile = arguments[i+1]
		} else {
			if i := slices.Index(arguments, "-timeout"); i >= 0 && i+1 < len(arguments) {
				arguments[i+1] = limit
			}
			arguments = slices.Insert(arguments, 1, "-vet=off", "-ldflags=-s -w")
		}
		arguments[len(arguments)-1] = strings.TrimSuffix(arguments[len(arguments)-1], "/...")
	}
	command := exec.Command(os.Getenv(goVariable), arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		if ended, ok := errors.AsType[*exec.ExitError](err); ok {
			return ended.ExitCode()
		}
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	if profile != "" {
		if err := coverAll(profile); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
	}
	return 0
}

// coverAll makes a coverage profile say that each of its files is covered from beginning to end.
func coverAll(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	whole := []string{lines[0]} // the mode
	for _, line := range lines[1:] {
		file, _, _ := strings.Cut(line, ":")
		if all := file + ":1.1,999999.1 1 1"; !slices.Contains(whole, all) {
			whole = append(whole, all)
		}
	}
	return os.WriteFile(name, []byte(strings.Join(whole, "\n")+"\n"), 0o600)
}
