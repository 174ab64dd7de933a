// Package startup is how the programs of the functions that face the outside begin: it reads the variables that all
// of them have, loads the configuration, fetches the secrets that prove callers, and warms the connections to AWS
// beside that. A program reads its own variables too, builds, and starts.
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

// The metric of secret documents that could not be read, and its dimension: the document's name.
const (
	NotReadMetric     = "SecretsNotRead"
	DocumentDimension = "Document"
)

// FromTemplate says where a variable comes from that template.yaml sets.
const FromTemplate = "; template.yaml sets it"

// Environment is what every function reads.
type Environment struct {
	Function   string // in log lines
	MetricName string // the function's own name, which tells the metrics of several deployments in one account apart
	Stage      string
	SigningID  string // "": the function proves callers by links alone
	LinkID     string // "": it answers no links
	LogLevel   string
	Account    awsconfig.Config
	variables  *env.Variables
}

// Read reads the variables of every function. A program reads its own from the same variables, and then asks Build.
func Read(function string, variables *env.Variables) Environment {
	environment := read(function, variables)
	environment.SigningID = variables.Required("SIGNING_SECRET_ID", "the secret that proves who calls"+FromTemplate)
	return environment
}

// ReadLinks is Read for a function that answers links of ours, and nothing else: it has neither the configuration nor the
// secrets that prove senders.
func ReadLinks(function string, variables *env.Variables) Environment {
	environment := read(function, variables)
	environment.LinkID = variables.Required("LINK_SECRET_ID", "the secret that signs links"+FromTemplate)
	return environment
}

func read(function string, variables *env.Variables) Environment {
	return Environment{
		Function:   function,
		MetricName: variables.Optional("AWS_LAMBDA_FUNCTION_NAME", function),
		Stage:      variables.Required("STAGE", "it names an entry of environments in extensions.yaml"+FromTemplate),
		LogLevel:   variables.Optional("LOG_LEVEL", "info"),
		Account: awsconfig.Config{
			Region:          variables.Required("AWS_REGION", "Lambda sets it"),
			AccessKeyID:     variables.Required("AWS_ACCESS_KEY_ID", "Lambda sets it"),
			SecretAccessKey: variables.Required("AWS_SECRET_ACCESS_KEY", "Lambda sets it"),
			SessionToken:    variables.Optional("AWS_SESSION_TOKEN", ""),
			Endpoint:        variables.Optional("AWS_ENDPOINT_URL", ""),
		},
		variables: variables,
	}
}

// Parts are what every function is built of.
type Parts struct {
	Account  aws.Config
	Config   *config.Config                  // nil where SigningID is ""
	Signing  *secrets.Cache[secrets.Signing] // nil where SigningID is ""
	Links    *secrets.Cache[secrets.Links]   // nil where LinkID is ""
	Metrics  *metric.Sink
	Now      func() time.Time
	function string
	log      *slog.Logger
}

// Build makes the parts of a function, and has them warm when it returns: the secret, and the connections to the addresses
// at AWS that the first request calls. Log and metrics go to out. What keeps the function from starting, every missing
// variable among it, is logged in one line that says what to do; ok is false then.
func Build(environment Environment, out io.Writer, addresses ...func(context.Context, aws.Config) string) (parts Parts, ok bool) {
	var level slog.LevelVar
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: &level}))
	parts, err := build(environment, &level, log, out)
	if err != nil {
		log.Error("function cannot start", "function", environment.Function, "reason", "start_failed", "error", err.Error())
		return Parts{}, false
	}
	parts.warm(addresses)
	return parts, true
}

func build(environment Environment, level *slog.LevelVar, log *slog.Logger, out io.Writer) (Parts, error) {
	if err := environment.variables.Err(); err != nil {
		return Parts{}, err
	}
	if err := level.UnmarshalText([]byte(environment.LogLevel)); err != nil {
		return Parts{}, fmt.Errorf("LOG_LEVEL is %q: set it to debug, info, warn or error", environment.LogLevel)
	}
	parts := Parts{
		Account:  awsconfig.New(environment.Account),
		Metrics:  metric.New(metric.Config{Writer: out, Function: environment.MetricName, Now: time.Now}),
		Now:      time.Now,
		function: environment.Function,
		log:      log,
	}
	if environment.SigningID != "" {
		loaded, err := config.Load(config.Source{
			File: config.File, Text: config.Embedded(), Stage: environment.Stage, Lookup: environment.variables.Lookup,
		})
		if err != nil {
			return Parts{}, err
		}
		parts.Config = loaded
		parts.Signing = Secret(parts, environment.SigningID, secrets.ParseSigning)
	}
	if environment.LinkID != "" {
		parts.Links = Secret(parts, environment.LinkID, secrets.ParseLinks)
	}
	return parts, nil
}

// Secret is a document of Secrets Manager, parsed and kept; nobody has read it yet.
func Secret[T any](p Parts, id string, parse func([]byte) (T, []string, error)) *secrets.Cache[T] {
	return secrets.NewCache(secrets.CacheConfig[T]{
		Source: secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: secretsmanager.NewFromConfig(p.Account)}),
		ID:     id, Parse: parse, Log: p.log,
		Failed: func() {
			p.Metrics.CountShared(NotReadMetric, 1, metric.Dimension{Name: DocumentDimension, Value: secrets.Name(id)})
		},
	})
}

// warm fetches the secret and opens connections, at the same time.
func (p Parts) warm(addresses []func(context.Context, aws.Config) string) {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	var starting sync.WaitGroup
	if p.Signing != nil {
		starting.Go(func() { fetch(ctx, p, p.Signing, "SIGNING_SECRET_ID") })
	}
	if p.Links != nil {
		starting.Go(func() { fetch(ctx, p, p.Links, "LINK_SECRET_ID") })
	}
	for _, address := range addresses {
		starting.Go(func() { awsconfig.Warm(ctx, p.Account.HTTPClient, address(ctx, p.Account)) })
	}
	starting.Wait()
}

// fetch has a secret in hand before the first request. A failure is not fatal: that request tries again, and answers for it.
func fetch[T any](ctx context.Context, p Parts, document *secrets.Cache[T], variable string) {
	if _, err := document.Get(ctx); err != nil {
		p.log.Error("secret cannot be read: check "+variable+" and the function's role", "function", p.function, "reason", "secret_unavailable", "error", err.Error())
	}
}

// At is an address that is known without asking.
func At(url string) func(context.Context, aws.Config) string {
	return func(context.Context, aws.Config) string { return url }
}

// Serve is the function that Lambda calls; maxBody is in bytes.
func (p Parts) Serve(maxBody int, handler web.Handler) *web.Function {
	return web.New(web.Config{Function: p.function, MaxBody: maxBody, Handler: handler, Log: p.log, Metrics: p.Metrics, Now: p.Now})
}
