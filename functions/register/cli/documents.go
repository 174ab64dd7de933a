package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// documents are the flags that say where the two secret documents are.
type documents struct {
	app                           app
	file, signingID, connectionID *string
}

func (a app) documents(set *flag.FlagSet) documents {
	return documents{
		app:          a,
		file:         set.String("file", "", "`FILE` instead of Secrets Manager: {\"signing\":{…},\"connections\":{…}}"),
		signingID:    set.String("signing-id", a.vars.Optional("SIGNING_SECRET_ID", ""), "`ID` of the signing document: the deployment's output SigningSecretId"),
		connectionID: set.String("connection-id", a.vars.Optional("CONNECTION_SECRET_ID", ""), "`ID` of the connection document: the deployment's output ConnectionSecretId"),
	}
}

// open returns where the documents are, and their IDs there: signing, then connection.
func (d documents) open() (register.Documents, [2]string, error) {
	if *d.file != "" {
		return register.File{Path: *d.file}, [2]string{"signing", "connections"}, nil
	}
	if *d.signingID == "" || *d.connectionID == "" {
		return nil, [2]string{}, d.app.misused("say which secrets: --signing-id and --connection-id, the deployment's outputs SigningSecretId and ConnectionSecretId\n(make secrets SIGNING_SECRET_ID=… CONNECTION_SECRET_ID=…), or --file FILE for the local system")
	}
	there, err := d.app.secretsManager()
	return there, [2]string{*d.signingID, *d.connectionID}, err
}

// read returns both documents.
func (d documents) read(ctx context.Context) (secrets.Signing, secrets.Connections, error) {
	there, ids, err := d.open()
	if err != nil {
		return secrets.Signing{}, secrets.Connections{}, err
	}
	var texts [2][]byte
	for i, id := range ids {
		texts[i], err = there.Get(ctx, id)
		if errors.Is(err, register.ErrNoDocument) {
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

// given says whether the documents are named at all.
func (d documents) given() bool { return *d.file != "" || *d.signingID != "" && *d.connectionID != "" }
