package functions_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/metric"
)

// stack is a template as the rules read it: CloudFormation's functions are their arguments.
type stack struct {
	Metadata struct {
		Interface struct {
			Groups []struct {
				Parameters []string `yaml:"Parameters"`
			} `yaml:"ParameterGroups"`
		} `yaml:"AWS::CloudFormation::Interface"`
	} `yaml:"Metadata"`
	Parameters map[string]struct {
		Type          string `yaml:"Type"`
		Default       any    `yaml:"Default"`
		AllowedValues []any  `yaml:"AllowedValues"`
		Description   string `yaml:"Description"`
	} `yaml:"Parameters"`
	Mappings  map[string]map[string]map[string]string `yaml:"Mappings"`
	Resources map[string]struct {
		Type           string         `yaml:"Type"`
		DeletionPolicy string         `yaml:"DeletionPolicy"`
		ReplacePolicy  string         `yaml:"UpdateReplacePolicy"`
		Properties     map[string]any `yaml:"Properties"`
	} `yaml:"Resources"`
	Outputs map[string]any `yaml:"Outputs"`
}

// accountConcurrency is what AWS grants an account unless it is asked for more (Lambda quotas).
const accountConcurrency = 1000

// awsMetrics are the metrics of AWS's own that alarms may watch, by namespace.
var awsMetrics = map[string][]string{
	"AWS/SQS":        {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
	"AWS/Lambda":     {"Throttles", "Errors"},
	"AWS/ApiGateway": {"4xx", "5xx"},
}

func TestTheTemplateKeepsItsRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range ruleProblems(t, string(text), string(readme), emitted(t)) {
		t.Error(problem)
	}
}

// Each row breaks the template once, in a place that the rules must see.
func TestABrokenTemplateIsNoticed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	metrics := emitted(t)
	for _, row := range []struct {
		name, old, new string
		want           string
	}{
		{"a queue without dead letters", "      RedrivePolicy: {deadLetterTargetArn: !GetAtt EventsDeadLetters.Arn, maxReceiveCount: !Ref MaxReceives}\n", "      RedrivePolicy: {}\n", "EventsQueue: no dead letters"},
		{"dead letters that end before their queue", "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 86400", "kept for less time than"},
		{"a function without a route", "        Calls: {Type: HttpApi,", "        Calls: {Type: None,", "ActionFunction: nothing calls it"},
		{"a route that does not say what follows it", "/actions/{proxy+}", "/actions/{extension}", "ActionFunction.Calls: path /actions/{extension}"},
		{"no default route", "        Default: {Type: HttpApi, Properties: {ApiId: !Ref Api}}\n", "", "no $default route"},
		{"a route for one method alone", "            Method: ANY\n            Path: \"/events-api/{proxy+}\"", "            Method: POST\n            Path: \"/events-api/{proxy+}\"", "routes POST alone"},
		{"an alarm on a metric that nobody emits", "MetricName: Taken", "MetricName: Token", `metric "Token" is emitted by nobody`},
		{"an alarm on a metric that AWS has not", "MetricName: 5xx", "MetricName: 6xx", `AWS/ApiGateway has no metric "6xx"`},
		{"an alarm that tells nobody", "      AlarmActions: [!Ref AlarmTopic]\n", "", "tells nobody"},
		{"an alarm without a runbook", "  Refusals:\n    Type", "  Refusions:\n    Type", "Refusions: README.md says nowhere what to do"},
		{"a visibility timeout that AWS advises against", "    Default: 720\n", "    Default: 180\n", "less than six times WorkerTimeout"},
		{"a worker's memory without a limit for Go", "    \"1024\": {Bytes: 870MiB}\n", "", "WorkerMemory 1024: no GOMEMLIMIT"},
		{"a limit for Go that the worker's memory has not", "870MiB", "1024MiB", "WorkerMemory 1024: GOMEMLIMIT 1024MiB"},
		{"a log of accesses that holds links", "$context.routeKey", "$context.path", "may hold a person's name or a link's proof"},
		{"accesses that nobody sees", "      AccessLogSettings:", "      StageVariables:", "Api: no log of accesses in JSON"},
		{"a dashboard that shows what nobody emits", `"pim-functions", "DownAge"`, `"pim-functions", "DownTime"`, `Dashboard: metric "DownTime"`},
		{"a dashboard that searches for what nobody emits", `MetricName=\"Requests\"`, `MetricName=\"Request\"`, `Dashboard: metric "Request"`},
		{"a log without the customer's key", "      KmsKeyId: !If [HasKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n\n  # ---- Buttons", "\n  # ---- Buttons", "ActionLogs: not encrypted with a key of one's own"},
		{"a topic without the customer's key", "    Type: AWS::SNS::Topic\n    Properties:\n      KmsMasterKeyId: !If [HasKey, !Ref KmsKeyArn, !Ref AWS::NoValue]\n", "    Type: AWS::SNS::Topic\n", "AlarmTopic: not encrypted with a key of one's own"},
		{"a queue that takes its messages with it", "  EventsQueue:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n", "  EventsQueue:\n    Type: AWS::SQS::Queue\n", "EventsQueue: it is deleted with the stack"},
		{"more requests than concurrency", "    Default: 100\n    MinValue: 1\n    MaxValue: 10000", "    Default: 900\n    MinValue: 1\n    MaxValue: 10000", "ThrottleRate"},
		{"no partial batch response", "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "a failure would bring its whole batch back"},
		{"a log that is kept for ever", "      RetentionInDays: !Ref LogRetentionDays\n", "", "no retention"},
		{"a queue that is not encrypted", "      SqsManagedSseEnabled: !If [HasKey, !Ref AWS::NoValue, true]\n", "", "not encrypted"},
		{"state that goes with the stack", "    DeletionPolicy: Retain\n", "", "is deleted with the stack"},
		{"a parameter that is not explained", "    Description: Least level that the functions log.\n", "", "LogLevel: no description"},
		{"a parameter outside the groups", "Parameters: [LogLevel, LogRetentionDays]", "Parameters: [LogRetentionDays]", "LogLevel: in no group"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !strings.Contains(string(text), row.old) {
				t.Fatal("the template has no such place")
			}
			broken := strings.ReplaceAll(string(text), row.old, row.new)
			if problems := ruleProblems(t, broken, string(readme), metrics); !strings.Contains(strings.Join(problems, "\n"), row.want) {
				t.Errorf("problems = %q, want one with %q", problems, row.want)
			}
		})
	}
}

