package statemachine

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// stepFunctionsAPI is the part of *sfn.Client that StepFunctions calls.
type stepFunctionsAPI interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// StepFunctionsConfig is what StepFunctions needs.
type StepFunctionsConfig struct{ Client stepFunctionsAPI }

// StepFunctions are Machines of AWS Step Functions, in the client's region.
type StepFunctions struct{ StepFunctionsConfig }

var _ Machines = (*StepFunctions)(nil)

// NewStepFunctions returns StepFunctions.
func NewStepFunctions(config StepFunctionsConfig) *StepFunctions { return &StepFunctions{config} }

// Start implements Machines. An execution of that name is ours, whether it runs or has ended: a standard workflow keeps
// names for 90 days.
func (s *StepFunctions) Start(ctx context.Context, execution Execution) error {
	_, err := s.Client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &execution.Machine, Name: &execution.Name, Input: aws.String(string(execution.Input)),
	})
	var exists *types.ExecutionAlreadyExists
	if err == nil || errors.As(err, &exists) {
		return nil
	}
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		return err
	}
	switch code := coded.ErrorCode(); code {
	case "StateMachineDoesNotExist", "StateMachineDeleting", "InvalidArn", "InvalidExecutionInput", "InvalidName", "ValidationException":
		return fmt.Errorf("%w: %s", ErrRefused, code)
	case "AccessDeniedException":
		return ErrDenied
	default: // its text may hold the input
		return errors.New(code)
	}
}
