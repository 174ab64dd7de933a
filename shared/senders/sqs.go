package senders

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"strconv"
	"time"
)

// SQSEvent is what Lambda hands the worker (AWS: "Using Lambda with Amazon SQS"), with every field.
type SQSEvent struct {
	Records []SQSRecord `json:"Records"`
}

// SQSRecord is a message of an SQSEvent.
type SQSRecord struct {
	MessageID         string                  `json:"messageId"`
	ReceiptHandle     string                  `json:"receiptHandle"`
	Body              string                  `json:"body"`
	Attributes        map[string]string       `json:"attributes"`
	MessageAttributes map[string]SQSAttribute `json:"messageAttributes"`
	MD5OfBody         string                  `json:"md5OfBody"`
	EventSource       string                  `json:"eventSource"`
	EventSourceARN    string                  `json:"eventSourceARN"`
	AWSRegion         string                  `json:"awsRegion"`
}

// SQSAttribute is an attribute that the message's sender gave it.
type SQSAttribute struct {
	StringValue string   `json:"stringValue"`
	StringList  []string `json:"stringListValues"`
	BinaryList  [][]byte `json:"binaryListValues"`
	DataType    string   `json:"dataType"`
}

// Message is a message that waits in a queue.
type Message struct {
	ID         string // "": a new one
	Receipt    string // "": a new one
	Body       string
	Attributes map[string]string // of type String
	Receives   int               // this one included; 0: the first
	Sent       time.Time
}

// SQS is SQS that brings messages of a queue, by its name.
func SQS(queue string, messages ...Message) SQSEvent {
	event := SQSEvent{Records: []SQSRecord{}}
	for _, message := range messages {
		sum := md5.Sum([]byte(message.Body))
		record := SQSRecord{
			MessageID: message.ID, ReceiptHandle: message.Receipt, Body: message.Body, MD5OfBody: hex.EncodeToString(sum[:]),
			Attributes: map[string]string{
				"ApproximateReceiveCount":          strconv.Itoa(cmp.Or(message.Receives, 1)),
				"SentTimestamp":                    strconv.FormatInt(message.Sent.UnixMilli(), 10),
				"SenderId":                         "AROAEXAMPLEEXAMPLE:pim-functions",
				"ApproximateFirstReceiveTimestamp": strconv.FormatInt(message.Sent.UnixMilli()+12, 10),
			},
			MessageAttributes: map[string]SQSAttribute{},
			EventSource:       "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-west-1:123456789012:" + queue, AWSRegion: "eu-west-1",
		}
		for _, id := range []*string{&record.MessageID, &record.ReceiptHandle} {
			if *id == "" {
				*id = NewUUID()
			}
		}
		for name, value := range message.Attributes {
			record.MessageAttributes[name] = SQSAttribute{StringValue: value, StringList: []string{}, BinaryList: [][]byte{}, DataType: "String"}
		}
		event.Records = append(event.Records, record)
	}
	return event
}

// queued are the samples that the worker gets from a queue.
var queued = map[string]struct {
	queue   string
	message Message
}{
	"worker-jobs": {"pim-functions-jobs", Message{ID: "059f36b4-87a3-44ab-83d2-661975830a7d", Receipt: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a"}},
	"worker-events": {"pim-functions-events", Message{
		ID: "a1c0f6de-52a4-4b0e-9e0f-3f8d5a7c1b22", Receipt: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0b",
		Attributes: map[string]string{
			"api": "event-platform", "pim": "main", "received": "2026-01-05T11:45:00Z",
			"correlation": "2b9c0c1e-3f61-4c3b-8c89-5f5b5b1a7d10", "delivery": "2b9c0c1e-3f61-4c3b-8c89-5f5b5b1a7d10#0",
		},
	}},
}

// Queued is the sample as SQS brings it to the worker; ok is false for one that comes in another way. Its identifiers are
// always the same.
func (s Sample) Queued(at time.Time) (event SQSEvent, ok bool) {
	from, ok := queued[s.Name]
	if !ok {
		return SQSEvent{}, false
	}
	body, err := s.compact()
	if err != nil {
		panic(err) // cannot happen: it is embedded, and a test reads it
	}
	from.message.Body, from.message.Sent = string(body), at
	return SQS(from.queue, from.message), true
}
