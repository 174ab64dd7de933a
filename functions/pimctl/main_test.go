package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// asMain makes this test's program the command line itself.
const asMain = "PIMCTL_TEST_RUNS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the command line as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), asMain+"=1")
	return command
}

func TestTheProcessEndsWithTheExitCode(t *testing.T) {
	for args, want := range map[string]int{"version": succeeded, "check --config nowhere.yaml": failed, "eat": misused} {
		err := program(t, strings.Fields(args)...).Run()
		code := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != want {
			t.Errorf("%s ends with %d, want %d", args, code, want)
		}
	}
}

// A reader that goes away ends the program as it ends any other: by the signal, without a word.
func TestOutputIntoAClosedPipe(t *testing.T) {
	for _, args := range []string{"", "--help", "send --list", "send --list --json", "send action-product-grid", "print https://api.example.com", "check --json", "version", "completion bash"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		var complained bytes.Buffer
		command := program(t, strings.Fields(args)...)
		command.Stdout, command.Stderr = write, &complained
		err = command.Run()
		write.Close()
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE || complained.Len() > 0 {
			t.Errorf("pimctl %s ends with %v: %s", args, err, &complained)
		}
	}
}
