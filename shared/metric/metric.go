// Package metric writes metrics as log lines in CloudWatch's embedded metric format, so that counting costs no call:
// CloudWatch reads them from the function's log. It keeps no totals; whoever wants some (the local system) observes.
//
// Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
package metric

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"sync"
	"time"
)

// Namespace of every metric in CloudWatch.
const Namespace = "pim-functions"

// Units as CloudWatch spells them.
const (
	UnitCount        = "Count"
	UnitMilliseconds = "Milliseconds"
	UnitSeconds      = "Seconds"
)

// Dimension splits a metric. Every combination of values is a metric of its own that is paid for: names of
// outcomes and reasons, never ids.
type Dimension struct {
	Name, Value string
}

// Sample is one measurement.
type Sample struct {
	Name       string
	Value      float64
	Unit       string
	Dimensions []Dimension // Function first, unless all functions share the metric
	Time       time.Time
}

// Config of a Sink. Writer, Function and Now are required.
type Config struct {
	Writer   io.Writer        // standard output on Lambda
	Function string           // the dimension Function of every metric
	Now      func() time.Time // the wall clock
	Observe  func(Sample)     // sees every sample, one at a time; may be nil
}

// Sink takes measurements. A nil *Sink does nothing. Safe for concurrent use.
type Sink struct {
	config Config
	mu     sync.Mutex
}

// New returns a Sink.
func New(config Config) *Sink { return &Sink{config: config} }

// Count adds n to a metric.
func (s *Sink) Count(name string, n float64, dims ...Dimension) {
	s.put(name, n, UnitCount, dims)
}

// Duration records how long something took, in milliseconds.
func (s *Sink) Duration(name string, d time.Duration, dims ...Dimension) {
	s.put(name, float64(d)/float64(time.Millisecond), UnitMilliseconds, dims)
}

// Seconds records an age, in seconds: of what has lasted for hours, where Duration's milliseconds would read badly.
func (s *Sink) Seconds(name string, d time.Duration, dims ...Dimension) {
	s.put(name, d.Seconds(), UnitSeconds, dims)
}

// CountShared adds n to a metric that all functions have together: without the dimension Function.
func (s *Sink) CountShared(name string, n float64, dims ...Dimension) {
	if s != nil {
		s.write(name, n, UnitCount, nil, dims)
	}
}

// put measures for this function.
func (s *Sink) put(name string, value float64, unit string, dims []Dimension) {
	if s != nil {
		s.write(name, value, unit, []Dimension{{"Function", s.config.Function}}, dims)
	}
}

// write writes one line. A measurement that cannot be written is lost: metrics never fail the work they count.
func (s *Sink) write(name string, value float64, unit string, own, dims []Dimension) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	sample := Sample{Name: name, Value: value, Unit: unit, Time: s.config.Now(), Dimensions: append(make([]Dimension, 0, len(own)+len(dims)), own...)}
	for _, dim := range dims {
		if dim.Value != "" { // CloudWatch drops the whole line for an empty value
			sample.Dimensions = append(sample.Dimensions, dim)
		}
	}
	line := sample.appendLine(make([]byte, 0, 384))

	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Writer.Write(line) // one Write, so that lines of others cannot come between
	if s.config.Observe != nil {
		s.config.Observe(sample)
	}
}

// appendLine appends the sample as one line of JSON.
func (s Sample) appendLine(line []byte) []byte {
	line = append(line, `{"_aws":{"Timestamp":`...)
	line = strconv.AppendInt(line, s.Time.UnixMilli(), 10)
	line = append(line, `,"CloudWatchMetrics":[{"Namespace":"`+Namespace+`","Dimensions":[[`...)
	for i, dim := range s.Dimensions {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendText(line, dim.Name)
	}
	line = append(line, `]],"Metrics":[{"Name":`...)
	line = appendText(line, s.Name)
	line = append(line, `,"Unit":"`...)
	line = append(line, s.Unit...)
	line = append(line, `"}]}]},`...)
	for _, dim := range s.Dimensions {
		line = appendText(line, dim.Name)
		line = append(line, ':')
		line = appendText(line, dim.Value)
		line = append(line, ',')
	}
	line = appendText(line, s.Name)
	line = append(line, ':')
	line = strconv.AppendFloat(line, s.Value, 'f', -1, 64)
	return append(line, '}', '\n')
}

func appendText(line []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		return append(line, `""`...) // cannot happen: every string has a JSON form
	}
	return append(line, quoted...)
}
