package queue_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// TestSQS holds the adapter to the contract on a real endpoint. It makes queues of its own and deletes them.
// The emulator counts exactly; on AWS itself the numbers of Depth may lag behind what a clause expects.
func TestSQS(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("set AWS_ENDPOINT_URL (make test-aws) to run against SQS")
	}
	client := sqs.NewFromConfig(awsconfig.New(awsconfig.Config{
		Region: os.Getenv("AWS_REGION"), AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Endpoint: endpoint,
	}))
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			name := "pim-functions-test-" + rand.Text()
			dead := createQueue(t, client, name+"-dead", nil)
			policy, err := json.Marshal(map[string]string{
				"deadLetterTargetArn": queueARN(t, client, dead),
				"maxReceiveCount":     fmt.Sprint(maxReceives),
			})
			if err != nil {
				t.Fatal(err)
			}
			main := createQueue(t, client, name, map[string]string{"RedrivePolicy": string(policy)})
			clause.test(t, queues{
				main: queue.NewSQS(queue.SQSConfig{Client: client, URL: main}),
				dead: queue.NewSQS(queue.SQSConfig{Client: client, URL: dead}),
			})
		})
	}
}

func createQueue(t *testing.T, client *sqs.Client, name string, attributes map[string]string) string {
	t.Helper()
	all := map[string]string{"VisibilityTimeout": fmt.Sprint(int(visibility / time.Second))}
	for key, value := range attributes {
		all[key] = value
	}
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: all})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now.
		if _, err := client.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl}); err != nil {
			t.Errorf("delete queue %s: %v", name, err)
		}
	})
	return *out.QueueUrl
}

func queueARN(t *testing.T, client *sqs.Client, url string) string {
	t.Helper()
	out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"QueueArn"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["QueueArn"]
}
