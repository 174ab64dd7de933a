package main

import (
	"cmp"
	"context"
	"time"

	"github.com/pim-functions/pim-functions/functions/local"
	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// session reads what the flags name, and connects.
func (c *planning) session(ctx context.Context) (register.Session, error) {
	if err := c.playedHere(ctx); err != nil {
		return register.Session{}, err
	}
	loaded, err := c.load()
	if err != nil {
		return register.Session{}, err
	}
	s := register.Session{Base: c.url, Options: c.options, Down: c.down}
	if s.Config, err = register.Narrow(loaded, c.pim); err != nil {
		return s, err
	}
	if s.Options.Only, err = register.Named(s.Config, c.options.Only); err != nil {
		return s, err
	}
	if s.Down {
		s.Options.Prune = true
	}
	if s.Documents, err = c.openDocuments(); err != nil {
		return s, err
	}
	connections, err := readDocument(ctx, s.Documents.Store, s.Documents.Connections, secrets.ParseConnections)
	if err != nil {
		return s, err
	}
	s.Values = connections.Values
	variables := c.process.variables
	places := register.Addresses{
		Outbound:   outbound.New(outbound.Config{AllowPrivate: variables.Bool("ALLOW_PRIVATE_NETWORK", c.stage == config.Local), Now: time.Now}),
		Platform:   variables.Optional("EVENT_PLATFORM_URL", cmp.Or(c.played["EVENT_PLATFORM_URL"], platformapi.DefaultBase)),
		Contentful: variables.Optional("CONTENTFUL_URL", contentfulapi.DefaultHost),
	}
	if err := variables.Err(); err != nil {
		return s, err
	}
	s.Senders, err = register.Connect(s.Config, connections, places)
	if _, named := variables.Lookup("CONTENTFUL_URL"); c.played != nil && !named {
		s.Senders.Contentful, s.Senders.Refused = nil, "the local system plays no organization of Contentful: CONTENTFUL_URL may name one"
	}
	return s, err
}

// openDocuments returns where the secret documents are: for the local system its samples, where no others are named.
func (c *planning) openDocuments() (register.Documents, error) {
	if c.played != nil && !c.documents.given() {
		return register.Documents{Store: samples{local.Samples()}, Signing: "signing", Connections: "connections"}, nil
	}
	return c.documents.open()
}
