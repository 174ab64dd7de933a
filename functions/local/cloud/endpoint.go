package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/table"
)

// awsName is the name of what is made at the endpoint, or its beginning.
const awsName = "pim-functions-local"

// tableActiveIn is how long a new table may take.
const tableActiveIn = 30 * time.Second

// Endpoint is a Cloud of the adapters of production at an AWS endpoint, an emulator. It makes there what is missing, and
// puts the secrets there anew: source is the truth.
func Endpoint(ctx context.Context, account awsconfig.Config, source secrets.Source) (*Cloud, error) {
	config := awsconfig.New(account)
	client := sqs.NewFromConfig(config)
	messages, letters, err := createQueues(ctx, client, "jobs")
	if err != nil {
		return nil, err
	}
	events, eventLetters, err := createQueues(ctx, client, "events")
	if err != nil {
		return nil, err
	}
	tables := dynamodb.NewFromConfig(config)
	if err := createTable(ctx, tables); err != nil {
		return nil, err
	}
	manager := secretsmanager.NewFromConfig(config)
	for _, id := range []string{Signing, Connections, Links, Lookups} {
		if err := putSecret(ctx, manager, source, id); err != nil && !(id == Lookups && errors.Is(err, secrets.ErrNotFound)) {
			return nil, err
		}
	}

	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }) // an emulator has no host for each bucket
	if err := createBucket(ctx, objects, config.Region); err != nil {
		return nil, err
	}

	store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: tables, Table: awsName, Now: time.Now})
	seen := newSeenQueue(messages, store)
	records := ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: tables, Table: awsName, Now: time.Now})
	return &Cloud{
		Name:         aws.ToString(config.BaseEndpoint),
		Jobs:         seen,
		JobLetters:   letters,
		Events:       events,
		EventLetters: eventLetters,
		Store:        store,
		Profiles:     store,
		Ticks:        store,
		Ledger:       records,
		Secrets:      prefixed{secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: manager})},
		Bus:          publish.NewEventBridge(publish.EventBridgeConfig{Client: eventbridge.NewFromConfig(config), Bus: "default"}),
		Machines:     statemachine.NewStepFunctions(statemachine.StepFunctionsConfig{Client: sfn.NewFromConfig(config)}),
		Files:        files.NewS3(files.S3Config{Client: objects, Bucket: awsName}),
		Signer: address.NewS3(address.S3Config{
			Bucket: aws.ToString(config.BaseEndpoint) + "/" + awsName, Region: config.Region, Credentials: config.Credentials, Now: time.Now,
		}),
		AllJobs:     seen.all,
		DeadLetters: func(ctx context.Context) ([]DeadLetter, error) { return seen.dead(ctx, letters, eventLetters) },
	}, nil
}

// createQueues makes a queue and its dead letters.
func createQueues(ctx context.Context, client *sqs.Client, name string) (messages, letters *queue.SQS, err error) {
	dead, err := createQueue(ctx, client, awsName+"-"+name+"-dead", nil)
	if err != nil {
		return nil, nil, err
	}
	arn, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return nil, nil, fmt.Errorf("read the dead letters' ARN: %w", err)
	}
	policy, err := json.Marshal(map[string]string{
		"deadLetterTargetArn": arn.Attributes[string(sqstypes.QueueAttributeNameQueueArn)], "maxReceiveCount": strconv.Itoa(MaxReceives),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("encode redrive policy: %w", err)
	}
	url, err := createQueue(ctx, client, awsName+"-"+name, map[string]string{"RedrivePolicy": string(policy)})
	if err != nil {
		return nil, nil, err
	}
	return queue.NewSQS(queue.SQSConfig{Client: client, URL: url}), queue.NewSQS(queue.SQSConfig{Client: client, URL: dead}), nil
}

// createQueue makes a queue with the settings of template.yaml; one that is there with the same settings is no error.
func createQueue(ctx context.Context, client *sqs.Client, name string, attributes map[string]string) (url string, err error) {
	all := map[string]string{"VisibilityTimeout": strconv.Itoa(int(visibility.Seconds())), "MaximumMessageSize": strconv.Itoa(queue.MaxPayload)}
	for key, value := range attributes {
		all[key] = value
	}
	out, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: all})
	if err != nil {
		return "", fmt.Errorf("create queue %q: %w", name, err)
	}
	return aws.ToString(out.QueueUrl), nil
}

func createTable(ctx context.Context, client *dynamodb.Client) error {
	_, err := client.CreateTable(ctx, table.Definition(awsName))
	if _, there := errors.AsType[*dynamotypes.ResourceInUseException](err); err != nil && !there {
		return fmt.Errorf("create table: %w", err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client)
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(awsName)}, tableActiveIn); err != nil {
		return fmt.Errorf("wait for the table: %w", err)
	}
	return nil
}

func createBucket(ctx context.Context, client *s3.Client, region string) error {
	input := &s3.CreateBucketInput{Bucket: aws.String(awsName)}
	if region != "us-east-1" { // which must not be named (Amazon S3, CreateBucket)
		input.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	_, err := client.CreateBucket(ctx, input)
	if _, there := errors.AsType[*s3types.BucketAlreadyOwnedByYou](err); err != nil && !there {
		return fmt.Errorf("create bucket: %w", err)
	}
	return nil
}

func putSecret(ctx context.Context, client *secretsmanager.Client, source secrets.Source, id string) error {
	document, err := source.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	name, text := aws.String(awsName+"/"+id), aws.String(string(document))
	_, err = client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: text})
	if _, there := errors.AsType[*secrettypes.ResourceExistsException](err); there {
		_, err = client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: name, SecretString: text})
	}
	if err != nil {
		return fmt.Errorf("put secret %q: %w", *name, err)
	}
	return nil
}

// prefixed finds the documents under the names that they have at the endpoint.
type prefixed struct{ secrets.Source }

func (p prefixed) Get(ctx context.Context, id string) ([]byte, error) {
	return p.Source.Get(ctx, awsName+"/"+id)
}
