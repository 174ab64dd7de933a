// Package senders makes requests as those make and sign them who call us: the PIM's buttons, pages and data components,
// the Events API, the Event Platform, Contentful, SQS. It has one file for each sender, and the samples of events/ as
// their senders send them.
//
// It is for whoever plays a sender: the command line, the local system, tests and the walks through a deployment. Nothing
// that runs on AWS imports it, and nobody else signs. It makes requests; it sends none.
package senders

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
)

const (
	contentType = "application/json"
	userAgent   = "pim-functions-senders"
)

// Request is one that is ready to go, to any address at which a stage listens.
type Request struct {
	Method string
	Path   string            // below the stage's address: escaped, from its first slash on
	Query  url.Values        // nil: none
	Header map[string]string // what proves the sender and its context; names in lower case
	Body   []byte            // nil: none
}

// HTTP is the request to a running system.
func (r Request) HTTP(ctx context.Context, base *url.URL) (*http.Request, error) {
	address := base.JoinPath(r.Path)
	address.RawQuery = r.Query.Encode()
	request, err := http.NewRequestWithContext(ctx, r.Method, address.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	for name, value := range r.header() {
		request.Header.Set(name, value)
	}
	return request, nil
}

// header is all that the sender sets.
func (r Request) header() map[string]string {
	all := map[string]string{"user-agent": userAgent}
	if len(r.Body) > 0 {
		all["content-type"] = contentType
	}
	for name, value := range r.Header {
		all[name] = value
	}
	return all
}

// Tampered is the request with one byte of its body changed after it was signed. A body that was valid JSON still is:
// only the signature can tell.
func (r Request) Tampered() Request {
	changed := bytes.Clone(r.Body)
	if i := bytes.LastIndexAny(changed, "0123456789"); i >= 0 {
		changed[i] ^= 1 // a neighbour: 6 becomes 7, 7 becomes 6
	} else {
		changed = append(changed, ' ')
	}
	r.Body = changed
	return r
}

// NewUUID is a random UUID (RFC 9562, version 4).
func NewUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
