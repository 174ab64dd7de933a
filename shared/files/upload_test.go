package files_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/pim-functions/pim-functions/shared/files"
)

// uploadContract is what a file that is made of pieces must do in every Store.
var uploadContract = map[string]func(*testing.T, files.Store){
	"pieces become a file": func(t *testing.T, store files.Store) {
		key := files.ExportKey("7d", "job-1", "catalogue.csv")
		upload := begin(t, store, key)
		upload = add(t, store, upload, bytes.Repeat([]byte("a"), files.MinPiece))
		upload = add(t, store, upload, []byte("the end"))
		if upload.Pieces != 2 || upload.Bytes != files.MinPiece+7 {
			t.Errorf("upload %+v", upload)
		}
		if _, err := store.Size(t.Context(), key); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("the file is there before its end: %v", err)
		}
		if got := list(t, store, "export/"); got != "" {
			t.Errorf("listed before its end: %s", got)
		}
		for range 2 { // the answer of the first was lost
			complete(t, store, upload)
		}
		if got := read(t, store, key); len(got) != files.MinPiece+7 || !bytes.HasSuffix(got, []byte("aathe end")) {
			t.Errorf("%d bytes", len(got))
		}
		if err := store.Abort(t.Context(), upload); err != nil {
			t.Errorf("abort of what is complete: %v", err)
		}
		if size, err := store.Size(t.Context(), key); err != nil || size != files.MinPiece+7 {
			t.Errorf("size %d, %v", size, err)
		}
	},
	"a turn ends with a piece, the last one with the file": func(t *testing.T, store files.Store) {
		key, calls := files.ExportKey("7d", "job-1", "catalogue.csv"), 0
		next, whole, err := files.Continue(t.Context(), store, key, "text/csv", nil, func(w *files.Writer) (bool, error) {
			for !w.Stored() {
				calls++
				if _, err := w.Write(bytes.Repeat([]byte("a"), files.PieceSize-1)); err != nil {
					return false, err
				}
			}
			return true, nil
		})
		if err != nil || whole || calls != 2 || next.Pieces != 1 {
			t.Fatalf("%+v, whole %t, %d calls, %v", next, whole, calls, err)
		}
		failed := errors.New("no row")
		if _, whole, err := files.Continue(t.Context(), store, key, "text/csv", &next, func(*files.Writer) (bool, error) { return false, failed }); whole || !errors.Is(err, failed) {
			t.Errorf("whole %t, %v", whole, err)
		}
		next, whole, err = files.Continue(t.Context(), store, key, "text/csv", &next, func(w *files.Writer) (bool, error) {
			_, err := w.Write([]byte("the end"))
			return w.Stored(), err
		})
		if got := read(t, store, key); err != nil || !whole || len(got) != 2*(files.PieceSize-1)+7 || int64(len(got)) != next.Bytes {
			t.Errorf("%d bytes, %+v, whole %t, %v", len(got), next, whole, err)
		}
	},
	"no piece is an empty file": func(t *testing.T, store files.Store) {
		upload := begin(t, store, "x/empty")
		for range 2 {
			complete(t, store, upload)
		}
		if size, err := store.Size(t.Context(), "x/empty"); err != nil || size != 0 {
			t.Errorf("size %d, %v", size, err)
		}
	},
	"it replaces what was there": func(t *testing.T, store files.Store) {
		put(t, store, "x/file", []byte("a longer content than the next"))
		complete(t, store, add(t, store, begin(t, store, "x/file"), []byte("short")))
		if got := read(t, store, "x/file"); string(got) != "short" {
			t.Errorf("%q", got)
		}
	},
	"a run goes on from its saved state": func(t *testing.T, store files.Store) {
		saved := add(t, store, begin(t, store, "x/file"), bytes.Repeat([]byte("1"), files.MinPiece))
		lost := add(t, store, saved, bytes.Repeat([]byte("x"), files.MinPiece)) // killed before the state was saved
		add(t, store, lost, []byte("never counted"))
		upload := add(t, store, saved, []byte("2"))
		complete(t, store, upload)
		if got := read(t, store, "x/file"); len(got) != files.MinPiece+1 || got[files.MinPiece] != '2' {
			t.Errorf("%d bytes", len(got))
		}
	},
	"the same piece twice": func(t *testing.T, store files.Store) {
		first := begin(t, store, "x/file")
		add(t, store, first, []byte("once"))
		complete(t, store, add(t, store, first, []byte("once")))
		if got := read(t, store, "x/file"); string(got) != "once" {
			t.Errorf("%q", got)
		}
	},
	"two files of one key are two uploads": func(t *testing.T, store files.Store) {
		one, two := begin(t, store, "x/file"), begin(t, store, "x/file")
		one, two = add(t, store, one, []byte("one")), add(t, store, two, []byte("second"))
		complete(t, store, one)
		complete(t, store, two)
		if got := read(t, store, "x/file"); string(got) != "second" {
			t.Errorf("%q", got)
		}
	},
	"what was aborted is gone": func(t *testing.T, store files.Store) {
		upload := add(t, store, begin(t, store, "x/file"), []byte("x"))
		for range 2 {
			if err := store.Abort(t.Context(), upload); err != nil {
				t.Error(err)
			}
		}
		if _, err := store.Append(t.Context(), files.Upload{Key: upload.Key, ID: upload.ID}, []byte("x")); !errors.Is(err, files.ErrUploadGone) {
			t.Errorf("append: %v", err)
		}
		if err := store.Complete(t.Context(), upload); !errors.Is(err, files.ErrUploadGone) {
			t.Errorf("complete: %v", err)
		}
	},
	"a piece that was never stored": func(t *testing.T, store files.Store) {
		upload := begin(t, store, "x/file")
		upload.Pieces, upload.Bytes = 1, 7
		if err := store.Complete(t.Context(), upload); !errors.Is(err, files.ErrUploadGone) {
			t.Errorf("complete: %v", err)
		}
	},
	"pieces that S3 refuses at the end": func(t *testing.T, store files.Store) {
		upload := begin(t, store, "x/file")
		short := add(t, store, upload, []byte("short"))
		full := upload
		full.Pieces = files.MaxPieces
		for name, row := range map[string]struct {
			upload files.Upload
			bytes  int
		}{"nothing": {upload, 0}, "too large": {upload, files.MaxPiece + 1}, "after a short one": {short, files.MinPiece}, "too many": {full, 1}} {
			if got, err := store.Append(t.Context(), row.upload, make([]byte, row.bytes)); err == nil || got != row.upload {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	},
	"a killed writer, at each piece": func(t *testing.T, store files.Store) {
		want := writeRows(t, store, "x/whole", -1)
		for kill := range 3 {
			if got := writeRows(t, store, fmt.Sprintf("x/killed-%d", kill), kill); !bytes.Equal(got, want) {
				t.Errorf("killed after piece %d: %d bytes, want %d", kill, len(got), len(want))
			}
		}
	},
}

// writeRows makes a file of 300 rows of about 70 KB with a Writer, in turns: after as many pieces as kill says the state
// is lost once, as that of a run that is killed before it is saved; each turn begins from the state as JSON.
func writeRows(t *testing.T, store files.Store, key string, kill int) []byte {
	t.Helper()
	type state struct {
		Upload files.Upload
		Next   int
	}
	now := state{Upload: begin(t, store, key)}
	for done := false; !done; {
		text, err := json.Marshal(now)
		if err != nil || len(text) > 600 {
			t.Fatalf("a state of %d bytes, %v", len(text), err)
		}
		if err := json.Unmarshal(text, &now); err != nil {
			t.Fatal(err)
		}
		writer := files.NewWriter(t.Context(), store, now.Upload)
		saved := now
		for row := now.Next; row < 300; row++ {
			if _, err := writer.Write(bytes.Repeat(fmt.Appendf(nil, "row %d;", row), 14_000)[:70_000-row]); err != nil {
				t.Fatal(err)
			}
			if upload := writer.Upload(); upload.Pieces > saved.Upload.Pieces {
				saved = state{upload, row + 1}
				break // one piece in each turn
			}
		}
		if saved == now { // the rest
			if saved.Upload, err = writer.Flush(); err != nil {
				t.Fatal(err)
			}
			done = true
		}
		if saved.Upload.Pieces == kill+1 && kill >= 0 {
			kill, done = -1, false
			continue // nothing of this turn was saved
		}
		now = saved
	}
	for range 2 {
		complete(t, store, now.Upload)
	}
	return read(t, store, key)
}

func begin(t *testing.T, store files.Store, key string) files.Upload {
	t.Helper()
	upload, err := store.Begin(t.Context(), key, "text/csv")
	if err != nil {
		t.Fatal(err)
	}
	return upload
}

func add(t *testing.T, store files.Store, upload files.Upload, piece []byte) files.Upload {
	t.Helper()
	upload, err := store.Append(t.Context(), upload, piece)
	if err != nil {
		t.Fatal(err)
	}
	return upload
}

func complete(t *testing.T, store files.Store, upload files.Upload) {
	t.Helper()
	if err := store.Complete(t.Context(), upload); err != nil {
		t.Fatal(err)
	}
}

// counted are Uploads that keep sizes alone and fail on request.
type counted struct {
	files.Uploads
	sizes []int
	fail  int // the piece, from 1, whose append fails
}

func (c *counted) Append(_ context.Context, upload files.Upload, piece []byte) (files.Upload, error) {
	if len(c.sizes)+1 == c.fail {
		return upload, io.ErrUnexpectedEOF
	}
	c.sizes = append(c.sizes, len(piece))
	upload.Pieces++
	return upload, nil
}

func TestAWritersPieces(t *testing.T) {
	const size = files.PieceSize
	for _, row := range []struct {
		name   string
		writes []int
		want   []int
	}{
		{"nothing", nil, nil},
		{"little", []int{1, 2, 0}, []int{3}},
		{"a piece ends with a write", []int{size - 1, 10, 5}, []int{size + 9, 5}},
		{"exactly one", []int{size}, []int{size}},
		{"one write of several pieces", []int{10, 2*files.MaxPiece + 7}, []int{files.MaxPiece, files.MaxPiece, 17}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var store counted
			writer := files.NewWriter(t.Context(), &store, files.Upload{})
			for _, bytes := range row.writes {
				if n, err := writer.Write(make([]byte, bytes)); err != nil || n != bytes {
					t.Fatalf("%d, %v", n, err)
				}
			}
			if _, err := writer.Flush(); err != nil || fmt.Sprint(store.sizes) != fmt.Sprint(row.want) {
				t.Errorf("pieces %v, want %v, %v", store.sizes, row.want, err)
			}
		})
	}
}

func TestAWriterNamesWhatFailed(t *testing.T) {
	store := counted{fail: 2}
	writer := files.NewWriter(t.Context(), &store, files.Upload{})
	if _, err := writer.Write(make([]byte, files.PieceSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(make([]byte, files.PieceSize)); !errors.Is(err, io.ErrUnexpectedEOF) || writer.Upload().Pieces != 1 {
		t.Errorf("%+v, %v", writer.Upload(), err)
	}
}
