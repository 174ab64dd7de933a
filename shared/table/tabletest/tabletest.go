// Package tabletest makes tables for tests that run against a DynamoDB endpoint.
package tabletest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pim-functions/pim-functions/shared/table"
)

// Create makes an empty table with the project's definition and returns its name. The table goes when the test ends.
//
// The name is random: a table that is there already was made by an attempt whose answer was lost, and one that is gone
// was deleted by such an attempt.
func Create(t testing.TB, client *dynamodb.Client) string {
	t.Helper()
	name := "pim-functions-test-" + rand.Text()
	_, err := client.CreateTable(t.Context(), table.Definition(name))
	if _, there := errors.AsType[*types.ResourceInUseException](err); err != nil && !there {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now.
		_, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
		if _, gone := errors.AsType[*types.ResourceNotFoundException](err); err != nil && !gone {
			t.Errorf("delete table %s: %v", name, err)
		}
	})
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return name
}
