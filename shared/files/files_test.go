package files_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/files"
)

// allClauses is what every Store must do, uploads too.
func allClauses() map[string]func(*testing.T, files.Store) {
	all := maps.Clone(contract)
	maps.Copy(all, uploadContract)
	return all
}

// contract is what every Store must do.
var contract = map[string]func(*testing.T, files.Store){
	"what is stored is read": func(t *testing.T, store files.Store) {
		for _, key := range []string{"media/abc-front.png", "media/ä ö.png", "a/b/c/d.csv"} {
			content := []byte("content of " + key)
			put(t, store, key, content)
			if got := read(t, store, key); !bytes.Equal(got, content) {
				t.Errorf("%s: %q", key, got)
			}
			if size, err := store.Size(t.Context(), key); err != nil || size != int64(len(content)) {
				t.Errorf("%s: size %d, %v", key, size, err)
			}
		}
	},
	"a part of a file": func(t *testing.T, store files.Store) {
		put(t, store, "x/part", []byte("0123456789"))
		for from, want := range map[int64]string{0: "0123456789", 7: "789", 9: "9"} {
			file, err := store.OpenAt(t.Context(), "x/part", from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(file)
			if err := errors.Join(err, file.Close()); err != nil || string(got) != want {
				t.Errorf("from %d: %q, %v", from, got, err)
			}
		}
		if _, err := store.OpenAt(t.Context(), "x/nobody", 3); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("what is not there: %v", err)
		}
	},
	"an empty file is a file": func(t *testing.T, store files.Store) {
		put(t, store, "x/empty", nil)
		if size, err := store.Size(t.Context(), "x/empty"); err != nil || size != 0 {
			t.Errorf("size %d, %v", size, err)
		}
	},
	"a second put replaces": func(t *testing.T, store files.Store) {
		put(t, store, "x/twice", []byte("the longer one"))
		put(t, store, "x/twice", []byte("short"))
		if got := read(t, store, "x/twice"); string(got) != "short" {
			t.Errorf("%q", got)
		}
	},
	"what is not there": func(t *testing.T, store files.Store) {
		put(t, store, "dir/file", []byte("x"))
		for _, key := range []string{"nobody", "dir/nobody", "dir"} {
			if _, err := store.Size(t.Context(), key); !errors.Is(err, files.ErrNotFound) {
				t.Errorf("size of %s: %v", key, err)
			}
		}
		if _, err := store.Open(t.Context(), "dir/nobody"); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("open: %v", err)
		}
	},
	"readers see one content or the other": func(t *testing.T, store files.Store) {
		contents := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 100_000)}
		put(t, store, "x/changing", contents[0])
		var all sync.WaitGroup
		all.Go(func() {
			for i := range 20 {
				put(t, store, "x/changing", contents[i%2])
			}
		})
		for range 20 {
			if got := read(t, store, "x/changing"); !bytes.Equal(got, contents[0]) && !bytes.Equal(got, contents[1]) {
				t.Errorf("%d bytes of both", len(got))
			}
		}
		all.Wait()
	},
	"a list": func(t *testing.T, store files.Store) {
		for _, name := range []string{"b", "a", "c/d", "ä.csv", "b.x"} {
			put(t, store, files.PartsFolder("job")+name, []byte(name))
		}
		put(t, store, files.PartsFolder("job-2")+"z", []byte("of another job"))
		put(t, store, "parts/job.csv", []byte("beside"))
		if got, want := list(t, store, files.PartsFolder("job")), "parts/job/a:1 parts/job/b:1 parts/job/b.x:3 parts/job/c/d:3 parts/job/ä.csv:6"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := list(t, store, files.PartsFolder("nobody")); got != "" {
			t.Errorf("nobody's: %s", got)
		}
		for file, err := range store.List(t.Context(), files.PartsFolder("job")) {
			if err != nil || file.Key != "parts/job/a" {
				t.Errorf("%v, %v", file, err)
			}
			break // stops it
		}
	},
	"a list longer than a page": func(t *testing.T, store files.Store) {
		var keys []string
		page := 1000 // of S3 (API reference, ListObjectsV2); a folder has none
		if _, folder := store.(*files.Folder); folder {
			page = 30
		}
		for i := range page + 5 {
			keys = append(keys, files.PartKey("long", fmt.Sprintf("%09d", i)))
			put(t, store, keys[i], []byte("x"))
		}
		if got := strings.Fields(list(t, store, files.PartsFolder("long"))); len(got) != len(keys) || got[page+4] != keys[page+4]+":1" {
			t.Errorf("%d files", len(got))
		}
		if err := store.Delete(t.Context(), keys...); err != nil {
			t.Fatal(err)
		}
		if got := list(t, store, files.PartsFolder("long")); got != "" {
			t.Errorf("left: %s", got)
		}
	},
	"deleting": func(t *testing.T, store files.Store) {
		put(t, store, "x/one", []byte("1"))
		put(t, store, "x/two", []byte("2"))
		for range 2 { // what is gone is no error
			if err := store.Delete(t.Context(), "x/one", "x/nobody", "nowhere/nobody"); err != nil {
				t.Error(err)
			}
		}
		if err := store.Delete(t.Context()); err != nil {
			t.Errorf("nothing: %v", err)
		}
		if _, err := store.Size(t.Context(), "x/one"); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("it is there: %v", err)
		}
		if got := list(t, store, "x/"); got != "x/two:1" {
			t.Errorf("left: %s", got)
		}
	},
	"a cancelled context": func(t *testing.T, store files.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := store.Put(ctx, "x/cancelled", []byte("x"), "text/plain"); !errors.Is(err, context.Canceled) {
			t.Errorf("put: %v", err)
		}
		if _, err := store.Open(ctx, "x/cancelled"); !errors.Is(err, context.Canceled) {
			t.Errorf("open: %v", err)
		}
		if err := store.Delete(ctx, "x/cancelled"); !errors.Is(err, context.Canceled) {
			t.Errorf("delete: %v", err)
		}
		for _, err := range store.List(ctx, "x/") {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("list: %v", err)
			}
		}
	},
}

