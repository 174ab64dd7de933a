package queue_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// sqsCall is what the tests look at of a request in SQS's JSON protocol.
type sqsCall struct {
	Operation                   string `json:"-"`
	QueueURL                    string `json:"QueueUrl"`
	ReceiptHandle               string
	VisibilityTimeout           *int
	MaxNumberOfMessages         int
	WaitTimeSeconds             int
	MessageAttributeNames       []string
	MessageSystemAttributeNames []string
}

// openSQS returns a queue whose every call is answered with a body, an error's if it names a type, and what was asked.
func openSQS(t *testing.T, body string) (*queue.SQS, *[]sqsCall) {
	t.Helper()
	calls := &[]sqsCall{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c sqsCall
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			t.Error(err)
		}
		_, c.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		*calls = append(*calls, c)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if strings.Contains(body, `"__type"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	client := sqs.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{},
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 1 })
		},
	})
	return queue.NewSQS(queue.SQSConfig{Client: client, URL: server.URL + "/1/jobs"}), calls
}

const denied = `{"__type":"com.amazonaws.sqs#AccessDenied"}`

func TestSQSReceive(t *testing.T) {
	for wait, seconds := range map[time.Duration]int{0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, 20 * time.Second: 20} {
		q, calls := openSQS(t, `{"Messages":[{"MessageId":"1","ReceiptHandle":"r","Body":"a",
			"Attributes":{"ApproximateReceiveCount":"3","SentTimestamp":"1767613500123","MessageGroupId":"main/a"},
			"MessageAttributes":{"pim":{"DataType":"String","StringValue":"main"}}}]}`)
		got, err := q.Receive(t.Context(), 7, wait)
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		if m := got[0]; m.ID != "1" || m.Receipt != "r" || string(m.Body) != "a" || m.Attributes["pim"] != "main" || m.Group != "main/a" || m.Receives != 3 || !m.Sent.Equal(time.UnixMilli(1767613500123)) {
			t.Errorf("%+v", m)
		}
		asked := (*calls)[0]
		if asked.WaitTimeSeconds != seconds || asked.MaxNumberOfMessages != 7 || len(asked.MessageAttributeNames) != 1 || len(asked.MessageSystemAttributeNames) != 3 || !strings.HasSuffix(asked.QueueURL, "/1/jobs") {
			t.Errorf("wait %s: %+v", wait, asked)
		}
	}
	q, _ := openSQS(t, denied)
	if got, err := q.Receive(t.Context(), 1, 0); err == nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []struct {
		limit int
		wait  time.Duration
	}{{0, 0}, {queue.MaxBatch + 1, 0}, {1, -1}, {1, 20*time.Second + 1}} {
		q, calls := openSQS(t, `{}`)
		if _, err := q.Receive(t.Context(), bad.limit, bad.wait); err == nil || len(*calls) > 0 {
			t.Errorf("%d, %s: %v after %d calls", bad.limit, bad.wait, err, len(*calls))
		}
	}
}

// A receipt that SQS no longer knows is no error: what it was for is done, or on its way again.
func TestSQSReceipts(t *testing.T) {
	for _, c := range []struct {
		name   string
		body   string
		delete bool // succeeds
		back   bool // Release succeeds
	}{
		{"known", `{}`, true, true},
		{"of another form", `{"__type":"com.amazonaws.sqs#ReceiptHandleIsInvalid"}`, true, true},
		{"of a message that is visible again", `{"__type":"com.amazonaws.sqs#MessageNotInflight"}`, false, true},
		{"not allowed", denied, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, calls := openSQS(t, c.body)
			if err := q.Delete(t.Context(), "receipt"); (err == nil) != c.delete {
				t.Errorf("delete: %v", err)
			}
			if err := q.Release(t.Context(), "receipt"); (err == nil) != c.back {
				t.Errorf("release: %v", err)
			}
			if len(*calls) != 2 || (*calls)[0].Operation != "DeleteMessage" || (*calls)[1].Operation != "ChangeMessageVisibility" {
				t.Fatalf("calls %+v", *calls)
			}
			for _, asked := range *calls {
				if asked.ReceiptHandle != "receipt" || !strings.HasSuffix(asked.QueueURL, "/1/jobs") || asked.VisibilityTimeout != nil && *asked.VisibilityTimeout != 0 {
					t.Errorf("%+v", asked)
				}
			}
		})
	}
}

// A body travels in the plainest form that SQS takes: people read queues.
func TestSQSSendsThePlainestForm(t *testing.T) {
	for body, want := range map[string]string{"text": "text", "\x00": "AA=="} {
		fake := &fakeSQS{}
		if err := fake.open(t).Send(t.Context(), queue.Message{Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		if len(fake.stored) != 1 || fake.stored[0] != want {
			t.Errorf("%q travels as %q, want %q", body, fake.stored, want)
		}
	}
}

func TestSQSDepth(t *testing.T) {
	q, _ := openSQS(t, `{"Attributes":{"ApproximateNumberOfMessages":"3","ApproximateNumberOfMessagesNotVisible":"2"}}`)
	if got, err := q.Depth(t.Context()); got != (queue.Depth{Visible: 3, InFlight: 2}) || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	q, _ = openSQS(t, denied)
	if _, err := q.Depth(t.Context()); err == nil {
		t.Error("no error")
	}
}
