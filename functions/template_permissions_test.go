package functions_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// byLambda are permissions that Lambda uses with a function's role, and no code of ours.
var byLambda = map[string]string{
	"logs:CreateLogStream":           "Lambda writes the log",
	"logs:PutLogEvents":              "Lambda writes the log",
	"xray:PutTraceSegments":          "Lambda writes the trace",
	"xray:PutTelemetryRecords":       "Lambda writes the trace",
	"s3:ListBucket":                  "S3 answers 404 to those who may list, and 403 to others, for what is not there",
	"sqs:ReceiveMessage":             "the event source mapping reads the queue",
	"sqs:DeleteMessage":              "the event source mapping deletes what was done",
	"sqs:GetQueueAttributes":         "the event source mapping reads the queue's settings",
	"ec2:CreateNetworkInterface":     joinsSubnets,
	"ec2:DescribeNetworkInterfaces":  joinsSubnets,
	"ec2:DescribeSubnets":            joinsSubnets,
	"ec2:DeleteNetworkInterface":     joinsSubnets,
	"ec2:AssignPrivateIpAddresses":   joinsSubnets,
	"ec2:UnassignPrivateIpAddresses": joinsSubnets,
}

// bySignedAddress are permissions that are used with a function's role, by whoever opens an address that it signed.
var bySignedAddress = map[string][]string{"FilesFunction": {"s3:GetObject"}, "CallbackFunction": {"s3:PutObject"}}

const joinsSubnets = "Lambda joins the worker's subnets"

// withoutResources are services whose permissions here AWS grants on everything or not at all: a trace has no name,
// and a network interface none before it is made.
var withoutResources = []string{"xray", "ec2"}

// neverCalled are calls that the analysis finds and nobody makes.
var neverCalled = []string{
	"dynamodb.DescribeEndpoints", // endpoint discovery, which is off unless asked for
	"s3.CreateSession",           // for directory buckets, which ours is not
}

// actionsOf are the permissions of calls that have another name than their permission. One of DynamoDB's
// transactions needs those of its parts.
var actionsOf = map[string]string{
	"sqs.SendMessageBatch":               "sqs:SendMessage",
	"sqs.DeleteMessageBatch":             "sqs:DeleteMessage",
	"sqs.ChangeMessageVisibilityBatch":   "sqs:ChangeMessageVisibility",
	"eventbridge.PutEvents":              "events:PutEvents",
	"s3.HeadObject":                      "s3:GetObject",
	"s3.ListObjectsV2":                   "s3:ListBucket",
	"s3.DeleteObjects":                   "s3:DeleteObject",
	"s3.CreateMultipartUpload":           "s3:PutObject",
	"s3.UploadPart":                      "s3:PutObject",
	"s3.CompleteMultipartUpload":         "s3:PutObject",
	"s3.ListParts":                       "s3:ListMultipartUploadParts",
	"sfn.StartExecution":                 "states:StartExecution",
	"sesv2.SendEmail":                    "ses:SendEmail",
	"dynamodb.TransactWriteItems":        "",
	"TransactWriteItem.Put":              "dynamodb:PutItem",
	"TransactWriteItem.Update":           "dynamodb:UpdateItem",
	"TransactWriteItem.Delete":           "dynamodb:DeleteItem",
	"TransactWriteItem.ConditionCheck":   "dynamodb:ConditionCheckItem",
	"dynamodb.Client.TransactGetItems":   "dynamodb:GetItem",
	"secretsmanager.BatchGetSecretValue": "secretsmanager:BatchGetSecretValue",
}

