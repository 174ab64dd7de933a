package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// documents says where the secret documents are: in a file, or in AWS Secrets Manager.
type documents struct {
	file, signingID, connectionID, lookupID, linkID string
	variables                                       *env.Variables
}

func (d *documents) flags(flags *pflag.FlagSet, variables *env.Variables) {
	d.variables = variables
	flags.StringVar(&d.file, "secrets", "", "secret documents in `FILE`, as SECRETS_FILE of dev, instead of AWS")
	flags.StringVar(&d.signingID, "signing-id", variables.Optional("SIGNING_SECRET_ID", ""), "signing document in AWS by its `ID`: output SigningSecretId")
	flags.StringVar(&d.connectionID, "connection-id", variables.Optional("CONNECTION_SECRET_ID", ""), "connection document in AWS by its `ID`: output ConnectionSecretId")
}

// lookupFlag is for commands that know the document of lookups too.
func (d *documents) lookupFlag(flags *pflag.FlagSet) {
	flags.StringVar(&d.lookupID, "lookup-id", d.variables.Optional("LOOKUP_SECRET_ID", ""), "lookup document in AWS by its `ID`: parameter LookupSecretArn")
}

// linkFlag is for commands that know the document of links too.
func (d *documents) linkFlag(flags *pflag.FlagSet) {
	flags.StringVar(&d.linkID, "link-id", d.variables.Optional("LINK_SECRET_ID", ""), "link document in AWS by its `ID`: output LinkSecretId")
}

// given says whether the documents are named at all.
func (d *documents) given() bool { return d.file != "" || d.signingID != "" && d.connectionID != "" }

// open returns where the documents are.
func (d *documents) open() (register.Documents, error) {
	if d.file != "" {
		return register.Documents{
			Store: secrets.NewFile(d.file), Signing: "signing", Connections: "connections", Links: "links", Lookups: "lookups",
		}, nil
	}
	if !d.given() {
		return register.Documents{}, usagef("missing secrets: name them by --signing-id and --connection-id, the deployment's outputs SigningSecretId and ConnectionSecretId\n(make secrets STAGE=… does), or by --secrets FILE for the local system")
	}
	account, err := account(d.variables, "the region of the secrets")
	if err != nil {
		return register.Documents{}, fmt.Errorf("%w\nor use --secrets FILE for the local system", err)
	}
	client := secretsmanager.NewFromConfig(awsconfig.New(account))
	return register.Documents{
		Store: secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}), Signing: d.signingID, Connections: d.connectionID, Links: d.linkID, Lookups: d.lookupID,
	}, nil
}

// read returns the signing and the connection document.
func (d *documents) read(ctx context.Context) (signing secrets.Signing, connections secrets.Connections, err error) {
	there, err := d.open()
	if err != nil {
		return signing, connections, err
	}
	if signing, err = readDocument(ctx, there.Store, there.Signing, secrets.ParseSigning); err != nil {
		return signing, connections, err
	}
	connections, err = readDocument(ctx, there.Store, there.Connections, secrets.ParseConnections)
	return signing, connections, err
}

// lookups returns the lookup document, empty if there is none; known is false if nobody has named it.
func (d *documents) lookups(ctx context.Context) (lookups secrets.Lookups, known bool, err error) {
	there, err := d.open()
	if err != nil || there.Lookups == "" {
		return lookups, false, err
	}
	lookups, err = readDocument(ctx, there.Store, there.Lookups, secrets.ParseLookups)
	if errors.Is(err, secrets.ErrNotFound) {
		err = nil
	}
	return lookups, true, err
}

func readDocument[T any](ctx context.Context, store secrets.Source, id string, parse func([]byte) (T, []string, error)) (document T, err error) {
	text, err := store.Get(ctx, id)
	if errors.Is(err, secrets.ErrNotFound) {
		return document, fmt.Errorf("there is no document %q: run make secrets: %w", id, err)
	}
	if err != nil {
		return document, err
	}
	document, _, err = parse(text)
	return document, err
}
