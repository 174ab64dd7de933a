package eventplatform_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// fakeSQS is AWS: it stores what SendMessageBatch brings, and notes every call of whatever operation.
type fakeSQS struct {
	refuses func(call int) bool // all entries of that call, counted from 1, for a passing cause; nil: none

	mu     sync.Mutex
	calls  []string // operations
	stored []string // bodies
}

func (f *fakeSQS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, r.Header.Get("X-Amz-Target"))
	var in struct {
		Entries []struct {
			ID          string `json:"Id"`
			MessageBody string
		}
	}
	if err := json.Unmarshal(text, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	type entry struct {
		ID          string `json:"Id"`
		Code        string `json:",omitempty"`
		SenderFault bool
	}
	var out struct{ Successful, Failed []entry }
	for _, message := range in.Entries {
		if f.refuses != nil && f.refuses(len(f.calls)) {
			out.Failed = append(out.Failed, entry{ID: message.ID, Code: "InternalError"})
			continue
		}
		f.stored = append(f.stored, message.MessageBody)
		out.Successful = append(out.Successful, entry{ID: message.ID})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	json.NewEncoder(w).Encode(out)
}

// open returns the real adapter on the fake.
func (f *fakeSQS) open(t *testing.T) *queue.SQS {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	account := awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "test", SecretAccessKey: "test", Endpoint: server.URL})
	return queue.NewSQS(queue.SQSConfig{Client: sqs.NewFromConfig(account), URL: server.URL + "/000000000000/events"})
}
