package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
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

// Put implements Store.
func (f *Folder) Put(ctx context.Context, key string, content []byte, _ string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := filepath.FromSlash(key)
	if err := f.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return failed("store file", folderError(err))
	}
	if err := f.write(name, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
		return failed("store file", err)
	}
	return nil
}

// write makes a file whose folder exists: beside its place, under a name of its own, and then renames.
func (f *Folder) write(name string, fill func(io.Writer) error) error {
	beside := filepath.Join(filepath.Dir(name), besidePrefix+rand.Text())
	file, err := f.root.Create(beside)
	if err != nil {
		return folderError(err)
	}
	err = fill(file)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = f.root.Rename(beside, name)
	}
	if err != nil {
		return errors.Join(folderError(err), folderError(f.root.Remove(beside)))
	}
	return nil
}

// besidePrefix begins the names of files that are not whole yet. No key has such a segment.
const besidePrefix = ".part-"

// Open implements Store.
func (f *Folder) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	return f.OpenAt(ctx, key, 0)
}

// OpenAt implements Store.
func (f *Folder) OpenAt(ctx context.Context, key string, from int64) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := f.root.Open(filepath.FromSlash(key))
	if err != nil {
		return nil, folderError(err)
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return nil, errors.Join(folderError(err), file.Close())
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

// List implements Store.
func (f *Folder) List(ctx context.Context, folder string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		list, err := f.list(ctx, folder)
		for _, file := range list {
			if !yield(file, nil) {
				return
			}
		}
		if err != nil {
			yield(File{}, err)
		}
	}
}

func (f *Folder) list(ctx context.Context, folder string) ([]File, error) {
	var list []File
	err := fs.WalkDir(f.root.FS(), path.Clean(folder), func(name string, entry fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && name == uploads {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), besidePrefix) {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		list = append(list, File{Key: name, Bytes: info.Size()})
		return nil
	})
	if err != nil {
		return nil, failed("list files", folderError(err))
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// Delete implements Store.
func (f *Folder) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.root.Remove(filepath.FromSlash(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed("delete file", folderError(err))
		}
	}
	return nil
}

// folderError makes ErrNotFound of what is not there. The name of the file stays out: it may hold what users wrote.
func folderError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s file: %w", path.Base(failed.Op), failed.Err)
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return fmt.Errorf("%s file: %w", path.Base(failed.Op), failed.Err)
	}
	return err
}
