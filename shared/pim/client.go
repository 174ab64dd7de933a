package pim

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Limits of the REST API (Akeneo: "REST API good practices", "Pagination").
const (
	MaxPage = 100 // items of a page, and of an IN list over identifiers

	maxQuery  = 6 << 10  // bytes of a query: servers take 8 KB of a request line
	maxAnswer = 64 << 20 // bytes of an answer: 100 products with long texts
	timeout   = 30 * time.Second

	attempts     = 3               // of one call, the first included
	shortestWait = time.Second     // before the next attempt where the PIM names no time
	longestWait  = 5 * time.Second // that a call waits itself; a longer pause is the caller's
)

// Config is what a Client needs. All but Sleep are required.
type Config struct {
	Outbound *outbound.Client // its clock is the client's
	URL      string           // the PIM's origin, without a final slash
	Tokens   *Tokens

	// Sleep waits, or returns the context's error; nil: a timer. Tests replace it.
	Sleep func(context.Context, time.Duration) error
}

// Client calls one PIM for one connection, one call at a time: the PIM allows four calls of a connection at once, and a
// worker has as many invocations (Akeneo: "REST API good practices").
//
// A call that is answered 401 is made once more with a new token. A call is made up to three times while the PIM is
// throttled or away and the pause is short. A longer pause, and what stays wrong, is an *Error. It is safe for concurrent
// use.
type Client struct {
	config    Config
	structure structure
	variants  variants
	turn      chan struct{} // holds one value while a call is under way

	calls, bytes, throttled atomic.Int64
	pausedUntil             atomic.Int64 // Unix milliseconds: no call is made before
}

// New returns a Client.
func New(config Config) *Client {
	if config.Sleep == nil {
		config.Sleep = sleep
	}
	c := &Client{config: config, turn: make(chan struct{}, 1)}
	c.structure.attributes = map[string]Attribute{}
	return c
}

// Stats counts what a Client has done since it was made.
type Stats struct {
	Calls     int64 // answered or not, without those for tokens
	Bytes     int64 // of answers
	Throttled int64 // answers that asked for a pause
}

// Stats returns the counts of now.
func (c *Client) Stats() Stats {
	return Stats{Calls: c.calls.Load(), Bytes: c.bytes.Load(), Throttled: c.throttled.Load()}
}

// request is one call of the REST API.
type request struct {
	method  string
	path    string // behind the origin, escaped
	query   url.Values
	header  http.Header
	body    []byte
	limit   int64         // bytes of the answer; 0: maxAnswer
	timeout time.Duration // 0: timeout
	once    bool          // it begins something: it is made again only if the PIM has certainly not done what it asks (Unmade)
}

// target is the path with its query.
func (r request) target() string {
	if len(r.query) == 0 {
		return r.path
	}
	return r.path + "?" + r.query.Encode()
}

// do makes a call and returns its answer. Its error is an *Error, a *TokenError, or the context's own.
func (c *Client) do(ctx context.Context, r request) (*outbound.Response, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.turn }()
	for attempt := 1; ; attempt++ {
		answer, err := c.authorized(ctx, r)
		failed, ok := errors.AsType[*Error](err)
		if !ok {
			return answer, err
		}
		wait, again := c.pause(ctx, failed, attempt)
		if !again || r.once && !failed.unmade() {
			return nil, err
		}
		if err := c.config.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// pause says how long to wait before a failed call is made again, and whether it is.
func (c *Client) pause(ctx context.Context, failed *Error, attempt int) (time.Duration, bool) {
	if failed.Permanent() || attempt >= attempts {
		return 0, false
	}
	wait := shortestWait << (attempt - 1)
	if at := failed.RetryAt(); !at.IsZero() {
		wait = at.Sub(c.config.Outbound.Now())
	}
	if wait > longestWait {
		return 0, false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait+longestWait {
		return 0, false
	}
	return max(wait, 0), true
}

// authorized makes a call with a token, and once more with a new one if that is refused.
func (c *Client) authorized(ctx context.Context, r request) (*outbound.Response, error) {
	token, err := c.config.Tokens.Token(ctx, "")
	if err != nil {
		return nil, err
	}
	answer, err := c.exchange(ctx, r, token)
	if failed, ok := errors.AsType[*Error](err); ok && failed.Status == http.StatusUnauthorized {
		if token, err = c.config.Tokens.Token(ctx, token); err != nil {
			return nil, err
		}
		return c.exchange(ctx, r, token)
	}
	return answer, err
}

// exchange makes one HTTP call, unless the PIM has asked for a pause that is not over.
func (c *Client) exchange(ctx context.Context, r request, token string) (*outbound.Response, error) {
	now := c.config.Outbound.Now()
	if until := time.UnixMilli(c.pausedUntil.Load()); now.Before(until) {
		return nil, &Error{Method: r.method, Path: r.path, Status: http.StatusTooManyRequests, retryAt: until, throttled: true}
	}
	header := http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/json"}}
	for name, values := range r.header {
		header[name] = values
	}
	c.calls.Add(1)
	answer, err := c.config.Outbound.Do(ctx, outbound.Request{
		Method: r.method, URL: c.config.URL + r.target(), Header: header, Body: r.body, Timeout: cmp.Or(r.timeout, timeout),
		MaxBody: cmp.Or(r.limit, maxAnswer), KeepErrorBody: true,
	})
	if err != nil {
		failed := c.failure(r, err)
		if e, ok := errors.AsType[*Error](failed); ok && e.Throttled() {
			c.throttled.Add(1)
			c.pausedUntil.Store(e.RetryAt().UnixMilli())
		}
		return nil, failed
	}
	c.bytes.Add(int64(len(answer.Body)))
	if answer.Truncated {
		return nil, &Error{Method: r.method, Path: r.path, Status: answer.Status, tooLarge: true}
	}
	return answer, nil
}

// getJSON reads a resource. An answer that is no JSON (a gateway's page) may pass.
func (c *Client) getJSON(ctx context.Context, r request, into any) error {
	r.method = http.MethodGet
	answer, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	if err := decode(answer.Body, into); err != nil {
		return &Error{Method: r.method, Path: r.path, Status: answer.Status, malformed: true}
	}
	return nil
}

// escape makes one segment of a path: codes may hold slashes, spaces and what else people write. A code of dots alone
// would name another path.
func escape(code string) string {
	if strings.Trim(code, ".") == "" {
		return strings.ReplaceAll(code, ".", "%2E")
	}
	return url.PathEscape(code)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
