package engine

import (
	"context"
	"errors"
)

// Changer is an Action that makes the PIM do something other than by Result.Updates, such as starting a job there: events
// that come of it are our own, as those of a Writer are.
type Changer interface{ ChangesPIM() bool }

// changesPIM says whether an action, or one that may follow it, writes to the PIM. One that cannot be opened, since the
// configuration has a mistake, writes nothing: its run says what is wrong.
func (i *Invocation) changesPIM(ctx context.Context, name string) (bool, error) {
	seen := map[string]bool{}
	for open := []string{name}; len(open) > 0; open = open[1:] {
		name := open[0]
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		for _, next := range i.Config.Config.Actions[name].Then {
			open = append(open, next)
		}
		action, err := i.open(ctx, name)
		if err != nil {
			if mistakeOf(err) != "" || errors.Is(err, ErrUnknownAction) {
				continue
			}
			return false, err
		}
		if writesPIM(action) {
			return true, nil
		}
	}
	return false, nil
}

// writesPIM says whether an action itself changes something in the PIM.
func writesPIM(action Action) bool {
	writer, writes := action.(Writer)
	changer, changes := action.(Changer)
	return writes && writer.Writes() != nil && !writer.Writes().DryRun || changes && changer.ChangesPIM()
}
