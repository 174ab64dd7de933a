package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of a load.
const (
	maxRate     = 1000
	maxDuration = 10 * time.Minute
	maxInFlight = 256 // requests; what comes due beyond waits, and its wait counts
	shuffled    = 100 // events that change places with each other
)

// tally counts what came of a load. Safe for concurrent use.
type tally struct {
	mu       sync.Mutex
	perSend  int // events of one request
	sent     int // requests
	statuses map[int]int
	silent   int // requests without an answer
	waits    []time.Duration
	failure  error // the first reason for silence
}

// load sends new events at a rate, and prints what came of it: once a second a line, at the end a table. It says
// whether every request was answered 2xx. Whoever stops it gets the table of what was sent until then.
func (o options) load(ctx context.Context, out io.Writer) (ok bool, err error) {
	count := &tally{statuses: map[int]int{}, perSend: o.perRequest()}
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: maxInFlight},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}
	defer client.CloseIdleConnections()
	every := time.Second * time.Duration(count.perSend) / time.Duration(o.rate)
	total := max(int(o.duration/every), 1)
	fmt.Fprintf(out, "POST %s: %d requests with %d events each, one every %s\n", o.base, total, count.perSend, every)

	started := time.Now()
	var sending sync.WaitGroup
	slots := make(chan struct{}, maxInFlight)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for i, place := range places(total, o.shuffle) {
		due := started.Add(time.Duration(i) * every)
		for waiting := true; waiting; {
			select {
			case <-time.After(time.Until(due)):
				waiting = false
			case <-ticker.C:
				fmt.Fprintln(out, count.line(time.Since(started)))
			case <-ctx.Done():
				waiting = false
			}
		}
		if ctx.Err() != nil {
			break
		}
		signed, err := o.loaded(started.Add(time.Duration(place) * every))
		if err != nil {
			return false, err
		}
		copies := 1
		if o.duplicate {
			copies = 2
		}
		for range copies {
			slots <- struct{}{}
			sending.Go(func() {
				defer func() { <-slots }()
				count.answered(o.post(ctx, client, signed), due)
			})
		}
	}
	sending.Wait()
	fmt.Fprint(out, count.table(time.Since(started)))
	return count.lost() == 0, count.failure
}

// loaded is one of a load's requests: signed now, about something that happened at that time.
func (o options) loaded(at time.Time) (request, error) {
	from, _ := o.sample.sender()
	if from.prefix == "action-" {
		at = time.Now() // a press is signed with its time
	}
	signed, err := o.request(at.Add(-o.age), true)
	if err == nil && from.prefix == "events-api-" && o.header != noHeader { // so is a request of the Events API, but not what happened
		secret := from.secret
		if o.secret != "" {
			secret = o.secret
		}
		signed.header = from.sign(o, secret, time.Now().Add(-o.age), signed.body)
	}
	return signed, err
}

// post sends one request and returns the answer's status.
func (o options) post(ctx context.Context, client *http.Client, signed request) func() (int, error) {
	return func() (int, error) {
		post, err := signed.http(ctx, o.base)
		if err != nil {
			return 0, err
		}
		answer, err := client.Do(post)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
		return answer.StatusCode, err
	}
}

// perRequest is how many events the sample holds.
func (o options) perRequest() int {
	if !strings.HasPrefix(o.sample.name, "events-api-") {
		return 1
	}
	return max(strings.Count(string(o.sample.text), `"event_id"`), 1)
}

// places are the numbers up to n: in their order, or each block of some in any.
func places(n int, shuffle bool) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if shuffle {
		for block := range slices.Chunk(all, shuffled) {
			rand.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
		}
	}
	return all
}

// answered sends a request and counts what comes of it. The wait is counted from when the request was due, so that a
// system which keeps us from sending does not look fast.
func (t *tally) answered(send func() (int, error), due time.Time) {
	status, err := send()
	wait := time.Since(due)
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
	taken := t.taken()
	return fmt.Sprintf("%5s  sent %d  2xx %d  429 %d  other %d  p50 %s  p99 %s", since.Round(time.Second), t.sent*t.perSend, taken*t.perSend,
		t.statuses[http.StatusTooManyRequests]*t.perSend, (t.sent-taken-t.statuses[http.StatusTooManyRequests])*t.perSend, t.quantile(0.5), t.quantile(0.99))
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

// quantile of the waits, 0 if there was none.
func (t *tally) quantile(q float64) time.Duration {
	if len(t.waits) == 0 {
		return 0
	}
	slices.Sort(t.waits)
	return t.waits[min(int(q*float64(len(t.waits))), len(t.waits)-1)].Round(time.Millisecond / 10)
}
