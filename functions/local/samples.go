package local

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// The documents' IDs in a secrets file.
const (
	signingID     = "signing"
	connectionsID = "connections"
)

//go:embed secrets.json
var sampleSecrets []byte

// localSecrets is a secrets.Source: a file, or the sample values that everybody knows. ${PORT} in it is the port of
// this system, whose destination is that of the samples.
type localSecrets struct {
	path string // "": the samples
	port int
}

var _ secrets.Source = localSecrets{}

func (s localSecrets) Get(ctx context.Context, id string) ([]byte, error) {
	document, err := s.document(ctx, id)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(document, []byte("${PORT}"), []byte(strconv.Itoa(s.port))), nil
}

func (s localSecrets) document(ctx context.Context, id string) ([]byte, error) {
	if s.path != "" {
		return secrets.NewFile(s.path).Get(ctx, id)
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
