// Bootstrap is the program of the Lambda function that starts schedules: it reads the environment, builds the adapters and starts.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // schedules are meant in their zones; Lambda has none of its own

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/clock"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/schedule"
)

// name is the function's, in its log lines.
const name = "clock"

func main() {
	var level slog.LevelVar
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: &level})).With("function", name)
	started, err := build(env.OS(), &level, log)
	if err != nil {
		log.Error("function cannot start", "reason", "start_failed", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(func(ctx context.Context) error { return started.Tick(ctx) }) // what EventBridge sends says nothing
}

// build is the composition root.
func build(variables *env.Variables, level *slog.LevelVar, log *slog.Logger) (*clock.Clock, error) {
	const template = "template.yaml sets it"
	stage := variables.Required("STAGE", "it names an entry of environments in extensions.yaml; "+template)
	queueURL := variables.Required("JOBS_QUEUE_URL", "the queue of jobs; "+template)
	tableName := variables.Required("TABLE_NAME", "the table of records; "+template)
	levelName := variables.Optional("LOG_LEVEL", "info")
	account := awsconfig.New(awsconfig.Config{
		Region:          variables.Required("AWS_REGION", "Lambda sets it"),
		AccessKeyID:     variables.Required("AWS_ACCESS_KEY_ID", "Lambda sets it"),
		SecretAccessKey: variables.Required("AWS_SECRET_ACCESS_KEY", "Lambda sets it"),
		SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
		Endpoint:        variables.Optional("AWS_ENDPOINT_URL", ""),
	})
	// The function's own name tells the metrics of several deployments in one account apart.
	metricName := variables.Optional("AWS_LAMBDA_FUNCTION_NAME", name)
	if err := variables.Err(); err != nil {
		return nil, err
	}
	if err := level.UnmarshalText([]byte(levelName)); err != nil {
		return nil, fmt.Errorf("LOG_LEVEL is %q: set it to debug, info, warn or error", levelName)
	}
	loaded, err := config.Load(config.Source{
		File: config.File, Text: config.Embedded(), Stage: stage, Lookup: variables.Lookup, Cron: schedule.Check,
	})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: dynamodb.NewFromConfig(account), Table: tableName, Now: time.Now})
	messages := queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(account), URL: queueURL})
	return clock.New(clock.Config{
		Schedules: loaded.Schedules, Ticks: store, Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: store, Queue: messages, Now: time.Now}),
		Log: log, Metrics: metric.New(metric.Config{Writer: os.Stdout, Function: metricName, Now: time.Now}), Now: time.Now,
	}), nil
}
