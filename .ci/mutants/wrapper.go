package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	goVariable     = "MUTANTS_GO"     // the go command
	slowVariable   = "MUTANTS_SLOW"   // the package's slow tests, as a regular expression; may be empty
	sampleVariable = "MUTANTS_ONE_IN" // of so many mutants, one is tried
	// For the tests of one mutant: some never end. A busy machine makes neither of them shorter than the tests are.
	limitCPU = "20" // seconds of processor time
	limit    = "1m" // for those that wait for ever
)

// What gremlins reads from the exit code of `go test`.
const (
	lived     = 0
	killed    = 1
	notViable = 2 // the mutant does not compile (go test itself exits with 1 then), or is not tried
)

// runGo is the go command as gremlins gets it. It differs from the real one in `go test`, see runTests and coverAll.
func runGo(arguments []string) int {
	if len(arguments) == 0 || arguments[0] != "test" {
		return exitCode(goCommand(arguments...).Run())
	}
	if i := slices.Index(arguments, "-coverprofile"); i >= 0 && i+1 < len(arguments) {
		own := slices.Clone(arguments)
		own[len(own)-1] = strings.TrimSuffix(own[len(own)-1], "/...") // not the packages below
		if code := exitCode(goCommand(own...).Run()); code != 0 {
			return code
		}
		if err := coverAll(arguments[i+1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
		return 0
	}
	if oneIn, _ := strconv.Atoi(os.Getenv(sampleVariable)); oneIn > 1 {
		chosen, err := sampled(".", oneIn)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
		if !chosen {
			return notViable
		}
	}
	return runTests(os.Getenv(slowVariable), limitCPU)
}

// runTests runs the tests of the mutant in the folder we are in. They are compiled once, and end after a limit that does not depend on how long that
// takes. The slow ones run only if no other test has noticed the mutant.
func runTests(slow, cpu string) int {
	folder, err := os.MkdirTemp(os.Getenv("GOTMPDIR"), "mutant-") // gremlins removes its GOTMPDIR
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "mutant.test")
	if goCommand("test", "-c", "-vet=off", "-ldflags=-s -w", "-o", program, ".").Run() != nil {
		return notViable
	}
	steps := [][]string{{}}
	if slow != "" {
		steps = [][]string{{"-test.skip", slow}, {"-test.run", slow}}
	}
	for _, step := range steps {
		step = append([]string{"-c", `ulimit -t ` + cpu + `; exec "$@"`, "sh", program, "-test.failfast", "-test.timeout", limit}, step...)
		tests := exec.Command("sh", step...)
		if tests.Run() != nil {
			return killed
		}
	}
	return lived
}

// sampled says whether the mutant in a folder is among those that are tried. Its text decides.
func sampled(folder string, oneIn int) (bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go")) // in the order of their names
	if err != nil {
		return false, err
	}
	hash := sha256.New()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		hash.Write(text)
	}
	return binary.BigEndian.Uint64(hash.Sum(nil))%uint64(oneIn) == 0, nil
}

func goCommand(arguments ...string) *exec.Cmd {
	command := exec.Command(os.Getenv(goVariable), arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command
}

func exitCode(err error) int {
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// coverAll makes a coverage profile say that each of its files is covered from beginning to end: gremlins leaves out what
// is not, while Go's coverage does not count the conditions of a switch.
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
