package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const subscribeHelp = `Connects the PIMs' events to the deployment at URL (output ApiUrl). At the Event Platform it finds
or makes the subscriber and the subscriptions that extensions.yaml declares, with the newest secret
of the signing document as primary and the one before it as secondary. What is right stays: running
it again changes nothing. What is not ours is left alone. For the Events API it says what to click.

It needs the connection's client_id, client_secret, username and password under pims in the
connection document, the box Event Platform of that connection ticked in the PIM, and
technical_email on the PIM in extensions.yaml.`

// subscribing is the command subscribe.
type subscribing struct {
	process
	configuration
	documents
	address
	only  string // PIM; "": all
	print bool
	do    register.Subscribe
}

func (p process) subscribe() *cobra.Command {
	s := subscribing{process: p, do: register.Subscribe{Out: p.out}}
	command := &cobra.Command{
		Use:     "subscribe URL",
		GroupID: groupDeployment,
		Short:   "Connect the PIMs' events with a deployment",
		Long:    subscribeHelp,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			rest, err := s.address.take(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("%q is too much: --url has the URL", rest[0])
			}
			return withReason(s.run(command.Context()))
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	s.address.flags(flags)
	s.configuration.flags(flags, p.variables)
	s.documents.flags(flags, p.variables)
	flags.StringVar(&s.only, "pim", "", "connect the PIM `NAME` alone (default: all)")
	flags.StringVar(&s.do.Subscriber, "subscriber", "", "use the subscriber `ID` (default: the one with our name)")
	flags.BoolVar(&s.print, "print", false, "print the same as curl, secrets as shell variables; calls nobody")
	flags.BoolVar(&s.do.Resume, "resume", false, "resume what is suspended, when the cause is gone")
	flags.BoolVar(&s.do.Prune, "prune", false, "delete subscriptions to our address that are no longer declared")
	flags.BoolVar(&s.do.SendSecrets, "send-secrets", false, "send the secrets to what is there, after one was replaced")
	return command
}

func (s *subscribing) run(ctx context.Context) error {
	loaded, err := s.load()
	if err != nil {
		return err
	}
	if err := knownPIM(loaded, s.only); err != nil {
		return err
	}
	if len(loaded.Subscriptions) == 0 {
		fmt.Fprintln(s.out, "extensions.yaml declares no subscriptions: there is nothing to connect.")
		return nil
	}
	if s.print {
		listeners, err := listeners(loaded, s.url, nil, s.only)
		if err != nil {
			return err
		}
		if err := register.PrintListeners(s.out, listeners); err != nil {
			return err
		}
	} else if err := s.connect(ctx, loaded); err != nil {
		return err
	}
	return register.PrintEventsAPI(s.out, loaded, s.url, s.only)
}

// listeners are those of one PIM, or of all. What is wrong with another PIM is no obstacle.
func listeners(c *config.Config, base string, signing *secrets.Signing, only string) ([]register.Listener, error) {
	if only != "" {
		one := *c
		one.PIMs = map[string]config.PIM{only: c.PIMs[only]}
		c = &one
	}
	return register.Listeners(c, base, signing)
}

// connect goes from PIM to PIM. The first that fails ends it: the next run goes on there.
func (s *subscribing) connect(ctx context.Context, c *config.Config) error {
	wanted, err := listeners(c, s.url, nil, s.only) // what extensions.yaml lacks is reported before secrets are read
	if err != nil || len(wanted) == 0 {
		return err
	}
	signing, connections, err := s.documents.read(ctx)
	if err != nil {
		return err
	}
	if wanted, err = listeners(c, s.url, &signing, s.only); err != nil {
		return err
	}
	calls := outbound.New(outbound.Config{AllowPrivate: s.process.variables.Bool("ALLOW_PRIVATE_NETWORK", false), Now: time.Now})
	platform := s.process.variables.Optional("EVENT_PLATFORM_URL", platformapi.DefaultBase)
	if err := s.process.variables.Err(); err != nil {
		return err
	}
	changes := 0
	for _, l := range wanted {
		own, there := connections.PIMs[l.PIM.Name]
		credential := pim.Credential{ClientID: own.ClientID, ClientSecret: own.ClientSecret, Username: own.Username, Password: own.Password}
		if !there || !credential.Complete() {
			return fmt.Errorf(`pims.%s of the connection document is not complete: put {"client_id":"…","client_secret":"…","username":"…","password":"…"} there, from Connect > Connection settings in the PIM`, l.PIM.Name)
		}
		tokens := pim.NewTokens(pim.TokensConfig{Outbound: calls, URL: l.PIM.URL, Credential: credential})
		subscribe := s.do
		subscribe.Client, err = platformapi.New(platformapi.Config{Outbound: calls, Base: platform, PIM: l.PIM.URL, ClientID: own.ClientID, Token: tokens.Token})
		if err != nil {
			return fmt.Errorf("pim %q: %w", l.PIM.Name, err)
		}
		made, err := subscribe.Run(ctx, l)
		changes += made
		if err != nil {
			return fmt.Errorf("pim %q, after %d changes (running it again goes on): %w", l.PIM.Name, changes, err)
		}
	}
	if changes == 0 {
		fmt.Fprintln(s.out, "Nothing to change. The platform shows no secrets: if one was replaced, run this with --send-secrets.")
		return nil
	}
	fmt.Fprintf(s.out, "%d changed. It takes several minutes until the platform sends accordingly.\n", changes)
	return nil
}

// withReason adds the platform's own words to an error, for whoever reads it here.
func withReason(err error) error {
	failed, ok := errors.AsType[*platformapi.Error](err)
	if !ok || len(failed.Messages) == 0 {
		return err
	}
	return fmt.Errorf("%w\nthe Event Platform says: %s", err, strings.Join(failed.Messages, "; "))
}
