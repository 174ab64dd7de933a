package outbound

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
)

// cause strips what net/http adds: the URL with path and query, which may hold a secret.
func cause(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// describe is a cause in words for the log. Errors of net/http quote what the other side sent ("malformed HTTP
// status code …"), so only those are printed that are known to hold addresses and names alone.
func describe(err error) string {
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return network.Error()
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return lookup.Error()
	}
	if distrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Sprintf("certificate not trusted: %T", distrusted.Err)
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errBlocked):
		return errBlocked.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection broke off"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "the answer is not HTTP"
}
