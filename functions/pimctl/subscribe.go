package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
)

const subscribeHelp = `Does the part of apply that is about the PIMs' events, without asking: the subscriber and the
subscriptions at the Event Platform. For the Events API it says what to click.`

// subscribing is the command subscribe: apply for events alone, or what it would send as curl.
type subscribing struct {
	planning
	curl bool
}

func (p process) subscribe() *cobra.Command {
	s := subscribing{planning: planning{process: p, yes: true, options: register.Options{EventsOnly: true}}}
	command := s.command("subscribe URL", "Connect the PIMs' events with a deployment", subscribeHelp, func(ctx context.Context) error {
		if s.curl {
			return s.printCalls()
		}
		return s.runApply(ctx)
	})
	flags := command.Flags()
	s.scope(flags)
	flags.StringVar(&s.options.Subscriber, "subscriber", "", "use the subscriber `ID` (default: the one with our name)")
	flags.BoolVar(&s.curl, "print", false, "print the same as curl, secrets as shell variables; calls nobody")
	return command
}

// printCalls prints the calls without making one.
func (s *subscribing) printCalls() error {
	loaded, err := s.load()
	if err != nil {
		return err
	}
	if loaded, err = register.Narrow(loaded, s.pim); err != nil {
		return err
	}
	listeners, err := register.Listeners(loaded, s.url, nil)
	if err != nil {
		return err
	}
	if err := register.PrintListeners(s.out, listeners); err != nil {
		return err
	}
	return register.PrintEventsAPI(s.out, loaded, s.url)
}
