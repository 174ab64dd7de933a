// Package stack is template.yaml, deployed with `sam deploy` to an AWS emulator that runs the functions, and reachable
// over HTTP. Programs that use it run in .ci, under .ci/emulator, which sets AWS_ENDPOINT_URL and what belongs to it.
package stack

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const (
	name  = "pim-functions-verify"
	stage = "local" // the entry of environments that takes plain http addresses

	Visibility = 12 // seconds: a worker that died is replaced soon, and a dead letter takes seconds
	Receives   = 2  // after which a message is a dead letter
)

// Functions are the last part of the functions' names.
var Functions = []string{"action", "iframe", "data", "files", "callback", "contentful", "eventsapi", "eventplatform", "clock", "worker"}

// Config says what is deployed.
type Config struct {
	Template     string // that SAM CLI built, below the project's folder
	Architecture string // of this machine, as Lambda names it
	Destination  string // address of what actions call
	PIM          string // address of what plays the PIM, as pimtest.Connect opens it; "": nobody does
}

// Stack is a deployed stack.
type Stack struct {
	Outputs map[string]string // what the template promises
	Routes  map[string]string // of the API: the function's logical name by route key
	URL     string            // where the PIM would call
	Signing secrets.Signing   // what proves callers
	Links   secrets.Links     // what signs links, as the stack made it
	Token   string            // that the destination must get

	config   Config
	account  aws.Config
	stacks   *cloudformation.Client
	queues   *sqs.Client
	database *dynamodb.Client
	secrets  *secretsmanager.Client
	logs     *cloudwatchlogs.Client
	gateway  *httptest.Server
}

// Account is the emulator's.
func Account() aws.Config {
	return awsconfig.New(awsconfig.Config{
		Region: os.Getenv("AWS_REGION"), Endpoint: os.Getenv("AWS_ENDPOINT_URL"),
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
	})
}

// Deploy deploys the template, makes its routes and fills its secrets. Whatever it returns must be deleted.
func Deploy(ctx context.Context, config Config) (*Stack, error) {
	account := Account()
	s := &Stack{
		config: config, account: account,
		stacks: cloudformation.NewFromConfig(account), queues: sqs.NewFromConfig(account), database: dynamodb.NewFromConfig(account),
		secrets: secretsmanager.NewFromConfig(account), logs: cloudwatchlogs.NewFromConfig(account),
	}
	deploy := []string{
		"deploy", "--template-file", config.Template, "--stack-name", name, "--resolve-s3", "--capabilities", "CAPABILITY_IAM",
		"CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides",
		"Architecture=" + config.Architecture, "Stage=" + stage, "AwsEndpointUrl=" + os.Getenv("AWS_ENDPOINT_URL"),
		"ErpUrl=" + config.Destination, "PimUrl=" + cmp.Or(config.PIM, config.Destination), "AllowPrivateNetwork=true", "DeletionProtection=false",
		"WorkerTimeout=" + strconv.Itoa(Visibility), "QueueVisibility=" + strconv.Itoa(Visibility), "MaxReceives=" + strconv.Itoa(Receives),
	}
	if _, err := Run(ctx, nil, "make", "--no-print-directory", "pimctl"); err != nil { // for presses
		return s, err
	}
	if _, err := Run(ctx, nil, ".ci/sam", deploy...); err != nil {
		return s, err
	}
	described, err := s.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if err != nil {
		return s, err
	}
	if len(described.Stacks) != 1 {
		return s, fmt.Errorf("%d stacks have the name %s", len(described.Stacks), name)
	}
	s.Outputs = map[string]string{}
	for _, output := range described.Stacks[0].Outputs {
		s.Outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	if err := s.route(ctx, aws.ToString(described.Stacks[0].StackId)); err != nil {
		return s, fmt.Errorf("make the routes: %w", err)
	}
	if err := s.fill(ctx); err != nil {
		return s, fmt.Errorf("fill the secrets: %w", err)
	}
	return s, nil
}

// Delete deletes the stack.
func (s *Stack) Delete(ctx context.Context) error {
	if s.gateway != nil {
		s.gateway.Close()
	}
	_, err := Run(ctx, nil, ".ci/sam", "delete", "--stack-name", name, "--no-prompts")
	return err
}
