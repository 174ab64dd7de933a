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
)

const (
	contentType = "application/json"
	userAgent   = "pim-functions-events"

	noHeader    = "none"           // value of --header: no signature is sent
	pimPatience = 5 * time.Second  // how long the PIM waits for an answer
	patience    = 30 * time.Second // how long we do, to show what comes later
	maxAnswer   = 1 << 20          // bytes of an answer that are shown
)

// send sends the request to a running system as its sender does and prints what came back. It says whether the answer
// was a 2xx.
func (r request) send(ctx context.Context, out io.Writer, base *url.URL) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	post, err := r.http(ctx, base)
	if err != nil {
		return false, err
	}
	signed := "unsigned"
	if len(r.header) > 0 {
		signed = "signed in " + strings.Join(slices.Sorted(maps.Keys(r.header)), ", ")
	}
	fmt.Fprintf(out, "%s %s (%d bytes, %s)\n", r.method, post.URL, len(r.body), signed)

	// A redirect is shown, not followed: the senders follow none.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	started := time.Now()
	answer, err := client.Do(post)
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

// hinted is a failed request's error, which names method and URL, with what to do if nobody listens there.
func hinted(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w (does the local system run? start it with `make run`)", err)
	}
	return err
}

// http is the request to a running system.
func (r request) http(ctx context.Context, base *url.URL) (*http.Request, error) {
	post, err := http.NewRequestWithContext(ctx, r.method, base.JoinPath(r.path).String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	post.Header.Set("Content-Type", contentType)
	post.Header.Set("User-Agent", userAgent)
	for name, value := range r.header {
		post.Header.Set(name, value)
	}
	return post, nil
}

// parseBase reads the address of a running system, to which a path is added.
func parseBase(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("URL %q: want one like http://localhost:8080", raw)
	}
	return base, nil
}
