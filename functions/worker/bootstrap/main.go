// Bootstrap is the program of the Lambda function that works jobs: it reads the environment, builds the adapters and
// starts.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
	_ "time/tzdata" // users read times in the zone of their PIM; Lambda has no zones of its own

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/functions/worker"
	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/actions/notify"
	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/schedule"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// name is the function's, in its log lines.
const name = "worker"

// startTime is how long starting may wait for AWS. Lambda allows 10 s; what has not come by then comes with the first
// job.
const startTime = 4 * time.Second

func main() {
	var level slog.LevelVar
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: &level})).With("function", name)
	handler, err := build(env.OS(), &level, log)
	if err != nil {
		log.Error("function cannot start", "reason", "start_failed", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(handler)
}

// build is the composition root.
func build(variables *env.Variables, level *slog.LevelVar, log *slog.Logger) (lambda.Handler, error) {
	const template = "template.yaml sets it"
	stage := variables.Required("STAGE", "it names an entry of environments in extensions.yaml; "+template)
	connectionsID := variables.Required("CONNECTION_SECRET_ID", "the secret that lets actions act elsewhere; "+template)
	linksID := variables.Required("LINK_SECRET_ID", "the secret that signs links; "+template)
	bucket := variables.Required("FILES_BUCKET", "where files are kept; "+template)
	publicURL := variables.Required("PUBLIC_URL", "our own address, with which links begin; "+template)
	queueURL := variables.Required("JOBS_QUEUE_URL", "the queue of jobs; "+template)
	eventsURL := variables.Required("EVENTS_QUEUE_URL", "the queue of events; "+template)
	lettersURL := variables.Required("EVENTS_DLQ_URL", "where events go that failed for good; "+template)
	table := variables.Required("TABLE_NAME", "the table of records; "+template)
	bus := variables.Required("EVENT_BUS_NAME", "where publish puts events; "+template)
	emailFrom := variables.Optional("EMAIL_FROM", "")
	maxReceives := variables.Int("MAX_RECEIVES", 5)
	levelName := variables.Optional("LOG_LEVEL", "info")
	endpoint := variables.Optional("AWS_ENDPOINT_URL", "")
	private := variables.Bool("ALLOW_PRIVATE_NETWORK", false)
	account := awsconfig.New(awsconfig.Config{
		Region:          variables.Required("AWS_REGION", "Lambda sets it"),
		AccessKeyID:     variables.Required("AWS_ACCESS_KEY_ID", "Lambda sets it"),
		SecretAccessKey: variables.Required("AWS_SECRET_ACCESS_KEY", "Lambda sets it"),
		SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
		Endpoint:        endpoint,
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
		File: config.File, Text: config.Embedded(), Stage: stage, Lookup: variables.Lookup, Kinds: actions.Checks(), Cron: schedule.Check,
	})
	if err != nil {
		return nil, err
	}

	source := secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: secretsmanager.NewFromConfig(account)})
	connections := secrets.NewCache(secrets.CacheConfig[secrets.Connections]{
		Source: source, ID: connectionsID, Parse: secrets.ParseConnections, Log: log,
	})
	links := secrets.NewCache(secrets.CacheConfig[secrets.Links]{Source: source, ID: linksID, Parse: secrets.ParseLinks, Log: log})
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	var starting sync.WaitGroup
	starting.Go(func() {
		// Not fatal: the first job tries again, and waits while there is none.
		own, err := worker.Secrets(connections)(ctx)
		if err != nil {
			log.Error("secret cannot be read: check CONNECTION_SECRET_ID and the function's role", "reason", "secret_unavailable", "error", err.Error())
			return
		}
		worker.LogMissing(log, loaded, own)
	})
	starting.Go(func() {
		database := dynamodb.EndpointParameters{Region: &account.Region, Endpoint: account.BaseEndpoint}
		if endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, database); err == nil {
			awsconfig.Warm(ctx, account.HTTPClient, queueURL, endpoint.URI.String())
		}
	})
	starting.Wait()

	now := time.Now
	// An emulator's neighbours have private addresses. On AWS the variable alone opens nothing: an action says
	// private: true for itself.
	client := outbound.New(outbound.Config{AllowPrivate: private && endpoint != "", Now: now})
	database, queues := dynamodb.NewFromConfig(account), sqs.NewFromConfig(account)
	store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: database, Table: table, Now: now})
	kinds := actions.Kinds(actions.Deps{
		Outbound: client,
		Machines: statemachine.NewStepFunctions(statemachine.StepFunctionsConfig{Client: sfn.NewFromConfig(account)}),
		Profiles: store, Signals: store,
		Bus:    publish.NewEventBridge(publish.EventBridgeConfig{Client: eventbridge.NewFromConfig(account), Bus: bus}),
		Mailer: notify.NewSES(notify.SESConfig{Client: sesv2.NewFromConfig(account)}), EmailFrom: emailFrom,
	})
	objects := s3.NewFromConfig(account, func(o *s3.Options) { o.UsePathStyle = endpoint != "" }) // an emulator has no host for each bucket
	events := ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: database, Table: table, Now: now})
	return worker.New(worker.Config{
		Engine: engine.New(engine.Config{
			Config:       loaded,
			Kinds:        kinds,
			Store:        store,
			Profiles:     store,
			Queue:        queue.NewSQS(queue.SQSConfig{Client: queues, URL: queueURL}),
			Ledger:       events,
			Events:       queue.NewSQS(queue.SQSConfig{Client: queues, URL: eventsURL}),
			EventLetters: queue.NewSQS(queue.SQSConfig{Client: queues, URL: lettersURL}),
			Secrets:      worker.Secrets(connections),
			Refresh:      worker.Refresh(connections),
			PIM:          worker.PIMs(loaded, connections, client),
			Files:        files.NewS3(files.S3Config{Client: objects, Bucket: bucket}),
			Link:         worker.Link(links, publicURL),
			Callback:     worker.Callback(links, publicURL),
			Log:          log,
			Metrics:      metric.New(metric.Config{Writer: os.Stdout, Function: metricName, Now: now}),
			Now:          now,
		}),
		MaxReceives: maxReceives,
		Log:         log,
	}), nil
}
