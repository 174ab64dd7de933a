package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

const checkHelp = `Reads extensions.yaml for every stage in it, and says what is wrong and what is odd, line by line.
It calls nobody. With the secret documents it also says what the configuration names and they lack.`

// checking is the command check.
type checking struct {
	process
	configuration
	documents
	strict, json bool
}

func (p process) check() *cobra.Command {
	c := checking{process: p}
	command := &cobra.Command{
		Use:     "check",
		GroupID: groupConfiguration,
		Short:   "Say what is wrong with extensions.yaml, for every stage",
		Long:    checkHelp,
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	command.Flags().SortFlags = false
	c.configuration.flags(command.Flags(), p.variables)
	c.documents.flags(command.Flags(), p.variables)
	c.documents.lookupFlag(command.Flags())
	command.Flags().BoolVar(&c.strict, "strict", false, "what is odd is wrong too")
	command.Flags().BoolVar(&c.json, "json", false, "print the findings as JSON")
	return command
}

// errFound: what is wrong has been printed.
var errFound = errors.New("")

func (c *checking) run(ctx context.Context) error {
	name, text, err := c.text()
	if err != nil {
		return err
	}
	stages, wrong, odd := c.findings(name, text)
	if c.documents.given() && len(wrong) == 0 {
		lacks, err := c.secrets(ctx, name, text)
		if err != nil {
			return err
		}
		wrong = append(wrong, lacks...)
	}
	if c.json {
		err := printJSON(c.out, struct {
			File     string    `json:"file"`
			Stages   []string  `json:"stages"`
			Errors   []finding `json:"errors"`
			Warnings []finding `json:"warnings"`
		}{name, stages, wrong, odd})
		if err != nil {
			return err
		}
	} else {
		for _, one := range wrong {
			fmt.Fprintln(c.errs, one.text)
		}
		for _, one := range odd {
			fmt.Fprintln(c.errs, "warning:", one.text)
		}
	}
	switch {
	case len(wrong) > 0 || c.strict && len(odd) > 0:
		return errFound
	case !c.json:
		fmt.Fprintf(c.out, "%s is good for %d stages.\n", name, len(stages))
	}
	return nil
}

// findings reads the file for each of its stages.
func (c *checking) findings(name string, text []byte) (stages []string, wrong, odd []finding) {
	stages, err := config.Stages(name, text)
	if err != nil || len(stages) == 0 {
		stages = []string{c.stage}
	}
	loads := 0
	for _, stage := range stages {
		loaded, err := c.loadStage(name, text, stage)
		if err != nil {
			wrong = add(wrong, stage, err)
			continue
		}
		loads++
		if warnings := append(loaded.Warnings, actions.Unheard(loaded)...); len(warnings) > 0 {
			odd = add(odd, stage, warnings)
		}
	}
	return stages, noted(wrong, len(stages)), noted(odd, loads)
}

// secrets says what the secret documents lack for the chosen stage.
func (c *checking) secrets(ctx context.Context, name string, text []byte) ([]finding, error) {
	loaded, err := c.loadStage(name, text, c.stage)
	if err != nil {
		return nil, err
	}
	_, connections, err := c.documents.read(ctx)
	if err != nil {
		return nil, err
	}
	known := engine.Secrets{Values: connections.Values, Auth: connections.Auth, SFTP: connections.SFTP, Contentful: connections.Contentful}
	problems := []error{actions.CheckSecrets(loaded, known)}
	lookups, named, err := c.documents.lookups(ctx)
	if err != nil {
		return nil, err
	}
	if named {
		for _, lack := range data.Missing(loaded, lookups) {
			problems = append(problems, errors.New(lack))
		}
	}
	return add(nil, c.stage, errors.Join(problems...)), nil
}
