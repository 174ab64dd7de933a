package files

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
)

// uploads is the folder of files that are being made: one folder each, one file for each piece. No key begins with a dot.
const uploads = ".uploads"

// Begin implements Uploads.
func (f *Folder) Begin(ctx context.Context, key, _ string) (Upload, error) {
	if err := ctx.Err(); err != nil {
		return Upload{}, err
	}
	upload := Upload{Key: key, ID: rand.Text()}
	if err := f.root.MkdirAll(uploadFolder(upload), 0o700); err != nil {
		return Upload{}, failed("begin file", folderError(err))
	}
	return upload, nil
}

// Append implements Uploads.
func (f *Folder) Append(ctx context.Context, upload Upload, piece []byte) (Upload, error) {
	if err := checkPiece(upload, piece); err != nil {
		return upload, err
	}
	if err := ctx.Err(); err != nil {
		return upload, err
	}
	if !f.hasUpload(upload) {
		return upload, ErrUploadGone
	}
	if err := f.write(pieceName(upload, upload.Pieces+1), func(w io.Writer) error { _, err := w.Write(piece); return err }); err != nil {
		return upload, failed("append to file", err)
	}
	return upload.with(piece), nil
}

// Complete implements Uploads.
func (f *Folder) Complete(ctx context.Context, upload Upload) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !f.hasUpload(upload) {
		if size, err := f.Size(ctx, upload.Key); err == nil && size == upload.Bytes {
			return nil // the answer of an earlier Complete was lost
		}
		return ErrUploadGone
	}
	name := filepath.FromSlash(upload.Key)
	if err := f.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return failed("complete file", folderError(err))
	}
	if err := f.write(name, func(w io.Writer) error { return f.copyPieces(ctx, upload, w) }); err != nil {
		return failed("complete file", err)
	}
	return f.Abort(ctx, upload)
}

func (f *Folder) copyPieces(ctx context.Context, upload Upload, w io.Writer) error {
	for number := 1; number <= upload.Pieces; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece, err := f.root.Open(pieceName(upload, number))
		if errors.Is(err, fs.ErrNotExist) {
			return ErrUploadGone
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(w, piece)
		if err := errors.Join(err, piece.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Abort implements Uploads.
func (f *Folder) Abort(ctx context.Context, upload Upload) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !f.hasUpload(upload) {
		return nil
	}
	if err := f.root.RemoveAll(uploadFolder(upload)); err != nil {
		return failed("drop pieces", folderError(err))
	}
	return nil
}

func (f *Folder) hasUpload(upload Upload) bool {
	if upload.ID == "" {
		return false
	}
	info, err := f.root.Stat(uploadFolder(upload))
	return err == nil && info.IsDir()
}

func uploadFolder(upload Upload) string { return filepath.Join(uploads, Name(upload.ID)) }

func pieceName(upload Upload, number int) string {
	return filepath.Join(uploadFolder(upload), strconv.Itoa(number))
}
