package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// awsHelp says what a command needs that works on a deployed stage's jobs.
const awsHelp = `On a deployed stage it needs AWS_REGION and credentials in AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which may dynamodb:GetItem, PutItem, UpdateItem,
DeleteItem and Query on the stage's table, sqs:SendMessage on its jobs queue, and, unless --table
and --queue name both, dynamodb:ListTables and sqs:ListQueues.`

// place is where jobs are: the local system, or a deployed stage.
type place struct {
	stage
	url, tableName, queueURL string
	yes, json                bool
}

func (p *place) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&p.url, "url", "http://localhost:8080", "the local system at `URL`")
	p.stage.flags(flags)
	flags.StringVar(&p.tableName, "table", "", "the stage's table `NAME` (output TableName)")
	flags.StringVar(&p.queueURL, "queue", "", "the stage's jobs queue at `URL` (output JobsQueueUrl)")
	flags.BoolVar(&p.yes, "yes", false, "do not ask")
	flags.BoolVar(&p.json, "json", false, "print the job as JSON")
	for _, local := range []string{"stage", "stack", "deployment", "table", "queue"} {
		command.MarkFlagsMutuallyExclusive("url", local)
	}
}

// here says that the place is the local system.
func (p *place) here() bool { return p.name == "" }

// check finds mistakes between flags.
func (p *place) check() error {
	if p.here() && p.stack+p.deployment+p.tableName+p.queueURL != "" {
		return usagef("missing --stage: the name of the deployed stage, like production")
	}
	if _, err := parseBase(p.url); err != nil {
		return usageError{err.Error()}
	}
	return nil
}

// where names the place in a sentence.
func (p *place) where() string {
	if p.here() {
		return "at " + p.url
	}
	return "on stage " + p.name
}

// ask posts to the local system's own API, and reads its answer.
func (p *place) ask(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	base, err := parseBase(p.url)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath(path).String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client(http.DefaultTransport).Do(request)
	if err != nil {
		return hinted(interrupted(ctx, err))
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer)); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if answer.StatusCode == http.StatusOK && json.Unmarshal(text, into) == nil {
		return nil
	}
	var refusal struct{ Message string }
	if json.Unmarshal(text, &refusal) != nil || refusal.Message == "" || answer.StatusCode == http.StatusOK {
		return fmt.Errorf("%s answered %s, which is none of the local system's answers: check --url, or use --stage", p.url, answer.Status)
	}
	return fmt.Errorf("%s", refusal.Message)
}

// submitter starts jobs on the deployed stage.
func (p *place) submitter(ctx context.Context, process process) (*jobs.Submitter, error) {
	account, err := account(process.variables, "the region of the stage")
	if err != nil {
		return nil, err
	}
	aws := awsconfig.New(account)
	database, queues := dynamodb.NewFromConfig(aws), sqs.NewFromConfig(aws)
	if p.tableName == "" {
		if p.tableName, err = p.table(ctx, database); err != nil {
			return nil, err
		}
	}
	if p.queueURL == "" {
		urls, err := p.urls(ctx, queues)
		if err != nil {
			return nil, err
		}
		p.queueURL = urls["jobs"]
	}
	return jobs.NewSubmitter(jobs.SubmitConfig{
		Store: jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: database, Table: p.tableName, Now: process.now}),
		Queue: queue.NewSQS(queue.SQSConfig{Client: queues, URL: p.queueURL}), Now: process.now,
	}), nil
}

// user is the name of who works at the command line.
func (p process) user() string { return p.variables.Optional("USER", "pimctl") }
