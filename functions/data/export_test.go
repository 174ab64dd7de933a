package data

import (
	"context"

	"github.com/pim-functions/pim-functions/shared/config"
)

// Ask is a lookup without a request: what is shown, or what came of it.
func Ask(ctx context.Context, l *Lookups, extension config.Extension, id string) string {
	got := l.ask(ctx, extension, id)
	if got.outcome == found {
		return string(got.body)
	}
	return got.outcome
}
