package awsconfig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	dialTimeout      = 2 * time.Second
	handshakeTimeout = 3 * time.Second
	answerTimeout    = 25 * time.Second // until the header: a long poll of SQS takes up to 20 s
	idleTimeout      = 90 * time.Second
	maxIdlePerHost   = 16
	maxWarmAnswer    = 64 << 10 // bytes read of an answer to Warm; a connection is used again only when it is read out
)

//go:embed amazon.pem
var amazonPEM []byte

// amazonRoots is the trust that AWS's endpoints need. Loading the system's (150 certificates on Amazon Linux) was
// the largest single part of a cold start.
func amazonRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(amazonPEM)
	return pool
}

// newClient makes the HTTP client. It trusts first, and where that knows no authority for the certificate, second
// (nil: the system's roots): AWS may move to a root that is not embedded here, and a company's proxy has its own.
func newClient(first, second *x509.CertPool) *http.Client {
	dialer := &tlsDialer{
		plain:  net.Dialer{Timeout: dialTimeout},
		first:  tls.Config{RootCAs: first, MinVersion: tls.VersionTLS12},
		second: tls.Config{RootCAs: second, MinVersion: tls.VersionTLS12},
	}
	return &http.Client{
		Transport: wholeBodies{&http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.plain.DialContext,
			DialTLSContext:        dialer.dial,
			MaxIdleConnsPerHost:   maxIdlePerHost,
			IdleConnTimeout:       idleTimeout,
			TLSHandshakeTimeout:   handshakeTimeout,
			ResponseHeaderTimeout: answerTimeout,
		}},
		// AWS's APIs do not redirect, and a signed request must not follow one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// tlsDialer opens verified connections. Both tries are crypto/tls's own verification, host name included; nothing
// is skipped and redone here, where it could be done wrong.
type tlsDialer struct {
	plain         net.Dialer
	first, second tls.Config
}

func (d *tlsDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.handshake(ctx, network, address, &d.first)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return d.handshake(ctx, network, address, &d.second)
	}
	return conn, err
}

func (d *tlsDialer) handshake(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+handshakeTimeout)
	defer cancel()
	dialer := tls.Dialer{NetDialer: &d.plain, Config: config}
	return dialer.DialContext(ctx, network, address)
}

// Warm opens a connection to each URL, all at once, and leaves them idle in the client: the first calls then find
// TCP and TLS done. Give it the HTTPClient of New's result, while secrets are being fetched. What fails is left to
// the first call, which will say so.
func Warm(ctx context.Context, client aws.HTTPClient, urls ...string) {
	var all sync.WaitGroup
	for _, url := range urls {
		all.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
			if err != nil {
				return
			}
			response, err := client.Do(request)
			if err != nil {
				return
			}
			defer response.Body.Close()
			io.Copy(io.Discard, io.LimitReader(response.Body, maxWarmAnswer))
		})
	}
	all.Wait()
}
