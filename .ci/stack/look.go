package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queuetypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Job is what the walks read of a job's record.
type Job struct {
	State string      `json:"state"`
	Done  int         `json:"done"`
	Total int         `json:"total"`
	Files []jobs.File `json:"files"`
}

// Job reads the record of a job.
func (s *Stack) Job(ctx context.Context, id string) (job Job, err error) {
	there, err := s.row(ctx, "JOB#"+id, &job)
	if err == nil && !there {
		err = fmt.Errorf("job %s has no record", id)
	}
	return job, err
}

// Outcome reads what became of an event of PIM main, "" as long as nothing has.
func (s *Stack) Outcome(ctx context.Context, api, event string) (string, error) {
	var entry struct {
		Outcome string `json:"outcome"`
	}
	_, err := s.row(ctx, "EVENT#"+api+"/main#"+event, &entry)
	return entry.Outcome, err
}

// row reads a record of the table.
func (s *Stack) row(ctx context.Context, pk string, into any) (there bool, err error) {
	got, err := s.database.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.Outputs["TableName"]), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: "STATE"}},
	})
	if err != nil || got.Item == nil {
		return false, err
	}
	text, ok := got.Item["json"].(*types.AttributeValueMemberS)
	if !ok {
		return false, fmt.Errorf("record %s has no json", pk)
	}
	return true, json.Unmarshal([]byte(text.Value), into)
}

// Depth is how many messages a queue holds, in flight and delayed included. Output is the template's, with its address.
func (s *Stack) Depth(ctx context.Context, output string) (depth int, err error) {
	names := []queuetypes.QueueAttributeName{
		queuetypes.QueueAttributeNameApproximateNumberOfMessages, queuetypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		queuetypes.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	got, err := s.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.Outputs[output]), AttributeNames: names})
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		n, err := strconv.Atoi(got.Attributes[string(name)])
		if err != nil {
			return 0, err
		}
		depth += n
	}
	return depth, nil
}

// Put puts a message into a queue, behind the functions' back.
func (s *Stack) Put(ctx context.Context, output, body string) error {
	_, err := s.queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(s.Outputs[output]), MessageBody: &body})
	return err
}

// Files is the stack's bucket.
func (s *Stack) Files() files.Store { return Bucket(s.Outputs["FilesBucketName"]) }

// Bucket is a bucket of the emulator's.
func Bucket(name string) files.Store {
	return files.NewS3(files.S3Config{Client: Objects(), Bucket: name})
}

// Objects is a client of the emulator's S3, which has no host for each bucket.
func Objects() *s3.Client {
	return s3.NewFromConfig(Account(), func(o *s3.Options) { o.UsePathStyle = true })
}

// Log is all that a function has logged.
func (s *Stack) Log(ctx context.Context, function string) (lines []string, err error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(s.logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + name + "-" + function)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return lines, err
		}
		for _, event := range page.Events {
			lines = append(lines, aws.ToString(event.Message))
		}
	}
	return lines, nil
}

// Records are the stack's jobs.
func (s *Stack) Records() *jobs.DynamoDB {
	return jobs.NewDynamoDB(jobs.DynamoDBConfig{Client: s.database, Table: s.Outputs["TableName"], Now: time.Now})
}

// Invoke calls a function that no request calls, as EventBridge does, and waits for its end.
func (s *Stack) Invoke(ctx context.Context, function string) error {
	address := os.Getenv("AWS_ENDPOINT_URL") + "/2015-03-31/functions/" + name + "-" + function + "/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	answer, text, err := Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("X-Amz-Function-Error") != "" {
		return fmt.Errorf("invoke %s: %s %s", function, answer.Status, text)
	}
	return nil
}

// Kill ends the processes of a function, as a crash would, and returns how many there were.
func (s *Stack) Kill(function string) (killed int) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range processes {
		variables, err := os.ReadFile(filepath.Join(folder, "environ"))
		if err != nil {
			continue // not ours, or gone
		}
		command, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || !bytes.Contains(command, []byte("bootstrap")) {
			continue
		}
		for variable := range bytes.SplitSeq(variables, []byte{0}) {
			if string(variable) != "AWS_LAMBDA_FUNCTION_NAME="+name+"-"+function {
				continue
			}
			if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil {
				if process, err := os.FindProcess(pid); err == nil && process.Kill() == nil {
					killed++
				}
			}
		}
	}
	return killed
}
