package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/metric"
)

// Each alarm is fed with what CloudWatch would hold of a trouble that begins and ends, and must ring and stop.

const (
	troubleBegins = 2 * time.Hour
	troubleEnds   = 5 * time.Hour
	watched       = 7 * time.Hour
)

// trouble is a row: what happens, and how soon an alarm rings and stops.
type trouble struct {
	name  string
	alarm string // "": it must ring nothing
	feed  func(*cloudwatch)
	rings time.Duration // at most after the trouble's beginning
	stops time.Duration // at most after its end
}

// Rows of metrics that AWS emits: one sample a minute, as SQS, Lambda and API Gateway do.
var troubles = []trouble{
	{name: "a function cannot start, and its job's message becomes a dead letter", alarm: "DeadLetters",
		feed: lasting("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName=JobsDeadLetters.QueueName", 0, 1), rings: 2 * time.Minute, stops: 2 * time.Minute},
	{name: "a destination refuses an event for good, until its letters are redriven", alarm: "EventDeadLetters",
		feed: lasting("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName=EventsDeadLetters.QueueName", 0, 3), rings: 2 * time.Minute, stops: 2 * time.Minute},
	{name: "the worker does not take jobs", alarm: "OldestMessage", feed: stalled("JobsQueue"), rings: 40 * time.Minute, stops: 10 * time.Minute},
	{name: "the worker does not take events", alarm: "OldestEvent", feed: stalled("EventsQueue"), rings: 40 * time.Minute, stops: 10 * time.Minute},
	{name: "the worker cannot start, and one message comes again and again", alarm: "WorkerErrors", feed: func(c *cloudwatch) {
		for at := troubleBegins; at < troubleEnds; at += 12 * time.Minute { // QueueVisibility
			c.put(at, "AWS/Lambda", "Errors", "FunctionName=WorkerFunction", 1)
		}
	}, rings: 20 * time.Minute, stops: 36 * time.Minute},
	{name: "the clock cannot start, or cannot queue", alarm: "ClockErrors",
		feed: lasting("AWS/Lambda", "Errors", "FunctionName=ClockFunction", 0, 1), rings: 15 * time.Minute, stops: 10 * time.Minute},
	{name: "DynamoDB is away", alarm: "ServerErrors",
		feed: lasting("AWS/ApiGateway", "5xx", "ApiId=Api", 0, 1), rings: 10 * time.Minute, stops: 10 * time.Minute},
	{name: "a secret was changed in the PIM alone", alarm: "Refusals",
		feed: lasting("AWS/ApiGateway", "4xx", "ApiId=Api", 0, 6), rings: 10 * time.Minute, stops: 10 * time.Minute},
	{name: "the Event Platform signs with a secret that is not ours", alarm: "EventPlatformSuccess", feed: untaken("EventPlatformFunction"), rings: 10 * time.Minute, stops: 10 * time.Minute},
	{name: "the Events API signs with a secret that is not ours", alarm: "EventsApiSuccess", feed: untaken("EventsApiFunction"), rings: 10 * time.Minute, stops: 10 * time.Minute},
	// Its first try may come just before half an hour is over, the next 15 minutes later, the end of a period 5 minutes on.
	{name: "a destination is down for hours, and an event waits for it", alarm: "DestinationDown", feed: destinationDown, rings: 51 * time.Minute, stops: 26 * time.Minute},
	{name: "a destination refuses half of the calls", alarm: "FailedTries", feed: working(func(s *metric.Sink) {
		for range 10 {
			s.Count("TriesFailed", 1)
			s.Seconds("DownAge", 5*time.Second)
		}
	}), rings: 30 * time.Minute, stops: 30 * time.Minute},
	{name: "the connection secret lacks what an action names", alarm: "ConfigurationMistakes", feed: working(func(s *metric.Sink) {
		s.Count("ConfigurationMistakes", 1)
	}), rings: 10 * time.Minute, stops: 10 * time.Minute},
	throttled("Action"), throttled("Iframe"), throttled("Data"), throttled("Files"), throttled("Callback"), throttled("Clock"), throttled("Contentful"), throttled("EventPlatform"), throttled("EventsApi"), throttled("Worker"),

	// What is no trouble of the operator's rings nothing.
	{name: "nothing happens at all", feed: func(*cloudwatch) {}},
	{name: "one crash of the worker, which Lambda tries again", feed: func(c *cloudwatch) {
		c.put(troubleBegins, "AWS/Lambda", "Errors", "FunctionName=WorkerFunction", 1)
	}},
	{name: "jobs that wait for their destination: each message is 15 minutes old at most", feed: func(c *cloudwatch) {
		for at := time.Duration(0); at < watched; at += time.Minute {
			c.put(at, "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName=JobsQueue.QueueName", (at % (15 * time.Minute)).Seconds())
		}
	}},
	{name: "a destination is away for ten minutes, and one job waits", feed: func(c *cloudwatch) {
		for _, after := range []time.Duration{0, 5 * time.Second, 15 * time.Second, 35 * time.Second, 75 * time.Second, 155 * time.Second, 315 * time.Second} {
			c.emit(troubleBegins+after, "WorkerFunction", func(s *metric.Sink) {
				s.Count("TriesFailed", 1)
				s.Seconds("DownAge", after)
			})
		}
	}},
	{name: "somebody tries a wrong address now and then", feed: lasting("AWS/ApiGateway", "4xx", "ApiId=Api", 1, 3)},
	{name: "a delivery in a hundred is refused", feed: func(c *cloudwatch) {
		for at := time.Duration(0); at < watched; at += time.Minute {
			c.emit(at, "EventPlatformFunction", func(s *metric.Sink) {
				for i := range 100 {
					s.Count("Taken", float64(min(i, 1)))
				}
			})
		}
	}},
}

