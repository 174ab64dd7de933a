package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/pim"
)

const (
	maxMedia  = 25 << 20            // bytes of a file that is handed on; a larger one fails its item
	mediaLife = 30 * 24 * time.Hour // of a link to it, from the job's beginning
)

// linker makes addresses of ours for a product's files: the worker copies each once, and whoever holds the address can
// read the copy. The same job gives the same addresses, however often it is repeated.
func (i *Invocation) linker(ctx context.Context, client *pim.Client, pimName string, began time.Time) func(code string) (string, error) {
	return func(code string) (string, error) {
		if i.Files == nil || i.Link == nil {
			return "", Permanent("this deployment keeps no files, so that it cannot hand on an image", nil)
		}
		key := files.MediaKey(pimName, code)
		_, err := i.Files.Size(ctx, key)
		if errors.Is(err, files.ErrNotFound) {
			err = i.copyMedia(ctx, client, code, key)
		}
		if err != nil {
			return "", err
		}
		return i.Link(ctx, files.Media, path.Base(key), began.Add(mediaLife))
	}
}

// copyMedia brings a file of the PIM into our store.
func (i *Invocation) copyMedia(ctx context.Context, client *pim.Client, code, key string) error {
	media, err := client.Media(ctx, code, maxMedia)
	switch failed, ok := errors.AsType[*pim.Error](err); {
	case ok && failed.NotFound():
		return Permanent("the PIM no longer has the image", err)
	case ok && failed.TooLarge():
		return Permanent(fmt.Sprintf("the image has more than %d MB", maxMedia>>20), err)
	case err != nil:
		return err
	}
	i.Metrics.Count("PIMCalls", 1)
	if err := i.Files.Put(ctx, key, media.Content, media.Type); err != nil {
		return fmt.Errorf("copy media: %w", err)
	}
	return nil
}
