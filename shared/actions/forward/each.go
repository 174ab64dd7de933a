package forward

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// each sends the items of a run one by one. An item that is refused fails alone, with the destination's own reason, and the
// next one is sent. What may pass, and what concerns every item (a mistake in the configuration, credentials that are not
// accepted), ends the run behind the items that are through; so does time that does not suffice for another call.
func (a *action) each(ctx context.Context, run engine.Run) (engine.Result, error) {
	if len(run.Items) == 0 {
		return engine.Result{}, engine.Permanent("the action sends one call for each item, and there is none", nil)
	}
	var all engine.Result
	for index := range run.Items {
		if index > 0 && !a.timeLeft(ctx) {
			break
		}
		one := run.Part(index, index+1)
		one.Key = keyOf(run, index)
		result, err := a.send(ctx, one, a.requestFor(one))
		reason, refused := engine.Refused(err)
		switch {
		case err != nil && !refused:
			return all, err
		case refused && concernsAll(err) && index > 0: // the next run begins with it, and is the one to say so
			return all, nil
		case refused && concernsAll(err):
			return all, err
		case refused:
			result.Failures = []engine.Failure{{Reason: reason}}
		}
		for _, failure := range result.Failures {
			all.Failures = append(all.Failures, engine.Failure{Index: index, Reason: failure.Reason})
		}
		for _, update := range result.Updates {
			update.Index = index
			all.Updates = append(all.Updates, update)
		}
		if len(run.Items) == 1 {
			all.Message, all.Result = result.Message, result.Result
		}
		all.Done = index + 1
	}
	return all, nil
}

func (a *action) requestFor(one engine.Run) request {
	if one.Gone(0) {
		return a.deletion
	}
	return a.usual
}

// keyOf is the key of one item: by its place in the job, or by the event that brought it.
func keyOf(run engine.Run, index int) string {
	switch {
	case run.Job != "":
		return run.Job + "/" + strconv.Itoa(run.At(index))
	case run.Causes != nil: // whatever else is in the run
		return run.Causes[index].Key
	case len(run.Items) == 1:
		return run.Key
	}
	return run.Key + "/" + run.Items[index].Type + "/" + run.Items[index].ID
}

// timeLeft says that another call can end in time.
func (a *action) timeLeft(ctx context.Context) bool {
	until, bounded := ctx.Deadline()
	return ctx.Err() == nil && (!bounded || time.Until(until) >= a.Timeout)
}

// concernsAll says that the next item would meet the same error.
func concernsAll(err error) bool {
	_, one := errors.AsType[*config.Problem](err)
	_, many := errors.AsType[config.Problems](err)
	_, token := errors.AsType[*credential.TokenError](err)
	call, ok := errors.AsType[*outbound.Error](err)
	return one || many || token || ok && call.Unauthorized()
}
