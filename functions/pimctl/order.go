package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/order"
)

const orderHelp = `Starts ACTION of extensions.yaml by hand: over a selection, over products and models, or over
nothing in particular. It works on the local system, or with --stage on a deployed one: there it
checks the order against this program's own extensions.yaml first, or against --config.

` + awsHelp

const orderExample = `  pimctl run catalogue-csv --select changed
  pimctl run send-to-shop --product 63139bf3-a7f7-4eaa-ba5e-000000000001 --model shoe
  pimctl run catalogue-csv --select changed --pim outlet --stage production --yes`

// ordering is the command run.
type ordering struct {
	process
	place
	configuration
	order order.Order
}

func (p process) order() *cobra.Command {
	o := ordering{process: p}
	command := &cobra.Command{
		Use:     "run ACTION [--select NAME]",
		GroupID: groupStage,
		Short:   "Start an action by hand",
		Long:    orderHelp,
		Example: orderExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return usagef("missing ACTION: a name from actions in extensions.yaml")
			}
			o.order.Action, o.order.User = args[0], p.user()
			return o.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.order.Select, "select", "", "the items are those of the selection `NAME`")
	flags.StringSliceVar(&o.order.Products, "product", nil, "an item is the product `UUID`; may be repeated")
	flags.StringSliceVar(&o.order.Models, "model", nil, "an item is the product model `CODE`; may be repeated")
	flags.StringVar(&o.order.PIM, "pim", "", "in the PIM `NAME` (default: the only one)")
	o.place.flags(command)
	o.configuration.variables = p.variables
	flags.StringVar(&o.file, "config", p.variables.Optional("CONFIG_FILE", ""), "read `FILE` instead of the built-in extensions.yaml (CONFIG_FILE)")
	command.MarkFlagsMutuallyExclusive("select", "product")
	command.MarkFlagsMutuallyExclusive("select", "model")
	return command
}

func (o *ordering) run(ctx context.Context) error {
	if err := o.place.check(); err != nil {
		return err
	}
	start, err := o.prepare(ctx)
	if err != nil {
		return err
	}
	if !o.yes && !o.confirmed(o.errs, "Start %s over %s (%s)?", o.order.Action, o.over(), o.where()) {
		return errors.New("nothing was started: answer y, or use --yes")
	}
	id, verdict, err := start()
	if err != nil {
		return err
	}
	if o.json {
		if err := printJSON(o.out, map[string]string{"job": id, "verdict": string(verdict)}); err != nil {
			return err
		}
	}
	if verdict == jobs.AlreadyRunning {
		return fmt.Errorf("nothing was started: job %s does this already", id)
	}
	if !o.json {
		fmt.Fprintf(o.out, "Started job %s.\n", id)
	}
	return nil
}

// over says what the items are.
func (o *ordering) over() string {
	items := len(o.order.Products) + len(o.order.Models)
	switch {
	case o.order.Select != "":
		return "the selection " + o.order.Select
	case items == 1:
		return "1 item"
	case items > 1:
		return fmt.Sprintf("%d items", items)
	}
	return "nothing in particular"
}

// prepare checks the order, as far as it can without starting anything, and returns what starts it.
func (o *ordering) prepare(ctx context.Context) (start func() (id string, verdict jobs.Verdict, err error), err error) {
	if o.here() {
		return func() (string, jobs.Verdict, error) {
			var started struct {
				Verdict jobs.Verdict
				Job     struct{ ID string }
			}
			err := o.ask(ctx, "/_local/run", o.order, &started)
			return started.Job.ID, started.Verdict, err
		}, nil
	}
	loaded, err := o.load()
	if err != nil {
		return nil, err
	}
	job, err := o.order.Job(loaded, o.now())
	if err != nil {
		return nil, err
	}
	o.order.PIM = job.PIM
	submitter, err := o.submitter(ctx, o.process)
	if err != nil {
		return nil, err
	}
	return func() (string, jobs.Verdict, error) {
		submitted, err := submitter.Submit(ctx, job)
		return submitted.Job.ID, submitted.Verdict, err
	}, nil
}

// load reads the stage's configuration for the names that it has. What its variables hold only the deployment knows: those
// that are not set here hold an address that nobody calls.
func (o *ordering) load() (*config.Config, error) {
	name, text, err := o.text()
	if err != nil {
		return nil, err
	}
	return loadWith(name, text, o.place.name, func(variable string) (string, bool) {
		if value, ok := o.process.variables.Lookup(variable); ok {
			return value, true
		}
		return "https://unset.example.com", true
	})
}
