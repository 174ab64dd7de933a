package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// line of an undo file: what was about to be done to one product or model, and for which of the job's items.
type line struct {
	jobs.Item
	Of    []int      `json:"of"` // positions among the job's items
	Edits []pim.Edit `json:"edits"`
}

// undoName is an undo file's name: no two writes of a job share one, whichever worker makes them.
func undoName(first int, lease int64, number int) string {
	return fmt.Sprintf("%d-%d.%d", first, lease, number)
}

// undoFiles are those of the batch that begins at first.
func undoFiles(names []string, first int) (found []string) {
	for _, name := range names {
		if strings.HasPrefix(name, fmt.Sprintf("%d-", first)) {
			found = append(found, name)
		}
	}
	return found
}

// undoBatches are names of undo files by the batch that they are of, in the order in which they were written.
func undoBatches(names []string) (batches [][]string) {
	last := ""
	for _, name := range names {
		first, _, _ := strings.Cut(name, "-")
		if len(batches) == 0 || first != last {
			batches, last = append(batches, nil), first
		}
		batches[len(batches)-1] = append(batches[len(batches)-1], name)
	}
	return batches
}

// undoKey is where an undo file lies.
func undoKey(job, name string) string { return files.UndoKey(job, name+".ndjson") }

// refusedKey is where the lines lie that the PIM refused; there is none if it refused none.
func refusedKey(job, name string) string { return files.UndoKey(job, name+".refused.ndjson") }

const ndjson = "application/x-ndjson"

// intend notes an undo file in the job's record, as the holder of its lease: nobody else writes for this job then. A request
// to stop that came meanwhile is kept for after the batch.
func (w *jobWork) intend(ctx context.Context) (string, error) {
	name := undoName(w.job.Next, w.job.Lease.Token, len(w.job.Undo)+1)
	return name, w.amend(ctx, "note the undo file",
		func(job jobs.Job) jobs.Job {
			job.Undo = append(job.Undo[:len(job.Undo):len(job.Undo)], name)
			return job
		},
		func(job jobs.Job) bool { return len(job.Undo) > 0 && job.Undo[len(job.Undo)-1] == name })
}

// keep writes an undo file, whole, or the lines of it that were refused.
func (w *writing) keep(ctx context.Context, key string, lines []line) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for _, each := range lines {
		if err := encoder.Encode(each); err != nil {
			return fmt.Errorf("encode undo line: %w", err)
		}
	}
	if err := w.Files.Put(ctx, key, text.Bytes(), ndjson); err != nil {
		return fmt.Errorf("keep the values from before: %w", err)
	}
	return nil
}

// undoLines are what a job has done to products, each once, as one edit by place: the last counts, and inherits what was
// there before an earlier one that it goes on from. What the PIM refused is left out. A file that was noted and is not
// there belongs to no write.
func (e *Engine) undoLines(ctx context.Context, job string, names []string) (found []line, err error) {
	at := map[jobs.Item]int{}
	for _, name := range names {
		lines, err := e.undoFile(ctx, undoKey(job, name))
		if err != nil {
			return nil, err
		}
		refused, err := e.undoFile(ctx, refusedKey(job, name))
		if err != nil {
			return nil, err
		}
		taken := map[jobs.Item]bool{}
		for _, each := range refused {
			taken[each.Item] = true
		}
		for _, each := range lines {
			n, there := at[each.Item]
			switch {
			case taken[each.Item] && there:
				found[n].Edits = found[n].without(each.Edits)
			case taken[each.Item]:
			case there:
				found[n] = found[n].and(each)
			default:
				at[each.Item] = len(found)
				found = append(found, each)
			}
		}
	}
	return found, nil
}

// without leaves out edits that a later try found not to have been made: it had to try the same again, and was refused.
func (l line) without(refused []pim.Edit) (left []pim.Edit) {
	for _, edit := range l.Edits {
		again := false
		for _, other := range refused {
			again = again || edit.Place() == other.Place() && edit.Field == pim.FieldValue && pim.Same(edit.Kind, edit.Previous, other.Previous) && pim.Same(edit.Kind, edit.New, other.New)
		}
		if !again {
			left = append(left, edit)
		}
	}
	return left
}

// and is a line and a later one of the same product.
func (l line) and(later line) line {
	edits := append([]pim.Edit(nil), l.Edits...)
next:
	for _, edit := range later.Edits {
		for n, before := range edits {
			if before.Place() == edit.Place() {
				edits[n], _ = before.Then(edit)
				continue next
			}
		}
		edits = append(edits, edit)
	}
	l.Edits = edits
	for _, index := range later.Of {
		known := false
		for _, other := range l.Of {
			known = known || other == index
		}
		if !known {
			l.Of = append(l.Of, index)
		}
	}
	return l
}

func (e *Engine) undoFile(ctx context.Context, key string) (lines []line, err error) {
	file, err := e.Files.Open(ctx, key)
	if errors.Is(err, files.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the values from before: %w", err)
	}
	defer file.Close()
	decoder := json.NewDecoder(bufio.NewReader(file))
	for decoder.More() {
		var each line
		if err := decoder.Decode(&each); err != nil {
			return nil, fmt.Errorf("read the values from before: %w", err)
		}
		lines = append(lines, each)
	}
	return lines, nil
}
