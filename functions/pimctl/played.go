package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// playedHere asks the local system at the URL where the senders are that it plays. Variables that are set win over its answer.
func (c *planning) playedHere(ctx context.Context) error {
	if c.stage != config.Local || !strings.HasPrefix(c.url, "http://") {
		return nil
	}
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})
	answer, err := client.Do(ctx, outbound.Request{Method: http.MethodGet, URL: c.url + "/_local/senders", Timeout: 5 * time.Second})
	if err != nil {
		return fmt.Errorf("nothing answers at %s: start make run: %w", c.url, err)
	}
	if json.Unmarshal(answer.Body, &c.played) != nil {
		return fmt.Errorf("at %s is something else than make run", c.url)
	}
	return nil
}

// samples are the secrets that the local system has where it is given none.
type samples struct{ secrets.Source }

var _ secrets.Documents = samples{}

// Read implements secrets.Documents.
func (s samples) Read(ctx context.Context, id string) (secrets.Document, error) {
	text, err := s.Get(ctx, id)
	if errors.Is(err, secrets.ErrNotFound) {
		return secrets.Document{}, nil
	}
	return secrets.Document{Text: text, Version: "built in"}, err
}

// Replace implements secrets.Documents: what is built in stays.
func (samples) Replace(context.Context, string, string, []byte) error {
	return errors.New("the sample secrets cannot be added to: put a file in SECRETS_FILE of make run, and in --secrets here")
}
