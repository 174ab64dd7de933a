package secrets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// connectionsID is the ID of the connection document in a file.
const connectionsID = "connections"

// File is a Documents for the local system: one JSON file with all documents, by ID:
// {"signing":{…},"connections":{…}}. Only the first must be there; without the second nothing is connected. The file is
// for sample values and a developer's own machine; nothing in it is encrypted.
type File struct {
	path string
}

var _ Documents = (*File)(nil)

// NewFile makes a source of the file at path, which need not exist yet.
func NewFile(path string) *File { return &File{path: path} }

// Get implements Source. It reads the file each time, so that a change is seen at once.
func (f *File) Get(ctx context.Context, id string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	documents, err := f.read()
	if err != nil {
		return nil, err
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

// Read implements Documents. The version is a digest of the document.
func (f *File) Read(ctx context.Context, id string) (Document, error) {
	if err := ctx.Err(); err != nil {
		return Document{}, err
	}
	documents, err := f.read()
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Document{}, err
	}
	return version(documents[id]), nil
}

// version is a document with the digest of its text without white space, which Replace changes.
func version(text json.RawMessage) Document {
	if text == nil {
		return Document{}
	}
	var plain bytes.Buffer
	_ = json.Compact(&plain, text) // it is JSON: it was decoded as a part of the file
	return Document{Text: text, Version: fmt.Sprintf("%x", sha256.Sum256(plain.Bytes()))}
}

// replacing keeps writers of this process apart.
var replacing sync.Mutex

// Replace implements Documents. Other members of the file are kept. The file is replaced in one step, and only its owner
// can read it; one that holds something else is left alone. Between the last look and that step are some microseconds, in
// which the write of another process is not noticed.
func (f *File) Replace(ctx context.Context, id, expected string, text []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	replacing.Lock()
	defer replacing.Unlock()
	documents, err := f.read()
	switch {
	case errors.Is(err, ErrNotFound):
		documents = map[string]json.RawMessage{}
	case err != nil:
		return err
	case documents == nil:
		return fmt.Errorf("secrets file %q is not a JSON object of documents", f.path)
	}
	if !json.Valid(text) {
		return fmt.Errorf("document %q is not JSON: nothing was written", id)
	}
	switch now := version(documents[id]).Version; now {
	case expected:
	case version(text).Version: // written by this call before, or by somebody of the same mind
		return nil
	default:
		return ErrChanged
	}
	documents[id] = text
	whole, err := indent(documents)
	if err != nil {
		return fmt.Errorf("document %q is not JSON: nothing was written", id) // the error's text may quote the document
	}
	return f.replace(whole)
}

func (f *File) replace(whole []byte) error {
	fresh, err := os.CreateTemp(filepath.Dir(f.path), ".secrets-*") // 0600
	if err != nil {
		return fmt.Errorf("write secrets file: %w", err)
	}
	defer os.Remove(fresh.Name()) // nothing is left behind; gone already after the rename
	_, err = fresh.Write(whole)
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return fmt.Errorf("write secrets file: %w", err)
	}
	if err := os.Rename(fresh.Name(), f.path); err != nil {
		return fmt.Errorf("write secrets file: %w", err)
	}
	return nil
}

// read returns the documents by ID. ErrNotFound if there is no file.
func (f *File) read() (map[string]json.RawMessage, error) {
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
	return documents, nil
}

// indent writes JSON for people, without the escapes for HTML.
func indent(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return buffer.Bytes(), err
}
