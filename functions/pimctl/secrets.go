package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

const secretsHelp = `Fills the secret documents with what extensions.yaml needs: random secrets where there is none.
What is there stays, also what somebody else writes meanwhile. Then it says what to paste where.
Running it again changes nothing.

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
	f.documents.lookupFlag(command.Flags())
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
	there, err := f.documents.open()
	if err != nil {
		return err
	}
	done, err := there.Fill(ctx, loaded)
	all := []filled{}
	for _, one := range done {
		written := filled{one.ID, append([]string{}, one.Made...), append([]string{}, one.Paste...), append([]string{}, one.Missing...), one.Document}
		if !f.json {
			f.print(written)
		}
		all = append(all, written)
	}
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(f.out, all)
	}
	return nil
}

// print says what became of a document, and what is left to do.
func (f *filling) print(one filled) {
	if len(one.Made) == 0 {
		fmt.Fprintf(f.out, "%s: nothing to add.\n", one.Document)
	} else {
		fmt.Fprintf(f.out, "%s: %d made. apply sends them; or paste them (--show prints them):\n", one.Document, len(one.Made))
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
