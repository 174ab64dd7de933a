package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const subscribeHelp = `subscribe URL connects the PIMs' events to the deployment at URL (output ApiUrl). At the Event Platform it finds or makes
the subscriber and the subscriptions that extensions.yaml declares, with the newest secret of the signing document as
primary and the one before it as secondary. What is right stays: running it again changes nothing. What is not ours is
left alone. For the older Events API it says what to click.

It needs the connection's client_id, client_secret, username and password under pims in the connection document, the box
Event Platform of that connection ticked in the PIM, and technical_email on the PIM in extensions.yaml.

Secrets come from AWS Secrets Manager as in secrets --help, or from --file. With --print it needs none and calls nobody.`

func (a app) subscribe(ctx context.Context, args []string) error {
	set := a.flags("subscribe", subscribeHelp)
	s := a.source(set)
	d := a.documents(set)
	url := set.String("url", "", "`URL`, as an alternative to the first word")
	only := set.String("pim", "", "`NAME` of the one PIM to connect; default: all")
	subscriber := set.String("subscriber", "", "`ID` of a subscriber to use, of the connection's own; default: by its name")
	print := set.Bool("print", false, "print the same as curl, with secrets and tokens as variables of the shell")
	resume := set.Bool("resume", false, "resume what is suspended, when the cause is gone")
	prune := set.Bool("prune", false, "delete the subscriptions to our own address that are no longer declared")
	send := set.Bool("send-secrets", false, "send the secrets to what is there already, after one was replaced")
	words, err := parse(set, args)
	if err != nil {
		return err
	}
	if *url == "" && len(words) > 0 {
		*url, words = words[0], words[1:]
	}
	base, err := register.Base(*url)
	switch {
	case *url == "":
		return a.misused("say where we are: subscribe https://…")
	case len(words) > 0:
		return a.misused("subscribe takes no %q", words[0])
	case err != nil:
		return err
	}
	c, err := s.load(*s.stage)
	if err != nil {
		return err
	}
	if _, there := c.PIMs[*only]; *only != "" && !there {
		return fmt.Errorf("no pim %q in extensions.yaml", *only)
	}
	if len(c.Subscriptions) == 0 {
		fmt.Fprintln(a.out, "extensions.yaml declares no subscriptions: there is nothing to connect.")
		return nil
	}
	if *print {
		return a.printSubscriptions(c, base, *only)
	}
	if err := a.connect(ctx, c, base, *only, d, register.Subscribe{Out: a.out, Subscriber: *subscriber, SendSecrets: *send, Resume: *resume, Prune: *prune}); err != nil {
		return told(err)
	}
	return register.PrintEventsAPI(a.out, c, base, *only)
}

func (a app) printSubscriptions(c *config.Config, base, only string) error {
	listeners, err := listeners(c, base, nil, only)
	if err != nil {
		return err
	}
	if err := register.PrintListeners(a.out, listeners); err != nil {
		return err
	}
	return register.PrintEventsAPI(a.out, c, base, only)
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
func (a app) connect(ctx context.Context, c *config.Config, base, only string, d documents, subscribe register.Subscribe) error {
	wanted, err := listeners(c, base, nil, only) // what extensions.yaml lacks is said before anybody asks for secrets
	if err != nil || len(wanted) == 0 {
		return err
	}
	signing, connections, err := d.read(ctx)
	if err != nil {
		return err
	}
	if wanted, err = listeners(c, base, &signing, only); err != nil {
		return err
	}
	calls := outbound.New(outbound.Config{AllowPrivate: a.vars.Bool("ALLOW_PRIVATE_NETWORK", false), Now: time.Now})
	platform := a.vars.Optional("EVENT_PLATFORM_URL", platformapi.DefaultBase)
	if err := a.vars.Err(); err != nil {
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
		fmt.Fprintln(a.out, "Nothing to change. The platform shows no secrets: if one was replaced, run this with --send-secrets.")
		return nil
	}
	fmt.Fprintf(a.out, "%d changed. It takes several minutes until the platform sends accordingly.\n", changes)
	return nil
}

// told adds what the platform said to an error, for whoever reads it here.
func told(err error) error {
	failed, ok := errors.AsType[*platformapi.Error](err)
	if !ok || len(failed.Said) == 0 {
		return err
	}
	said := slices.Clone(failed.Said)
	return fmt.Errorf("%w\nthe Event Platform says: %s", err, strings.Join(said, "; "))
}
