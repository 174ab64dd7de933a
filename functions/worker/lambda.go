package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// Invoke handles one invocation by Lambda (Lambda developer guide, "Using Lambda with Amazon SQS"). An error (the event as a
// whole cannot be read) leaves all messages in the queue. The answer names those that stay: Lambda deletes the others.
func (w *Worker) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event events.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("decode SQS event: %w", err)
	}
	messages := make([]undecoded, len(event.Records))
	for i := range event.Records {
		messages[i] = newUndecoded(&event.Records[i])
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, id := range w.handle(ctx, messages) {
		answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return json.Marshal(answer)
}

// newUndecoded is a message as Lambda hands it over.
func newUndecoded(record *events.SQSMessage) undecoded {
	attributes := make(map[string]string, len(record.MessageAttributes))
	for name, value := range record.MessageAttributes {
		if value.StringValue != nil {
			attributes[name] = *value.StringValue
		}
	}
	receives, err := strconv.Atoi(record.Attributes["ApproximateReceiveCount"])
	if err != nil || receives < 1 {
		receives = 1
	}
	sent, _ := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64) // milliseconds; absent: the epoch, which only a log shows
	return undecoded{id: record.MessageId, size: queue.Size(record.Body, attributes), decode: func() (queue.Received, error) {
		body, attributes, err := queue.Decode(record.Body, attributes)
		record.Body = "" // it is not needed twice
		return queue.Received{
			ID: record.MessageId, Receipt: record.ReceiptHandle, Body: body, Attributes: attributes, Group: record.Attributes["MessageGroupId"], Receives: receives, Sent: time.UnixMilli(sent),
		}, err
	}}
}