// ruleProblems says which rules a template breaks.
func ruleProblems(t *testing.T, text, readme string, metrics []string) (found []string) {
	t.Helper()
	var s stack
	if err := writtenOut(t, text).Decode(&s); err != nil {
		t.Fatal(err)
	}
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	defaults := 0
	for _, name := range slices.Sorted(maps.Keys(s.Resources)) {
		resource := s.Resources[name]
		switch p := resource.Properties; resource.Type {
		case "AWS::Serverless::Function":
			defaults += functionProblems(name, p, say)
		case "AWS::SQS::Queue":
			queueProblems(s, name, p, say)
		case "AWS::CloudWatch::Alarm":
			alarmProblems(name, p, metrics, say)
			if !strings.Contains(readme, name) {
				say("%s: README.md says nowhere what to do when it rings", name)
			}
		case "AWS::Logs::LogGroup":
			if p["RetentionInDays"] == nil {
				say("%s: no retention", name)
			}
			if p["KmsKeyId"] == nil {
				say("%s: not encrypted with a key of one's own", name)
			}
		case "AWS::SNS::Topic":
			if p["KmsMasterKeyId"] == nil {
				say("%s: not encrypted with a key of one's own", name)
			}
		case "AWS::Serverless::HttpApi":
			accessProblems(name, p, say)
		case "AWS::CloudWatch::Dashboard":
			dashboardProblems(name, p, metrics, say)
		}
		if slices.Contains([]string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SQS::Queue"}, resource.Type) &&
			(resource.DeletionPolicy != "Retain" || resource.ReplacePolicy != "Retain") {
			say("%s: it is deleted with the stack, or when it is replaced", name)
		}
	}
	if defaults != 1 {
		say("no $default route, or several: a mistyped path would be answered 404")
	}
	parameterProblems(s, say)
	return found
}

// functionProblems looks at what calls a function, and returns how many of its routes are the default one.
func functionProblems(name string, p map[string]any, say func(string, ...any)) (defaults int) {
	events, _ := p["Events"].(map[string]any)
	called := false
	for key, event := range events {
		e, _ := event.(map[string]any)
		properties, _ := e["Properties"].(map[string]any)
		switch e["Type"] {
		case "HttpApi":
			called = true
			path, _ := properties["Path"].(string)
			switch {
			case path == "":
				defaults++
			case properties["Method"] != "ANY":
				say("%s.%s routes %v alone: another method would be API Gateway's own 404", name, key, properties["Method"])
			case !strings.HasSuffix(path, "/{proxy+}"):
				say("%s.%s: path %s does not end in /{proxy+}, by which the function finds what follows a stage or a mapping", name, key, path)
			}
		case "Schedule":
			called = true
		case "SQS":
			called = true
			if list, _ := properties["FunctionResponseTypes"].([]any); !slices.Contains(list, any("ReportBatchItemFailures")) {
				say("%s.%s: a failure would bring its whole batch back", name, key)
			}
		}
	}
	if !called {
		say("%s: nothing calls it", name)
	}
	return defaults
}

// accessProblems looks at what API Gateway logs of each request. Paths may name a person, queries hold the proofs of
// links, and headers those of callers.
func accessProblems(name string, p map[string]any, say func(string, ...any)) {
	settings, _ := p["AccessLogSettings"].(map[string]any)
	format, _ := settings["Format"].(string)
	if settings["DestinationArn"] == nil || !json.Valid([]byte(format)) {
		say("%s: no log of accesses in JSON", name)
		return
	}
	allowed := []string{
		"requestTime", "requestId", "identity.sourceIp", "httpMethod", "routeKey", "status", "responseLength", "responseLatency",
		"integrationErrorMessage",
	}
	for _, part := range strings.Split(format, "$context.")[1:] {
		variable, _, _ := strings.Cut(part, `"`)
		if !slices.Contains(allowed, variable) {
			say("%s: the log of accesses has $context.%s, which may hold a person's name or a link's proof", name, variable)
		}
	}
}

// dashboardMetric finds the metrics of ours that a dashboard shows, by name or by search.
var dashboardMetric = regexp.MustCompile(`"pim-functions", "(\w+)"|MetricName=\\"(\w+)\\"`)

func dashboardProblems(name string, p map[string]any, metrics []string, say func(string, ...any)) {
	body, _ := p["DashboardBody"].(string)
	if !json.Valid([]byte(body)) {
		say("%s: its body is no JSON", name)
	}
	for _, found := range dashboardMetric.FindAllStringSubmatch(body, -1) {
		if shown := found[1] + found[2]; !slices.Contains(metrics, shown) {
			say("%s: metric %q is emitted by nobody", name, shown)
		}
	}
}

func queueProblems(s stack, name string, p map[string]any, say func(string, ...any)) {
	if p["SqsManagedSseEnabled"] == nil || p["KmsMasterKeyId"] == nil {
		say("%s: it is not encrypted, or not with a key of one's own", name)
	}
	policy, _ := p["RedrivePolicy"].(map[string]any)
	if p["RedriveAllowPolicy"] != nil { // it holds dead letters itself
		return
	}
	target, _ := policy["deadLetterTargetArn"].(string)
	letters, there := s.Resources[strings.TrimSuffix(target, ".Arn")]
	if !there {
		say("%s: no dead letters", name)
		return
	}
	kept, _ := p["MessageRetentionPeriod"].(int)
	if life, _ := letters.Properties["MessageRetentionPeriod"].(int); life <= kept { // counted from the first send
		say("%s: its dead letters are kept for less time than its messages", name)
	}
}

func alarmProblems(name string, p map[string]any, metrics []string, say func(string, ...any)) {
	if p["AlarmActions"] == nil {
		say("%s: it tells nobody", name)
	}
	namespace, _ := p["Namespace"].(string)
	known, aws := awsMetrics[namespace]
	switch watches, _ := p["MetricName"].(string); {
	case !aws && namespace != metric.Namespace:
		say("%s: nobody writes into namespace %q", name, namespace)
	case aws && !slices.Contains(known, watches):
		say("%s: %s has no metric %q", name, namespace, watches)
	case !aws && !slices.Contains(metrics, watches):
		say("%s: metric %q is emitted by nobody", name, watches)
	}
}

func parameterProblems(s stack, say func(string, ...any)) {
	var grouped []string
	for _, group := range s.Metadata.Interface.Groups {
		grouped = append(grouped, group.Parameters...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		if s.Parameters[name].Description == "" {
			say("%s: no description", name)
		}
		if !slices.Contains(grouped, name) {
			say("%s: in no group of the console's form", name)
		}
	}
	number := func(name string) int { n, _ := s.Parameters[name].Default.(int); return n }
	if number("QueueVisibility") < 6*number("WorkerTimeout") { // AWS Lambda developer guide, "Using Lambda with Amazon SQS"
		say("QueueVisibility is less than six times WorkerTimeout: a throttled batch would be received again before Lambda gives it up")
	}
	for _, memory := range s.Parameters["WorkerMemory"].AllowedValues {
		limit, there := s.Mappings["GoMemoryLimit"][fmt.Sprint(memory)]["Bytes"]
		if !there {
			say("WorkerMemory %v: no GOMEMLIMIT", memory)
			continue
		}
		var mebibytes int
		if _, err := fmt.Sscanf(limit, "%dMiB", &mebibytes); err != nil || mebibytes < memory.(int)*80/100 || mebibytes > memory.(int)*90/100 {
			say("WorkerMemory %v: GOMEMLIMIT %s is not 80 to 90 %% of it", memory, limit)
		}
	}
	const timeout = 5 // seconds of an HTTP function
	if number("ThrottleRate")*timeout > accountConcurrency {
		say("ThrottleRate times %d s is more than the concurrency of an account: overload would be 5xx, not 429", timeout)
	}
}

// emitted are the names of the metrics that our code writes.
func emitted(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."): // tools and artifacts
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Count", "Duration", "Seconds"}, method.Sel.Name) {
				return true
			}
			if literal, ok := call.Args[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if name, err := strconv.Unquote(literal.Value); err == nil {
					names = append(names, name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("no metric was found: %v", err)
	}
	return names
}
