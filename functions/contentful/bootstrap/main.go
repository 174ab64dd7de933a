// Bootstrap is the program of the Lambda function that answers App Actions of Contentful: it reads the environment,
// builds the adapters and starts.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/contentful"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/table"
	"github.com/pim-functions/pim-functions/shared/web"
)

func main() {
	handler, ok := startup.Handler(startup.Function{Name: "contentful", MaxBody: contentful.MaxBody, Read: read}, env.OS(), os.Stdout)
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
	basePath := variables.Optional("PUBLIC_BASE_PATH", "")
	return startup.Opener{
		Warm: func(ctx context.Context, account aws.Config) []string {
			return []string{queueURL, table.Address(ctx, account)}
		},
		Open: func(parts startup.Parts) web.Handler {
			store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(parts.Account), Table: tableName, Now: parts.Now})
			messages := queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(parts.Account), URL: queueURL})
			return contentful.New(contentful.Config{
				Config:   parts.Config,
				Signing:  parts.Signing,
				Jobs:     jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: messages, Now: parts.Now}),
				BasePath: basePath,
				Now:      parts.Now,
				Metrics:  parts.Metrics,
			})
		},
	}
}
