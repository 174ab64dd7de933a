package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/shared/env"
)

// Exit codes.
const (
	succeeded = 0
	failed    = 1 // something is wrong, or was not done
	misused   = 2 // the words on the command line are wrong: nothing was tried
)

// Groups of commands in the help.
const (
	groupLocal         = "local"
	groupConfiguration = "configuration"
	groupDeployment    = "deployment"
	groupStage         = "stage"
	groupProgram       = "program"
)

// process is what a command has of the process it runs in.
type process struct {
	in        io.Reader
	out, errs io.Writer
	variables *env.Variables
	now       func() time.Time
}

// usageError is a mistake on the command line that shows only when the command runs.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// run does what the arguments ask for, and returns the exit code. Whatever is wrong goes to p.errs, help to p.out.
func run(ctx context.Context, p process, args []string) int {
	root := p.root()
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for the process's own
	started := false                          // before a command starts, only the command line can be wrong
	whenRun(root, func() { started = true })

	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return succeeded
	}
	if err.Error() != "" {
		fmt.Fprintln(p.errs, err)
	}
	if _, ok := errors.AsType[usageError](err); ok || !started {
		fmt.Fprintf(p.errs, "See %s --help.\n", command.CommandPath())
		return misused
	}
	if own, ok := errors.AsType[exitError](err); ok {
		return own.code
	}
	return failed
}

// exitError ends with a code of a command's own. It says nothing: the command has.
type exitError struct{ code int }

func (e exitError) Error() string { return "" }

// whenRun calls begin before any command below this one runs.
func whenRun(parent *cobra.Command, begin func()) {
	for _, command := range parent.Commands() {
		do := command.RunE
		if do == nil {
			continue // it only shows its help
		}
		command.RunE = func(command *cobra.Command, args []string) error {
			begin()
			return do(command, args)
		}
		whenRun(command, begin)
	}
}

// root is pimctl with all its commands.
func (p process) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "pimctl",
		Short:         "The command line of pim-functions",
		Long:          "The command line of pim-functions: run everything here, send what the PIM sends,\nconnect a PIM with a deployment.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.errs)
	root.AddGroup(
		&cobra.Group{ID: groupLocal, Title: "On this machine:"},
		&cobra.Group{ID: groupConfiguration, Title: "The configuration, extensions.yaml:"},
		&cobra.Group{ID: groupDeployment, Title: "Connecting a deployment with its senders:"},
		&cobra.Group{ID: groupStage, Title: "A running system:"},
		&cobra.Group{ID: groupProgram, Title: "This program:"},
	)
	root.AddCommand(
		p.dev(), p.send(), p.check(), p.explain(), p.secrets(), p.preflight(), p.plan(), p.apply(), p.drift(), p.rotate(), p.downCommand(), p.print(), p.subscribe(),
		p.order(), p.jobs(), p.letters(), p.version(),
	)
	root.SetHelpCommand(help())
	root.SetCompletionCommandGroupID(groupProgram)
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		if command.RunE == nil { // completion, which has commands of its own: a shell that it does not know is an error
			command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
		}
	}
	return root
}

// help is cobra's own, but that a command which does not exist is an error.
func help() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command]",
		GroupID: groupProgram,
		Short:   "Show a command's help",
		RunE: func(command *cobra.Command, args []string) error {
			about, rest, err := command.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("no command is named %q", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}
