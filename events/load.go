package main

import (
	"context"
	"fmt"
	"io"
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

// network is how a load reaches a running system: without a new connection for every request.
func network() *http.Transport { return &http.Transport{MaxIdleConnsPerHost: maxInFlight} }

// load sends new events at a rate, and prints what came of it: once a second a line, at the end a table. It says
// whether every request was answered 2xx. When ctx ends nothing more is sent; what is under way has as long as the PIM
// would give it, and is in the table.
func (o options) load(ctx context.Context, out io.Writer, over http.RoundTripper) (ok bool, err error) {
	client := &http.Client{
		Transport:     over,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}
	defer client.CloseIdleConnections()
	count := &tally{statuses: map[int]int{}, perSend: o.perRequest()}
	every := time.Second * time.Duration(count.perSend) / time.Duration(o.rate)
	total := max(int(o.duration/every), 1)
	fmt.Fprintf(out, "POST %s: %d requests with %d events each, one every %s\n", o.base.JoinPath(o.path()), total, count.perSend, every)

	started := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- o.pace(ctx, client, count, total, every) }()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Fprintln(out, count.line(time.Since(started)))
		case err := <-ended:
			fmt.Fprint(out, count.table(time.Since(started)))
			if err == nil {
				err = hinted(count.failure)
			}
			return count.lost() == 0, err
		}
	}
}

// pace sends each request when it is due, and returns when the last was answered or given up. It ends early with ctx,
// and if nobody listens.
func (o options) pace(ctx context.Context, client *http.Client, count *tally, total int, every time.Duration) error {
	posting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(pimPatience, giveUp) })()

	copies := 1
	if o.duplicate {
		copies = 2
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, maxInFlight)
	started := time.Now()
	for i, place := range places(total, o.shuffle) {
		due := started.Add(time.Duration(i) * every)
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
		if ctx.Err() != nil || count.hopeless() {
			return nil
		}
		happened := started.Add(time.Duration(place) * every)
		signed, err := o.request(happened.Add(-o.age), time.Now().Add(-o.age), true)
		if err != nil {
			return err
		}
		for range copies {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			sending.Go(func() {
				defer func() { <-slots }()
				status, err := o.post(posting, client, signed)
				count.add(status, err, time.Since(due)) // from when it was due: who keeps us from sending is not fast
			})
		}
	}
	return nil
}

// post sends one request and returns the answer's status.
func (o options) post(ctx context.Context, client *http.Client, signed request) (status int, err error) {
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
