package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func (p process) jobs() *cobra.Command {
	command := &cobra.Command{
		Use:     "jobs",
		GroupID: groupStage,
		Short:   "Work on jobs",
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(p.undo())
	return command
}

const undoHelp = `Takes back what the job ID has changed in the PIM, by a job of its own: a value that somebody has
changed since stays, and is named. It works on the local system, or with --stage on a deployed one.

` + awsHelp

var jobID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// undoing is the command jobs undo.
type undoing struct {
	process
	place
}

func (p process) undo() *cobra.Command {
	u := undoing{process: p}
	command := &cobra.Command{
		Use:     "undo ID",
		Short:   "Take back what a job has changed in the PIM",
		Long:    undoHelp,
		Example: "  pimctl jobs undo mark-Ckf3bP…\n  pimctl jobs undo mark-Ckf3bP… --stage production",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return usagef("missing ID: the job to undo, as the PIM, the page or the log shows it")
			}
			if !jobID.MatchString(args[0]) {
				return usagef("%q is no ID of a job", args[0])
			}
			return u.run(command.Context(), args[0])
		},
	}
	u.place.flags(command)
	return command
}

func (u *undoing) run(ctx context.Context, id string) error {
	if err := u.place.check(); err != nil {
		return err
	}
	if !u.yes && !u.confirmed(u.errs, "Take back what job %s has changed in the PIM (%s)?", id, u.where()) {
		return errors.New("nothing was started: answer y, or use --yes")
	}
	started, err := u.start(ctx, id)
	if errors.Is(err, jobs.ErrNotFound) {
		return fmt.Errorf("there is no job %s %s", id, u.where())
	}
	if err != nil {
		return err
	}
	if u.json {
		return printJSON(u.out, map[string]string{"job": started, "undoes": id})
	}
	fmt.Fprintf(u.out, "Started job %s, which undoes %s.\n", started, id)
	return nil
}

// start starts the job that takes back another, and returns its ID.
func (u *undoing) start(ctx context.Context, id string) (string, error) {
	if u.here() {
		var started struct{ ID string }
		err := u.ask(ctx, "/_local/jobs/"+id+"/undo", struct{}{}, &started)
		return started.ID, err
	}
	submitter, err := u.submitter(ctx, u.process)
	if err != nil {
		return "", err
	}
	job, err := submitter.Undo(ctx, id, jobs.User{Username: u.user()})
	return job.ID, err
}
