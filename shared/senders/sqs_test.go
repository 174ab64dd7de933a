package senders

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// The worker reads these fields of a record; SQS gives the digest of the body with it.
func TestWorkerSamples(t *testing.T) {
	for name, queue := range map[string]string{"worker-jobs": "jobs", "worker-events": "events"} {
		event, ok := find(t, name).Queued(pressed)
		if !ok || len(event.Records) != 1 {
			t.Fatalf("%s: %t, %d records, want one", name, ok, len(event.Records))
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

func TestSQSBringsMessages(t *testing.T) {
	if _, ok := find(t, "action-product-grid").Queued(pressed); ok {
		t.Error("a press comes from a queue")
	}
	again := SQS("jobs", Message{Body: "a", Receives: 3}, Message{Body: "a"})
	if first, second := again.Records[0], again.Records[1]; first.MessageID == second.MessageID || first.Attributes["ApproximateReceiveCount"] != "3" || second.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("records %+v", again.Records)
	}
}
