package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/shared/senders"
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

// load sends new events at a rate, and prints what came of it: once a second a line, at the end a table. Its error says
// that not every request was answered 2xx, or that ctx ended. When ctx ends nothing more is sent; what is under way has as
// long as the PIM would give it, and is in the table.
//
// The loop is our own: what load libraries give (a pace, counts, quantiles) is small beside what they lack here. Events
// are signed when they are due, each perhaps twice; a wait counts from when the request was due, so that a system that
// keeps us from sending is not called fast; and an interrupt leaves nothing uncounted.
func (s *sending) load(ctx context.Context, out io.Writer, over http.RoundTripper) error {
	client := client(over)
	defer client.CloseIdleConnections()
	count := &tally{statuses: map[int]int{}, perSend: s.sample.Events()}
	every := time.Second * time.Duration(count.perSend) / time.Duration(s.rate)
	total := max(int(s.duration/every), 1)
	path, err := s.path()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d requests with %d events each, one every %s\n", path, total, count.perSend, every)

	started := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- s.pace(ctx, client, count, total, every) }()
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
			switch {
			case err != nil:
				return err
			case count.lost() > 0:
				return errRefused
			case ctx.Err() != nil:
				return errors.New("interrupted")
			}
			return nil
		}
	}
}

// path is the method and the address of the requests.
func (s *sending) path() (string, error) {
	request, err := s.request(s.now(), s.now(), false)
	if err != nil {
		return "", err
	}
	return request.Method + " " + s.base.JoinPath(request.Path).String(), nil
}

// pace sends each request when it is due, and returns when the last was answered or given up. It ends early with ctx,
// and if nobody listens.
func (s *sending) pace(ctx context.Context, client *http.Client, count *tally, total int, every time.Duration) error {
	posting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(pimPatience, giveUp) })()

	copies := 1
	if s.duplicate {
		copies = 2
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, maxInFlight)
	started := time.Now()
	for i, place := range places(total, s.shuffle) {
		due := started.Add(time.Duration(i) * every)
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
		if ctx.Err() != nil || count.hopeless() {
			return nil
		}
		happened := started.Add(time.Duration(place) * every)
		request, err := s.request(happened.Add(-s.age), time.Now().Add(-s.age), true)
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
				status, err := s.once(posting, client, request)
				count.add(status, err, time.Since(due))
			})
		}
	}
	return nil
}

// once sends a request and returns the answer's status.
func (s *sending) once(ctx context.Context, client *http.Client, request senders.Request) (status int, err error) {
	call, err := request.HTTP(ctx, s.base)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(call)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, err
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
