package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/pflag"
)

// stage is a deployed stage, whose queues and table are found by the stack's name.
type stage struct{ name, stack, deployment string }

func (s *stage) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.name, "stage", "", "the deployed `STAGE`, like production")
	flags.StringVar(&s.stack, "stack", "", "stack `NAME` of the stage (default: pim-functions-STAGE)")
	flags.StringVar(&s.deployment, "deployment", "", "queues whose names end in `ID`, if a deleted stack left some")
}

func (s *stage) stackName() string { return cmp.Or(s.stack, "pim-functions-"+s.name) }

// queueName takes apart what follows the stack's name in a queue's: which queue it is, and the deployment's ID.
var queueName = regexp.MustCompile(`^(jobs|jobs-dead-letters|events|events-dead-letters)-([0-9a-f]+)$`)

// urls finds the four queues of the stack: jobs, jobs-dead-letters, events, events-dead-letters. A stack that was deleted
// leaves its queues, so that there may be several sets.
func (s *stage) urls(ctx context.Context, client sqs.ListQueuesAPIClient) (map[string]string, error) {
	sets := map[string]map[string]string{} // by the deployment's ID, then by queue
	for pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String(s.stackName() + "-"), MaxResults: aws.Int32(1000)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the queues of %s: %w", s.stackName(), err)
		}
		for _, url := range page.QueueUrls {
			name := strings.TrimPrefix(url[strings.LastIndexByte(url, '/')+1:], s.stackName()+"-")
			if parts := queueName.FindStringSubmatch(name); parts != nil {
				if sets[parts[2]] == nil {
					sets[parts[2]] = map[string]string{}
				}
				sets[parts[2]][parts[1]] = url
			}
		}
	}
	maps.DeleteFunc(sets, func(id string, set map[string]string) bool {
		return len(set) < 4 || s.deployment != "" && id != s.deployment
	})
	ids := slices.Sorted(maps.Keys(sets))
	switch len(ids) {
	case 0:
		return nil, fmt.Errorf("no queues of stack %s in this region and account: check AWS_REGION, --stage and --stack", s.stackName())
	case 1:
		return sets[ids[0]], nil
	}
	return nil, fmt.Errorf("stack %s has the queues of several deployments (%s): choose one by --deployment; the stack's output JobsQueueUrl ends in it", s.stackName(), strings.Join(ids, ", "))
}

// table finds the table of the stack, by the name that CloudFormation gives it. A stack that was deleted leaves its table.
func (s *stage) table(ctx context.Context, client dynamodb.ListTablesAPIClient) (string, error) {
	var found []string
	for pages := dynamodb.NewListTablesPaginator(client, &dynamodb.ListTablesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("find the table of %s: %w", s.stackName(), err)
		}
		for _, name := range page.TableNames {
			if strings.HasPrefix(name, s.stackName()+"-Table-") {
				found = append(found, name)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no table of stack %s in this region and account: check AWS_REGION, --stage and --stack, or name it by --table (output TableName)", s.stackName())
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("stack %s has several tables (%s): choose one by --table; it is the stack's output TableName", s.stackName(), strings.Join(found, ", "))
}
