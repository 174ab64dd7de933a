// Bootstrap is the program of the Lambda function that answers the PIM's data components: it reads the environment, builds
// the adapters and starts.
package main

import (
	"os"
	_ "time/tzdata" // users read times in the zone of their PIM; Lambda has no zones of its own

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
)

func main() {
	variables := env.OS()
	environment := startup.Read("data", variables)
	tableName := variables.Required("TABLE_NAME", "the table of records"+startup.FromTemplate)

	lookupsID := variables.Optional("LOOKUP_SECRET_ID", "")
	private := variables.Bool("ALLOW_PRIVATE_NETWORK", false)

	parts, ok := startup.Build(environment, os.Stdout, table.Address)
	if !ok {
		os.Exit(1)
	}
	client := dynamodb.NewFromConfig(parts.Account)
	// An emulator's neighbours have private addresses. On AWS the variable alone opens nothing.
	calls := outbound.New(outbound.Config{AllowPrivate: private && environment.Account.Endpoint != "", Now: parts.Now})
	lookups := data.LookupsConfig{Client: credential.New(calls), Now: parts.Now}
	if lookupsID != "" {
		lookups.Secrets = startup.Secret(parts, lookupsID, secrets.ParseLookups)
	}
	events := ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: client, Table: tableName, Now: parts.Now})

	lambda.Start(parts.Serve(data.MaxBody, data.New(data.Config{
		Config:  parts.Config,
		Signing: parts.Signing,
		Jobs:    jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: tableName, Now: parts.Now}),
		Ledger:  events,
		Lookups: data.NewLookups(lookups),
		Now:     parts.Now,
		Metrics: parts.Metrics,
	})))
}
