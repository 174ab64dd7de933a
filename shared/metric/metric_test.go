package metric_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/metric"
)

// lines is a writer that keeps each Write apart.
type lines struct{ writes [][]byte }

func (l *lines) Write(p []byte) (int, error) {
	l.writes = append(l.writes, bytes.Clone(p))
	return len(p), nil
}

func now() time.Time { return time.UnixMilli(1739948408123) }

func Example() {
	sink := metric.New(metric.Config{Writer: os.Stdout, Function: "action", Now: now})
	sink.Count("Refused", 1, metric.Dimension{Name: "Reason", Value: "signature_missing"})
	sink.Duration("AckLatency", 12500*time.Microsecond)
	// Output:
	// {"_aws":{"Timestamp":1739948408123,"CloudWatchMetrics":[{"Namespace":"pim-functions","Dimensions":[["Function","Reason"]],"Metrics":[{"Name":"Refused","Unit":"Count"}]}]},"Function":"action","Reason":"signature_missing","Refused":1}
	// {"_aws":{"Timestamp":1739948408123,"CloudWatchMetrics":[{"Namespace":"pim-functions","Dimensions":[["Function"]],"Metrics":[{"Name":"AckLatency","Unit":"Milliseconds"}]}]},"Function":"action","AckLatency":12.5}
}

func TestNilSinkDoesNothing(t *testing.T) {
	var sink *metric.Sink
	sink.Count("Requests", 1)
	sink.Duration("AckLatency", time.Second)
}

func TestOddValues(t *testing.T) {
	var out lines
	sink := metric.New(metric.Config{Writer: &out, Function: "action", Now: now})
	sink.Count("Requests", math.NaN())
	sink.Count("Requests", math.Inf(1))
	if len(out.writes) != 0 {
		t.Errorf("wrote what JSON cannot hold: %q", out.writes)
	}
	sink.Count("Requests", 1e21, metric.Dimension{Name: "Empty"}, metric.Dimension{Name: "Reason", Value: "a \"quote\"\nand a line"})
	var line struct {
		AWS struct {
			CloudWatchMetrics []struct{ Dimensions [][]string }
		} `json:"_aws"`
		Requests float64
		Reason   string
	}
	if err := json.Unmarshal(out.writes[0], &line); err != nil {
		t.Fatalf("%v in %q", err, out.writes[0])
	}
	if line.Requests != 1e21 || line.Reason != "a \"quote\"\nand a line" || bytes.Count(out.writes[0], []byte("\n")) != 1 {
		t.Errorf("got %q", out.writes[0])
	}
	if dims := line.AWS.CloudWatchMetrics[0].Dimensions[0]; len(dims) != 2 {
		t.Errorf("an empty value keeps its dimension: %q", dims)
	}
}

func TestConcurrentUse(t *testing.T) {
	var out lines
	total := 0.0
	sink := metric.New(metric.Config{Writer: &out, Function: "action", Now: now, Observe: func(s metric.Sample) { total += s.Value }})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { sink.Count("Requests", 2, metric.Dimension{Name: "Status", Value: "2xx"}) })
	}
	all.Wait()
	if len(out.writes) != 50 || total != 100 {
		t.Errorf("%d writes and a total of %v, want 50 and 100", len(out.writes), total)
	}
	for _, line := range out.writes {
		if !json.Valid(line) || line[len(line)-1] != '\n' {
			t.Fatalf("not one JSON line: %q", line)
		}
	}
}
