package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// connectionsID is the ID of the connection document in a file.
const connectionsID = "connections"

// File is a Source for the local system: one JSON file with all documents, by ID:
// {"signing":{…},"connections":{…}}. Only the first must be there; without the second nothing is connected. The file is
// for sample values and a developer's own machine; nothing in it is encrypted.
type File struct {
	path string
}

var _ Source = (*File)(nil)

// NewFile makes a source of the file at path, which need not exist yet.
func NewFile(path string) *File { return &File{path: path} }

// Get implements Source. It reads the file each time, so that a change is seen at once.
func (f *File) Get(ctx context.Context, id string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read secrets file: %w", err)
	}
	var documents map[string]json.RawMessage
	if err := json.Unmarshal(text, &documents); err != nil {
		return nil, fmt.Errorf("secrets file %q is not a JSON object of documents%s", f.path, place(text, err))
	}
	document, ok := documents[id]
	if !ok && documents != nil && id == connectionsID {
		return []byte("{}"), nil
	}
	if !ok {
		return nil, fmt.Errorf("%w: secrets file %q has no %q", ErrNotFound, f.path, id)
	}
	return document, nil
}
