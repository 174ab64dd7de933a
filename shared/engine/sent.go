package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/files"
)

// sent is what Run.Keep has kept: the items that are in it, by their places in the batch, and the bytes.
type sent struct {
	items   []int
	content []byte
}

// Keep is what make makes, at every try of the batch the same: it is kept before it is returned for the first time. For an
// action whose wait has an address, so that what carries the address is byte by byte equal however often it is sent. An error
// of make is returned as it is.
func (r Run) Keep(ctx context.Context, make func() ([]byte, error)) ([]byte, error) {
	w := r.waiting
	if w == nil || w.folder == "" {
		return nil, Permanent("an internal error", errors.New("Keep without a wait that has an address"))
	}
	if w.kept != nil {
		return w.kept.content, nil
	}
	content, err := make()
	if err != nil {
		return nil, err
	}
	if w.store == nil {
		return nil, Permanent("this deployment keeps no files, so that it cannot wait for a callback", nil)
	}
	kept := &sent{items: places(r), content: content}
	header, err := json.Marshal(kept.items)
	if err != nil {
		return nil, fmt.Errorf("encode what is sent: %w", err)
	}
	if err := w.store.Put(ctx, w.folder, bytes.Join([][]byte{header, content}, []byte("\n")), "application/octet-stream"); err != nil {
		return nil, fmt.Errorf("keep what is sent: %w", err)
	}
	w.kept = kept
	return content, nil
}

// places of a run's items in its batch.
func places(r Run) []int {
	found := make([]int, len(r.Items))
	for index := range r.Items {
		found[index] = r.At(index) - r.First
	}
	return found
}

// earlierSent is what an earlier try has kept; nil if none has.
func (i *Invocation) earlierSent(ctx context.Context, key string) (*sent, error) {
	if i.Files == nil {
		return nil, nil
	}
	text, err := readFile(ctx, i.Files, key)
	if errors.Is(err, files.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was sent: %w", err)
	}
	header, content, _ := bytes.Cut(text, []byte("\n"))
	kept := &sent{content: content}
	if err := json.Unmarshal(header, &kept.items); err != nil {
		return nil, Permanent("an internal error", fmt.Errorf("decode what was sent: %w", err))
	}
	return kept, nil
}

// as is a run over the items that were sent, and what it lost.
func (s *sent) as(run Run) (Run, *reading) {
	lost := &reading{batch: len(run.Items)}
	items, causes := run.Items, run.Causes
	run.Items, run.Index, run.Causes = nil, nil, nil
	for index, item := range items {
		if len(lost.kept) < len(s.items) && s.items[len(lost.kept)] == index {
			lost.kept = append(lost.kept, index)
			if causes != nil {
				run.Causes = append(run.Causes, causes[index])
			}
			run.Items, run.Index = append(run.Items, item), append(run.Index, run.First+index)
			continue
		}
		lost.failures = append(lost.failures, Failure{Index: index, Reason: lostReason(item)})
	}
	return run, lost
}
