// Bootstrap is the program of the Lambda function that answers links of files: it reads the environment, builds the
// adapters and starts.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/functions/files"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
)

func main() {
	variables := env.OS()
	environment := startup.ReadLinks("files", variables)
	tableName := variables.Required("TABLE_NAME", "the table of records"+startup.FromTemplate)
	bucket := variables.Required("FILES_BUCKET", "the bucket of files"+startup.FromTemplate)
	host := variables.Required("FILES_HOST", "the bucket's host name"+startup.FromTemplate)

	parts, ok := startup.Build(environment, os.Stdout, table.Address)
	if !ok {
		os.Exit(1)
	}
	at := address.Bucket(environment.Account.Endpoint, host, bucket)
	lambda.Start(parts.Serve(files.MaxBody, files.New(files.Config{
		Links:   parts.Links,
		Jobs:    jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(parts.Account), Table: tableName, Now: parts.Now}),
		Signer:  address.NewS3(address.S3Config{Bucket: at, Region: environment.Account.Region, Credentials: parts.Account.Credentials, Now: parts.Now}),
		Now:     parts.Now,
		Metrics: parts.Metrics,
	})))
}
