package jobs_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/table/tabletest"
)

// TestDynamoDB holds the adapter to the contract on a real endpoint. It makes a table per clause and deletes it.
func TestDynamoDB(t *testing.T) {
	client := dynamodb.NewFromConfig(awsConfig(endpoint(t), http.DefaultClient))
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: noon}
			clause.test(t, bench{jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: tabletest.Create(t, client), Now: c.Now}), c})
		})
	}
}

// TestDynamoDBLosesAnswers is the same over a network that loses the first answer to every write: the write has been
// carried out, and the SDK sends it again.
func TestDynamoDBLosesAnswers(t *testing.T) {
	network := &lossy{}
	client := dynamodb.NewFromConfig(awsConfig(endpoint(t), network))
	tables := dynamodb.NewFromConfig(awsConfig(endpoint(t), http.DefaultClient))
	t.Run("clauses", func(t *testing.T) {
		for _, clause := range contract {
			t.Run(clause.name, func(t *testing.T) {
				t.Parallel()
				c := &clock{now: noon}
				clause.test(t, bench{jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: client, Table: tabletest.Create(t, tables), Now: c.Now}), c})
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
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	write := operation == "UpdateItem" || operation == "PutItem" || operation == "TransactWriteItems"
	if err != nil || !write || !strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") {
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

// awsConfig makes two attempts per call, the second at once.
func awsConfig(endpoint string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &endpoint,
		HTTPClient:   client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 2
				o.MaxBackoff = time.Millisecond
				o.RateLimiter = ratelimit.None // a test loses more answers than a quota of retries allows
			})
		},
	}
}
