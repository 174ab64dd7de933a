// Package startup is how the programs of the functions that face the outside begin: it reads the variables that all
// of them have, loads the configuration, fetches the secrets that prove callers, and warms the connections to AWS
// beside that. What a function needs besides, its program says.
//
// Starting is part of the first answer: the Events API waits half a second for it. So nothing here waits for anything
// that the first request does not need.
package startup

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// startTime is how long starting may wait for AWS. Lambda allows 10 s; what has not come by then comes with the first
// request.
const startTime = 4 * time.Second

// Function is what differs between the programs. All fields are required.
type Function struct {
	Name    string // in log lines
	MaxBody int    // bytes of a request
	Read    func(*env.Variables) Opener
}

// Opener builds a function from variables that its Read has read.
type Opener struct {
	Warm func(context.Context, aws.Config) []string // addresses at AWS that the first request calls
	Open func(Parts) web.Handler
}

// Parts are what every function is built of.
type Parts struct {
	Account aws.Config
	Config  *config.Config
	Signing *secrets.Cache[secrets.Signing]
	Metrics *metric.Sink
	Now     func() time.Time
}

// Handler builds a function for Lambda. Its log and its metrics go to out. What keeps it from starting is logged in one
// line that says what to do; ok is false then.
func Handler(function Function, variables *env.Variables, out io.Writer) (handler *web.Function, ok bool) {
	var level slog.LevelVar
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: &level}))
	handler, err := build(function, variables, &level, log, out)
	if err != nil {
		log.Error("function cannot start", "function", function.Name, "reason", "start_failed", "error", err.Error())
		return nil, false
	}
	return handler, true
}

func build(function Function, variables *env.Variables, level *slog.LevelVar, log *slog.Logger, out io.Writer) (*web.Function, error) {
	const template = "template.yaml sets it"
	stage := variables.Required("STAGE", "it names an entry of environments in extensions.yaml; "+template)
	signingID := variables.Required("SIGNING_SECRET_ID", "the secret that proves who calls; "+template)
	levelName := variables.Optional("LOG_LEVEL", "info")
	account := awsconfig.New(awsconfig.Config{
		Region:          variables.Required("AWS_REGION", "Lambda sets it"),
		AccessKeyID:     variables.Required("AWS_ACCESS_KEY_ID", "Lambda sets it"),
		SecretAccessKey: variables.Required("AWS_SECRET_ACCESS_KEY", "Lambda sets it"),
		SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
		Endpoint:        variables.Optional("AWS_ENDPOINT_URL", ""),
	})
	// The function's own name tells the metrics of several deployments in one account apart.
	metricName := variables.Optional("AWS_LAMBDA_FUNCTION_NAME", function.Name)
	opener := function.Read(variables)
	if err := variables.Err(); err != nil {
		return nil, err
	}
	if err := level.UnmarshalText([]byte(levelName)); err != nil {
		return nil, fmt.Errorf("LOG_LEVEL is %q: set it to debug, info, warn or error", levelName)
	}
	loaded, err := config.Load(config.Source{
		File: config.File, Text: config.Embedded(), Stage: stage, Lookup: variables.Lookup,
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
			log.Error("secret cannot be read: check SIGNING_SECRET_ID and the function's role", "function", function.Name, "reason", "secret_unavailable", "error", err.Error())
		}
	})
	starting.Go(func() { awsconfig.Warm(ctx, account.HTTPClient, opener.Warm(ctx, account)...) })
	starting.Wait()

	now := time.Now
	metrics := metric.New(metric.Config{Writer: out, Function: metricName, Now: now})
	return web.New(web.Config{
		Function: function.Name, MaxBody: function.MaxBody, Log: log, Metrics: metrics, Now: now,
		Handler: opener.Open(Parts{Account: account, Config: loaded, Signing: signing, Metrics: metrics, Now: now}),
	}), nil
}
