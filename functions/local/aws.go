package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/table"
)

// Names of what is made at the endpoint.
const (
	awsName       = "pim-functions-local"
	tableActiveIn = 30 * time.Second // how long a new table may take
	seenJobs      = 200              // jobs that the page can know of
)

// atEndpoint uses the adapters of production against an AWS endpoint, an emulator, and makes there what is missing.
// The secrets are put there anew on each start: the file is the truth.
func atEndpoint(ctx context.Context, account awsconfig.Config, source secrets.Source) (backing, error) {
	config := awsconfig.New(account)
	made := sqs.NewFromConfig(config)
	messages, letters, err := createQueues(ctx, made, "jobs")
	if err != nil {
		return backing{}, err
	}
	events, eventLetters, err := createQueues(ctx, made, "events")
	if err != nil {
		return backing{}, err
	}
	tables := dynamodb.NewFromConfig(config)
	if err := createTable(ctx, tables); err != nil {
		return backing{}, err
	}
	vault := secretsmanager.NewFromConfig(config)
	for _, id := range []string{signingID, connectionsID} {
		if err := putSecret(ctx, vault, source, id); err != nil {
			return backing{}, err
		}
	}

	store := jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: tables, Table: awsName, Now: time.Now})
	seen := &seenQueue{Queue: messages, store: store, ended: map[string]jobs.Job{}}
	records := ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: tables, Table: awsName, Now: time.Now})
	return backing{
		name:         aws.ToString(config.BaseEndpoint),
		jobs:         seen,
		letters:      letters,
		events:       events,
		eventLetters: eventLetters,
		ledger:       records,
		gaps:         records,
		store:        store,
		secrets:      prefixed{secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: vault})},
		bus:          publish.NewEventBridge(publish.EventBridgeConfig{Client: eventbridge.NewFromConfig(config), Bus: "default"}),
		allJobs:      seen.all,
		deadLetters:  func(ctx context.Context) ([]DeadLetter, error) { return seen.dead(ctx, letters, eventLetters) },
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
		"deadLetterTargetArn": arn.Attributes[string(sqstypes.QueueAttributeNameQueueArn)], "maxReceiveCount": strconv.Itoa(maxReceives),
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

// seenQueue notes which jobs messages were sent for: a table cannot be asked for all of them.
type seenQueue struct {
	queue.Queue
	store jobs.Store

	mu    sync.Mutex
	ids   []string            // oldest first
	ended map[string]jobs.Job // which need not be read again
}

// Send implements queue.Queue.
func (s *seenQueue) Send(ctx context.Context, messages ...queue.Message) error {
	s.mu.Lock()
	for _, message := range messages {
		if id, err := jobs.ParseMessage(message.Body); err == nil && !slices.Contains(s.ids, id) {
			s.ids = keep(s.ids, id, seenJobs)
		}
	}
	s.mu.Unlock()
	return s.Queue.Send(ctx, messages...)
}

// all reads the jobs that were seen, newest first.
func (s *seenQueue) all(ctx context.Context) ([]jobs.Job, error) {
	s.mu.Lock()
	ids := newest(s.ids, seenJobs)
	s.mu.Unlock()
	found := []jobs.Job{}
	for _, id := range ids {
		job, err := s.read(ctx, id)
		switch {
		case errors.Is(err, jobs.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			found = append(found, job)
		}
	}
	return found, nil
}

// read returns a job; one that has ended is read once.
func (s *seenQueue) read(ctx context.Context, id string) (jobs.Job, error) {
	s.mu.Lock()
	job, known := s.ended[id]
	s.mu.Unlock()
	if known {
		return job, nil
	}
	job, err := s.store.Get(ctx, id)
	if err == nil && job.State.Ended() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended[id] = job
	}
	return job, err
}

// dead counts the dead letters; which jobs they are for, the jobs themselves say. A look inside would take them.
func (s *seenQueue) dead(ctx context.Context, letters, eventLetters queue.Queue) ([]DeadLetter, error) {
	depth, err := letters.Depth(ctx)
	if err != nil {
		return nil, err
	}
	events, err := eventLetters.Depth(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.Repeat([]DeadLetter{{Queue: "jobs"}}, depth.Visible+depth.InFlight)
	at := 0
	for _, job := range all {
		if job.AsOf(time.Now()).Reason == jobs.ReasonDeadLetter && at < len(found) {
			found[at].Job = job.ID
			at++
		}
	}
	return append(found, slices.Repeat([]DeadLetter{{Queue: "events"}}, events.Visible+events.InFlight)...), nil
}