func TestEachAlarmRingsAndStops(t *testing.T) {
	alarms := alarmsOf(t)
	rung := map[string]bool{}
	for _, row := range troubles {
		t.Run(row.name, func(t *testing.T) {
			var c cloudwatch
			row.feed(&c)
			for _, name := range slices.Sorted(maps.Keys(alarms)) {
				states := c.states(t, alarms[name])
				if name != row.alarm {
					if row.alarm == "" && slices.Contains(states, true) {
						t.Errorf("%s rings", name)
					}
					continue
				}
				rung[name] = true
				for minute, rings := range states {
					at := time.Duration(minute) * time.Minute
					must := at >= troubleBegins+row.rings && at <= troubleEnds
					forbidden := at < troubleBegins || at >= troubleEnds+row.stops
					if must && !rings || forbidden && rings {
						t.Fatalf("%s: rings = %v at %s; the trouble lasts from %s to %s", name, rings, at, troubleBegins, troubleEnds)
					}
				}
			}
		})
	}
	for name := range alarms {
		if !rung[name] {
			t.Errorf("%s: no row sees it ring", name)
		}
	}
}

// lasting is a sample a minute: calm, and trouble while that lasts.
func lasting(namespace, name, dimension string, calm, trouble float64) func(*cloudwatch) {
	return func(c *cloudwatch) {
		for at := time.Duration(0); at < watched; at += time.Minute {
			value := calm
			if at >= troubleBegins && at < troubleEnds {
				value = trouble
			}
			c.put(at, namespace, name, dimension, value)
		}
	}
}

// stalled is a queue that nobody reads while the trouble lasts.
func stalled(queue string) func(*cloudwatch) {
	return func(c *cloudwatch) {
		for at := time.Duration(0); at < watched; at += time.Minute {
			age := time.Second
			if at >= troubleBegins && at < troubleEnds {
				age = at - troubleBegins
			}
			c.put(at, "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName="+queue+".QueueName", age.Seconds())
		}
	}
}

// untaken is a request of the PIM's each minute, of which none is taken while the trouble lasts.
func untaken(function string) func(*cloudwatch) {
	return func(c *cloudwatch) {
		for at := time.Duration(0); at < watched; at += time.Minute {
			taken := 1.0
			if at >= troubleBegins && at < troubleEnds {
				taken = 0
			}
			c.emit(at, function, func(s *metric.Sink) { s.Count("Taken", taken) })
		}
	}
}

// working is what the worker's metrics count each minute while the trouble lasts.
func working(say func(*metric.Sink)) func(*cloudwatch) {
	return func(c *cloudwatch) {
		for at := troubleBegins; at < troubleEnds; at += time.Minute {
			c.emit(at, "WorkerFunction", say)
		}
	}
}

func throttled(function string) trouble {
	return trouble{
		name: "no concurrency is left for " + function, alarm: function + "Throttles",
		feed: lasting("AWS/Lambda", "Throttles", "FunctionName="+function+"Function", 0, 1), rings: 10 * time.Minute, stops: 10 * time.Minute,
	}
}

// cloudwatch holds samples by metric.
type cloudwatch struct {
	series map[string][]point
}

type point struct {
	at    time.Duration
	value float64
}

// put stores a sample of AWS's own. Dimensions are NAME=VALUE, the value as the template has it.
func (c *cloudwatch) put(at time.Duration, namespace, name, dimension string, value float64) {
	if c.series == nil {
		c.series = map[string][]point{}
	}
	key := seriesKey(namespace, name, []string{dimension})
	c.series[key] = append(c.series[key], point{at, value})
}

// begin is when the watch begins.
var begin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// emit stores what a function's metrics say.
func (c *cloudwatch) emit(at time.Duration, function string, say func(*metric.Sink)) {
	var lines bytes.Buffer
	say(metric.New(metric.Config{Writer: &lines, Function: function, Now: func() time.Time { return begin.Add(at) }}))
	c.read(lines.Bytes())
}

