package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/queue"
)

func (p process) letters() *cobra.Command {
	command := &cobra.Command{
		Use:     "letters",
		GroupID: groupStage,
		Short:   "Work on the dead letters of a deployed stage",
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(p.redrive())
	return command
}

const redriveHelp = `Moves the dead letters of a deployed stage back to the queues that they came from, jobs and events:
the worker runs what they are for again, and repeats nothing that was done. Letters that come
meanwhile stay. SQS's own redrive does not take the letters that the worker itself put there; this
command takes all.

It needs AWS_REGION and credentials in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN, which may sqs:ListQueues, and on the stage's queues sqs:GetQueueAttributes,
sqs:ReceiveMessage, sqs:SendMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility. From a
profile:
  eval "$(aws configure export-credentials --format env)"`

// redriving is the command letters redrive.
type redriving struct {
	process
	stage, stack, deployment string
	dryRun, yes              bool
}

func (p process) redrive() *cobra.Command {
	r := redriving{process: p}
	command := &cobra.Command{
		Use:     "redrive --stage STAGE",
		Short:   "Move the dead letters back to the worker",
		Long:    redriveHelp,
		Example: "  pimctl letters redrive --stage production --dry-run\n  pimctl letters redrive --stage production",
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return r.run(command.Context()) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.stage, "stage", "", "the deployed `STAGE`, like production")
	flags.StringVar(&r.stack, "stack", "", "stack `NAME` of the stage (default: pim-functions-STAGE)")
	flags.StringVar(&r.deployment, "deployment", "", "queues whose names end in `ID`, if a deleted stack left some")
	flags.BoolVar(&r.dryRun, "dry-run", false, "count the letters, and move none")
	flags.BoolVar(&r.yes, "yes", false, "do not ask before moving")
	return command
}

func (r redriving) run(ctx context.Context) error {
	if r.stage == "" {
		return usagef("missing --stage: the name of the deployed stage, like production")
	}
	if r.stack == "" {
		r.stack = "pim-functions-" + r.stage
	}
	account, err := account(r.variables, "the region of the stage")
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(awsconfig.New(account))
	urls, err := r.urls(ctx, client)
	if err != nil {
		return err
	}
	at := func(name string) *queue.SQS { return queue.NewSQS(queue.SQSConfig{Client: client, URL: urls[name]}) }
	for _, name := range []string{"jobs", "events"} {
		depth, err := at(name + "-dead-letters").Depth(ctx)
		if err != nil {
			return fmt.Errorf("count the dead letters of %s: %w", name, err)
		}
		fmt.Fprintf(r.out, "%s: about %d dead letters.\n", name, depth.Visible+depth.InFlight)
	}
	if r.dryRun {
		return nil
	}
	if !r.yes && !r.confirmed() {
		return errors.New("nothing was moved: answer y, or use --yes")
	}
	for _, work := range []struct {
		name       string
		attributes map[string]string
	}{
		{"jobs", nil},
		{"events", map[string]string{engine.RedriveAttribute: "1"}},
	} {
		done, err := queue.Redrive{
			Letters: at(work.name + "-dead-letters"), Work: at(work.name), Attributes: work.attributes, Now: r.now,
		}.Run(ctx)
		fmt.Fprintf(r.out, "%s: %d moved.\n", work.name, done.Moved)
		if done.Newer > 0 {
			fmt.Fprintf(r.out, "%s: %d came meanwhile and stay: read why in the worker's log before the next redrive.\n", work.name, done.Newer)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", work.name, err)
		}
	}
	return nil
}

// queueName takes apart what follows the stack's name in a queue's: which queue it is, and the deployment's ID.
var queueName = regexp.MustCompile(`^(jobs|jobs-dead-letters|events|events-dead-letters)-([0-9a-f]+)$`)

// urls finds the four queues of the stack: jobs, jobs-dead-letters, events, events-dead-letters. A stack that was deleted
// leaves its queues, so that there may be several sets.
func (r redriving) urls(ctx context.Context, client sqs.ListQueuesAPIClient) (map[string]string, error) {
	sets := map[string]map[string]string{} // by the deployment's ID, then by queue
	for pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String(r.stack + "-"), MaxResults: aws.Int32(1000)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the queues of %s: %w", r.stack, err)
		}
		for _, url := range page.QueueUrls {
			name := strings.TrimPrefix(url[strings.LastIndexByte(url, '/')+1:], r.stack+"-")
			if parts := queueName.FindStringSubmatch(name); parts != nil {
				if sets[parts[2]] == nil {
					sets[parts[2]] = map[string]string{}
				}
				sets[parts[2]][parts[1]] = url
			}
		}
	}
	maps.DeleteFunc(sets, func(id string, set map[string]string) bool {
		return len(set) < 4 || r.deployment != "" && id != r.deployment
	})
	ids := slices.Sorted(maps.Keys(sets))
	switch len(ids) {
	case 0:
		return nil, fmt.Errorf("no queues of stack %s in this region and account: check AWS_REGION, --stage and --stack", r.stack)
	case 1:
		return sets[ids[0]], nil
	}
	return nil, fmt.Errorf("stack %s has the queues of several deployments (%s): choose one by --deployment; the stack's output JobsQueueUrl ends in it", r.stack, strings.Join(ids, ", "))
}

// confirmed asks.
func (r redriving) confirmed() bool {
	fmt.Fprintf(r.out, "Move them back to the queues of stage %s? [y/N] ", r.stage)
	answer, _ := bufio.NewReader(r.in).ReadString('\n') // no answer is a no
	fmt.Fprintln(r.out)
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}
