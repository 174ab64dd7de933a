package pim

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// How long the PIM's jobs take here: until one runs, and until it ends.
const (
	startsIn = 300 * time.Millisecond
	runsFor  = 700 * time.Millisecond
)

// playExecution has a job of the PIM's run and end, each told by an event.
func (p *PIM) playExecution(x pimtest.Execution) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	rows := len(p.config.REST.Shown().Products)
	p.tellStatus(ctx, x, pimtest.Status{Name: "starting"})
	time.AfterFunc(startsIn, func() { p.tellStatus(ctx, x, pimtest.Status{Name: "in_progress", Rows: rows}) })
	time.AfterFunc(startsIn+runsFor, func() {
		defer cancel()
		p.tellStatus(ctx, x, pimtest.Status{Name: "completed", Rows: rows, End: time.Now()})
	})
}

// tellStatus sends an event to each PIM that extensions.yaml names: all are played by this one. Nobody waits for an answer.
func (p *PIM) tellStatus(ctx context.Context, x pimtest.Execution, status pimtest.Status) {
	signing, err := p.config.Signing.Get(ctx)
	if err != nil {
		return
	}
	body := x.Event(rand.Text(), status, time.Now())
	for _, name := range slices.Sorted(maps.Keys(p.config.Extensions.PIMs)) {
		if sender, ok := p.platform(signing, name); ok {
			_, _, _ = p.send(ctx, sender.Event(body))
		}
	}
}