// A permission that is missing fails on AWS alone, and one too many helps whoever breaks in. What a function's code
// calls stands in testdata/NAME.calls: `make verify` finds it in a call graph, and compares.
func TestEachFunctionMayDoWhatItsCodeDoes(t *testing.T) {
	grants := policies(t)
	for name, folder := range folders(t) {
		t.Run(name, func(t *testing.T) {
			list := filepath.Join("testdata", path.Base(path.Dir(folder))+".calls")
			text, err := os.ReadFile(list)
			if err != nil {
				t.Fatalf("%v (make it: cd .ci && go run ./calls -update)", err)
			}
			calls := strings.Fields(string(text))
			if len(calls) == 0 {
				t.Fatalf("%s is empty", list)
			}
			for _, problem := range permissionProblems(grants[name], append(needed(calls), bySignedAddress[name]...)) {
				t.Error(problem)
			}
			if t.Failed() {
				t.Logf("it calls %q; if the code has changed: cd .ci && go run ./calls -update", calls)
			}
		})
	}
}

func TestAPermissionTooManyOrTooFewIsNoticed(t *testing.T) {
	send := statement{Actions: []string{"sqs:SendMessage"}, Resources: []string{"!GetAtt JobsQueue.Arn"}}
	needs := []string{"sqs:SendMessage"}
	for _, row := range []struct {
		name   string
		grants []statement
		want   string
	}{
		{"exactly", []statement{send}, ""},
		{"missing", nil, "calls need sqs:SendMessage, which no statement grants"},
		{"unused", []statement{send, {Actions: []string{"sqs:PurgeQueue"}, Resources: []string{"!GetAtt JobsQueue.Arn"}}}, "sqs:PurgeQueue is granted and never used"},
		{"any action of a service", []statement{send, {Actions: []string{"sqs:*"}, Resources: []string{"!GetAtt JobsQueue.Arn"}}}, "sqs:* grants more than one action"},
		{"on everything", []statement{{Actions: send.Actions, Resources: []string{"*"}}}, `sqs:SendMessage is granted on "*"`},
		{"on every queue", []statement{{Actions: send.Actions, Resources: []string{"!Sub arn:aws:sqs:*:*:*"}}}, "sqs:SendMessage is granted on"},
		{"on nothing named", []statement{{Actions: send.Actions}}, "sqs:SendMessage is granted on no resource"},
		{"the trace, which has no resources", []statement{send, {Actions: []string{"xray:PutTraceSegments"}, Resources: []string{"*"}}}, ""},
		{"the key of one's own", []statement{send, {Actions: []string{"kms:Decrypt", "kms:GenerateDataKey*"}, Resources: []string{"!Ref KmsKeyArn"}}}, ""},
		{"every key", []statement{send, {Actions: []string{"kms:Decrypt"}, Resources: []string{"*"}}}, `kms:Decrypt is granted on "*"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			problems := strings.Join(permissionProblems(row.grants, needs), "\n")
			if (row.want == "") != (problems == "") || !strings.Contains(problems, row.want) {
				t.Errorf("problems = %q, want %q", problems, row.want)
			}
		})
	}
}

// statement is what a policy allows.
type statement struct {
	Actions   []string
	Resources []string // as the template has them: with CloudFormation's functions
}

// permissionProblems compares what is granted with what is needed.
func permissionProblems(grants []statement, needs []string) (found []string) {
	granted := map[string]bool{}
	for _, grant := range grants {
		for _, action := range grant.Actions {
			granted[action] = true
			key := strings.HasPrefix(action, "kms:") // used by the services in the caller's name; AWS writes these with a star
			switch {
			case strings.Contains(action, "*") && !key:
				found = append(found, action+" grants more than one action")
			case !slices.Contains(needs, action) && byLambda[action] == "" && !key:
				found = append(found, action+" is granted and never used")
			}
			if len(grant.Resources) == 0 {
				found = append(found, action+" is granted on no resource")
			}
			for _, resource := range grant.Resources {
				index := strings.HasSuffix(resource, "/index/*") // of one table
				service, _, _ := strings.Cut(action, ":")
				below := strings.Contains(resource, "${FilesBucket.Arn}/") && strings.HasSuffix(strings.TrimPrefix(resource, "!Sub ${FilesBucket.Arn}/"), "/*") // a folder of one bucket
				if strings.Contains(resource, "*") && !index && !below && !(slices.Contains(withoutResources, service) && byLambda[action] != "") {
					found = append(found, fmt.Sprintf("%s is granted on %q", action, resource))
				}
			}
		}
	}
	for _, need := range needs {
		if !granted[need] {
			found = append(found, "calls need "+need+", which no statement grants")
		}
	}
	return found
}

// needed turns calls into the permissions that they need.
func needed(calls []string) (actions []string) {
	for _, call := range calls {
		action, renamed := actionsOf[call]
		if !renamed {
			action = strings.Replace(call, ".", ":", 1)
		}
		if action != "" && !slices.Contains(actions, action) && !slices.Contains(neverCalled, call) {
			actions = append(actions, action)
		}
	}
	return actions
}

// folders are the bootstraps of the template's functions.
func folders(t *testing.T) map[string]string {
	t.Helper()
	functions, err := readTemplate(t).functions()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for name, own := range functions {
		found[name] = path.Clean(own.CodeURI)
	}
	return found
}

// policies are the statements of each function's role. Both sides of an !If are granted.
func policies(t *testing.T) map[string][]statement {
	t.Helper()
	parsed := readTemplate(t)
	found := map[string][]statement{}
	for name := range folders(t) {
		var function struct {
			Role     yaml.Node `yaml:"Role"`
			Policies yaml.Node `yaml:"Policies"`
		}
		resource := parsed.Resources[name]
		if err := resource.Properties.Decode(&function); err != nil {
			t.Fatal(err)
		}
		role, ok := strings.CutSuffix(function.Role.Value, ".Arn")
		if function.Role.Tag != "!GetAtt" || !ok || !function.Policies.IsZero() {
			t.Fatalf("%s: its role is not one of the template's own, which this test could read", name)
		}
		var own struct {
			Managed  yaml.Node `yaml:"ManagedPolicyArns"`
			Policies []struct {
				Document struct {
					Statement []yaml.Node `yaml:"Statement"`
				} `yaml:"PolicyDocument"`
			} `yaml:"Policies"`
		}
		properties := parsed.Resources[role].Properties
		if err := properties.Decode(&own); err != nil {
			t.Fatal(err)
		}
		if !own.Managed.IsZero() {
			t.Errorf("%s: a managed policy grants what is not in sight", role)
		}
		for _, policy := range own.Policies {
			for _, node := range policy.Document.Statement {
				for _, choice := range choices(&node) {
					if choice.Kind != yaml.MappingNode { // !Ref AWS::NoValue
						continue
					}
					found[name] = append(found[name], readStatement(t, choice))
				}
			}
		}
		if len(found[name]) == 0 {
			t.Errorf("%s: no statement was found", role)
		}
	}
	return found
}

func readStatement(t *testing.T, node *yaml.Node) statement {
	t.Helper()
	var read struct {
		Effect           string
		Action, Resource yaml.Node
	}
	fields := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		fields[node.Content[i].Value] = node.Content[i+1]
	}
	read.Effect = fields["Effect"].Value
	if read.Effect != "Allow" {
		t.Fatalf("line %d: Effect %q is more than this test can judge", node.Line, read.Effect)
	}
	return statement{Actions: values(fields["Action"]), Resources: values(fields["Resource"])}
}

// choices are both sides of an !If, or the node itself.
func choices(node *yaml.Node) []*yaml.Node {
	if node.Tag == "!If" {
		return append(choices(node.Content[1]), choices(node.Content[2])...)
	}
	return []*yaml.Node{node}
}

// values are a scalar, or the members of a list, with their CloudFormation functions.
func values(node *yaml.Node) (found []string) {
	if node == nil {
		return nil
	}
	for _, choice := range choices(node) {
		switch {
		case choice.Kind == yaml.SequenceNode:
			for _, member := range choice.Content {
				found = append(found, values(member)...)
			}
		case strings.HasPrefix(choice.Tag, "!!"):
			found = append(found, choice.Value)
		default:
			found = append(found, choice.Tag+" "+choice.Value)
		}
	}
	return found
}
