package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/actions"
)

const largestEvent = 10 << 20 // bytes that are read: more than any delivery has

const explainHelp = `Says for the event in FILE (- is standard input), subscription by subscription, whether it matches
and why. FILE holds one event of either event API, or a delivery of several, as JSON.
It calls nobody, unless the flags name secrets in AWS: then it knows which changes are our own.`

// explaining is the command explain.
type explaining struct {
	process
	configuration
	documents
	pim  string
	json bool
}

func (p process) explain() *cobra.Command {
	e := explaining{process: p}
	command := &cobra.Command{
		Use:     "explain FILE",
		GroupID: groupConfiguration,
		Short:   "Say which subscriptions an event matches, and why or why not",
		Long:    explainHelp,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("missing FILE: the event to explain, or - for standard input")
			}
			return e.run(command.Context(), args[0])
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	e.configuration.flags(flags, p.variables)
	flags.StringVar(&e.pim, "pim", "", "PIM `NAME` sent the event (default: the only one)")
	e.documents.flags(flags, p.variables)
	flags.BoolVar(&e.json, "json", false, "print the explanation as JSON")
	return command
}

func (e *explaining) run(ctx context.Context, file string) error {
	loaded, err := e.load()
	if err != nil {
		return err
	}
	pims := slices.Sorted(maps.Keys(loaded.PIMs))
	switch {
	case e.pim == "" && len(pims) == 1:
		e.pim = pims[0]
	case e.pim == "":
		return usagef("missing --pim: %s sent the event", strings.Join(pims, " or "))
	case !slices.Contains(pims, e.pim):
		return fmt.Errorf("no pim %q in extensions.yaml: it has %s", e.pim, strings.Join(pims, ", "))
	}
	body, err := e.event(file)
	if err != nil {
		return err
	}
	var identities []string
	if e.documents.given() {
		_, connections, err := e.documents.read(ctx)
		if err != nil {
			return err
		}
		own := connections.PIMs[e.pim]
		identities = []string{own.ClientID, own.Username}
	}
	explained, err := register.Explain(loaded, actions.Kinds(actions.Deps{}), e.pim, body, identities)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if e.json {
		return printJSON(e.out, explained)
	}
	for i, one := range explained {
		if i > 0 {
			fmt.Fprintln(e.out)
		}
		fmt.Fprint(e.out, one)
	}
	return nil
}

func (e *explaining) event(name string) ([]byte, error) {
	from := e.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close() // it was only read
		from = file
	}
	return io.ReadAll(io.LimitReader(from, largestEvent))
}
