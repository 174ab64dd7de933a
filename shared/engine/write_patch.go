package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// earlier is what earlier tries of this batch were about to do.
func (w *writing) earlier(ctx context.Context) ([]line, error) {
	if len(w.run.undo) == 0 || w.Files == nil {
		return nil, nil
	}
	return w.undoLines(ctx, w.run.Job, w.run.undo)
}

// recall counts what an earlier try of this batch has changed, as the PIM shows: it is this batch's change.
func (w *writing) recall(earlier []line) {
	for _, each := range earlier {
		now, there := w.now[each.Item]
		if !there || len(each.Edits) == 0 || slices.ContainsFunc(each.Edits, func(e pim.Edit) bool { return !e.Shown(now) }) {
			continue
		}
		for _, index := range each.Of {
			if n := w.position(index); n >= 0 && w.failed[n] == "" {
				w.changed[n] = true
			}
		}
	}
}

// position is where in the run one of the job's items is; -1 for an item of another run.
func (w *writing) position(index int) int {
	for n := range w.run.Items {
		if w.run.At(n) == index {
			return n
		}
	}
	return -1
}

// patch writes what differs: the undo file, then models, then products, each read back.
func (w *writing) patch(ctx context.Context) error {
	var lines []line
	for _, t := range w.targets {
		if len(t.edits) == 0 || t.back == nil && w.failedAll(t) {
			t.edits = nil
			continue
		}
		each := line{Item: t.Item, Edits: t.edits}
		for _, n := range t.of {
			each.Of = append(each.Of, w.run.At(n))
		}
		lines = append(lines, each)
	}
	if len(lines) == 0 {
		return nil
	}
	name := ""
	if w.run.intend != nil {
		if w.Files == nil {
			return Permanent("this deployment keeps no files, so that a change could not be taken back: nothing was changed", nil)
		}
		var err error
		if name, err = w.run.intend(ctx); err != nil {
			return err
		}
		if err := w.keep(ctx, undoKey(w.run.Job, name), lines); err != nil {
			return err
		}
	}
	for _, kind := range kinds {
		if err := w.patchKind(ctx, kind, name); err != nil {
			return err
		}
	}
	return nil
}

// patchKind writes the models, or the products. A product whose model could not be written is left as it is.
func (w *writing) patchKind(ctx context.Context, kind, name string) error {
	var writes []*target
	var changes []pim.Change
	for _, t := range w.targets {
		if t.Type != kind || len(t.edits) == 0 || t.back == nil && w.failedAll(t) {
			continue
		}
		body, err := pim.Body(w.now[t.Item], t.edits)
		if err != nil {
			return err
		}
		writes, changes = append(writes, t), append(changes, pim.Change{ID: t.ID, Body: body})
	}
	if len(writes) == 0 {
		return nil
	}
	answers, err := w.client.Patch(ctx, kind, changes)
	if err != nil {
		return err
	}
	var taken []*target
	var refused []line
	for n, t := range writes {
		switch answer := answers[n]; {
		case !answer.Taken:
			t.fail(w, "the PIM refuses: %s", sentence(*answer))
			refused = append(refused, line{Item: t.Item, Edits: t.edits})
		case answer.Created:
			t.fail(w, "it was deleted in the PIM while it was written, and the PIM has made it anew, with these values alone: delete it there")
			w.log.Warn("a product that was deleted meanwhile was made anew", "reason", "pim_created", "item", t.ID)
		default:
			taken = append(taken, t)
		}
	}
	if len(refused) > 0 && name != "" {
		if err := w.keep(ctx, refusedKey(w.run.Job, name), refused); err != nil {
			return err
		}
	}
	return w.readBack(ctx, kind, taken)
}

// sentence is the PIM's own about a line that it refuses, with the property where the sentence does not name it.
func sentence(answer pim.Written) string {
	text := answer.Message
	if len(answer.Violations) == 0 {
		return text
	}
	first := answer.Violations[0]
	name := first.Attribute
	if name == "" {
		name = first.Property
	}
	for _, part := range []string{first.Locale, first.Scope} {
		if part != "" {
			name += " " + part
		}
	}
	if name == "" || strings.Contains(text, name) {
		return text
	}
	return fmt.Sprintf("%s (%s)", text, name)
}

// readBack looks at what became of lines that the PIM took: it says so too of what it drops, and of a draft.
func (w *writing) readBack(ctx context.Context, kind string, taken []*target) error {
	items := make([]jobs.Item, len(taken))
	for n, t := range taken {
		items[n] = t.Item
		delete(w.now, t.Item)
	}
	if err := w.read(ctx, items); err != nil {
		return err
	}
	for _, t := range taken {
		missing := w.missing(t)
		if len(missing) > 0 { // a list may lag behind the write
			there, err := w.single(ctx, t.Item)
			if err != nil {
				return err
			}
			if !there {
				t.fail(w, "it was written, and is %s now", notInPIM)
				continue
			}
			missing = w.missing(t)
		}
		if len(missing) == 0 {
			for _, n := range t.of {
				w.changed[n] = true
			}
			continue
		}
		names := make([]string, len(missing))
		for n, edit := range missing {
			names[n] = edit.Name()
		}
		what := strings.Join(names, ", ")
		if w.now[t.Item].Draft() {
			t.fail(w, "waiting for approval in the PIM, where the connection may only propose changes: %s", what)
			continue
		}
		t.fail(w, "the PIM took the change and shows another value: %s", what)
	}
	return nil
}

// missing are the edits of a target that the PIM does not show.
func (w *writing) missing(t *target) (found []pim.Edit) {
	now, there := w.now[t.Item]
	for _, edit := range t.edits {
		if !there || !edit.Shown(now) {
			found = append(found, edit)
		}
	}
	return found
}

// changedMessage says what a job has changed in the PIM; "" for a job that changes nothing there.
func changedMessage(job jobs.Job) string {
	same := max(job.Done-job.Changed, 0)
	switch {
	case job.Changed == 0 && len(job.Undo) == 0:
		return ""
	case same == 0:
		return fmt.Sprintf("%d changed in the PIM", job.Changed)
	}
	return fmt.Sprintf("%d changed in the PIM, %d were so already", job.Changed, same)
}
