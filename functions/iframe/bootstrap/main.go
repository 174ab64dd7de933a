// Bootstrap is the program of the Lambda function that serves our page inside the PIM: it reads the environment, builds
// the adapters and starts.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/iframe"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
	"github.com/pim-functions/pim-functions/shared/web"
)

func main() {
	handler, ok := startup.Handler(startup.Function{Name: "iframe", MaxBody: iframe.MaxBody, Read: read}, env.OS(), os.Stdout)
	if !ok {
		os.Exit(1)
	}
	lambda.Start(handler)
}

// read is the composition root.
func read(variables *env.Variables) startup.Opener {
	const template = "template.yaml sets it"
	queueURL := variables.Required("JOBS_QUEUE_URL", "the queue of jobs; "+template)
	tableName := variables.Required("TABLE_NAME", "the table of records; "+template)
	return startup.Opener{
		Warm: func(ctx context.Context, account aws.Config) []string {
			return []string{queueURL, table.Address(ctx, account)}
		},
		Open: func(parts startup.Parts) web.Handler {
			store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(parts.Account), Table: tableName, Now: parts.Now})
			messages := queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(parts.Account), URL: queueURL})
			return iframe.New(iframe.Config{
				Config:  parts.Config,
				Signing: parts.Signing,
				Jobs:    jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: messages, Now: parts.Now}),
				Store:   store,
				Now:     parts.Now,
				Metrics: parts.Metrics,
			})
		},
	}
}
