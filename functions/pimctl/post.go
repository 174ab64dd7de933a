package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pim-functions/pim-functions/shared/senders"
)

const (
	pimPatience = 5 * time.Second  // how long the PIM waits for an answer
	patience    = 30 * time.Second // how long we do, to show what comes later
	maxAnswer   = 1 << 20          // bytes of an answer that are shown
)

// errRefused: an answer was none of 2xx, or a load lost something. What was printed says more.
var errRefused = errors.New("not everything was answered 2xx")

// do prints or sends the sample.
func (s *sending) do(ctx context.Context, out io.Writer) error {
	if event, ok := s.sample.Queued(s.now()); ok {
		return printJSON(out, event)
	}
	if _, sent := s.sample.Sender(); !sent {
		_, err := out.Write(s.sample.Text)
		return err
	}
	if s.rate > 0 {
		return s.load(ctx, out, network())
	}
	now := s.now()
	at := now.Add(-s.age)
	request, err := s.request(at, at, s.choice.Fresh)
	if err != nil {
		return err
	}
	if s.base == nil {
		return printJSON(out, request.Lambda(now))
	}
	times := s.times
	if s.duplicate {
		times *= 2
	}
	refused := false
	for range times {
		taken, err := post(ctx, out, request, s.base)
		if err != nil {
			return interrupted(ctx, err)
		}
		refused = refused || !taken
	}
	if refused {
		return errRefused
	}
	return nil
}

// interrupted replaces an error that comes from the user's own interrupt.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}

// post sends the request to a running system as its sender does and prints what came back. It says whether the answer
// was a 2xx.
func post(ctx context.Context, out io.Writer, request senders.Request, base *url.URL) (taken bool, err error) {
	call, err := request.HTTP(ctx, base)
	if err != nil {
		return false, err
	}
	proof := "unproven"
	if len(request.Header) > 0 {
		proof = "proof and context in " + strings.Join(slices.Sorted(maps.Keys(request.Header)), ", ")
	}
	fmt.Fprintf(out, "%s %s (%d bytes, %s)\n", request.Method, call.URL, len(request.Body), proof)

	started := time.Now()
	answer, err := client(http.DefaultTransport).Do(call)
	if err != nil {
		return false, hinted(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return false, fmt.Errorf("read answer: %w", err)
	}
	took := time.Since(started)
	fmt.Fprintf(out, "%s in %s\n%s\n", answer.Status, took.Round(time.Millisecond/10), bytes.TrimRight(text, "\n"))
	if took > pimPatience {
		fmt.Fprintf(out, "the PIM would have given up after %s\n", pimPatience)
	}
	return answer.StatusCode/100 == 2, nil
}

// client shows a redirect and does not follow it: the senders follow none.
func client(over http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     over,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}
}

// hinted is a failed request's error, which names method and URL, with what to do if nobody listens there.
func hinted(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w (does the local system run? start it with `make run`)", err)
	}
	return err
}

// parseBase reads the address of a running system, to which a path is added.
func parseBase(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("URL %q: want one like http://localhost:8080", raw)
	}
	return base, nil
}
