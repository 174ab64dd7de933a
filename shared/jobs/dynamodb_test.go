package jobs_test

import (
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// TestDynamoDB holds the adapter to the contract on a real endpoint. It makes a table per clause and deletes it.
func TestDynamoDB(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("set AWS_ENDPOINT_URL (make test-aws) to run against DynamoDB")
	}
	client := dynamodb.NewFromConfig(aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: noon}
			table := createTable(t, client)
			clause.test(t, bench{jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: table, Now: c.Now}), c})
		})
	}
}

func createTable(t *testing.T, client *dynamodb.Client) string {
	t.Helper()
	name := "pim-functions-test-" + rand.Text()
	if _, err := client.CreateTable(t.Context(), jobs.TableDefinition(name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now.
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Errorf("delete table %s: %v", name, err)
		}
	})
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return name
}
