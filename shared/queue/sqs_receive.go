package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Receive implements Receiver. SQS waits in whole seconds: wait is rounded up. A message that cannot be decoded was
// not sent by Send: it is not handed out, and goes the way of every message that nobody deletes, to the dead
// letters.
func (q *SQS) Receive(ctx context.Context, limit int, wait time.Duration) ([]Received, error) {
	if err := checkReceive(limit, wait); err != nil {
		return nil, err
	}
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:              &q.url,
		MaxNumberOfMessages:   int32(limit),
		WaitTimeSeconds:       int32((wait + time.Second - 1) / time.Second),
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameSentTimestamp,
			types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("receive messages: %w", err)
	}
	received := make([]Received, 0, len(out.Messages))
	for _, message := range out.Messages {
		attributes := make(map[string]string, len(message.MessageAttributes))
		for name, value := range message.MessageAttributes {
			if value.StringValue != nil {
				attributes[name] = *value.StringValue
			}
		}
		body, attributes, err := Decode(aws.ToString(message.Body), attributes)
		if err != nil {
			continue
		}
		received = append(received, Received{
			ID:         aws.ToString(message.MessageId),
			Receipt:    aws.ToString(message.ReceiptHandle),
			Body:       body,
			Attributes: attributes,
			Group:      message.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
			Receives:   number(message.Attributes, string(types.MessageSystemAttributeNameApproximateReceiveCount)),
			Sent:       time.UnixMilli(int64(number(message.Attributes, string(types.MessageSystemAttributeNameSentTimestamp)))),
		})
	}
	return received, nil
}

// Delete implements Receiver. As SQS documents, an older receipt of a message that was received again since is
// accepted and may not delete it.
func (q *SQS) Delete(ctx context.Context, receipt string) error {
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &receipt})
	if _, unknown := errors.AsType[*types.ReceiptHandleIsInvalid](err); unknown {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete message: %w", err)
	}
	return nil
}

// Release implements Receiver: a visibility timeout of zero.
func (q *SQS) Release(ctx context.Context, receipt string) error {
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url, ReceiptHandle: &receipt})
	_, invalid := errors.AsType[*types.ReceiptHandleIsInvalid](err)
	_, visible := errors.AsType[*types.MessageNotInflight](err)
	if invalid || visible {
		return nil
	}
	if err != nil {
		return fmt.Errorf("release message: %w", err)
	}
	return nil
}

// Depth implements Receiver; SQS's numbers lag behind by up to a minute.
func (q *SQS) Depth(ctx context.Context) (Depth, error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url,
		AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
			types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
		},
	})
	if err != nil {
		return Depth{}, fmt.Errorf("count messages: %w", err)
	}
	return Depth{
		Visible:  number(out.Attributes, string(types.QueueAttributeNameApproximateNumberOfMessages)),
		InFlight: number(out.Attributes, string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)),
		Delayed:  number(out.Attributes, string(types.QueueAttributeNameApproximateNumberOfMessagesDelayed)),
	}, nil
}

// number reads one of SQS's attributes, which are decimal text; what is missing is 0.
func number(attributes map[string]string, name string) int {
	n, _ := strconv.Atoi(attributes[name])
	return n
}
