package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// sqsEvent is what Lambda's event source mapping sends (Lambda developer guide, "Using Lambda with Amazon SQS").
type sqsEvent struct {
	Records []sqsRecord `json:"Records"`
}

type sqsRecord struct {
	MessageID     string `json:"messageId"`
	ReceiptHandle string `json:"receiptHandle"`
	Body          string `json:"body"`
	Attributes    struct {
		Receives string `json:"ApproximateReceiveCount"`
		Sent     string `json:"SentTimestamp"` // milliseconds
	} `json:"attributes"`
	MessageAttributes map[string]struct {
		StringValue string `json:"stringValue"`
	} `json:"messageAttributes"`
}

// sqsAnswer is the partial batch response: Lambda deletes the messages that are not in it.
type sqsAnswer struct {
	BatchItemFailures []itemFailure `json:"batchItemFailures"`
}

type itemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Invoke handles one invocation by Lambda. An error (the event as a whole cannot be read) leaves all messages in the queue.
func (w *Worker) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event sqsEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("decode SQS event: %w", err)
	}
	answer := sqsAnswer{BatchItemFailures: []itemFailure{}}
	messages := make([]queue.Received, 0, len(event.Records))
	for _, record := range event.Records {
		message, err := record.received()
		if err != nil {
			w.Log.Error("message stays in the queue", "reason", "unreadable_message", "error", err.Error(), "message_id", record.MessageID)
			answer.BatchItemFailures = append(answer.BatchItemFailures, itemFailure{record.MessageID})
			continue
		}
		messages = append(messages, message)
	}
	for _, id := range w.Handle(ctx, messages) {
		answer.BatchItemFailures = append(answer.BatchItemFailures, itemFailure{id})
	}
	return json.Marshal(answer)
}

func (r sqsRecord) received() (queue.Received, error) {
	attributes := make(map[string]string, len(r.MessageAttributes))
	for name, value := range r.MessageAttributes {
		attributes[name] = value.StringValue
	}
	body, attributes, err := queue.Decode(r.Body, attributes)
	if err != nil {
		return queue.Received{}, err
	}
	receives, err := strconv.Atoi(r.Attributes.Receives)
	if err != nil || receives < 1 {
		receives = 1
	}
	sent, _ := strconv.ParseInt(r.Attributes.Sent, 10, 64) // absent: the epoch, which only a log shows
	return queue.Received{ID: r.MessageID, Receipt: r.ReceiptHandle, Body: body, Attributes: attributes, Receives: receives, Sent: time.UnixMilli(sent)}, nil
}
