package cloud

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// DownloadsPath is where Downloads are mounted.
const DownloadsPath = "/_local/files/"

// downloadLife is how long a signed address is good, as S3's are.
const downloadLife = 5 * time.Minute

// Downloads gives out files at signed addresses, as S3 does at presigned ones. All fields are required.
type Downloads struct {
	Origin string // of the local system
	Secret string // signs the addresses
	Files  files.Store
	Now    func() time.Time
	Log    *slog.Logger
}

var _ address.Signer = (*Downloads)(nil)

// Sign implements address.Signer.
func (d *Downloads) Sign(_ context.Context, _, key, name string) (string, error) {
	at := url.URL{Path: DownloadsPath + key}
	query := signature.SignLink(d.Secret, download(key, name, d.Now().Add(downloadLife)))
	return d.Origin + at.EscapedPath() + "?" + url.Values{"name": {name}}.Encode() + "&" + query, nil
}

func download(key, name string, until time.Time) signature.Link {
	return signature.Link{Kind: "download", Job: key, Name: name, Until: until}
}

// ServeHTTP gives one file. A browser stores it and never shows it: what users and PIMs wrote would run as our own page.
func (d *Downloads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, name := strings.TrimPrefix(r.URL.Path, DownloadsPath), r.URL.Query().Get("name")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if _, err := signature.VerifyLink([]string{d.Secret}, download(key, name, time.Time{}), r.URL.RawQuery, d.Now()); err != nil {
		http.Error(w, "access denied", http.StatusForbidden)
		return
	}
	size, err := d.Files.Size(r.Context(), key)
	var file io.ReadCloser
	if err == nil {
		file, err = d.Files.Open(r.Context(), key)
	}
	switch {
	case errors.Is(err, files.ErrNotFound):
		http.Error(w, "no such file", http.StatusNotFound)
		return
	case err != nil:
		d.Log.Error("file cannot be read", "reason", "file_unreadable", "error", err.Error())
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
		return
	}
	defer file.Close()
	content := bufio.NewReaderSize(file, 512)
	begin, _ := content.Peek(512) // an error comes again with the copy
	header := w.Header()
	header.Set("Content-Type", contentType(begin))
	header.Set("Content-Length", strconv.FormatInt(size, 10))
	header.Set("Content-Disposition", address.Attachment(name))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("Cache-Control", "private, no-store")
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, content); err != nil {
		d.Log.Debug("download ended early", "error", err.Error())
	}
}

// contentType is that of an image, which a destination may ask for, or of bytes.
func contentType(begin []byte) string {
	found := http.DetectContentType(begin)
	if slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, found) {
		return found
	}
	return "application/octet-stream"
}
