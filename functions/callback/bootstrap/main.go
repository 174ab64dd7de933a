// Bootstrap is the program of the Lambda function that takes callbacks: it reads the environment, builds the adapters and
// starts.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/callback"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
)

func main() {
	variables := env.OS()
	environment := startup.ReadLinks("callback", variables)
	queueURL := variables.Required("JOBS_QUEUE_URL", "the queue of jobs"+startup.FromTemplate)
	tableName := variables.Required("TABLE_NAME", "the table of records"+startup.FromTemplate)
	bucket := variables.Required("FILES_BUCKET", "the bucket of files"+startup.FromTemplate)
	host := variables.Required("FILES_HOST", "the bucket's host name"+startup.FromTemplate)

	parts, ok := startup.Build(environment, os.Stdout, table.Address, startup.At(queueURL))
	if !ok {
		os.Exit(1)
	}
	at := address.Bucket(environment.Account.Endpoint, host, bucket)
	lambda.Start(parts.Serve(callback.MaxBody, callback.New(callback.Config{
		Links:   parts.Links,
		Signals: jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(parts.Account), Table: tableName, Now: parts.Now}),
		Files: address.S3Putter{
			S3:     address.NewS3(address.S3Config{Bucket: at, Region: environment.Account.Region, Credentials: parts.Account.Credentials, Now: parts.Now}),
			Client: parts.Account.HTTPClient,
		},
		Queue:   queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(parts.Account), URL: queueURL}),
		Now:     parts.Now,
		Metrics: parts.Metrics,
	})))
}
