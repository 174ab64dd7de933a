package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
)

const planHelp = `Compares what extensions.yaml declares with what the PIMs, their Event Platform and Contentful know
of the deployment at URL (output ApiUrl), and prints what would be created, changed and deleted, and
what only a person can do. It changes nothing. What does not carry this stage's mark is left alone.

It needs the connections of the PIMs under pims in the connection document (make secrets says what
is missing), a role for their users that may manage extensions, and technical_email on a PIM whose
events are subscribed to.`

const applyHelp = `Shows the plan, asks, and makes it so: missing secrets are made and written first, then what is new,
then what goes. Interrupted at any point, the next apply goes on. If somebody changes something
between the plan and the answer, nothing is sent.`

const driftHelp = `Says, as plan does, how the senders differ from extensions.yaml, for a scheduled pipeline: exit
code 0 if they agree, 2 if they do not, 1 if they could not be asked.`

const downHelp = `Removes from the PIMs, their Event Platform and Contentful all that carries this stage's mark:
before a stack is deleted, so that no button leads nowhere and no event is sent to nobody.`

// planning is what plan, apply, drift and down have in common.
type planning struct {
	process
	configuration
	documents
	address
	pim      string // "": all
	options  register.Options
	json     bool
	yes      bool
	planFile string // a plan that somebody has read; "": none
	check    bool   // look at the deployment at the end
	down     bool
}

func (p process) plan() *cobra.Command {
	c := planning{process: p}
	command := c.command("plan URL", "Show what the senders would be told", planHelp, c.runPlan)
	c.scope(command.Flags())
	command.Flags().BoolVar(&c.json, "json", false, "print the plan as JSON")
	return command
}

func (p process) drift() *cobra.Command {
	c := planning{process: p}
	command := c.command("drift URL", "Check that the senders know what is declared", driftHelp, c.runDrift)
	c.scope(command.Flags())
	command.Flags().BoolVar(&c.json, "json", false, "print the plan as JSON")
	return command
}

func (p process) apply() *cobra.Command {
	c := planning{process: p}
	command := c.command("apply URL", "Tell the senders what is declared", applyHelp, c.runApply)
	c.scope(command.Flags())
	c.consent(command.Flags())
	command.Flags().BoolVar(&c.check, "check", true, "look at the deployment at the end, as preflight does")
	command.Flags().StringVar(&c.planFile, "plan", "", "do only what the plan in `FILE` says, as plan --json printed it")
	return command
}

func (p process) downCommand() *cobra.Command {
	c := planning{process: p, down: true}
	command := c.command("down URL", "Take back what the senders were told", downHelp, c.runApply)
	c.consent(command.Flags())
	return command
}

func (c *planning) command(use, short, long string, run func(context.Context) error) *cobra.Command {
	command := &cobra.Command{
		Use: use, GroupID: groupDeployment, Short: short, Long: long, Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			take := c.address.take
			if c.stage == config.Local { // this machine
				take = c.address.origin
			}
			rest, err := take(args)
			if err != nil {
				return err
			}
			c.url = strings.TrimRight(c.url, "/")
			if len(rest) > 0 {
				return usagef("%q is too much: --url has the URL", rest[0])
			}
			return c.explained(run(command.Context()))
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	c.address.flags(flags)
	c.configuration.flags(flags, c.process.variables)
	c.documents.flags(flags, c.process.variables)
	flags.StringVar(&c.pim, "pim", "", "for the PIM `NAME` alone (default: all, and Contentful)")
	return command
}

// scope are the flags that say how far a plan goes.
func (c *planning) scope(flags *pflag.FlagSet) {
	flags.StringSliceVar(&c.options.Only, "only", nil, "for what has the `NAME` in extensions.yaml alone; may be given again")
	flags.BoolVar(&c.options.Prune, "prune", false, "delete what is ours and no longer declared")
	flags.BoolVar(&c.options.Adopt, "adopt", false, "take over what has our names and no mark, from before there was one")
	flags.BoolVar(&c.options.SendSecrets, "send-secrets", false, "send all secrets again: no sender shows the one that it has")
	flags.BoolVar(&c.options.Resume, "resume", false, "resume suspended subscriptions, when the cause is gone")
}

func (c *planning) consent(flags *pflag.FlagSet) {
	flags.BoolVar(&c.yes, "yes", false, "do not ask")
}

func (c *planning) runPlan(ctx context.Context) error {
	s, err := c.session(ctx)
	if err != nil {
		return err
	}
	plan, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	return c.print(plan)
}

// errDiffers is how drift ends where something differs, which was printed.
var errDiffers = exitError{code: 2}

func (c *planning) runDrift(ctx context.Context) error {
	s, err := c.session(ctx)
	if err != nil {
		return err
	}
	plan, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	if err := c.print(plan); err != nil || plan.Done() {
		return err
	}
	return errDiffers
}

func (c *planning) print(plan register.Plan) error {
	if c.json {
		return printJSON(c.out, plan)
	}
	return plan.Print(c.out)
}

func (c *planning) runApply(ctx context.Context) error {
	s, err := c.session(ctx)
	if err != nil {
		return err
	}
	plan, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	if err := plan.Print(c.out); err != nil {
		return err
	}
	if c.planFile != "" {
		read, err := readPlan(c.planFile)
		if err != nil {
			return err
		}
		if !plan.Same(read) {
			return &register.Stale{Lines: plan.Since(read)}
		}
	}
	if len(plan.Changes) > 0 {
		if err := c.ask(); err != nil {
			return err
		}
		done := 0
		err := s.Apply(ctx, plan, func(change register.Change) {
			done++
			fmt.Fprintf(c.out, "%d/%d %s\n", done, len(plan.Changes), change.Line())
		})
		if err != nil {
			return err
		}
		s.Options.SendSecrets = false // they were
		if plan, err = s.Plan(ctx); err != nil {
			return fmt.Errorf("everything was sent, and looking whether it was taken failed: %w", err)
		}
		if len(plan.Changes) > 0 {
			return fmt.Errorf("everything was sent, but this is not as it was sent:\n%s", strings.Join(plan.Since(register.Plan{}), "\n"))
		}
		fmt.Fprintf(c.out, "%d changed. Users see it once they reload the PIM's page; the Event Platform takes several minutes.\n", done)
	}
	if err := c.lookAt(ctx, s); err != nil {
		return err
	}
	if !plan.Done() {
		return errors.New("what is declared is not reached: somebody has to do what stands under \"By hand\"")
	}
	return nil
}

// ask asks whoever sits at the keyboard. Where nobody does, nothing is done.
func (c *planning) ask() error {
	if c.yes {
		return nil
	}
	fmt.Fprint(c.out, "\nDo this? Only yes does it: ")
	answer, _ := bufio.NewReader(c.in).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		fmt.Fprintln(c.out)
		return errors.New("nothing was changed: nobody said yes (--yes says it beforehand)")
	}
	return nil
}

func readPlan(file string) (plan register.Plan, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return plan, err
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return plan, fmt.Errorf("%s is not a plan as plan --json prints it: %w", file, err)
	}
	return plan, nil
}
