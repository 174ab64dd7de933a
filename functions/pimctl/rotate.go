package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
)

const rotateHelp = `Replaces the secret NAME: an extension's, event-platform.PIM, event-platform.PIM/notifications,
contentful or links (--all: each of them), and refuses no valid call meanwhile:

  a new secret is added      then it waits until every function accepts both, ten minutes at least
  the sender gets it         where no API does that, it says where to click, and goes on by itself
  the old one goes           when the new one is used and the old one was not for an hour

Interrupted at any point, the same command goes on; started twice, it is one rotation. It can run
anywhere, also in pieces: how far it is stands in the secret document. --status shows it.`

const rotateExample = `  pimctl rotate export_to_erp --url https://….amazonaws.com --stage production
  pimctl rotate --all --url https://….amazonaws.com --stage production
  pimctl rotate --status --url https://….amazonaws.com --stage production`

// replacing is the command rotate.
type replacing struct {
	process
	configuration
	documents
	address
	all, status, unseen, json bool
}

func (p process) rotate() *cobra.Command {
	r := replacing{process: p}
	command := &cobra.Command{
		Use:     "rotate NAME --url URL",
		GroupID: groupDeployment,
		Short:   "Replace secrets without refusing a call",
		Long:    rotateHelp,
		Example: rotateExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := r.check(args); err != nil {
				return err
			}
			return r.run(command.Context(), args)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.url, "url", "", "deployment at `URL` (output ApiUrl)")
	flags.BoolVar(&r.all, "all", false, "replace every secret, at the same time")
	flags.BoolVar(&r.status, "status", false, "say how far each rotation is, and change nothing")
	flags.BoolVar(&r.unseen, "unseen", false, "take the old secret away though nobody has called with the new one")
	flags.BoolVar(&r.json, "json", false, "print --status as JSON")
	r.configuration.flags(flags, p.variables)
	r.documents.flags(flags, p.variables)
	r.documents.linkFlag(flags)
	return command
}

func (r *replacing) check(args []string) error {
	switch {
	case len(args) == 0 && !r.all && !r.status:
		return usagef("missing NAME: whose secret to replace (--all for each, --status for how far)")
	case len(args) > 0 && (r.all || r.status) || r.all && r.status:
		return usagef("NAME, --all and --status exclude each other")
	case r.json && !r.status:
		return usagef("--json belongs to --status")
	}
	_, err := r.address.origin(nil)
	return err
}

func (r *replacing) run(ctx context.Context, args []string) error {
	loaded, err := r.load()
	if err != nil {
		return err
	}
	rotator, err := r.rotator(ctx)
	if err != nil {
		return err
	}
	if r.status {
		return r.printStatus(ctx, rotator, loaded)
	}
	var places []register.Place
	if r.all {
		for _, place := range register.SecretPlaces(loaded) {
			if place.Kind == register.OfEventsAPI || place.Kind == register.OfLinks && rotator.Documents.Links == "" ||
				loaded.Extensions[place.Target].Unsigned {
				continue
			}
			places = append(places, place)
		}
	} else {
		place, err := register.FindPlace(loaded, args[0])
		if err != nil {
			return usageError{err.Error()}
		}
		places = append(places, place)
	}
	return r.together(ctx, rotator, places)
}

// together rotates several places at the same time: most of it is waiting.
func (r *replacing) together(ctx context.Context, rotator *register.Rotator, places []register.Place) error {
	errs := make([]error, len(places))
	var running sync.WaitGroup
	for i, place := range places {
		running.Go(func() {
			if errs[i] = rotator.Run(ctx, place); errors.Is(errs[i], register.ErrLater) {
				rotator.Say(place.Name, errs[i].Error())
			}
		})
	}
	running.Wait()
	var wrong []error
	for _, err := range errs {
		if err != nil && !errors.Is(err, register.ErrLater) {
			wrong = append(wrong, r.planning().explained(err))
		}
	}
	if errors.Is(context.Cause(ctx), context.Canceled) && len(wrong) > 0 {
		return errors.New("interrupted: the same command goes on where this one ended")
	}
	return errors.Join(wrong...)
}

// planning is what tells the senders.
func (r *replacing) planning() *planning {
	return &planning{process: r.process, configuration: r.configuration, documents: r.documents, address: r.address}
}

// rotator is made for where the deployment is: on this machine, or at AWS.
func (r *replacing) rotator(ctx context.Context) (*register.Rotator, error) {
	r.url = strings.TrimRight(r.url, "/")
	base, err := register.Origin(r.url)
	if err != nil {
		return nil, usageError{err.Error()}
	}
	session, err := r.planning().session(ctx)
	if err != nil && session.Senders.PIMs == nil { // a PIM that is not connected is told by hand
		return nil, err
	}
	var saying sync.Mutex
	made := register.Rotator{
		Giver: session, Documents: session.Documents, Unseen: r.unseen, Now: r.now, Times: register.DefaultTimes,
		Prober: register.Prober{Base: base, Client: register.ProbeClient(http.DefaultTransport), Now: r.now},
		Say: func(place, text string) {
			saying.Lock()
			defer saying.Unlock()
			fmt.Fprintf(r.out, "%s  %s: %s.\n", r.now().UTC().Format("15:04:05"), place, strings.TrimSuffix(text, "."))
		},
	}
	if r.stage == config.Local {
		made.Times = register.LocalTimes
		made.Uses = register.Inspector{Base: base, Client: register.ProbeClient(http.DefaultTransport)}
	} else if made.Uses, err = r.counted(); err != nil {
		return nil, err
	}
	return register.NewRotator(made), nil
}

func (r *replacing) printStatus(ctx context.Context, rotator *register.Rotator, loaded *config.Config) error {
	all, err := rotator.Status(ctx, loaded)
	if err != nil {
		return err
	}
	if r.json {
		return printJSON(r.out, all)
	}
	for _, one := range all {
		fmt.Fprintf(r.out, "%-40s %s\n", one.Name, strings.TrimSuffix(one.State+": "+one.Next, ": "))
	}
	return nil
}
