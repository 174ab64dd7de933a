// Package files answers the links of files that jobs made, and of images that they hand on (GET /files/{job}/{name}):
// whoever holds a link of ours is sent to an address that gives the file for a few minutes.
//
// It reads no file and makes none: package files keeps them, and the worker signs the links.
package files

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// MaxBody is the largest body in bytes: nobody sends one.
const MaxBody = 1 << 10

// Config of a Handler. All but Metrics are required.
type Config struct {
	Links   *secrets.Cache[secrets.Links]
	Jobs    Jobs
	Signer  address.Signer
	Now     func() time.Time
	Metrics *metric.Sink
}

// Jobs are the records of jobs: a jobs.Store.
type Jobs interface {
	// Get returns a job's record. jobs.ErrNotFound.
	Get(ctx context.Context, id string) (jobs.Job, error)
}

// Handler answers links. It is a web.Handler.
type Handler struct{ config Config }

// New returns a Handler.
func New(config Config) *Handler { return &Handler{config} }

// jobID is what a job's part of an address looks like.
var jobID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ServeRequest answers one click: 302 to where the file is; 410 for a link whose time is over, and for a file that the
// job's record no longer has; 401 with one fixed text for all that no link of ours proves, whatever exists; 405; and 503 if
// our records or the secret cannot be read.
func (h *Handler) ServeRequest(ctx context.Context, req *web.Request) (web.Response, error) {
	if err := gate.Method(req, http.MethodGet, http.MethodHead); err != nil {
		return web.Response{}, err
	}
	path := gate.FindPath(req, "files", jobID.MatchString)
	link := signature.Link{Kind: signature.LinkFiles, Job: path.Name, Name: unescaped(path.Rest)}
	if err := gate.ProveLink(ctx, gate.LinkConfig{Links: h.config.Links, Now: h.config.Now, Metrics: h.config.Metrics}, req, link); err != nil {
		return web.Response{}, err
	}
	key, name, err := h.find(ctx, link)
	if err != nil {
		return web.Response{}, err
	}
	to, err := h.config.Signer.Sign(ctx, req.Method, key, name)
	if err != nil {
		return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "address_not_signed", Err: err}
	}
	req.Log.Add(slog.String("result", "redirected"))
	return web.Response{Status: http.StatusFound, Header: map[string]string{"location": to, "cache-control": "no-store", "referrer-policy": "no-referrer"}}, nil
}

// find is where a proven link's file lies, and its own name.
func (h *Handler) find(ctx context.Context, link signature.Link) (key, name string, err error) {
	if link.Job == address.Media {
		return address.MediaKey(link.Name), address.OwnName(link.Name), nil // lives as long as the longest link to it
	}
	job, err := h.config.Jobs.Get(ctx, link.Job)
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		return "", "", gone("job_gone")
	case err != nil:
		return "", "", &web.Error{Code: web.Unavailable, Reason: "records_unavailable", Err: err}
	}
	for _, file := range job.Files {
		if file.Name == link.Name && h.config.Now().Before(file.Until) {
			return file.Key, file.Name, nil
		}
	}
	return "", "", gone("file_gone")
}

func gone(reason string) error {
	return &web.Error{Code: web.Gone, Reason: reason, Message: "The file is no longer kept. Make it again, or ask whoever sent the link."}
}

// unescaped is a file's name as the link was signed for. What is no escape is a name that no link of ours has.
func unescaped(rest string) string {
	if name, err := url.PathUnescape(rest); err == nil {
		return name
	}
	return rest
}
