package export

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/files"
)

// part is one batch's rows in the store.
type part struct {
	Key  string `json:"key"`
	Rows int    `json:"rows"`          // that the table has
	Out  []int  `json:"out,omitempty"` // rows of others that it has already, by index: they are left out
}

// leaveOut notes the rows that an earlier part has; seen are the products of those.
func (p *part) leaveOut(ids []string, seen map[string]bool) {
	for i, id := range ids {
		if seen[id] {
			p.Out = append(p.Out, i)
		}
		seen[id] = true
	}
	p.Rows -= len(p.Out)
}

// line is a row, and where its cells belong in the table.
type line struct {
	table.Row
	places []int
}

// lines walks the rows of parts from one on: by their keys, which needs all parts open at once, or part by part.
func lines(ctx context.Context, store files.Store, parts []part, columns []table.Column, byKey bool, from int) iter.Seq2[line, error] {
	if byKey {
		return merged(ctx, store, parts, columns, from)
	}
	return func(yield func(line, error) bool) {
		for _, p := range parts {
			if from >= p.Rows {
				from -= p.Rows
				continue
			}
			for row, err := range merged(ctx, store, []part{p}, columns, from) {
				if !yield(row, err) || err != nil {
					return
				}
			}
			from = 0
		}
	}
}

// merged walks the rows of some parts in the order of their keys.
func merged(ctx context.Context, store files.Store, parts []part, columns []table.Column, from int) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		var all heads
		defer func() {
			for _, h := range all {
				_ = h.file.Close() // read to its end, or given up
			}
		}()
		for number, p := range parts {
			h, err := open(ctx, store, p, columns, number)
			if err != nil {
				yield(line{}, err)
				return
			}
			if h != nil {
				all = append(all, h)
			}
		}
		heap.Init(&all)
		for len(all) > 0 {
			first := all[0]
			if from > 0 {
				from--
			} else if !yield(first.line, nil) {
				return
			}
			switch err := first.next(); err {
			case nil:
				heap.Fix(&all, 0)
			case io.EOF:
				heap.Pop(&all)
				_ = first.file.Close()
			default:
				yield(line{}, err)
				return
			}
		}
	}
}

// head is a part whose next row is known.
type head struct {
	line
	number int
	file   io.Closer
	rows   *table.PartReader
	index  int   // of the next row
	out    []int // rows that are left out
}

// open opens a part at its first row; nil: it has none.
func open(ctx context.Context, store files.Store, p part, columns []table.Column, number int) (*head, error) {
	file, err := store.Open(ctx, p.Key)
	if err != nil {
		return nil, fmt.Errorf("open part: %w", err)
	}
	h := &head{number: number, file: file, out: p.Out}
	if h.rows, err = table.ReadPart(file); err == nil {
		h.places = table.Fit(columns, h.rows.Columns)
		err = h.next()
	}
	if err != nil {
		_ = file.Close()
		if err == io.EOF {
			return nil, nil
		}
		return nil, err
	}
	return h, nil
}

func (h *head) next() (err error) {
	for {
		h.Row, err = h.rows.Next()
		if err != nil || len(h.out) == 0 || h.out[0] != h.index {
			h.index++
			return err
		}
		h.index, h.out = h.index+1, h.out[1:]
	}
}

// heads are parts by their next row.
type heads []*head

func (h heads) Len() int { return len(h) }
func (h heads) Less(i, j int) bool {
	if h[i].Key != h[j].Key {
		return h[i].Key < h[j].Key
	}
	return h[i].number < h[j].number
}
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(*head)) }
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// errParts: what runs have kept is not what the job's record counts.
var errParts = errors.New("parts do not match the job's record")