// read stores what CloudWatch reads in a function's log.
func (c *cloudwatch) read(lines []byte) {
	for line := range bytes.Lines(lines) {
		var values map[string]any
		var head struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if json.Unmarshal(line, &values) != nil || json.Unmarshal(line, &head) != nil {
			panic("a metric's line is no JSON: " + string(line))
		}
		for _, directive := range head.AWS.CloudWatchMetrics {
			for _, set := range directive.Dimensions {
				var dimensions []string
				for _, name := range set {
					dimensions = append(dimensions, fmt.Sprintf("%s=%s", name, values[name]))
				}
				for _, one := range directive.Metrics {
					key := seriesKey(directive.Namespace, one.Name, dimensions)
					if c.series == nil {
						c.series = map[string][]point{}
					}
					c.series[key] = append(c.series[key], point{time.UnixMilli(head.AWS.Timestamp).Sub(begin), values[one.Name].(float64)})
				}
			}
		}
	}
}

// seriesKey is a metric: another set of dimensions is another metric.
func seriesKey(namespace, name string, dimensions []string) string {
	slices.Sort(dimensions)
	return namespace + " " + name + " " + strings.Join(dimensions, ",")
}

// alarm is what the template uses of CloudWatch's alarms.
type alarm struct {
	Namespace          string                         `yaml:"Namespace"`
	MetricName         string                         `yaml:"MetricName"`
	Dimensions         []struct{ Name, Value string } `yaml:"-"`
	Statistic          string                         `yaml:"Statistic"`
	Period             int                            `yaml:"Period"`
	EvaluationPeriods  int                            `yaml:"EvaluationPeriods"`
	DatapointsToAlarm  int                            `yaml:"DatapointsToAlarm"`
	Threshold          float64                        `yaml:"Threshold"`
	ComparisonOperator string                         `yaml:"ComparisonOperator"`
	TreatMissingData   string                         `yaml:"TreatMissingData"`
}

func alarmsOf(t *testing.T) map[string]alarm {
	t.Helper()
	found := map[string]alarm{}
	for name, resource := range readTemplate(t).Resources {
		if resource.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		var one alarm
		if err := resource.Properties.Decode(&one); err != nil {
			t.Fatal(err)
		}
		var dimensions struct {
			Dimensions []map[string]string `yaml:"Dimensions"`
			Metrics    []any               `yaml:"Metrics"`
		}
		if err := resource.Properties.Decode(&dimensions); err != nil {
			t.Fatal(err)
		}
		if dimensions.Metrics != nil {
			t.Fatalf("%s: this test does not evaluate metric math", name)
		}
		for _, dimension := range dimensions.Dimensions {
			one.Dimensions = append(one.Dimensions, struct{ Name, Value string }{dimension["Name"], dimension["Value"]})
		}
		found[name] = one
	}
	return found
}

// states says for each minute whether the alarm rings then.
//
// Source: Amazon CloudWatch user guide, "Evaluating an alarm": of the last EvaluationPeriods periods, as many as
// DatapointsToAlarm breach the threshold. A period without samples is treated as TreatMissingData says.
func (c *cloudwatch) states(t *testing.T, a alarm) (rings []bool) {
	t.Helper()
	var dimensions []string
	for _, dimension := range a.Dimensions {
		dimensions = append(dimensions, dimension.Name+"="+dimension.Value)
	}
	period, points := time.Duration(a.Period)*time.Second, c.series[seriesKey(a.Namespace, a.MetricName, dimensions)]
	if period <= 0 || a.EvaluationPeriods <= 0 {
		t.Fatalf("alarm on %s: no period", a.MetricName)
	}
	needed := a.DatapointsToAlarm
	if needed == 0 {
		needed = a.EvaluationPeriods
	}
	for at := time.Duration(0); at < watched; at += time.Minute {
		end := at - at%period // of the last period that is whole
		breaching := 0
		for i := range a.EvaluationPeriods {
			to := end - time.Duration(i)*period
			if breaches(t, a, points, to-period, to) {
				breaching++
			}
		}
		rings = append(rings, breaching >= needed)
	}
	return rings
}

// breaches says whether the datapoint of one period breaches the alarm's threshold.
func breaches(t *testing.T, a alarm, points []point, from, to time.Duration) bool {
	t.Helper()
	count, sum, greatest := 0, 0.0, math.Inf(-1)
	for _, p := range points {
		if p.at >= from && p.at < to {
			count++
			sum += p.value
			greatest = max(greatest, p.value)
		}
	}
	if count == 0 {
		if a.TreatMissingData != "notBreaching" {
			t.Fatalf("alarm on %s: this test does not treat missing data as %q", a.MetricName, a.TreatMissingData)
		}
		return false
	}
	value, known := map[string]float64{"Sum": sum, "Maximum": greatest, "Average": sum / float64(count)}[a.Statistic]
	if !known {
		t.Fatalf("alarm on %s: this test does not know the statistic %q", a.MetricName, a.Statistic)
	}
	switch a.ComparisonOperator {
	case "GreaterThanThreshold":
		return value > a.Threshold
	case "LessThanThreshold":
		return value < a.Threshold
	}
	t.Fatalf("alarm on %s: this test does not know the comparison %q", a.MetricName, a.ComparisonOperator)
	return false
}
