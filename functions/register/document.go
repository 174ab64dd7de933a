package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNoDocument: there is no secret document of that ID yet.
var ErrNoDocument = errors.New("no such secret document")

// Documents keeps secret documents.
type Documents interface {
	// Get returns a document. ErrNoDocument.
	Get(ctx context.Context, id string) ([]byte, error)
	// Put makes text the current version of a document, which it creates if there is none.
	Put(ctx context.Context, id string, text []byte) error
}

// File is a Documents in one JSON file with the members signing and connections: what SECRETS_FILE of the local
// system reads. Other members are kept.
type File struct{ Path string }

// Get implements Documents.
func (f File) Get(_ context.Context, id string) ([]byte, error) {
	all, err := f.read()
	if err != nil {
		return nil, err
	}
	if len(all[id]) == 0 {
		return nil, ErrNoDocument
	}
	return all[id], nil
}

// Put implements Documents. The file is replaced in one step and readable by its owner alone.
func (f File) Put(_ context.Context, id string, text []byte) error {
	all, err := f.read()
	if err != nil {
		return err
	}
	all[id] = text
	whole, err := encode(all)
	if err != nil {
		return fmt.Errorf("write %q: %w", f.Path, err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(f.Path), ".secrets-*") // 0600
	if err != nil {
		return fmt.Errorf("write %q: %w", f.Path, err)
	}
	defer os.Remove(fresh.Name()) // nothing is left behind; gone already after the rename
	_, err = fresh.Write(whole)
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return fmt.Errorf("write %q: %w", f.Path, err)
	}
	if err := os.Rename(fresh.Name(), f.Path); err != nil {
		return fmt.Errorf("write %q: %w", f.Path, err)
	}
	return nil
}

func (f File) read() (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	text, err := os.ReadFile(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(text, &all) != nil || all == nil {
		return nil, fmt.Errorf(`%q is not a JSON object {"signing":{…},"connections":{…}}: nothing was written`, f.Path)
	}
	return all, nil
}
