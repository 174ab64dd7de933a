package statemachine_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

const approval = "arn:aws:states:eu-west-1:123456789012:stateMachine:approval"

// fakeSteps answers StartExecution as AWS does.
type fakeSteps struct {
	mu     sync.Mutex
	code   string            // of an error that every call gets; "": none
	inputs map[string]string // by name
	calls  int
}

func (f *fakeSteps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	var input struct{ StateMachineArn, Name, Input string }
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"com.amazonaws.states.v20161123#%s","message":"a text with %s"}`, code, "julia")
	}
	switch {
	case json.Unmarshal(body, &input) != nil || !json.Valid([]byte(input.Input)):
		refuse("InvalidExecutionInput")
	case f.code != "":
		refuse(f.code)
	case input.StateMachineArn != approval:
		refuse("StateMachineDoesNotExist")
	case !regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`).MatchString(input.Name):
		refuse("InvalidName")
	default:
		if before, there := f.inputs[input.Name]; there && before != input.Input {
			refuse("ExecutionAlreadyExists")
			return
		}
		f.inputs[input.Name] = input.Input
		fmt.Fprintf(w, `{"executionArn":"%s:%s","startDate":1.7e9}`, approval, input.Name)
	}
}

func client(endpoint string) *sfn.Client {
	return sfn.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func fake(t *testing.T) (*fakeSteps, *statemachine.StepFunctions) {
	f := &fakeSteps{inputs: map[string]string{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, statemachine.NewStepFunctions(statemachine.StepFunctionsConfig{Client: client(server.URL)})
}

// machine makes a state machine at an endpoint.
func machine(t *testing.T, steps *sfn.Client) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	made, err := steps.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: &name, RoleArn: aws.String("arn:aws:iam::000000000000:role/test"),
		Definition: aws.String(`{"StartAt":"Done","States":{"Done":{"Type":"Pass","End":true}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = steps.DeleteStateMachine(context.Background(), &sfn.DeleteStateMachineInput{StateMachineArn: made.StateMachineArn})
	})
	return *made.StateMachineArn
}

func TestMachinesStartAnExecutionOnceByItsName(t *testing.T) {
	_, faked := fake(t)
	type place struct {
		machines statemachine.Machines
		arn      string
	}
	places := map[string]place{"played": {statemachine.NewPlayed(statemachine.PlayedConfig{}), approval}, "Step Functions, faked": {faked, approval}}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		steps := client(endpoint)
		places["Step Functions"] = place{statemachine.NewStepFunctions(statemachine.StepFunctionsConfig{Client: steps}), machine(t, steps)}
	} else {
		t.Log("set AWS_ENDPOINT_URL (make test-aws) to run against Step Functions too")
	}
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			one := statemachine.Execution{Machine: at.arn, Name: "job-1_0-9", Input: []byte(`{"a":1}`)}
			another := one
			another.Input = []byte(`{"a":2}`)
			for _, execution := range []statemachine.Execution{one, one, another} { // one that exists is ours
				if err := at.machines.Start(t.Context(), execution); err != nil {
					t.Errorf("%s: %v", execution.Input, err)
				}
			}
			if err := at.machines.Start(t.Context(), statemachine.Execution{Machine: "no state machine", Name: "job-1", Input: []byte(`{}`)}); !errors.Is(err, statemachine.ErrRefused) {
				t.Errorf("no state machine: %v", err)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := at.machines.Start(ended, one); err == nil || errors.Is(err, statemachine.ErrRefused) {
				t.Errorf("a context that has ended: %v", err)
			}
		})
	}
}

func TestWhatStepFunctionsRefuse(t *testing.T) {
	for code, want := range map[string]string{
		"StateMachineDoesNotExist": "does not exist", "InvalidArn": "does not exist", "InvalidExecutionInput": "does not take this input", "StateMachineDeleting": "does not exist",
		"AccessDeniedException": "StateMachineArns", "ExecutionLimitExceeded": "", "ThrottlingException": "", "KmsThrottlingException": "",
	} {
		f, machines := fake(t)
		f.code = code
		_, err := do(t, machines, "", press(1))
		refused, permanent := errors.AsType[*engine.PermanentError](err)
		if err == nil || permanent != (want != "") || permanent && !strings.Contains(refused.Reason, want) || strings.Contains(err.Error(), "julia") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestAJobIsOneExecution(t *testing.T) {
	f, machines := fake(t)
	for range 2 { // a try that is repeated
		if result, err := do(t, machines, "", press(1000)); err != nil || result.Wait {
			t.Fatalf("%+v, %v", result, err)
		}
	}
	var input struct {
		Job   string `json:"job"`
		Key   string `json:"idempotencyKey"`
		Items []jobs.Item
	}
	if err := json.Unmarshal([]byte(f.inputs["job-1_0-9"]), &input); err != nil || len(f.inputs) != 1 || input.Job != "job-1" || input.Key != "job-1/0-9" || len(input.Items) != 1000 {
		t.Errorf("%v, %.200v", err, f.inputs)
	}
}

func TestAnInputThatIsTooLargeIsSplitByItems(t *testing.T) {
	f, machines := fake(t)
	run := press(100)
	run.Deleted = make([]bool, 100)
	for i := range run.Items {
		run.Products = append(run.Products, pim.NewView(pim.Product{ID: fmt.Sprint(i), Raw: fmt.Appendf(nil, `{"uuid":"%d","text":%q}`, i, strings.Repeat("x", 9000))}, "", "", ""))
	}
	if _, err := do(t, machines, "read: {}", run); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, text := range f.inputs {
		var input struct{ Items []json.RawMessage }
		if err := json.Unmarshal([]byte(text), &input); err != nil || len(text) > 256<<10 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		seen += len(input.Items)
	}
	if seen != 100 || len(f.inputs) != 4 {
		t.Errorf("%d items in %d executions", seen, len(f.inputs))
	}
	run.Items, run.Products, run.Deleted = run.Items[:1], run.Products[:1], run.Deleted[:1]
	run.Products[0] = pim.NewView(pim.Product{ID: "0", Raw: fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 300<<10))}, "", "", "")
	if _, err := do(t, machines, "read: {}", run); !strings.Contains(fmt.Sprint(err), "too large") {
		t.Errorf("one item: %v", err)
	}
}

// Keys of events hold what names cannot.
func TestNamesOfExecutions(t *testing.T) {
	f, machines := fake(t)
	for _, key := range []string{"job-1/0-9", "event-platform/main/0195a1c2:é{}/sub", strings.Repeat("x", 200) + "/0-9", strings.Repeat("x", 200) + "/10-19"} {
		run := press(1)
		run.Key = key
		if _, err := do(t, machines, "", run); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	if len(f.inputs) != 4 {
		t.Errorf("%d names for 4 keys", len(f.inputs))
	}
}

func TestHowItWaits(t *testing.T) {
	for yaml, want := range map[string]*engine.Waits{
		"": nil, "callback: {within: 168h}": {Within: 168 * time.Hour, For: jobs.WaitExecution, Callback: true, AsDone: true},
	} {
		waits := open(t, statemachine.NewPlayed(statemachine.PlayedConfig{}), yaml).(engine.Waiter).Waits()
		if (waits == nil) != (want == nil) || waits != nil && *waits != *want {
			t.Errorf("%q: %+v", yaml, waits)
		}
	}
	result, err := open(t, nil, "callback: {within: 1h}").Run(t.Context(), engine.Run{
		Items: press(2).Items, Signal: &jobs.Signal{Kind: jobs.SignalCallback, Body: json.RawMessage(`{"message":"one is refused","failures":[{"index":1,"reason":"too dear"}]}`)},
	})
	if err != nil || result.Message != "one is refused" || len(result.Failures) != 1 || result.Failures[0].Reason != "too dear" {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestCheckNamesTheLineAndTheRemedy(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"a state machine", "arn: " + approval, ""},
		{"an alias", "arn: " + approval + ":live", ""},
		{"in China", "arn: arn:aws-cn:states:cn-north-1:123456789012:stateMachine:approval", ""},
		{"none", "{}", `section:1: arn "" is not that of a state machine`},
		{"an execution", "arn: arn:aws:states:eu-west-1:123456789012:execution:approval:x", "is not that of a state machine"},
		{"a URL", "arn: https://example.com", "is not that of a state machine"},
		{"a template", "arn: '{{.Params.arn}}'", "arn takes no template"},
		{"no time", "arn: " + approval + "\ncallback: {within: 0s}", "section:2: callback within 0s"},
		{"an unknown key", "arm: " + approval, `unknown key "arm"; did you mean "arn"?`},
	} {
		t.Run(row.name, func(t *testing.T) {
			section, err := config.ParseSection(row.yaml)
			if err != nil {
				t.Fatal(err)
			}
			err = statemachine.Kind{}.Check(section)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

func press(n int) engine.Run {
	run := engine.Run{Key: "job-1/0-9", Action: "approval", Job: "job-1", PIM: "main", Items: make([]jobs.Item, n)}
	for i := range run.Items {
		run.Items[i] = jobs.Item{Type: jobs.Product, ID: fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)}
	}
	return run
}

func open(t *testing.T, machines statemachine.Machines, yaml string) engine.Action {
	t.Helper()
	section, err := config.ParseSection("arn: " + approval + "\n" + yaml)
	if err != nil {
		t.Fatal(err)
	}
	action, err := statemachine.Kind{Machines: machines}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return action
}

func do(t *testing.T, machines statemachine.Machines, yaml string, run engine.Run) (engine.Result, error) {
	t.Helper()
	return open(t, machines, yaml).Run(t.Context(), run)
}
