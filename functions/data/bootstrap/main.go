// Bootstrap is the program of the Lambda function that answers the PIM's data components: it reads the environment, builds
// the adapters and starts.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// name is the function's, in its log lines.
const name = "data"

// startTime is how long starting may wait for AWS. Lambda allows 10 s; what has not come by then comes with the first
// request.
const startTime = 4 * time.Second

func main() {
	var level slog.LevelVar
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: &level}))
	handler, err := build(env.OS(), &level, log)
	if err != nil {
		log.Error("function cannot start", "function", name, "reason", "start_failed", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(handler)
}

// build is the composition root.
func build(variables *env.Variables, level *slog.LevelVar, log *slog.Logger) (lambda.Handler, error) {
	const template = "template.yaml sets it"
	stage := variables.Required("STAGE", "it names an entry of environments in extensions.yaml; "+template)
	signingID := variables.Required("SIGNING_SECRET_ID", "the secret that proves who calls; "+template)
	table := variables.Required("TABLE_NAME", "the table of records; "+template)
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
		File: "extensions.yaml", Text: config.Embedded(), Stage: stage, Lookup: variables.Lookup,
	})
	if err != nil {
		return nil, err
	}

	source := secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: secretsmanager.NewFromConfig(account)})
	signing := secrets.NewCache(secrets.CacheConfig[secrets.Signing]{
		Source: source, ID: signingID, Parse: secrets.ParseSigning, Log: log,
	})
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	var starting sync.WaitGroup
	starting.Go(func() {
		// Not fatal: the first request tries again, and answers for it.
		if _, err := signing.Get(ctx); err != nil {
			log.Error("secret cannot be read: check SIGNING_SECRET_ID and the function's role", "function", name, "reason", "secret_unavailable", "error", err.Error())
		}
	})
	starting.Go(func() {
		database := dynamodb.EndpointParameters{Region: &account.Region, Endpoint: account.BaseEndpoint}
		if endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, database); err == nil {
			awsconfig.Warm(ctx, account.HTTPClient, endpoint.URI.String())
		}
	})
	starting.Wait()

	now := time.Now
	metrics := metric.New(metric.Config{Writer: os.Stdout, Function: metricName, Now: now})
	client := dynamodb.NewFromConfig(account)
	events := ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: client, Table: table, Now: now})
	handler := data.New(data.Config{
		Config:  loaded,
		Signing: signing,
		Jobs:    jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: table, Now: now}),
		Ledger:  events,
		Gaps:    events,
		Now:     now,
		Metrics: metrics,
	})
	return web.New(web.Config{
		Function: name, Handler: handler, MaxBody: data.MaxBody, Log: log, Metrics: metrics, Now: now,
	}), nil
}
