package register

import (
	"context"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Documents are the secret documents of a deployment. Signing and Connections are required.
type Documents struct {
	Store       secrets.Documents
	Signing     string // IDs of the documents in the store
	Connections string
	Links       string // "": not known here
	Lookups     string // "": there is none
}

// FilledDocument is what became of one document.
type FilledDocument struct {
	ID string
	Filled
}

// Fill adds to each document what extensions.yaml needs and it lacks, and writes those that changed: random secrets of 64
// characters. If somebody else writes meanwhile, both changes stay. Running it again changes nothing. Its error names
// places, never a value.
func (d Documents) Fill(ctx context.Context, c *config.Config) ([]FilledDocument, error) {
	type fill struct {
		id   string
		fill func([]byte, *config.Config) (Filled, error)
	}
	fills := []fill{{d.Signing, FillSigning}, {d.Connections, FillConnections}}
	if d.Lookups != "" && looksUp(c) {
		fills = append(fills, fill{d.Lookups, FillLookups})
	}
	var all []FilledDocument
	for _, one := range fills {
		filled := FilledDocument{ID: one.id}
		err := secrets.Update(ctx, d.Store, one.id, func(text []byte) (next []byte, err error) {
			if filled.Filled, err = one.fill(text, c); err != nil || text != nil && len(filled.Made) == 0 {
				return nil, err
			}
			return filled.Document, nil
		})
		if err != nil {
			return all, fmt.Errorf("%s: %w", one.id, err)
		}
		all = append(all, filled)
	}
	return all, nil
}

// looksUp says whether a data component looks up with a credential.
func looksUp(c *config.Config) bool {
	for _, extension := range c.Extensions {
		if extension.Lookup != nil && extension.Lookup.Auth != "" {
			return true
		}
	}
	return false
}
