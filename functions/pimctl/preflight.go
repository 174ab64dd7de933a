package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const preflightHelp = `Looks at the deployment at URL (output ApiUrl) as its senders will meet it: name, certificate,
clock, redirects, unknown paths, and for each declared sender that its proof is accepted, a wrong
one is refused, and the answer comes in time, at first and when warm. It signs with the secret
documents and starts nothing: its bodies are empty. It ends with 1 if a sender would meet something
wrong.`

// checkingFlight is the command preflight.
type checkingFlight struct {
	process
	configuration
	documents
	address
	json bool
}

func (p process) preflight() *cobra.Command {
	c := checkingFlight{process: p}
	command := &cobra.Command{
		Use:     "preflight URL",
		GroupID: groupDeployment,
		Short:   "Look at a deployment as its senders meet it",
		Long:    preflightHelp,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			rest, err := c.address.origin(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("%q is too much: --url has the URL", rest[0])
			}
			return c.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	c.address.flags(flags)
	c.configuration.flags(flags, p.variables)
	c.documents.flags(flags, p.variables)
	c.documents.linkFlag(flags)
	flags.BoolVar(&c.json, "json", false, "print the findings as JSON")
	return command
}

func (c *checkingFlight) run(ctx context.Context) error {
	loaded, err := c.load()
	if err != nil {
		return err
	}
	flight, err := c.flight(ctx, loaded)
	if err != nil {
		return err
	}
	findings := []register.Finding{}
	flight.Report = func(f register.Finding) {
		if findings = append(findings, f); !c.json {
			printFinding(c.out, f)
		}
	}
	good := flight.Run(ctx)
	if c.json {
		if err := printJSON(c.out, findings); err != nil {
			return err
		}
	}
	if !good {
		return errFound
	}
	return nil
}

// flight is what looks, with the secrets that are known here.
func (c *checkingFlight) flight(ctx context.Context, loaded *config.Config) (register.Preflight, error) {
	base, err := register.Origin(c.url)
	if err != nil {
		return register.Preflight{}, usageError{err.Error()}
	}
	flight := register.Preflight{
		Prober: register.Prober{Base: base, Client: register.ProbeClient(http.DefaultTransport), Now: c.now}, Config: loaded,
	}
	if !c.documents.given() {
		return flight, nil
	}
	signing, _, err := c.documents.read(ctx)
	if err != nil {
		return flight, err
	}
	flight.Signing = &signing
	flight.Links, err = c.documents.links(ctx)
	return flight, err
}

// lookAt looks at the deployment that the senders were told of, and prints what they would meet. Another machine's address
// is nothing that the local system's stage can prove itself at.
func (c *planning) lookAt(ctx context.Context, s register.Session) error {
	base, err := register.Origin(c.url)
	if err != nil || !c.check || c.stage == config.Local && base.Scheme != "http" {
		return err
	}
	signing, err := readDocument(ctx, s.Documents.Store, s.Documents.Signing, secrets.ParseSigning)
	if err != nil {
		return err
	}
	flight := register.Preflight{
		Prober: register.Prober{Base: base, Client: register.ProbeClient(http.DefaultTransport), Now: c.now}, Config: register.Only(s.Config, s.Options.Only), Signing: &signing,
		Report: func(f register.Finding) {
			if f.State == register.Wrong || f.State == register.Odd {
				printFinding(c.out, f)
			}
		},
	}
	if !flight.Run(ctx) {
		return errors.New("the senders were told, and would meet what stands above (pimctl preflight looks again)")
	}
	fmt.Fprintln(c.out, "The deployment answers them as it should.")
	return nil
}

// links returns the link document; nil if nobody has named it, or there is none.
func (d *documents) links(ctx context.Context) (*secrets.Links, error) {
	there, err := d.open()
	if err != nil || there.Links == "" {
		return nil, err
	}
	links, err := readDocument(ctx, there.Store, there.Links, secrets.ParseLinks)
	if errors.Is(err, secrets.ErrNotFound) {
		return nil, nil
	}
	return &links, err
}

// printFinding writes a finding for people.
func printFinding(out io.Writer, f register.Finding) {
	name := f.Name
	if name != "" {
		name += ": "
	}
	fmt.Fprintf(out, "%-8s %-12s %s%s.\n", f.State, f.Check, name, f.Message)
	if f.Remedy != "" && f.State != register.Fine {
		fmt.Fprintf(out, "%-21s → %s.\n", "", f.Remedy)
	}
}
