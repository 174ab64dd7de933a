package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// Link makes links of files (see engine.Config.Link). publicURL is where our functions can be called.
func Link(links *secrets.Cache[secrets.Links], publicURL string) func(context.Context, string, string, time.Time) (string, error) {
	return linker(links, publicURL, signature.LinkFiles)
}

// Callback makes addresses of callbacks (see engine.Config.Callback).
func Callback(links *secrets.Cache[secrets.Links], publicURL string) func(context.Context, string, string, time.Time) (string, error) {
	return linker(links, publicURL, signature.LinkCallback)
}

func linker(links *secrets.Cache[secrets.Links], publicURL, kind string) func(context.Context, string, string, time.Time) (string, error) {
	return func(ctx context.Context, job, name string, until time.Time) (string, error) {
		own, err := links.Get(ctx)
		if err != nil {
			return "", fmt.Errorf("link secret: %w", err)
		}
		return address.Link(publicURL, own.Current, signature.Link{Kind: kind, Job: job, Name: name, Until: until}), nil
	}
}
