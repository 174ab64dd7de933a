// Bootstrap is the program of the Lambda function that receives the PIM's Events API: it reads the environment, builds
// the adapters and starts.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/startup"
	"github.com/pim-functions/pim-functions/shared/web"
)

func main() {
	handler, ok := startup.Handler(startup.Function{Name: "eventsapi", MaxBody: eventsapi.MaxBody, Read: read}, env.OS(), os.Stdout)
	if !ok {
		os.Exit(1)
	}
	lambda.Start(handler)
}

// read is the composition root.
func read(variables *env.Variables) startup.Opener {
	queueURL := variables.Required("EVENTS_QUEUE_URL", "the queue of events; template.yaml sets it")
	return startup.Opener{
		Warm: func(context.Context, aws.Config) []string { return []string{queueURL} },
		Open: func(parts startup.Parts) web.Handler {
			return eventsapi.New(eventsapi.Config{
				Config:  parts.Config,
				Signing: parts.Signing,
				Queue:   queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(parts.Account), URL: queueURL}),
				Now:     parts.Now,
				Metrics: parts.Metrics,
			})
		},
	}
}
