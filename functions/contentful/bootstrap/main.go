// Bootstrap is the program of the Lambda function that answers App Actions of Contentful: it reads the environment, builds the adapters and starts.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
)

func main() {
	variables := env.OS()
	environment := startup.Read("contentful", variables)
	queueURL := variables.Required("JOBS_QUEUE_URL", "the queue of jobs"+startup.FromTemplate)
	tableName := variables.Required("TABLE_NAME", "the table of records"+startup.FromTemplate)
	basePath := variables.Optional("PUBLIC_BASE_PATH", "")

	parts, ok := startup.Build(environment, os.Stdout, startup.At(queueURL), table.Address)
	if !ok {
		os.Exit(1)
	}
	store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(parts.Account), Table: tableName, Now: parts.Now})
	messages := queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(parts.Account), URL: queueURL})

	lambda.Start(parts.Serve(contentful.MaxBody, contentful.New(contentful.Config{
		Config:   parts.Config,
		Signing:  parts.Signing,
		Jobs:     jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: messages, Now: parts.Now}),
		BasePath: basePath,
		Now:      parts.Now,
		Metrics:  parts.Metrics,
	})))
}
