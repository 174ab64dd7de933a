package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// eventBridgeAPI is the part of *eventbridge.Client that an EventBridge calls.
type eventBridgeAPI interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// EventBridgeConfig is what an EventBridge needs.
type EventBridgeConfig struct {
	Client eventBridgeAPI
	Bus    string // where entries go that name none
}

// EventBridge is a Bus in Amazon EventBridge.
type EventBridge struct{ EventBridgeConfig }

// NewEventBridge returns an EventBridge.
func NewEventBridge(config EventBridgeConfig) *EventBridge { return &EventBridge{config} }

// Put implements Bus. A call takes at most 10 entries and maxCall bytes.
func (b *EventBridge) Put(ctx context.Context, entries []Entry) ([]error, error) {
	problems := make([]error, len(entries))
	for from := 0; from < len(entries); {
		to, size := from, 0
		for to < len(entries) && to-from < maxEntries && (to == from || size+entries[to].size() <= maxCall) {
			size += entries[to].size()
			to++
		}
		if err := b.call(ctx, entries[from:to], problems[from:to]); err != nil {
			return nil, err
		}
		from = to
	}
	return problems, nil
}

func (b *EventBridge) call(ctx context.Context, entries []Entry, problems []error) error {
	input := &eventbridge.PutEventsInput{}
	for _, entry := range entries {
		bus := entry.Bus
		if bus == "" {
			bus = b.Bus
		}
		input.Entries = append(input.Entries, types.PutEventsRequestEntry{
			EventBusName: &bus, Source: &entry.Source, DetailType: &entry.DetailType, Detail: aws.String(string(entry.Detail)),
		})
	}
	answer, err := b.Client.PutEvents(ctx, input)
	if err != nil {
		return err
	}
	if len(answer.Entries) != len(entries) {
		return errors.New("the answer has another number of entries")
	}
	for i, entry := range answer.Entries {
		switch code := aws.ToString(entry.ErrorCode); code {
		case "":
		case "ThrottlingException", "InternalFailure", "InternalException":
			problems[i] = fmt.Errorf("entry: %s", code)
		default:
			problems[i] = fmt.Errorf("%w: %s", ErrRefused, code)
		}
	}
	return nil
}
