package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tally counts what came of a load. Safe for concurrent use.
type tally struct {
	mu       sync.Mutex
	perSend  int // events of one request
	sent     int // requests
	statuses map[int]int
	silent   int // requests without an answer
	waits    []time.Duration
	failure  error // the first reason for silence but our own giving up
}

// add counts one request: its answer's status, or why there is none, and how long that took.
func (t *tally) add(status int, err error, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	if err != nil {
		t.silent++
		if t.failure == nil && !errors.Is(err, context.Canceled) {
			t.failure = err
		}
		return
	}
	t.statuses[status]++
	t.waits = append(t.waits, wait)
}

// hopeless says whether nobody listens: a connection was refused, and nothing was answered before.
func (t *tally) hopeless() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waits) == 0 && errors.Is(t.failure, syscall.ECONNREFUSED)
}

// taken is how many requests were answered 2xx.
func (t *tally) taken() (n int) {
	for status, count := range t.statuses {
		if status/100 == 2 {
			n += count
		}
	}
	return n
}

// lost is how many events were not taken.
func (t *tally) lost() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return (t.sent - t.taken()) * t.perSend
}

// line is a summary so far.
func (t *tally) line(since time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken, throttled := t.taken(), t.statuses[http.StatusTooManyRequests]
	return fmt.Sprintf("%5s  sent %d  2xx %d  429 %d  other %d  p50 %s  p99 %s", since.Round(time.Second),
		t.sent*t.perSend, taken*t.perSend, throttled*t.perSend, (t.sent-taken-throttled)*t.perSend, t.quantile(0.5), t.quantile(0.99))
}

// table is the summary at the end.
func (t *tally) table(since time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.taken()
	var b strings.Builder
	fmt.Fprintf(&b, "events sent    %d in %s (%d requests)\n", t.sent*t.perSend, since.Round(time.Millisecond), t.sent)
	fmt.Fprintf(&b, "answered 2xx   %d\n", taken*t.perSend)
	fmt.Fprintf(&b, "answered 429   %d\n", t.statuses[http.StatusTooManyRequests]*t.perSend)
	for _, status := range slices.Sorted(maps.Keys(t.statuses)) {
		if status/100 != 2 && status != http.StatusTooManyRequests {
			fmt.Fprintf(&b, "answered %d   %d\n", status, t.statuses[status]*t.perSend)
		}
	}
	fmt.Fprintf(&b, "not answered   %d\n", t.silent*t.perSend)
	fmt.Fprintf(&b, "lost           %d\n", (t.sent-taken)*t.perSend)
	fmt.Fprintf(&b, "p50            %s\np99            %s\nslowest        %s\n", t.quantile(0.5), t.quantile(0.99), t.quantile(1))
	return b.String()
}

// quantile is the wait that a share q of the answers did not exceed (the nearest rank), 0 without an answer.
func (t *tally) quantile(q float64) time.Duration {
	if len(t.waits) == 0 {
		return 0
	}
	slices.Sort(t.waits)
	rank := int(math.Ceil(q * float64(len(t.waits))))
	return t.waits[max(rank, 1)-1].Round(time.Millisecond / 10)
}
