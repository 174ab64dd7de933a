// The command line of package register: what the PIM must know about us.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/pim-functions/pim-functions/shared/env"
)

const usage = `What the PIM must know about us.

  go run ./functions/register/cli print URL [NAME…]   for each extension: the JSON body, the curl call, what to click
  go run ./functions/register/cli secrets             fill the secrets with what extensions.yaml needs
  go run ./functions/register/cli subscribe URL       connect the PIM's events: subscriber, subscriptions, or what to click
  go run ./functions/register/cli explain FILE        which subscriptions an event matches, and why or why not
  go run ./functions/register/cli check               what is wrong with extensions.yaml, for every stage

Each command has --help.
`

// app is one run of the command line.
type app struct {
	in       io.Reader
	out, err io.Writer
	vars     *env.Variables
}

// errUsage: the words on the command line are off; the flag package or the command has said how.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, app{in: os.Stdin, out: os.Stdout, err: os.Stderr, vars: env.OS()}, os.Args[1:]))
}

// run returns the exit status: 0 done, 1 something is wrong, 2 the command line is.
func run(ctx context.Context, a app, args []string) int {
	commands := map[string]func(context.Context, []string) error{
		"print": a.print, "secrets": a.secrets, "subscribe": a.subscribe, "explain": a.explain, "check": a.check,
	}
	if len(args) == 0 || slices.Contains([]string{"-h", "--help", "help"}, args[0]) {
		fmt.Fprint(a.out, usage)
		return 0
	}
	command, there := commands[args[0]]
	if !there {
		fmt.Fprintf(a.err, "unknown command %q\n\n%s", args[0], usage)
		return 2
	}
	switch err := command(ctx, args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err != nil:
		fmt.Fprintln(a.err, err)
		return 1
	}
	return 0
}

// flags makes a command's flags with its help.
func (a app) flags(name, help string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(a.err)
	set.Usage = func() {
		fmt.Fprintf(a.err, "%s\n\nFlags:\n", help)
		set.PrintDefaults()
	}
	return set
}

// parse reads flags and words in any order.
func parse(set *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage
		}
		if args = set.Args(); len(args) == 0 {
			return words, nil
		}
		words, args = append(words, args[0]), args[1:]
	}
}
