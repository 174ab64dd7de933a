package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// fakeSQS answers SendMessageBatch in SQS's JSON protocol as a test's plan says: one step per call, and success
// after the last.
type fakeSQS struct {
	mu     sync.Mutex
	plan   []step
	calls  []call
	stored []string // bodies, in the order they were stored
}

// step says what happens to the n-th entry of a call (by body), or to the call as a whole.
type step struct {
	passing []string // bodies that fail for a cause of SQS's own
	fault   []string // bodies that fail for the sender's fault
	silent  []string // bodies that are stored and not mentioned
	lost    bool     // everything is stored, then the connection breaks
	status  int      // of the whole call; nothing is stored
	hang    bool     // until the client leaves
}

type call struct {
	entries, bytes int
}

func (f *fakeSQS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if target := r.Header.Get("X-Amz-Target"); target != "AmazonSQS.SendMessageBatch" {
		http.Error(w, target, http.StatusNotImplemented)
		return
	}
	var in struct {
		Entries []struct {
			ID          string `json:"Id"`
			MessageBody string
		}
	}
	text, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(text, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	var now step
	if len(f.calls) < len(f.plan) {
		now = f.plan[len(f.calls)]
	}
	made := call{entries: len(in.Entries)}
	type success struct {
		ID string `json:"Id"`
	}
	type failure struct {
		ID            string `json:"Id"`
		Code, Message string
		SenderFault   bool
	}
	var out struct {
		Successful []success
		Failed     []failure
	}
	for _, entry := range in.Entries {
		made.bytes += len(entry.MessageBody)
		switch body := entry.MessageBody; {
		case slices.Contains(now.passing, body):
			out.Failed = append(out.Failed, failure{entry.ID, "InternalError", "we are sorry about " + body, false})
		case slices.Contains(now.fault, body):
			out.Failed = append(out.Failed, failure{entry.ID, "InvalidMessageContents", "not taken: " + body, true})
		case now.status != 0 || now.hang:
		default:
			f.stored = append(f.stored, body)
			if !slices.Contains(now.silent, body) {
				out.Successful = append(out.Successful, success{entry.ID})
			}
		}
	}
	f.calls = append(f.calls, made)
	f.mu.Unlock()
	switch {
	case now.hang:
		<-r.Context().Done()
	case now.lost:
		panic(http.ErrAbortHandler)
	case now.status != 0:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(now.status)
		fmt.Fprint(w, `{"__type":"com.amazonaws.sqs#ServiceUnavailable","message":"try again"}`)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		json.NewEncoder(w).Encode(out)
	}
}

// open returns a queue on the fake whose client makes at most two attempts per call.
func (f *fakeSQS) open(t *testing.T) *queue.SQS {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	client := sqs.NewFromConfig(aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &server.URL,
		HTTPClient:   server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 2
				o.MaxBackoff = time.Millisecond
			})
		},
	})
	return queue.NewSQS(queue.SQSConfig{Client: client, URL: server.URL + "/123456789012/jobs"})
}

func numbered(n int) (messages []queue.Message) {
	for i := range n {
		messages = append(messages, queue.Message{Body: fmt.Append(nil, i)})
	}
	return messages
}

func TestSQSSendFaults(t *testing.T) {
	always := func(s step) []step { return slices.Repeat([]step{s}, 20) }
	for name, test := range map[string]struct {
		plan    []step
		send    int
		failed  []int // indexes of a *PartialError
		whole   bool  // another error
		calls   []int // entries of each call
		doubled bool  // a message may be stored twice
	}{
		"ten messages are one call":                      {send: 10, calls: []int{10}},
		"25 messages are three calls":                    {send: 25, calls: []int{10, 10, 5}},
		"entries that fail for a passing cause go again": {send: 10, plan: []step{{passing: []string{"2", "7"}}}, calls: []int{10, 2}},
		"and again":                    {send: 3, plan: []step{{passing: []string{"0", "1"}}, {passing: []string{"1"}}}, calls: []int{3, 2, 1}},
		"until the pauses are used up": {send: 3, plan: always(step{passing: []string{"1"}}), failed: []int{1}, calls: []int{3, 1, 1, 1, 1}},
		"entries of the sender's fault do not go again": {send: 3, plan: []step{{fault: []string{"1"}}}, failed: []int{1}, calls: []int{3}},
		"both":                               {send: 12, plan: []step{{fault: []string{"3"}, passing: []string{"4"}}}, failed: []int{3}, calls: []int{10, 1, 2}},
		"nothing stored is no partial error": {send: 1, plan: []step{{fault: []string{"0"}}}, whole: true, calls: []int{1}},
		"an entry that the answer forgets goes again":      {send: 2, plan: []step{{silent: []string{"1"}}}, calls: []int{2, 1}, doubled: true},
		"an answer that is lost is a call made again":      {send: 2, plan: []step{{lost: true}}, calls: []int{2, 2}, doubled: true},
		"a call that fails once is made again":             {send: 2, plan: []step{{status: 503}}, calls: []int{2, 2}},
		"a call that goes on failing is an error":          {send: 2, plan: always(step{status: 503}), whole: true, calls: []int{2, 2}},
		"the second call fails: the first is in the queue": {send: 22, plan: []step{{}, {status: 503}, {status: 503}}, failed: []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21}, calls: []int{10, 10, 10}},
		"the call of the second try fails":                 {send: 3, plan: []step{{passing: []string{"2"}}, {status: 503}, {status: 503}}, failed: []int{2}, calls: []int{3, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeSQS{plan: test.plan}
			err := fake.open(t).Send(t.Context(), numbered(test.send)...)

			var failed []int
			partial, isPartial := errors.AsType[*queue.PartialError](err)
			if isPartial {
				failed = slices.Sorted(maps.Keys(partial.Failed))
			}
			if !slices.Equal(failed, test.failed) {
				t.Errorf("failed %v, expected %v: %v", failed, test.failed, err)
			}
			if whole := err != nil && !isPartial; whole != test.whole {
				t.Errorf("error %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "sorry") || strings.Contains(err.Error(), "not taken")) {
				t.Errorf("SQS's text, which may quote the message, is in the error: %v", err)
			}
			var calls []int
			for _, call := range fake.calls {
				calls = append(calls, call.entries)
			}
			if !slices.Equal(calls, test.calls) {
				t.Errorf("calls of %v entries, expected %v", calls, test.calls)
			}
			times := map[string]int{}
			for _, body := range fake.stored {
				times[body]++
			}
			for i := range test.send {
				switch n := times[fmt.Sprint(i)]; {
				case test.whole || slices.Contains(test.failed, i):
					if n != 0 {
						t.Errorf("message %d is stored, and said to have failed", i)
					}
				case n == 0:
					t.Errorf("message %d is not stored", i)
				case n > 1 && !test.doubled:
					t.Errorf("message %d is stored %d times", i, n)
				}
			}
		})
	}
}

