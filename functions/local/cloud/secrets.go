package cloud

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// The documents' IDs in a secrets file.
const (
	Signing     = "signing"
	Connections = "connections"
	Lookups     = "lookups" // may be absent
	Links       = "links"
)

//go:embed secrets.json
var sampleSecrets []byte

// Secrets is a secrets.Source: a file, or sample values that everybody can read. ${PORT} in a document stands for Port:
// the samples name the destination that this system plays.
type Secrets struct {
	Path string // "": the samples
	Port int    // where the local system listens
	Made []byte // the links document where the file has none, see MakeLinks
}

// MakeLinks is a document of links for one run of the local system: what it signs, the next one does not know.
func MakeLinks() []byte { return fmt.Appendf(nil, `{"current":%q}`, rand.Text()+rand.Text()) }

var _ secrets.Source = Secrets{}

// Get implements secrets.Source.
func (s Secrets) Get(ctx context.Context, id string) ([]byte, error) {
	document, err := s.document(ctx, id)
	if id == Links && errors.Is(err, secrets.ErrNotFound) && s.Made != nil {
		return s.Made, nil
	}
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(document, []byte("${PORT}"), []byte(strconv.Itoa(s.Port))), nil
}

func (s Secrets) document(ctx context.Context, id string) ([]byte, error) {
	if s.Path != "" {
		return secrets.NewFile(s.Path).Get(ctx, id)
	}
	var documents map[string]json.RawMessage
	if err := json.Unmarshal(sampleSecrets, &documents); err != nil {
		return nil, fmt.Errorf("sample secrets: %w", err)
	}
	if document, ok := documents[id]; ok {
		return document, nil
	}
	return nil, fmt.Errorf("%w: %q is not among the samples", secrets.ErrNotFound, id)
}
