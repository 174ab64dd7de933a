package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const secretsHelp = `Fills both secret documents with what extensions.yaml needs: random secrets where there is none.
What is there stays. Then it says what to paste where. Running it again changes nothing.

Without --secrets it works on AWS Secrets Manager, with the credentials in AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and the region in AWS_REGION. From a profile:
  eval "$(aws configure export-credentials --format env)"`

// filling is the command secrets.
type filling struct {
	process
	configuration
	documents
	show, json bool
}

func (p process) secrets() *cobra.Command {
	f := filling{process: p}
	command := &cobra.Command{
		Use:     "secrets",
		GroupID: groupDeployment,
		Short:   "Fill the secrets with what extensions.yaml needs",
		Long:    secretsHelp,
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return f.run(command.Context()) },
	}
	command.Flags().SortFlags = false
	f.configuration.flags(command.Flags(), p.variables)
	f.documents.flags(command.Flags(), p.variables)
	command.Flags().BoolVar(&f.show, "show", false, "print the documents, secrets included")
	command.Flags().BoolVar(&f.json, "json", false, "print as JSON what was made and what is missing")
	command.MarkFlagsMutuallyExclusive("show", "json")
	return command
}

// filled is what became of one document, without its secrets.
type filled struct {
	Document string   `json:"document"` // ID
	Made     []string `json:"made"`     // places that got a new secret
	Paste    []string `json:"paste"`    // what to paste where now
	Missing  []string `json:"missing"`  // what only a person can give
	text     []byte
}

func (f *filling) run(ctx context.Context) error {
	loaded, err := f.load()
	if err != nil {
		return err
	}
	there, ids, err := f.documents.open()
	if err != nil {
		return err
	}
	all := []filled{}
	for i, fill := range []func([]byte, *config.Config) (register.Filled, error){register.FillSigning, register.FillConnections} {
		one, err := fillDocument(ctx, there, ids[i], loaded, fill)
		if err != nil {
			return err
		}
		if !f.json {
			f.print(one)
		}
		all = append(all, one)
	}
	if f.json {
		return printJSON(f.out, all)
	}
	return nil
}

// fillDocument brings one document up to date.
func fillDocument(ctx context.Context, documents secrets.Documents, id string, c *config.Config, fill func([]byte, *config.Config) (register.Filled, error)) (filled, error) {
	before, err := documents.Get(ctx, id)
	isNew := errors.Is(err, secrets.ErrNotFound)
	if err != nil && !isNew {
		return filled{}, err
	}
	done, err := fill(before, c)
	if err != nil {
		return filled{}, fmt.Errorf("%s: %w", id, err)
	}
	if len(done.Made) > 0 || isNew {
		if err := documents.Put(ctx, id, done.Document); err != nil {
			return filled{}, err
		}
	}
	return filled{id, append([]string{}, done.Made...), append([]string{}, done.Paste...), append([]string{}, done.Missing...), done.Document}, nil
}

// print says what became of a document, and what is left to do.
func (f *filling) print(one filled) {
	if len(one.Made) == 0 {
		fmt.Fprintf(f.out, "%s: nothing to add.\n", one.Document)
	} else {
		fmt.Fprintf(f.out, "%s: %d made. Paste them (--show prints them):\n", one.Document, len(one.Made))
	}
	for _, line := range one.Paste {
		fmt.Fprintln(f.out, "  "+line)
	}
	if len(one.Missing) > 0 {
		fmt.Fprintf(f.out, "%s: only you can add:\n", one.Document)
	}
	for _, line := range one.Missing {
		fmt.Fprintln(f.out, "  "+line)
	}
	if f.show {
		fmt.Fprintf(f.out, "%s", one.text)
	}
}
