package main

import (
	"context"
	"errors"
	"fmt"

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
	stage
	dryRun, yes bool
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
	r.stage.flags(flags)
	flags.BoolVar(&r.dryRun, "dry-run", false, "count the letters, and move none")
	flags.BoolVar(&r.yes, "yes", false, "do not ask before moving")
	return command
}

func (r redriving) run(ctx context.Context) error {
	if r.name == "" {
		return usagef("missing --stage: the name of the deployed stage, like production")
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
	if !r.yes && !r.confirmed(r.out, "Move them back to the queues of stage %s?", r.name) {
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
