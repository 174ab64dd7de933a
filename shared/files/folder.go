package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Folder keeps files below a folder of this machine.
type Folder struct{ root *os.Root }

var _ Store = (*Folder)(nil)

// NewFolder makes the folder if it is not there. No key leads out of it.
func NewFolder(folder string) (*Folder, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for files: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open folder for files: %w", err)
	}
	return &Folder{root: root}, nil
}

// Put implements Store: it writes beside, then renames.
func (f *Folder) Put(ctx context.Context, key string, content []byte, _ string) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := filepath.FromSlash(key)
	if err := f.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	beside := name + ".part"
	file, err := f.root.Create(beside)
	if err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("store file: %w", err), f.root.Remove(beside))
	}
	if err := f.root.Rename(beside, name); err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	return nil
}

// Open implements Store.
func (f *Folder) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := f.root.Open(filepath.FromSlash(key))
	if err != nil {
		return nil, folderError(err)
	}
	return file, nil
}

// Size implements Store.
func (f *Folder) Size(ctx context.Context, key string) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	info, err := f.root.Stat(filepath.FromSlash(key))
	switch {
	case err != nil:
		return 0, folderError(err)
	case info.IsDir():
		return 0, ErrNotFound
	}
	return info.Size(), nil
}

// folderError makes ErrNotFound of what is not there. The name of the file stays out: it may hold what users wrote.
func folderError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s file: %w", path.Base(failed.Op), failed.Err)
	}
	return err
}
