// Package pim plays the PIM: its pages in a browser, where extensions are shown, its server, which calls them, and its
// events. It has an origin of its own, so that an embedded page is as foreign to it as on AWS: the PIM is at 127.0.0.1,
// what it embeds at localhost.
package pim

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// Config is what a PIM needs. All fields are required.
type Config struct {
	URL        string // the PIM's own origin
	Functions  *url.URL
	Frames     string // origin of the pages that the PIM embeds
	Extensions *config.Config
	Signing    *secrets.Cache[secrets.Signing]
	REST       *pimtest.PIM      // the catalogue, what is registered, and the REST API over it
	Platform   *platformtest.API // the Event Platform of this PIM
}

// PIM is an http.Handler of the PIM's pages, and the sender of what the PIM sends.
type PIM struct {
	config Config
	routes http.Handler
}

// New is a PIM. It sends nothing by itself but how the jobs end that its REST API is asked to launch.
func New(config Config) *PIM {
	p := &PIM{config: config}
	config.REST.OnLaunch(func(x pimtest.Execution) { go p.playExecution(x) })
	p.routes = p.pages()
	return p
}

// URL is the PIM's origin.
func (p *PIM) URL() string { return p.config.URL }

// maxAnswer is how much of an answer the PIM reads, in bytes; the rest is left out.
const maxAnswer = 1 << 20

// send calls a function over HTTP, as its sender does.
func (p *PIM) send(ctx context.Context, request senders.Request) (status int, answer []byte, err error) {
	made, err := request.HTTP(ctx, p.config.Functions)
	if err != nil {
		return 0, nil, err
	}
	response, err := http.DefaultClient.Do(made)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, answer, err
}
