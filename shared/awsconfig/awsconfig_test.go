package awsconfig_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
)

// recorder is an endpoint that keeps what it was asked.
type recorder struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	status   int
}

func record(t *testing.T) *recorder {
	r := &recorder{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		io.Copy(io.Discard, request.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, request)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(r.status)
		io.WriteString(w, `{}`)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestNewSignsForTheEndpointWithTheGivenKeys(t *testing.T) {
	server := record(t)
	config := awsconfig.New(awsconfig.Config{
		Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "session", Endpoint: server.URL,
	})
	if _, err := sqs.NewFromConfig(config).ListQueues(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	request := server.requests[0]
	authorization := request.Header.Get("Authorization")
	if !strings.Contains(authorization, "Credential=AKIDEXAMPLE/") || !strings.Contains(authorization, "/eu-west-1/sqs/") {
		t.Errorf("authorization %q", authorization)
	}
	if got := request.Header.Get("X-Amz-Security-Token"); got != "session" {
		t.Errorf("session token %q", got)
	}
}

func TestNewWithoutAnEndpointLeavesItToTheService(t *testing.T) {
	if config := awsconfig.New(awsconfig.Config{Region: "eu-west-1"}); config.BaseEndpoint != nil {
		t.Errorf("base endpoint %q", *config.BaseEndpoint)
	}
}

func TestMissingKeysAreAnErrorThatNamesThem(t *testing.T) {
	server := record(t)
	config := awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", Endpoint: server.URL})
	_, err := sqs.NewFromConfig(config).ListQueues(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") || strings.Contains(err.Error(), "AKIDEXAMPLE") {
		t.Errorf("error %v", err)
	}
	if len(server.requests) != 0 {
		t.Error("a request was sent without credentials")
	}
}

func TestFailingServiceIsAskedThreeTimes(t *testing.T) {
	server := record(t)
	server.status = http.StatusServiceUnavailable
	config := awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "a", SecretAccessKey: "b", Endpoint: server.URL})
	if _, err := sqs.NewFromConfig(config).ListQueues(t.Context(), nil); err == nil {
		t.Error("no error")
	}
	if len(server.requests) != 3 {
		t.Errorf("%d requests", len(server.requests))
	}
}

// A call that is made again may have its effect twice; a connection that is dropped costs a handshake.
func TestAThousandCallsTakeOneConnection(t *testing.T) {
	const calls = 1000
	var connections, received, bytes atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, `{"MessageId":"1"}`) // at once: before the body is read
		received.Add(1)
		bytes.Add(request.ContentLength)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := sqs.NewFromConfig(awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "a", SecretAccessKey: "b", Endpoint: server.URL}),
		func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
	body := strings.Repeat("x", 2000)
	for range calls {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &server.URL, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
	if received.Load() != calls || bytes.Load() < calls*2000 || connections.Load() > 2 {
		t.Errorf("%d connections, %d calls received with %d bytes", connections.Load(), received.Load(), bytes.Load())
	}
}

func TestWarmLeavesConnectionsForTheFirstCalls(t *testing.T) {
	one, two := record(t), record(t)
	config := awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "a", SecretAccessKey: "b", Endpoint: one.URL})
	closed := httptest.NewServer(nil)
	closed.Close()
	awsconfig.Warm(t.Context(), config.HTTPClient, one.URL, two.URL, closed.URL, "::no url")
	if _, err := sqs.NewFromConfig(config).ListQueues(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var from []string
	for _, request := range one.requests {
		from = append(from, request.RemoteAddr)
	}
	if len(from) != 2 || from[0] != from[1] {
		t.Errorf("requests came from %v: not one connection", from)
	}
	if methods := []string{two.requests[0].Method}; !slices.Equal(methods, []string{http.MethodHead}) {
		t.Errorf("warmed with %v", methods)
	}
}
