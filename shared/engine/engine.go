// Package engine does runs: it finds the action of a job or of an event, works items in batches with a checkpoint after
// each, and decides what follows an answer (verdict.go: the one place). It knows no kind of action: those live in
// shared/actions and are given to it by name.
//
// An invocation is one Invocation, whose time all its messages share. What does not fit goes on by another message.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/queue"
)

const (
	longestTurn  = time.Minute      // in which runs begin; the rest of an invocation is for those to end
	runReserve   = 35 * time.Second // time that a run may need: its longest call, and its checkpoint
	writeReserve = 5 * time.Second  // of that, for the checkpoint; a lease outlives its invocation by as much
	defaultTime  = 2 * time.Minute  // an invocation's, where the context has no deadline
)

// Config is what an Engine needs.
type Config struct {
	Config       *config.Config
	Kinds        map[string]Kind
	Store        jobs.Store
	Profiles     jobs.Profiles // of the PIM's jobs; nil: no action launches one
	Queue        queue.Sender  // the jobs queue
	Ledger       ledger.Store
	Events       queue.Sender // the events queue
	EventLetters queue.Sender // its dead letters
	// Secrets gives the connection secret, from memory if it can.
	Secrets func(context.Context) (Secrets, error)
	// Refresh looks for a newer connection secret, every ten seconds at most; fresh says that Secrets now gives another
	// one than it did, known that it gives what there was at some moment since a time. nil: there is nothing to refresh.
	Refresh func(ctx context.Context, since time.Time) (fresh, known bool, err error)
	// PIM is a client of a PIM by its name in extensions.yaml. Its error is a mistake of package config, or may pass.
	PIM   func(ctx context.Context, name string) (*pim.Client, error)
	Files files.Store // of what is handed on; nil: nothing is
	// Link is an address of ours for a file: its job's ID (or files.Media) and its name, good until a time.
	Link func(ctx context.Context, job, name string, until time.Time) (string, error)
	// Callback is an address of ours for what ends a wait of a job, good until a time.
	Callback func(ctx context.Context, job, wait string, until time.Time) (string, error)
	AtOnce   int // events of an invocation that are worked at the same time; 0: 8
	Log      *slog.Logger
	Metrics  *metric.Sink
	Now      func() time.Time
}

// Engine does runs. It keeps nothing between them.
type Engine struct{ Config }

// New returns an Engine.
func New(config Config) *Engine { return &Engine{config} }

// Invocation is one invocation of the worker: the time in which its messages are worked. Safe for concurrent use.
type Invocation struct {
	*Engine
	begun, deadline time.Time // by the engine's clock
	reserve         time.Duration
}

// Begin begins an invocation that ends with ctx.
func (e *Engine) Begin(ctx context.Context) *Invocation {
	now := e.Now()
	deadline := now.Add(defaultTime)
	if until, ok := ctx.Deadline(); ok {
		deadline = now.Add(time.Until(until))
	}
	return &Invocation{Engine: e, begun: now, deadline: deadline, reserve: min(runReserve, deadline.Sub(now)/2)}
}

// over says that no further run begins.
func (i *Invocation) over(now time.Time) bool {
	return now.Sub(i.begun) > longestTurn || i.deadline.Sub(now) < i.reserve
}

// leaseEnd is until when this invocation has what it claims.
func (i *Invocation) leaseEnd() time.Time { return i.deadline.Add(writeReserve).UTC() }

// runTime is how long a run that begins now may take and leave time for its checkpoint.
func (i *Invocation) runTime(now time.Time) time.Duration {
	left := i.deadline.Sub(now)
	return left - min(writeReserve, left/5)
}

// run opens an action and does one run of it, within the invocation's time. Where the destination does not accept the
// credentials and there are fresh ones, it runs once more.
func (i *Invocation) run(ctx context.Context, log *slog.Logger, name string, open func(context.Context, string) (Action, error), fresh func(Action) Run) answer {
	for refreshed := false; ; refreshed = true {
		action, err := open(ctx, name)
		if err != nil {
			return notBegun(err, ctx.Err() != nil)
		}
		answer, again := i.runOnce(ctx, log, action, fresh(action), refreshed)
		if !again {
			return answer
		}
		log.Info("credentials were not accepted: running once more with fresh ones", "action", name)
	}
}