func put(t *testing.T, store files.Store, key string, content []byte) {
	t.Helper()
	if err := store.Put(t.Context(), key, content, "text/plain"); err != nil {
		t.Fatal(err)
	}
}

// list is what lies below a folder, "key:bytes" each.
func list(t *testing.T, store files.Store, folder string) string {
	t.Helper()
	var lines []string
	for file, err := range store.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s:%d", file.Key, file.Bytes))
	}
	return strings.Join(lines, " ")
}

func read(t *testing.T, store files.Store, key string) []byte {
	t.Helper()
	file, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFolder(t *testing.T) {
	for name, clause := range allClauses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, err := files.NewFolder(t.TempDir() + "/made")
			if err != nil {
				t.Fatal(err)
			}
			clause(t, store)
		})
	}
}

func TestNoKeyLeadsOutOfTheFolder(t *testing.T) {
	store, err := files.NewFolder(t.TempDir() + "/inside")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"../outside", "a/../../outside", "/etc/outside"} {
		if err := store.Put(t.Context(), key, []byte("x"), ""); err == nil {
			t.Errorf("%s was written", key)
		}
		if _, err := store.Open(t.Context(), key); err == nil || strings.Contains(err.Error(), "outside") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]string{
		"catalogue-2026.csv": "catalogue-2026.csv", "é à.png": "é à.png", "../../etc/passwd": "_.._etc_passwd", "": "file", "...": "file", "a\x00b\nc": "a_b_c",
		`a"b;c`: "a_b_c", " .hidden ": "hidden", "\xff\xfe": "_", strings.Repeat("x", 300) + ".png": strings.Repeat("x", files.MaxName-4) + ".png",
	} {
		if got := files.Name(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOneMediaFileHasOneKey(t *testing.T) {
	key := files.MediaKey("main", "4/f/0/1/4f01_front.jpg")
	if key != files.MediaKey("main", "4/f/0/1/4f01_front.jpg") || !strings.HasPrefix(key, "media/") || !strings.HasSuffix(key, "-4f01_front.jpg") {
		t.Errorf("key %q", key)
	}
	for _, other := range []string{files.MediaKey("outlet", "4/f/0/1/4f01_front.jpg"), files.MediaKey("main", "5/f/0/1/4f01_front.jpg"), files.MediaKey("main\x004/f", "0/1/4f01_front.jpg")} {
		if other == key {
			t.Errorf("%q is the key of another file too", other)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("a/b")
	f.Fuzz(func(t *testing.T, text string) {
		name := files.Name(text)
		if name == "" || len(name) > files.MaxName || !utf8.ValidString(name) || path.Base(name) != name || name[0] == '.' || files.Name(name) != name {
			t.Errorf("%q becomes %q", text, name)
		}
	})
}
