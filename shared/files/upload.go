package files

import (
	"context"
	"errors"
	"fmt"
)

// Sizes of an upload's pieces, in bytes, and how many there may be (Amazon S3, "Multipart upload limits").
const (
	MinPiece  = 5 << 20  // of every piece but the last
	PieceSize = 8 << 20  // at which a Writer ends a piece
	MaxPiece  = 64 << 20 // ours: so much is held in memory
	MaxPieces = 10_000
)

// ErrUploadGone: the upload was aborted, or ended by the bucket after 7 days. The file has to be made again.
var ErrUploadGone = errors.New("no such upload")

// Upload is a file that is being made. It is small and becomes JSON: a run keeps it in its state, beside its position in
// what it writes, and another invocation goes on from there.
type Upload struct {
	Key    string `json:"key"`             // of the file when it is whole
	ID     string `json:"id"`              // from Begin
	Pieces int    `json:"pieces"`          // that are stored
	Bytes  int64  `json:"bytes"`           // in them
	Short  bool   `json:"short,omitempty"` // the last is below MinPiece: no other may follow
}

// Uploads make a file of pieces. Nobody sees it before Complete.
//
// An Upload value says what counts: pieces that were appended after it was saved are replaced when the run goes on from
// it, or dropped by Complete. So a run that is killed anywhere, and begins again from its last saved state, makes the same
// file, as long as the same state writes the same bytes.
type Uploads interface {
	// Begin starts a file. One that is never completed is ended by the bucket after 7 days.
	Begin(ctx context.Context, key, contentType string) (Upload, error)
	// Append stores the next piece, MinPiece to MaxPiece bytes (the last may be shorter), and returns the upload with it.
	// ErrUploadGone.
	Append(ctx context.Context, upload Upload, piece []byte) (Upload, error)
	// Complete makes the file of the upload's pieces, and replaces what was there; an upload without pieces is an empty
	// file. It may be repeated, also after a success whose answer was lost. ErrUploadGone.
	Complete(ctx context.Context, upload Upload) error
	// Abort drops an upload; one that is gone is no error.
	Abort(ctx context.Context, upload Upload) error
}

// Writer appends what is written to an upload. A piece ends where a call of Write ends: whoever writes a row with one call
// saves its state whenever a piece is Stored, together with the row's position. Continue is one turn of that.
type Writer struct {
	ctx    context.Context
	store  Uploads
	upload Upload
	before int    // pieces that were stored when the writer was made
	buffer []byte // below PieceSize, between calls
}

// Continue does one turn's work on a file: it begins the upload if there is none yet, has write write, and completes the file.
// If write says that more is to come, which it does once a piece is Stored, the file is not whole: the next turn goes on with
// the upload that is returned, and with what follows the last call of Write. ErrUploadGone.
func Continue(ctx context.Context, store Uploads, key, contentType string, upload *Upload, write func(*Writer) (more bool, err error)) (next Upload, whole bool, err error) {
	if upload == nil {
		begun, err := store.Begin(ctx, key, contentType)
		if err != nil {
			return Upload{}, false, fmt.Errorf("begin file: %w", err)
		}
		upload = &begun
	}
	writer := NewWriter(ctx, store, *upload)
	more, err := write(writer)
	if err != nil || more {
		return writer.Upload(), false, err
	}
	if next, err = writer.Flush(); err != nil {
		return next, false, err
	}
	if err := store.Complete(ctx, next); err != nil {
		return next, false, err
	}
	return next, true, nil
}

// NewWriter goes on with an upload. It holds at most one piece and what one call writes.
func NewWriter(ctx context.Context, store Uploads, upload Upload) *Writer {
	return &Writer{ctx: ctx, store: store, upload: upload, before: upload.Pieces}
}

// Write implements io.Writer. After an error the writer is of no more use: go on from the last saved Upload.
func (w *Writer) Write(content []byte) (int, error) {
	for rest := content; len(rest) > 0; {
		size := min(len(rest), MaxPiece-len(w.buffer)) // of what is larger than a piece may be, more than one is made
		w.buffer = append(w.buffer, rest[:size]...)
		rest = rest[size:]
		if len(w.buffer) >= PieceSize && (len(rest) == 0 || len(w.buffer) == MaxPiece) {
			if err := w.append(); err != nil {
				return len(content) - len(rest), err
			}
		}
	}
	return len(content), nil
}

// Upload is what is stored so far: without what the writer still holds.
func (w *Writer) Upload() Upload { return w.upload }

// Stored says that the writer has stored a piece, which ended with the last call of Write.
func (w *Writer) Stored() bool { return w.upload.Pieces > w.before }

// Flush stores what the writer still holds as the last piece; Complete is what follows.
func (w *Writer) Flush() (Upload, error) {
	if len(w.buffer) > 0 {
		if err := w.append(); err != nil {
			return w.upload, err
		}
	}
	return w.upload, nil
}

func (w *Writer) append() error {
	upload, err := w.store.Append(w.ctx, w.upload, w.buffer)
	if err != nil {
		return err
	}
	w.upload, w.buffer = upload, w.buffer[:0]
	return nil
}

// with is the upload with one piece more.
func (u Upload) with(piece []byte) Upload {
	u.Pieces++
	u.Bytes += int64(len(piece))
	u.Short = len(piece) < MinPiece
	return u
}

// checkPiece refuses what S3 would refuse at the end, when it is too late.
func checkPiece(upload Upload, piece []byte) error {
	switch {
	case len(piece) == 0 || len(piece) > MaxPiece:
		return fmt.Errorf("append to file: a piece of %d bytes", len(piece))
	case upload.Pieces >= MaxPieces:
		return fmt.Errorf("append to file: it has %d pieces already", upload.Pieces)
	case upload.Short:
		return errors.New("append to file: a short piece was its last")
	}
	return nil
}
