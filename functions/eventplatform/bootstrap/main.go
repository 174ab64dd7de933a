// Bootstrap is the program of the Lambda function that receives Akeneo's Event Platform: it reads the environment, builds the adapters and starts.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/startup"
)

func main() {
	variables := env.OS()
	environment := startup.Read("eventplatform", variables)
	queueURL := variables.Required("EVENTS_QUEUE_URL", "the queue of events"+startup.FromTemplate)

	parts, ok := startup.Build(environment, os.Stdout, startup.At(queueURL))
	if !ok {
		os.Exit(1)
	}
	lambda.Start(parts.Serve(eventplatform.MaxBody, eventplatform.New(eventplatform.Config{
		Config:  parts.Config,
		Signing: parts.Signing,
		Queue:   queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(parts.Account), URL: queueURL}),
		Now:     parts.Now,
		Metrics: parts.Metrics,
	})))
}
