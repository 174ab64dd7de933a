package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// documents says where the two secret documents are: in a file, or in AWS Secrets Manager.
type documents struct {
	file, signingID, connectionID string
	variables                     *env.Variables
}

func (d *documents) flags(flags *pflag.FlagSet, variables *env.Variables) {
	d.variables = variables
	flags.StringVar(&d.file, "secrets", "", "secret documents in `FILE`, as SECRETS_FILE of dev, instead of AWS")
	flags.StringVar(&d.signingID, "signing-id", variables.Optional("SIGNING_SECRET_ID", ""), "signing document in AWS by its `ID`: output SigningSecretId")
	flags.StringVar(&d.connectionID, "connection-id", variables.Optional("CONNECTION_SECRET_ID", ""), "connection document in AWS by its `ID`: output ConnectionSecretId")
}

// given says whether the documents are named at all.
func (d *documents) given() bool { return d.file != "" || d.signingID != "" && d.connectionID != "" }

// open returns where the documents are, and their IDs there: signing, then connection.
func (d *documents) open() (secrets.Documents, [2]string, error) {
	if d.file != "" {
		return secrets.NewFile(d.file), [2]string{"signing", "connections"}, nil
	}
	if !d.given() {
		return nil, [2]string{}, usagef("missing secrets: name them by --signing-id and --connection-id, the deployment's outputs SigningSecretId and ConnectionSecretId\n(make secrets STAGE=… does), or by --secrets FILE for the local system")
	}
	account, err := account(d.variables, "the region of the secrets")
	if err != nil {
		return nil, [2]string{}, fmt.Errorf("%w\nor use --secrets FILE for the local system", err)
	}
	client := secretsmanager.NewFromConfig(awsconfig.New(account))
	return secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}), [2]string{d.signingID, d.connectionID}, nil
}

// read returns both documents.
func (d *documents) read(ctx context.Context) (secrets.Signing, secrets.Connections, error) {
	there, ids, err := d.open()
	if err != nil {
		return secrets.Signing{}, secrets.Connections{}, err
	}
	var texts [2][]byte
	for i, id := range ids {
		texts[i], err = there.Get(ctx, id)
		if errors.Is(err, secrets.ErrNotFound) {
			err = fmt.Errorf("there is no document %q: run make secrets", id)
		}
		if err != nil {
			return secrets.Signing{}, secrets.Connections{}, err
		}
	}
	signing, _, err := secrets.ParseSigning(texts[0])
	if err != nil {
		return secrets.Signing{}, secrets.Connections{}, err
	}
	connections, _, err := secrets.ParseConnections(texts[1])
	return signing, connections, err
}
