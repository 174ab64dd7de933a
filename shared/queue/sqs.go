package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// sqsAPI is what this adapter uses of *sqs.Client.
type sqsAPI interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// SQSConfig names a queue. All fields are required.
type SQSConfig struct {
	Client sqsAPI // a *sqs.Client; its retryer repeats calls that fail as a whole
	URL    string // the queue's URL
}

// SQS is a standard queue of Amazon SQS. Visibility timeout, dead letters and retention are the queue's own
// settings. Its MaximumMessageSize must be 1 MiB, which is AWS's default since August 2025.
type SQS struct {
	client sqsAPI
	url    string
}

var (
	_ Sender   = (*SQS)(nil)
	_ Receiver = (*SQS)(nil)
)

// NewSQS makes a queue of an existing SQS queue. It calls nothing.
func NewSQS(config SQSConfig) *SQS {
	return &SQS{client: config.Client, url: config.URL}
}

// Entries of a batch that SQS could not take for a passing cause of its own are sent again, with these pauses
// between the calls (and up to as much again, at random, so that many senders do not come back in step).
var sendPauses = []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}

// Send implements Sender: one SendMessageBatch for up to 10 messages that fit 1 MiB, and one more for each entry
// list that came back with passing failures. The chunks are sent one after the other; when a call fails as a whole,
// the rest is not tried, because the client has already repeated it.
func (q *SQS) Send(ctx context.Context, messages ...Message) error {
	encoded, err := encodeAll(messages)
	if err != nil {
		return err
	}
	failed := map[int]error{}
	for start := 0; start < len(encoded); {
		end := chunkEnd(encoded, start)
		if err := q.sendChunk(ctx, encoded, start, end, failed); err != nil {
			for i := end; i < len(encoded); i++ {
				failed[i] = err
			}
			break
		}
		start = end
	}
	if len(failed) == 0 {
		return nil
	}
	if len(failed) < len(encoded) {
		return &PartialError{Failed: failed}
	}
	return failed[0]
}

// chunkEnd returns the index after the last message that goes in one call with the one at start.
func chunkEnd(encoded []wire, start int) int {
	size, end := 0, start
	for end < len(encoded) && end-start < MaxBatch && size+encoded[end].size <= MaxPayload {
		size += encoded[end].size
		end++
	}
	return end
}

// sendChunk sends encoded[start:end] and notes in failed what is not in the queue. An error means that a call
// failed as a whole.
func (q *SQS) sendChunk(ctx context.Context, encoded []wire, start, end int, failed map[int]error) error {
	pending := make([]int, 0, end-start)
	for i := start; i < end; i++ {
		pending = append(pending, i)
	}
	for try := 0; ; try++ {
		out, err := q.client.SendMessageBatch(ctx, q.batch(encoded, pending))
		if err != nil {
			err = fmt.Errorf("send messages: %w", err)
			for _, i := range pending {
				failed[i] = err
			}
			return err
		}
		var again []int
		for i, refusal := range unsent(pending, out) {
			if refusal.again {
				again = append(again, i)
			}
			failed[i] = refusal.err
		}
		if len(again) == 0 || try == len(sendPauses) || !pause(ctx, sendPauses[try]) {
			return nil
		}
		for _, i := range again {
			delete(failed, i)
		}
		pending = again
	}
}

func (q *SQS) batch(encoded []wire, indexes []int) *sqs.SendMessageBatchInput {
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: make([]types.SendMessageBatchRequestEntry, len(indexes))}
	for n, i := range indexes {
		attributes := make(map[string]types.MessageAttributeValue, len(encoded[i].attributes))
		for name, value := range encoded[i].attributes {
			attributes[name] = types.MessageAttributeValue{DataType: aws.String(stringType), StringValue: &value}
		}
		in.Entries[n] = types.SendMessageBatchRequestEntry{
			Id:                aws.String(strconv.Itoa(i)),
			MessageBody:       &encoded[i].body,
			MessageAttributes: attributes,
			DelaySeconds:      int32(encoded[i].delay / time.Second),
		}
		if group := encoded[i].group; group != "" {
			in.Entries[n].MessageGroupId = &group
		}
	}
	return in
}

// refusal is why an entry is not in the queue, and whether to try again.
type refusal struct {
	err   error
	again bool
}

// unsent compares what was asked with what SQS says it stored. An entry that the answer does not mention may be
// stored or not; it is sent again, because a message too many does no harm and a lost one does.
func unsent(indexes []int, out *sqs.SendMessageBatchOutput) map[int]refusal {
	stored := map[string]bool{}
	for _, entry := range out.Successful {
		stored[aws.ToString(entry.Id)] = true
	}
	refused := map[string]types.BatchResultErrorEntry{}
	for _, entry := range out.Failed {
		refused[aws.ToString(entry.Id)] = entry
	}
	missing := map[int]refusal{}
	for _, i := range indexes {
		id := strconv.Itoa(i)
		if entry, is := refused[id]; is {
			// The code alone: the text may quote the message.
			missing[i] = refusal{fmt.Errorf("sqs refused the message: %q", aws.ToString(entry.Code)), !entry.SenderFault}
		} else if !stored[id] {
			missing[i] = refusal{errors.New("sqs did not say whether the message is stored"), true}
		}
	}
	return missing
}

// pause waits a little longer than d. False if ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	d += rand.N(d)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