// The characters of the API reference's page on SendMessage, which refuses others, and an empty text.
var sqsText = regexp.MustCompile(`^[\x{9}\x{A}\x{D}\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]+$`)

func TestSQSSendMakesEveryBodyLegalText(t *testing.T) {
	for name, body := range bodies {
		fake := &fakeSQS{}
		if err := fake.open(t).Send(t.Context(), queue.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
		if !sqsText.MatchString(fake.stored[0]) {
			t.Errorf("%s: sent as %q", name, fake.stored[0])
		}
	}
}

func TestSQSSendKeepsEveryCallWithinOneMebibyte(t *testing.T) {
	var messages []queue.Message
	for range 6 {
		messages = append(messages, queue.Message{Body: []byte(strings.Repeat("a", 500<<10))})
	}
	fake := &fakeSQS{}
	if err := fake.open(t).Send(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
	for i, call := range fake.calls {
		if call.entries != 2 || call.bytes > queue.MaxPayload {
			t.Errorf("call %d: %d entries, %d bytes", i+1, call.entries, call.bytes)
		}
	}
	if len(fake.calls) != 3 {
		t.Errorf("%d calls", len(fake.calls))
	}
}

func TestSQSSendEndsWithItsDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	fake := &fakeSQS{plan: []step{{hang: true}}}
	if err := fake.open(t).Send(ctx, numbered(2)...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}

	// A pause that would outlast the deadline is not begun: the caller keeps the time for its own answer.
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	fake = &fakeSQS{plan: []step{{passing: []string{"1"}}}}
	err := fake.open(t).Send(ctx, numbered(2)...)
	if len(fake.calls) > 1 || err == nil {
		t.Errorf("%d calls, error %v", len(fake.calls), err)
	}
}

func TestSQSReceiveLeavesWhatItCannotDecode(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, `{"Messages":[
			{"MessageId":"1","ReceiptHandle":"a","Body":"***","MessageAttributes":{"encoding":{"DataType":"String","StringValue":"base64"}}},
			{"MessageId":"2","ReceiptHandle":"b","Body":"by hand","MessageAttributes":{"n":{"DataType":"Number","StringValue":"1"},"b":{"DataType":"Binary","BinaryValue":"AA=="}}}
		]}`)
	}))
	defer server.Close()
	client := sqs.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{},
	})
	got, err := queue.NewSQS(queue.SQSConfig{Client: client, URL: server.URL}).Receive(t.Context(), 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || string(got[0].Body) != "by hand" || got[0].Attributes["n"] != "1" || len(got[0].Attributes) != 1 {
		t.Errorf("received %+v", got)
	}
}

// A call takes 1 MiB of messages, and not a byte more.
func TestSQSFillsACall(t *testing.T) {
	for more, want := range map[int][]int{0: {2}, 1: {1, 1}} {
		fake := &fakeSQS{}
		half := strings.Repeat("x", queue.MaxPayload/2)
		if err := fake.open(t).Send(t.Context(), queue.Message{Body: []byte(half)}, queue.Message{Body: []byte(half + strings.Repeat("x", more))}); err != nil {
			t.Fatal(err)
		}
		var calls []int
		for _, call := range fake.calls {
			calls = append(calls, call.entries)
		}
		if !slices.Equal(calls, want) {
			t.Errorf("%d bytes above 1 MiB: calls of %v entries, want %v", more, calls, want)
		}
	}
}
