// Package statemachine is the kind of action that starts an execution of an AWS Step Functions state machine: one for a job,
// more where the input would be too large. With callback the job waits for what the state machine tells it. It is not for
// several listeners: publish puts an event on a bus.
//
// An execution has the name of the run's key, so that a start that is repeated starts nothing twice (AWS: "StartExecution";
// standard workflows alone promise that).
package statemachine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

const (
	maxInput = 256 << 10 // bytes of an input (AWS: "Step Functions service quotas")
	maxName  = 80        // characters of an execution's name (AWS: "StartExecution")
	maxRead  = 100       // items of a batch whose products are read
)

// Execution is one that is to be started.
type Execution struct {
	Machine string // its ARN
	Name    string
	Input   []byte // a JSON object
}

var (
	// ErrRefused marks an execution that will not begin however often it is started.
	ErrRefused = errors.New("execution refused")
	// ErrDenied marks one that this deployment may not start. It is an ErrRefused too.
	ErrDenied = fmt.Errorf("%w: not allowed", ErrRefused)
)

// Machines start executions. Safe for concurrent use.
type Machines interface {
	// Start starts an execution. nil: it has begun, now or at an earlier call with that name, and is durable. ErrRefused: starting
	// it again cannot help. After any other error nobody knows; the same call may be made again.
	Start(ctx context.Context, execution Execution) error
}

// Kind makes state-machine actions.
type Kind struct{ Machines Machines }

// options are the keys of a state-machine action in extensions.yaml.
type options struct {
	ARN      string            `yaml:"arn"`
	Read     *engine.Reads     `yaml:"read"`     // nil: no products
	Callback *outcome.Callback `yaml:"callback"` // nil: an execution that has begun is the end
}

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }

// arn is a state machine's, or that of one of its versions or aliases (AWS: "StartExecution", stateMachineArn).
var arn = regexp.MustCompile(`^arn:aws[a-z-]*:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[A-Za-z0-9_.+-]{1,80}(:[A-Za-z0-9_-]{1,80})?$`)

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, err := parse(section)
	return err
}

func parse(section config.Section) (options, error) {
	var o options
	problems := []error{section.Decode(&o), template.Misplaced(section, "arn"), o.Callback.Check(section)}
	if !arn.MatchString(o.ARN) {
		problems = append(problems, section.Errorf("arn", "write arn: arn:aws:states:REGION:ACCOUNT:stateMachine:NAME, or a variable that holds it", "arn %q is not that of a state machine", o.ARN))
	}
	return o, errors.Join(problems...)
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	o, err := parse(section)
	if err != nil {
		return nil, section.Errorf("arn", "look at what the action takes from there", "a value of the connection secret does not fit the action")
	}
	return &action{machines: k.Machines, options: o}, nil
}

type action struct {
	machines Machines
	options
}

var (
	_ engine.Reader = (*action)(nil)
	_ engine.Waiter = (*action)(nil)
)

// Batch is all items, or as many as are read from the PIM in one call.
func (a *action) Batch() int {
	if a.Read != nil && a.Callback == nil {
		return maxRead
	}
	return 0
}

// Reads implements engine.Reader.
func (a *action) Reads() *engine.Reads { return a.Read }

// Waits implements engine.Waiter.
func (a *action) Waits() *engine.Waits { return a.Callback.Waits(jobs.WaitExecution, nil) }

// Run starts one execution, or as many as it takes to stay within the limit of an input. With callback it starts one, and waits.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Signal != nil {
		return outcome.Called(run, nil)
	}
	var executions []Execution
	var err error
	if a.Callback == nil {
		executions, err = a.executions(run)
	} else {
		executions, err = a.asking(ctx, run)
	}
	if err != nil {
		return engine.Result{}, err
	}
	for _, execution := range executions {
		if err := a.machines.Start(ctx, execution); errors.Is(err, ErrDenied) {
			return engine.Result{}, engine.Permanent("the state machine was not started: this deployment may not start it. Add its ARN to the deployment's parameter StateMachineArns", err)
		} else if errors.Is(err, ErrRefused) {
			return engine.Result{}, engine.Permanent("the state machine was not started: it does not exist, or does not take this input", err)
		} else if err != nil {
			return engine.Result{}, fmt.Errorf("start the state machine: %w", err)
		}
	}
	return engine.Result{Wait: a.Callback != nil}, nil
}

// asking makes the one execution of a job that waits for its callback: the same at every try.
func (a *action) asking(ctx context.Context, run engine.Run) ([]Execution, error) {
	input, err := run.Keep(ctx, func() ([]byte, error) { return template.JSON(run, true) })
	if err != nil {
		return nil, err
	}
	if len(input) > maxInput {
		return nil, engine.Permanent("the items are too large for the state machine's input, and one that waits for an answer is not divided: select fewer items", nil)
	}
	return []Execution{{Machine: a.ARN, Name: name(run.Key), Input: input}}, nil
}

// executions are those of a run; one whose input is too large is halved by its items.
func (a *action) executions(run engine.Run) ([]Execution, error) {
	content, err := template.JSON(run, false)
	if err != nil {
		return nil, err
	}
	input, err := template.JSON(run, true)
	if err != nil {
		return nil, err
	}
	if len(input) <= maxInput {
		return []Execution{{Machine: a.ARN, Name: name(template.DefaultKey(run, content)), Input: input}}, nil
	}
	if len(run.Items) < 2 {
		return nil, engine.Permanent("the item is too large for the state machine's input", nil)
	}
	first, second := run.Halves()
	executions, err := a.executions(first)
	if err != nil {
		return nil, err
	}
	rest, err := a.executions(second)
	return append(executions, rest...), err
}

// plain are names that CloudWatch can log executions by.
var plain = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// name is the execution's name for a key. What a name cannot hold is in its digest.
func name(key string) string {
	readable := strings.ReplaceAll(key, "/", "_")
	if plain.MatchString(readable) && len(readable) <= maxName {
		return readable
	}
	const digest = 23 // characters of jobs.Digest, and what stands before it
	cut := strings.Map(func(r rune) rune {
		if !plain.MatchString(string(r)) {
			return '-'
		}
		return r
	}, readable)
	return cut[:min(len(cut), maxName-digest)] + "_" + jobs.Digest([]byte(key))
}
