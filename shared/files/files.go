// Package files keeps the files that jobs make and the images that they hand on, under keys, in S3 or in a folder. What is
// stored is whole or not there. A small file is stored by Put; one that is made piece by piece, over several invocations,
// is an Upload (see Uploads and Writer).
//
// It makes no links and knows no job: package signature signs links, and the function files answers them.
package files

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNotFound: there is no file under that key, or no longer.
var ErrNotFound = errors.New("no such file")

// MaxName is how many bytes a file's name may have; longer ones are cut (file systems take 255).
const MaxName = 150

// Store keeps files under keys: segments of [A-Za-z0-9._-] and what Name lets through, with slashes between, made by the
// functions of keys.go; none is a folder of another. A call that fails may have been carried out; every call may be repeated.
// Errors are an *Error, ErrNotFound, or the context's own. All methods are safe for concurrent use.
type Store interface {
	// Put stores a file, and replaces what was there. Readers see the old or the new content, whole. It is durable when
	// Put returns nil. contentType is what a browser is told.
	Put(ctx context.Context, key string, content []byte, contentType string) error
	// Open reads a file. ErrNotFound.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// OpenAt reads a file from a byte on, which it has. ErrNotFound.
	OpenAt(ctx context.Context, key string, from int64) (io.ReadCloser, error)
	// Size is a file's size in bytes. ErrNotFound.
	Size(ctx context.Context, key string) (int64, error)
	// List walks the files below a folder, which ends with a slash, in the order of their keys' bytes. An error is its last
	// pair. What is stored or deleted meanwhile may be in it or not.
	List(ctx context.Context, folder string) iter.Seq2[File, error]
	// Delete deletes files; a key that has none is no error. After an error some may be left.
	Delete(ctx context.Context, keys ...string) error
	Uploads
}

// File is one line of a List.
type File struct {
	Key   string
	Bytes int64
}

// Name makes one safe segment of a path of a text: letters and digits of any script, spaces, dots, hyphens and underscores
// stay; what else there is becomes an underscore. It begins with no dot, is never empty, and has at most MaxName bytes.
func Name(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .-_", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(text, "_"))
	text = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(text), "."))
	for len(text) > MaxName {
		_, size := utf8.DecodeRuneInString(text) // the end holds what says the type
		text = strings.TrimLeft(text[size:], " .")
	}
	if text == "" {
		return "file"
	}
	return text
}
