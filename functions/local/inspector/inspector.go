// Package inspector shows what happens in the local system: an API below /_local/ and a page over it. It also plays the
// senders on request, and works the switches: the destination's mode, redrive, wake. It answers this machine alone, and
// decides nothing about the work.
package inspector

import (
	"log/slog"
	"net/http"
	"net/url"

	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Config is what an Inspector needs. All fields but Problems are required.
type Config struct {
	Functions   *url.URL // address of the functions
	Extensions  *config.Config
	Signing     *secrets.Cache[secrets.Signing]
	Cloud       *cloud.Cloud
	PIM         *pim.PIM
	Destination *destination.Destination
	Recorder    *Recorder
	Log         *slog.Logger
	Problems    []string // of the configuration and the secrets, as lines
}

// Inspector is an http.Handler of the page and its API.
type Inspector struct {
	config Config
	routes http.Handler
	closed chan struct{}
}

// New is an Inspector.
func New(config Config) *Inspector {
	i := &Inspector{config: config, closed: make(chan struct{})}
	i.routes = i.handlers()
	return i
}

// Close ends the page's streams: a server that shuts down waits for them. It must be called once.
func (i *Inspector) Close() { close(i.closed) }

// ServeHTTP serves the page and its API.
func (i *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.routes.ServeHTTP(w, r) }
