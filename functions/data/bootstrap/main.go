// Bootstrap is the program of the Lambda function that answers the PIM's data components: it reads the environment, builds
// the adapters and starts.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
	"github.com/pim-functions/pim-functions/shared/web"
)

func main() {
	handler, ok := startup.Handler(startup.Function{Name: "data", MaxBody: data.MaxBody, Read: read}, env.OS(), os.Stdout)
	if !ok {
		os.Exit(1)
	}
	lambda.Start(handler)
}

// read is the composition root.
func read(variables *env.Variables) startup.Opener {
	tableName := variables.Required("TABLE_NAME", "the table of records; template.yaml sets it")
	return startup.Opener{
		Warm: func(ctx context.Context, account aws.Config) []string {
			return []string{table.Address(ctx, account)}
		},
		Open: func(parts startup.Parts) web.Handler {
			client := dynamodb.NewFromConfig(parts.Account)
			events := ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: client, Table: tableName, Now: parts.Now})
			return data.New(data.Config{
				Config:  parts.Config,
				Signing: parts.Signing,
				Jobs:    jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: tableName, Now: parts.Now}),
				Ledger:  events,
				Now:     parts.Now,
				Metrics: parts.Metrics,
			})
		},
	}
}
