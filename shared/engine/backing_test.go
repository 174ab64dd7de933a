package engine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/table/tabletest"
)

// backings are what the fault tests run on: memory, and with AWS_ENDPOINT_URL (make test-aws) the real adapters.
func backings(t *testing.T) map[string]backing {
	all := map[string]backing{"memory": memory}
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Log("set AWS_ENDPOINT_URL (make test-aws) to run against SQS and DynamoDB too")
		return all
	}
	account := awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "test", SecretAccessKey: "test", Endpoint: endpoint})
	withTable, withQueues := memory, memory
	withTable.store = openTable(dynamodb.NewFromConfig(account))
	withTable.ledger = openLedger(dynamodb.NewFromConfig(account))
	withQueues.queues = openQueues(sqs.NewFromConfig(account))
	withQueues.undelayed = true
	all["DynamoDB"], all["SQS"] = withTable, withQueues
	return all
}

// openTable gives each fixture a table of its own.
func openTable(client *dynamodb.Client) func(testing.TB, func() time.Time) jobs.Store {
	return func(t testing.TB, now func() time.Time) jobs.Store {
		return jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: tabletest.Create(t, client), Now: now})
	}
}

// openLedger gives each fixture a table of its own.
func openLedger(client *dynamodb.Client) func(testing.TB, func() time.Time) ledger.Store {
	return func(t testing.TB, now func() time.Time) ledger.Store {
		return ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: client, Table: tabletest.Create(t, client), Now: now})
	}
}

// openQueues makes a queue whose visibility timeout is a second of real time: its clock cannot be moved.
func openQueues(client *sqs.Client) func(testing.TB, func() time.Time) (main, dead queue.Queue) {
	return func(t testing.TB, _ func() time.Time) (queue.Queue, queue.Queue) {
		create := func(attributes map[string]string) string {
			name := "faults-" + strings.ToLower(rand.Text())
			made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_, _ = client.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
			})
			return *made.QueueUrl
		}
		dead := create(nil)
		arn, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
		if err != nil {
			t.Fatal(err)
		}
		main := create(map[string]string{
			"VisibilityTimeout": "1",
			"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"%d"}`, arn.Attributes["QueueArn"], maxReceives),
		})
		return queue.NewSQS(queue.SQSConfig{Client: client, URL: main}), queue.NewSQS(queue.SQSConfig{Client: client, URL: dead})
	}
}
