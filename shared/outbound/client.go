// Package outbound is the one HTTP client for every call we make. Addresses come from configuration, but what a
// name resolves to does not: so calls go over HTTPS only, follow no redirect, use no proxy, never reach an address
// that is not public (checked when the connection is made, after the name was resolved), and take a bounded time
// and a bounded answer.
//
// An error of a call says for itself whether trying again can help (Error).
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/address"
)

const (
	defaultTimeout = 10 * time.Second
	defaultMaxBody = 64 << 10 // bytes of an answer that are kept; reading stops there
	userAgent      = "pim-functions"
)

// Config is what a Client needs.
type Config struct {
	AllowPrivate bool       // any address, and http: for the local system and for tests alone
	Observe      func(Call) // sees every call when it has ended; may be nil
	Now          func() time.Time

	Transport http.RoundTripper // answers in place of the network, for tests alone; nil: the network
}

// Client makes calls. It is safe for concurrent use and keeps connections open.
type Client struct {
	Config
	public, private reach
}

// reach is a client that calls the addresses that are allowed.
type reach struct {
	client  *http.Client
	dialer  *net.Dialer
	allowed func(netip.Addr) bool // nil: all
}

// Request is one call.
type Request struct {
	Method  string
	URL     string
	Header  http.Header
	Body    []byte
	Timeout time.Duration // of the whole call; 0: 10 s
	Private bool          // may reach private networks (RFC 1918, RFC 4193)
	MaxBody int64         // bytes of the answer that are kept; 0: 64 KB

	// KeepErrorBody keeps up to MaxBody bytes of an answer that is not a 2xx, and its headers, in Error.Body and
	// Error.Header, and what a user can read of it in Error.Detail and Error.Reason. The rest of it is not read.
	KeepErrorBody bool

	Action string // for Observe
	Items  int    // for Observe
}

func (r Request) limit() int64 {
	if r.MaxBody <= 0 {
		return defaultMaxBody
	}
	return r.MaxBody
}

// Response is a 2xx answer.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte
	Truncated bool // the answer was longer
}

// Call is what Observe sees: no body, no header but the idempotency key.
type Call struct {
	Action         string
	Method         string
	URL            string
	Status         int // 0: no answer
	Items          int
	IdempotencyKey string
	At             time.Time
	Duration       time.Duration
}

// New returns a Client.
func New(config Config) *Client {
	open := func(allowed func(netip.Addr) bool) reach {
		dialer := newDialer(allowed)
		return reach{newHTTPClient(dialer), dialer, allowed}
	}
	if config.Transport != nil {
		played := open(nil)
		played.client.Transport = config.Transport
		return &Client{Config: config, public: played, private: played}
	}
	if config.AllowPrivate {
		all := open(nil)
		return &Client{Config: config, public: all, private: all}
	}
	return &Client{
		Config:  config,
		public:  open(address.Public),
		private: open(func(ip netip.Addr) bool { return address.Public(ip) || address.Private(ip) }),
	}
}

func newDialer(allowed func(netip.Addr) bool) *net.Dialer {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	if allowed != nil {
		dialer.ControlContext = control(allowed)
	}
	return dialer
}

func newHTTPClient(dialer *net.Dialer) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        60 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // a small answer must not grow into a large one
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do makes a call. Its error is an *Error, or the context's own when ctx has ended.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	target, err := c.check(r)
	if err != nil {
		return nil, err
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(timed, r.Method, target.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, &Error{Method: r.Method, Host: target.Host, kind: malformed}
	}
	if r.Header != nil {
		request.Header = r.Header.Clone()
	}
	request.Header.Set("User-Agent", userAgent)

	call := Call{Action: r.Action, Method: r.Method, URL: target.Scheme + "://" + target.Host + target.EscapedPath(), Items: r.Items, IdempotencyKey: request.Header.Get("Idempotency-Key"), At: c.Now()}
	response, err := c.exchange(request, r)
	if failed, ok := errors.AsType[*Error](err); ok {
		call.Status = failed.Status
	} else if response != nil {
		call.Status = response.Status
	}
	call.Duration = c.Now().Sub(call.At)
	if c.Observe != nil {
		c.Observe(call)
	}
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return response, err
}

func (c *Client) exchange(request *http.Request, r Request) (*Response, error) {
	answer, err := c.reach(r.Private).client.Do(request)
	if err != nil {
		return nil, failure(r.Method, request.URL.Host, err)
	}
	defer answer.Body.Close() // unread bytes close the connection: cheaper than reading an endless answer
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		failed := &Error{Method: r.Method, Host: request.URL.Host, Status: answer.StatusCode, kind: answered, retryAt: retryAfter(answer.Header.Get("Retry-After"), c.Now())}
		if r.KeepErrorBody {
			// The status says enough if the body breaks off.
			failed.Body, _ = io.ReadAll(io.LimitReader(answer.Body, r.limit()))
			failed.Header = answer.Header
			failed.detail = Detail(failed.Body, request.Header)
		}
		return nil, failed
	}
	limit := r.limit()
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return nil, failure(r.Method, request.URL.Host, err)
	}
	response := &Response{Status: answer.StatusCode, Header: answer.Header, Body: body}
	if int64(len(body)) > limit {
		response.Body, response.Truncated = body[:limit], true
	}
	return response, nil
}

func (c *Client) reach(private bool) reach {
	if private {
		return c.private
	}
	return c.public
}

// check refuses a request that may not be sent, before anybody is called.
func (c *Client) check(r Request) (*url.URL, error) {
	target, err := url.Parse(r.URL)
	if err != nil || target.Hostname() == "" || target.User != nil || address.Numeric(target.Hostname()) {
		return nil, &Error{Host: "the URL", kind: malformed}
	}
	if target.Scheme != "https" && (target.Scheme != "http" || !c.AllowPrivate) {
		return nil, &Error{Host: target.Host, kind: insecure}
	}
	ip, err := netip.ParseAddr(target.Hostname())
	if allowed := c.reach(r.Private).allowed; err == nil && allowed != nil && !allowed(ip) {
		return nil, &Error{Host: target.Host, kind: blocked}
	}
	for name, values := range r.Header {
		for _, value := range values {
			if !ValidHeader(name, value) {
				return nil, &Error{Host: "a header of the request to " + target.Host, kind: malformed}
			}
		}
	}
	return target, nil
}

// ValidHeader says whether HTTP allows a header (RFC 9110, 5.5 and 5.6.2): a name of token characters, and a value
// without control characters other than tab.
func ValidHeader(name, value string) bool {
	token := func(r rune) bool {
		return r > ' ' && r < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}
	for _, r := range name {
		if !token(r) {
			return false
		}
	}
	for i := range len(value) {
		if value[i] < ' ' && value[i] != '\t' || value[i] == 0x7f {
			return false
		}
	}
	return name != ""
}

// Dial opens a TCP connection for another protocol than HTTP, to the addresses that a Request would reach. address is host
// and port. Its error is an *Error, or the context's own when ctx has ended.
func (c *Client) Dial(ctx context.Context, address string, private bool) (net.Conn, error) {
	conn, err := c.reach(private).dialer.DialContext(ctx, "tcp", address)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, failure("dial", address, err)
}

func failure(method, host string, err error) *Error {
	failed := &Error{Method: method, Host: host, kind: unreachable, cause: cause(err)}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errBlocked):
		failed.kind = blocked
	case errors.As(err, &timeout) && timeout.Timeout():
		failed.kind = late
	}
	return failed
}
