package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const printHelp = `Prints, for each extension and position, the JSON body for the PIM's API, the curl call that sends
it, and what to click instead. URL is the deployment's own (output ApiUrl), NAME an extension:
one for several PIMs is printed for each of them, NAME_PIM for that PIM alone.`

// printing is the command print.
type printing struct {
	process
	configuration
	address
	secretsFile string
	show, json  bool
}

func (p process) print() *cobra.Command {
	c := printing{process: p}
	command := &cobra.Command{
		Use:     "print URL [NAME…]",
		GroupID: groupDeployment,
		Short:   "Print what the PIM must know about the extensions",
		Long:    printHelp,
		RunE: func(command *cobra.Command, args []string) error {
			names, err := c.address.take(args)
			if err != nil {
				return err
			}
			return c.run(command.Context(), names)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	c.address.flags(flags)
	c.configuration.flags(flags, p.variables)
	flags.StringVar(&c.secretsFile, "secrets", "", "signing document in `FILE`, for --show-secrets")
	flags.BoolVar(&c.show, "show-secrets", false, "print real secrets instead of $SECRET_… (needs --secrets)")
	flags.BoolVar(&c.json, "json", false, "print the bodies alone, as JSON")
	command.MarkFlagsRequiredTogether("secrets", "show-secrets")
	return command
}

func (c *printing) run(ctx context.Context, names []string) error {
	loaded, err := c.load()
	if err != nil {
		return err
	}
	var signing *secrets.Signing
	if c.show {
		document, err := secrets.NewFile(c.secretsFile).Get(ctx, "signing")
		if err != nil {
			return fmt.Errorf("read signing document: %w", err)
		}
		parsed, _, err := secrets.ParseSigning(document)
		if err != nil {
			return err
		}
		signing = &parsed
	}
	entries, err := register.Entries(loaded, c.url, signing, names...)
	if err != nil {
		return err
	}
	if !c.json {
		return register.Print(c.out, entries)
	}
	type printed struct {
		Extension string        `json:"extension"`
		PIM       string        `json:"pim"`
		URL       string        `json:"url"` // of the PIM
		Body      pim.Extension `json:"body"`
	}
	all := []printed{}
	for _, entry := range entries {
		all = append(all, printed{entry.Declared, entry.PIM.Name, entry.PIM.URL, entry.Extension})
	}
	return printJSON(c.out, all)
}
