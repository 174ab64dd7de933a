package ledger_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/table/tabletest"
)

func TestMemory(t *testing.T) {
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: noon}
			clause.test(t, bench{ledger.NewMemory(ledger.MemoryConfig{Now: c.Now}), c})
		})
	}
}

// TestDynamoDB holds the adapter to the contract on a real endpoint, in a table for each clause.
func TestDynamoDB(t *testing.T) {
	client := client(endpoint(t), http.DefaultClient)
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: noon}
			clause.test(t, bench{ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: client, Table: tabletest.Create(t, client), Now: c.Now}), c})
		})
	}
}

// TestDynamoDBLosesAnswers is the same over a network that loses the first answer to every write: the write has been
// carried out, and the SDK sends it again.
func TestDynamoDBLosesAnswers(t *testing.T) {
	network := &lossy{}
	unreliable := client(endpoint(t), network)
	tables := client(endpoint(t), http.DefaultClient)
	t.Run("clauses", func(t *testing.T) {
		for _, clause := range contract {
			t.Run(clause.name, func(t *testing.T) {
				t.Parallel()
				c := &clock{now: noon}
				clause.test(t, bench{ledger.NewDynamoDB(ledger.DynamoDBConfig{Client: unreliable, Table: tabletest.Create(t, tables), Now: c.Now}), c})
			})
		}
	})
	if network.lost.Load() == 0 {
		t.Error("no answer was lost")
	}
}

// lossy carries requests, and loses the answer to the first attempt of each write.
type lossy struct{ lost atomic.Int64 }

func (l *lossy) Do(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") || !strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") {
		return answer, err
	}
	answer.Body.Close()
	l.lost.Add(1)
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

func endpoint(t *testing.T) string {
	url := os.Getenv("AWS_ENDPOINT_URL")
	if url == "" {
		t.Skip("set AWS_ENDPOINT_URL (make test-aws) to run against DynamoDB")
	}
	return url
}

// client makes two attempts per call, the second at once.
func client(endpoint string, through aws.HTTPClient) *dynamodb.Client {
	return dynamodb.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(endpoint), HTTPClient: through,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 2, 1, ratelimit.None
			})
		},
	})
}
