// Package destination plays the system that actions call: it takes every request, remembers it, and honours
// Idempotency-Key as a careful system does.
package destination

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Destination listens until it is closed. Safe for concurrent use.
type Destination struct {
	URL string // where it listens

	server *httptest.Server
	mu     sync.Mutex
	calls  []Call
	first  map[string]Call // by Idempotency-Key
	twice  []string        // keys that came with two contents
	before func()
}

// Call is a request that came.
type Call struct {
	Path   string
	Header http.Header
	Body   []byte
}

// Key is the call's Idempotency-Key.
func (c Call) Key() string { return c.Header.Get("Idempotency-Key") }

// Listen starts a Destination on any free port of a host.
func Listen(host string) (*Destination, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	d := &Destination{first: map[string]Call{}}
	d.server = httptest.NewUnstartedServer(http.HandlerFunc(d.take))
	d.server.Listener.Close()
	d.server.Listener = listener
	d.server.Start()
	d.URL = d.server.URL
	return d, nil
}

// Close stops it.
func (d *Destination) Close() { d.server.CloseClientConnections(); d.server.Close() }

// take answers 204.
func (d *Destination) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever asked has gone
	}
	d.mu.Lock()
	call := Call{Path: r.URL.Path, Header: r.Header, Body: body}
	d.calls = append(d.calls, call)
	key := call.Key()
	if key == "" {
		key = fmt.Sprintf("none-%d", len(d.calls))
	}
	if earlier, known := d.first[key]; !known {
		d.first[key] = call
	} else if string(earlier.Body) != string(body) {
		d.twice = append(d.twice, key)
	}
	before := d.before
	d.mu.Unlock()
	if before != nil {
		before()
	}
	w.WriteHeader(http.StatusNoContent)
}

// Before has a function called while each request waits for its answer; nil: none.
func (d *Destination) Before(call func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = call
}

// Calls are all that came, repeated ones too.
func (d *Destination) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Call{}, d.calls...)
}

// Applied are the first calls of each key at a path.
func (d *Destination) Applied(path string) (found []Call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, call := range d.first {
		if call.Path == path {
			found = append(found, call)
		}
	}
	return found
}

// Contradictions are the keys that came with two contents.
func (d *Destination) Contradictions() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.twice...)
}
