package senders

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// The worker reads these fields of a record; SQS gives the digest of the body with it.
func TestWorkerSamples(t *testing.T) {
	for name, queue := range map[string]string{"worker-jobs": "jobs", "worker-events": "events"} {
		var event struct {
			Records []struct {
				MessageID, Body, MD5OfBody, EventSource, EventSourceARN string
				Attributes                                              map[string]string
				MessageAttributes                                       map[string]struct{ StringValue string }
			}
		}
		if err := json.Unmarshal(find(t, name).Text, &event); err != nil {
			t.Fatal(err)
		}
		if len(event.Records) != 1 {
			t.Fatalf("%s: %d records, want one", name, len(event.Records))
		}
		record := event.Records[0]
		if sum := md5.Sum([]byte(record.Body)); record.MD5OfBody != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: md5OfBody %s, want %x", name, record.MD5OfBody, sum)
		}
		if !strings.HasSuffix(record.EventSourceARN, ":pim-functions-"+queue) || record.EventSource != "aws:sqs" || record.MessageID == "" {
			t.Errorf("%s: record %+v", name, record)
		}
		for _, attribute := range []string{"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} {
			if record.Attributes[attribute] == "" {
				t.Errorf("%s: no attribute %s", name, attribute)
			}
		}
		switch queue {
		case "jobs":
			if record.Body != `{"job":"export_to_erp-AAAAAAAAAAAAAAAAAAAAAA"}` {
				t.Errorf("body %s", record.Body)
			}
		case "events":
			got := map[string]string{}
			for attribute, value := range record.MessageAttributes {
				got[attribute] = value.StringValue
			}
			delivery := pimevent.Delivery{
				API: pimevent.EventPlatform, PIM: "main", Received: time.Date(2026, 1, 5, 11, 45, 0, 0, time.UTC), Correlation: got[pimevent.AttributeCorrelation],
			}
			if want := delivery.Attributes(0); !maps.Equal(got, want) {
				t.Errorf("attributes %v, want %v", got, want)
			}
			if decoded := pimevent.Decode(got[pimevent.AttributeAPI], "main", []byte(record.Body)); decoded.Kind != "product" || decoded.Time.IsZero() {
				t.Errorf("event %+v", decoded)
			}
		}
	}
}

// What SQS makes of a sample's messages is the sample, but for who sent it.
func TestSQSMakesWhatTheSamplesShow(t *testing.T) {
	for name, queue := range map[string]string{"worker-jobs": "pim-functions-jobs", "worker-events": "pim-functions-events"} {
		var want SQSEvent
		if err := json.Unmarshal(find(t, name).Text, &want); err != nil {
			t.Fatal(err)
		}
		record := want.Records[0]
		message := Message{ID: record.MessageID, Receipt: record.ReceiptHandle, Body: record.Body, Attributes: map[string]string{}, Sent: time.UnixMilli(1739948408000)}
		for attribute, value := range record.MessageAttributes {
			message.Attributes[attribute] = value.StringValue
		}
		record.Attributes["SenderId"] = "AROAEXAMPLEEXAMPLE:pim-functions"
		if got := SQS(queue, message); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, want)
		}
	}
	again := SQS("jobs", Message{Body: "a", Receives: 3}, Message{Body: "a"})
	if first, second := again.Records[0], again.Records[1]; first.MessageID == second.MessageID || first.Attributes["ApproximateReceiveCount"] != "3" || second.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("records %+v", again.Records)
	}
}