// runOnce does one run. again says that fresh credentials may help, and are there.
func (i *Invocation) runOnce(ctx context.Context, log *slog.Logger, action Action, run Run, refreshed bool) (a answer, again bool) {
	batch := len(run.Items)
	if run.Event != nil { // one, whether or not it has an entity
		batch = 1
	}
	timed, cancel := context.WithTimeout(ctx, i.runTime(run.Now))
	defer cancel()
	at := i.Config.Config.PIMs[run.PIM]
	_, run.Channel = place(run.Context, at)
	run.Zone, run.Files = at.Zone, i.Files
	run.Client = func(ctx context.Context) (*pim.Client, error) { return i.PIM(ctx, run.PIM) }
	finisher, finishes := action.(Finisher)
	if finishes && run.Event != nil {
		return notBegun(Permanent("this action is for jobs: an event cannot start it", nil), false), false
	}
	do := action.Run
	if run.finish {
		do = finisher.Finish
	}
	waits := waitsOf(action)
	if waits != nil && !run.finish {
		var over *answer
		if run, over = i.await(timed, *waits, run); over != nil {
			return *over, false
		}
	}
	var lost *reading
	var err error
	if run.waiting != nil && run.waiting.kept != nil {
		run, lost = run.waiting.kept.as(run)
	} else if reads := readsOf(action); reads != nil && !run.finish && run.Signal == nil {
		if run, lost, err = i.read(timed, log, *reads, run); err != nil {
			again, err := i.otherCredentials(ctx, log, run.Now, refreshed, err)
			return notBegun(err, ctx.Err() != nil), again
		}
		if lost.gone {
			return answer{class: done, began: true, gone: true}, false
		}
	}
	var result Result
	if lost == nil || len(lost.kept) > 0 || batch == 0 || finishes {
		result, err = guard(timed, log, do, run)
	}
	if err == nil && result.Wait {
		if waits == nil || run.Signal != nil {
			return answerOf(Result{}, Permanent("an internal error", errors.New("a result that waits once more")), batch, false), false
		}
		return waitOf(run, result, lost), false
	}
	if err == nil {
		result = run.withEarly(result)
	}
	if err == nil || result.Done > 0 {
		var unwritten error
		if result, unwritten = i.write(timed, log, action, run, result); unwritten != nil {
			result, err = Result{}, unwritten
		}
	}
	if again, err = i.otherCredentials(ctx, log, run.Now, refreshed, err); again {
		return answer{}, true
	}
	if err == nil && i.Link != nil {
		for n, file := range result.Files {
			if result.Files[n].Link, err = i.Link(timed, run.Job, file.Name, file.Until); err != nil {
				return answerOf(Result{State: run.State}, fmt.Errorf("link: %w", err), batch, ctx.Err() != nil), false
			}
		}
	}
	result = lost.whole(result)
	a = answerOf(result, err, batch, ctx.Err() != nil)
	a.absent = lost.absentItems()
	return a, false
}

// open makes an action as it is configured now, with the secrets of now.
func (e *Engine) open(ctx context.Context, name string) (Action, error) {
	configured, known := e.Config.Config.Actions[name]
	kind, has := e.Kinds[configured.Kind]
	if !known || !has {
		return nil, ErrUnknownAction
	}
	secrets, err := e.Secrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("connection secret: %w", err)
	}
	section, err := configured.Section.Resolve(secrets.Values)
	if err != nil {
		return nil, fmt.Errorf("action %q: %w", name, err)
	}
	action, err := kind.Open(section, secrets)
	if err != nil {
		return nil, fmt.Errorf("action %q: %w", name, err)
	}
	return action, nil
}

// guard does a run. A panic in an action is that run's failure and nobody else's.
func guard(ctx context.Context, log *slog.Logger, do func(context.Context, Run) (Result, error), run Run) (result Result, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			log.Error("panic in action", "action", run.Action, "reason", "panic", "stack", string(debug.Stack()))
			result, err = Result{}, Permanent("an internal error", errors.New("panic"))
		}
	}()
	return do(ctx, run)
}

// detached lives on for a moment when ctx ends: what has been done must still be written down.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), writeReserve)
}
